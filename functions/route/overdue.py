"""Leads that wait for their rep: remind once, then take back. On a schedule, or by hand.

Acts on the referral as it stands and under its version: a second run, two at once, or a rep
who accepts at the last moment find nothing left to do, or win.
"""

from __future__ import annotations

from aws_lambda_powertools import Logger

from introducer import clock, life, metric
from introducer.clock import Instant
from introducer.command import Remind, TakeBack
from introducer.errors import IntroducerError, StaleError, TransitionError
from introducer.program import Program
from introducer.referral import Referral
from introducer.tables import programs, referrals
from introducer.tables.store import Transaction
from route import invited

logger = Logger()


def handler(event: dict[str, object], _context: object) -> dict[str, int]:  # noqa: ARG001
    """Remind reps and those who were invited, and take back the leads nobody took."""
    now = clock.now()
    try:
        done = look(now)
    finally:
        # A lead that cannot be moved keeps nobody from being reminded.
        told_again = invited.remind(now)
    done["invited"] = told_again
    logger.info("looked for overdue leads", extra=done)
    return done


def look(now: Instant) -> dict[str, int]:
    """Take the next step for every lead whose rep should have answered; return how many.

    Raises:
        IntroducerError: One of them could not be moved; the others were nevertheless.
    """
    reminded = taken_back = 0
    failures: list[IntroducerError] = []
    for before in referrals.overdue(now):
        late = before.accept_by <= now
        try:
            moved = _take_step(before, late=late, now=now)
        except IntroducerError as failure:
            logger.exception("lead could not be moved", extra={"referral": before.id})
            failures.append(failure)
            continue
        reminded += moved and not late
        taken_back += moved and late
    if taken_back:
        metric.count("LeadOverdue", taken_back)
    if failures:
        raise failures[0]
    return {"reminded": reminded, "taken_back": taken_back}


def _take_step(before: Referral, *, late: bool, now: Instant) -> bool:
    """Remind the rep, or take the lead back when it is too *late*; return whether it was done."""
    document = programs.version(before.program, before.program_version).document
    sla = document.routing.sla
    take_back = TakeBack(then=sla.then if sla else "review")
    return _move(before, take_back if late else Remind(), document, now)


def _move(before: Referral, command: Remind | TakeBack, document: Program, now: Instant) -> bool:
    """Make one move; return whether it was still to be made."""
    try:
        after, event = life.apply(before, command, document, now=now, actor="system")
        writes = Transaction()
        referrals.save(writes, before, after, event)
        writes.commit()
    except (StaleError, TransitionError):
        return False  # it moved this moment, most likely because the rep took it
    return True
