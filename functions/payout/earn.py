"""Rewards are earned and taken back: from the bus, by way of a queue.

An event only says which referral to look at. What the books should hold is computed
from everything stored about it now, and what is missing is booked; so the order and
the number of deliveries do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from introducer import clock, streams
from introducer.clock import Instant
from introducer.errors import ContentionError
from introducer.streams import Answer, Batch, Record
from payout.booking import book
from payout.edge import logger
from payout.mend import mend
from payout.outcome import pause, settled

_ATTEMPTS = 8


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Bring the books of every referral named in the messages up to date."""
    return streams.from_queue(event, work, read=streams.bus_detail)


def work(batch: Batch) -> None:
    """Bring the books of each event's referral up to date; failures stay in the queue."""
    batch.each(earn)


def earn(event: Record) -> None:
    """Bring the books of one referral up to date."""
    kind, _, referral = event["entity"].partition("#")
    if kind != "REFERRAL":
        message = f"an event of {kind} is not about a referral"
        raise ValueError(message)
    converge(referral, now=clock.now())
    logger.info("books brought up to date", extra={"referral": referral})


def converge(referral: str, *, now: Instant) -> None:
    """Book what the stored facts about *referral* say and the books do not hold yet.

    Where the rules ask what partners achieved before, its successes are counted first; then
    those it displaces lose what they have too much; only then is anything raised.

    Raises:
        ContentionError: Others kept getting in first, or there is much to correct; what was
            done stays done, and the message comes again.
    """
    for attempt in range(_ATTEMPTS):
        seen = settled(referral)
        if seen.unsettled:
            mend(seen.unsettled, seen.tails, now)
            seen = settled(referral, seen.tails)
        if book(seen, now=now):
            return
        pause(attempt)
    message = "somebody was always being corrected"
    raise ContentionError(message, referral=referral)
