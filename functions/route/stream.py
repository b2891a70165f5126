"""The Core stream: what happens next to a referral that was submitted, screened or handed back.

Each step acts on the referral as it stands now, so that events which come twice or
out of order find nothing left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from introducer import streams
from introducer.errors import StaleError
from introducer.settings import setting
from introducer.streams import Answer, Batch, Record
from route.assign import assign
from route.screen import screen

STEPS = {"ReferralSubmitted": screen, "ReferralScreened": assign, "ReferralReturned": assign}
"""What follows each type of event; the template's filter lets only these through."""


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Take a batch of new events from the stream."""
    return streams.from_stream(event, work, retry_url=setting("ROUTE_RETRY_URL"))


def work(batch: Batch) -> None:
    """Take the next step for each event."""
    batch.each(record_handler)


def record_handler(record: Record) -> None:
    """Take the next step for one event, given as the raw attributes of its item."""
    step = STEPS[record["type"]["S"]]
    referral = record["entity"]["S"].removeprefix("REFERRAL#")
    cause = record["id"]["S"]
    try:
        step(referral, cause=cause)
    except StaleError:
        # Somebody got in between reading and writing. What they did may have left nothing to do.
        step(referral, cause=cause)
