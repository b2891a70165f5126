"""The daily seal of the books: on a schedule, or by hand.

At least 30 minutes after a day (UTC) has ended, everything booked on it is counted, summed
and hashed, once. A journal found later makes a supplement and raises the alarm.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, ledger, metric
from introducer.clock import Instant
from introducer.errors import ContentionError
from introducer.tables import ledger as books
from introducer.tables import programs, seals
from introducer.tables.seals import Seal
from payout.edge import logger

_GRACE_S = 30 * 60
_DAYS_BACK = 3
_ATTEMPTS = 5


def handler(event: dict[str, int], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Seal the days that are over and look at those sealed lately once more."""
    done = seal_all(clock.now(), days=int(event.get("days", _DAYS_BACK)))
    logger.info("sealed", extra=done)
    return done


def seal_all(now: Instant, *, days: int) -> dict[str, int]:
    """Seal the last *days* days of every program; return how many seals and supplements."""
    done = {"seals": 0, "supplements": 0}
    ended = clock.instant(clock.moment(now) - timedelta(seconds=_GRACE_S))
    for program in programs.all_ids():
        for back in range(days, 0, -1):
            day = clock.day(clock.instant(clock.moment(ended) - timedelta(days=back)))
            seal = seal_day(program, day, now)
            if seal is not None:
                done["supplements" if seal.supplement else "seals"] += 1
    return done


def seal_day(program: str, day: str, now: Instant) -> Seal | None:
    """Seal one day, or supplement its seal; return what was stored, None when all is as it was."""
    before = seals.of_day(program, day)
    found = _read(program, day)
    digest = _digest([hashed for _, hashed in found])
    if before and before[-1].hash == digest:
        return None
    seal = Seal(
        program=program,
        day=day,
        count=len(found),
        sums=_sums(program, [each for each, _ in found], now),
        hash=digest,
        sealed_at=now,
        supplement=len(before),
    )
    if not seals.add(seal):
        return None
    if seal.supplement:
        metric.count("LedgerBroken")
        logger.error(
            "a sealed day changed", extra={"program": program, "day": day, "count": seal.count}
        )
    return seal


def _read(program: str, day: str) -> list[tuple[str, str]]:
    """Return id and hash of the day's journals, once two reads agree."""
    before = books.day_keys(program, day)
    for attempt in range(_ATTEMPTS):
        time.sleep(0.05 * attempt)
        again = books.day_keys(program, day)
        if again == before:
            return sorted(again)
        before = again
    message = "the day's journals are still being listed"
    raise ContentionError(message, program=program, day=day)


def _sums(program: str, journal_ids: list[str], now: Instant) -> dict[str, dict[str, int]]:
    """Return the sums of the day by currency and account; halt payouts when they are not zero."""
    journals = books.journals_by_id(journal_ids)
    sums = ledger.totals(journals)
    torn = any(journal.hash != ledger.journal_hash(journal) for journal in journals)
    if torn or len(journals) != len(journal_ids) or any(sum(s.values()) for s in sums.values()):
        books.halt(program, "the day's journals do not add up", now=now)
    return sums


def _digest(hashes: list[str]) -> str:
    return hashlib.sha256(msgspec.json.encode(sorted(hashes))).hexdigest()
