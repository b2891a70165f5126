"""Kept messages are looked at again when something may have explained them: from the bus.

An event only says where to look. What waits under the keys of its referral is planned by the
same code as a message that has just come, in the order in which it happened. A message that
is kept looks for itself once more by its own event: whoever came between its look and its
write, saw nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from introducer import clock, startup, streams  # noqa: F401  (startup before our own chain)
from introducer.clock import Instant
from introducer.conversion import Conversion
from introducer.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    OutdatedError,
    SeveralFaultsError,
    TransitionError,
)
from introducer.identity import EXTERNAL
from introducer.streams import Answer, Batch, Record
from introducer.tables import referrals, waiting
from submit import conversions, told
from submit.conversions import Plan

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

_ROUNDS = 3
"""A refund whose clock ran ahead of its sale's is applied in the round after it."""
_MADE = frozenset({"ReferralSubmitted", "ReferralImported"})
"""The first events of a referral: all of its keys are new."""
_REFUSALS = (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    OutdatedError,
    SeveralFaultsError,
    TransitionError,
)


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Apply what waits for the referrals named in the messages."""
    return streams.from_queue(event, work, read=streams.bus_detail)


def work(batch: Batch) -> None:
    """Look again at what waits, for each event; failures stay in the queue."""
    batch.each(look)


def look(event: Record) -> None:
    """Look again at what waits under the keys that *event* speaks of."""
    now, program = clock.now(), str(event["program"])
    keys = _keys(event)
    applied = 0
    for _ in range(_ROUNDS):
        outcomes = [_again(each, now) for each in waiting.found_by(program, keys)]
        progress = sum(outcome != "waiting" for outcome in outcomes)
        applied += progress
        if not progress:
            break
    _logger().info("looked at what waits", extra={"entity": event["entity"], "applied": applied})


def _keys(event: Record) -> list[str]:
    """Return what a message would wait under that *event* may explain."""
    kind, _, name = str(event["entity"]).partition("#")
    said: Mapping[str, Any] = event.get("data") or {}
    keys = [str(said["external"])] if said.get("external") else []
    if kind == "CONVERSION":
        found = waiting.find(name)
        return keys + (found.keys if found else [])
    if kind != "REFERRAL":
        message = f"an event of {kind} explains no conversion"
        raise ValueError(message)
    keys.append(f"referral#{name}")
    if event["type"] in _MADE:
        detail = referrals.detail(name)
        lead = detail.referral
        keys += [f"email#{lead.lead_key}"] if lead.lead_key else []
        keys += [f"{kind}#{key}" for kind, key in lead.keys.items() if kind.startswith(EXTERNAL)]
        keys += [f"click#{touch.id}" for touch in detail.touches if touch.kind == "click"]
    return keys


def _again(kept: Conversion, now: Instant) -> str:
    """Return what became of a message that waits, now that it was looked at again."""

    def planned() -> Plan:
        fresh = waiting.find(kept.id)
        if fresh is None or fresh.status != "waiting":
            return conversions.done(kept)
        try:
            return conversions.plan(told.of_kept(fresh, now), fresh)
        except _REFUSALS as refusal:
            return conversions.refuse(fresh, refusal.code, now)

    return conversions.committed(planned).outcome


@cache
def _logger() -> Logger:
    from aws_lambda_powertools import Logger  # by whoever logs, not at import

    return Logger()
