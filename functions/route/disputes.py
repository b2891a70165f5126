"""Disputes that nobody decided in time go up: on a schedule, or by hand."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from introducer import clock, dispute, metric
from introducer.clock import Instant
from introducer.dispute import Dispute
from introducer.errors import StaleError, TransitionError
from introducer.tables import disputes
from introducer.tables.store import Transaction

logger = Logger()


def handler(event: dict[str, object], _context: object) -> dict[str, int]:  # noqa: ARG001
    """Let every dispute whose time is over go up."""
    done = {"escalated": look(clock.now())}
    logger.info("looked for undecided disputes", extra=done)
    return done


def look(now: Instant) -> int:
    """Let every dispute go up that should have been decided at *now*; return how many did."""
    count = sum(_go_up(before, now) for before in disputes.overdue(now))
    if count:
        metric.count("DisputeEscalated", count)
    return count


def _go_up(before: Dispute, now: Instant) -> bool:
    try:
        after, event = dispute.escalated(before, now=now)
        writes = Transaction()
        disputes.save(writes, before, after, event)
        writes.commit()
    except (StaleError, TransitionError):
        return False  # it moved this moment, most likely because it was decided
    return True
