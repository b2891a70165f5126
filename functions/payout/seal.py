"""The daily seal of the books, and the proof that nobody changed them: on a schedule, or by hand.

At least 30 minutes after a day (UTC) has ended, everything booked on it is counted, summed
and hashed, once; the seal is hung onto the program's chain and its root put where nobody can
change it. A journal found later makes a supplement and raises the alarm. The days since the
last seal are made up for, so that none is left out.

Then what was sealed is compared with what is stored: the whole chain, and journals and roots
of the last days and of a thirtieth of all others, or of all when the job ``verify`` asks.
"""

from __future__ import annotations

import time
from collections.abc import Container, Iterator
from datetime import date, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, metric, sealing
from introducer.clock import Instant
from introducer.errors import ContentionError
from introducer.ledger import Journal
from introducer.sealing import Fault, Seal, Tally
from introducer.tables import ledger as books
from introducer.tables import programs, seals
from payout import proofs
from payout.edge import logger

_GRACE_S = 30 * 60
_DAYS_BACK = 3
_ATTEMPTS = 5
_CHUNK = 500
_SLICES = 30
"""Every sealed day is read again once in so many nights."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Seal the days that are over; ``{"job": "verify"}`` proves every day there is instead."""
    now = clock.now()
    done: dict[str, int] = {}
    everything = event.get("job") == "verify"
    if not everything:
        done |= seal_all(now, days=int(event.get("days", _DAYS_BACK)))
    done["faults"] = sum(
        len(verify(program, now, everything=everything)) for program in programs.all_ids()
    )
    logger.info("sealed", extra=done)
    return done


def seal_all(now: Instant, *, days: int) -> dict[str, int]:
    """Seal every day that is over; look at the last *days* once more.

    Returns how many seals and supplements were made.
    """
    done = {"seals": 0, "supplements": 0}
    ended = clock.moment(now) - timedelta(seconds=_GRACE_S)
    yesterday = ended.date() - timedelta(days=1)
    for program in programs.all_ids():
        for day in _to_seal(program, yesterday, days):
            seal = seal_day(program, day, now)
            if seal is not None:
                done["supplements" if seal.supplement else "seals"] += 1
            _keep_roots(program, day, now)
    return done


def seal_day(program: str, day: str, now: Instant) -> Seal | None:
    """Seal one day, or supplement its seal; return what was stored, None when all is as it was."""
    for _ in range(_ATTEMPTS):
        head = seals.head(program)
        before = seals.of_day(program, day)
        found = _read(program, day)
        digest = sealing.digest(hashed for _, hashed in found)
        if before and before[-1].journals == digest:
            return None
        tally = _tally(program, [each for each, _ in found], now)
        seal = sealing.made(program, day, tally, digest, head=head, supplement=len(before), now=now)
        if seals.add(seal, head):
            break
    else:
        return None  # others seal at this moment: they have done it, or the next run will
    if seal.supplement:
        metric.count("LedgerBroken")
        logger.error(
            "a sealed day changed", extra={"program": program, "day": day, "count": seal.count}
        )
    return seal


def verify(program: str, now: Instant, *, everything: bool) -> list[Fault]:
    """Compare what was sealed with what is stored; halt payouts and tell when it differs.

    Args:
        program: Whose books.
        now: The present instant; which slice of the past is read depends on its day.
        everything: Read every day, not a slice.
    """
    chain = list(seals.of_period(program))
    days = None if everything else _slice(chain, now)
    faults = list(sealing.chain_faults(chain, seals.head(program)))
    chosen = [seal for seal in chain if days is None or seal.day in days]
    faults += sealing.root_faults(chosen, proofs.of_program(program, days))
    for seal in sealing.newest(chosen):
        stored = [journal for journal, _ in _read(program, seal.day)]
        faults += sealing.day_faults(seal, _journals(stored))
    if faults:
        books.halt(program, "the books are not what was sealed", now=now)
        for fault in faults:
            logger.error("not what was sealed", extra={"fault": fault})
    return faults


def _to_seal(program: str, yesterday: date, days: int) -> Iterator[str]:
    """Yield the days to look at: from the last sealed one or the program's first, and lately."""
    first = seals.last_day(program) or programs.version(program, 1).published_at[:10]
    begin = min(date.fromisoformat(first), yesterday - timedelta(days=days - 1))
    for ahead in range((yesterday - begin).days + 1):
        yield (begin + timedelta(days=ahead)).isoformat()


def _keep_roots(program: str, day: str, now: Instant) -> None:
    for seal in seals.of_day(program, day):
        if not proofs.keep(seal):
            books.halt(program, "a seal is not what was kept of it", now=now)


def _slice(chain: list[Seal], now: Instant) -> Container[str]:
    """Return the days to read tonight: the last ones, and those whose turn it is."""
    tonight = clock.moment(now).toordinal() % _SLICES
    days = sorted({seal.day for seal in chain})
    turn = {each for each in days if date.fromisoformat(each).toordinal() % _SLICES == tonight}
    return turn | set(days[-_DAYS_BACK:])


def _tally(program: str, journal_ids: list[str], now: Instant) -> Tally:
    """Return a day added up; halt payouts when it does not come to zero."""
    tally = Tally()
    for journal in _journals(journal_ids):
        tally.add(journal)
    torn = tally.changed or tally.count != len(journal_ids)
    if torn or any(sum(each.values()) for each in sealing.sums(tally.lines).values()):
        books.halt(program, "the day's journals do not add up", now=now)
    return tally


def _journals(journal_ids: list[str]) -> Iterator[Journal]:
    for begin in range(0, len(journal_ids), _CHUNK):
        yield from books.journals_by_id(journal_ids[begin : begin + _CHUNK])


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
