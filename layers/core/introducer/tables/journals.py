"""Journals by day and by batch, page after page, for those who read the books."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from introducer.ledger import Journal
from introducer.tables import ledger, payouts, store
from introducer.tables.store import Table

Place = dict[str, Any]
"""Where a list over the shards of an index goes on."""
_FACTS = ("created", "submitted", "paid", "returned", "cancelled")


def of_day(
    program: str, day: str, *, limit: int, place: Place | None
) -> tuple[list[Journal], Place | None]:
    """Return some of the journals booked on *day* (UTC), in no order of time, and the next place.

    Args:
        program: Whose books.
        day: ``YYYY-MM-DD``.
        limit: Most journals.
        place: From the page before; None for the beginning.
    """

    def key(shard: int) -> str:
        return f"DAY#{program}#{day}#{shard}"

    keys, following = _across(key, ledger.DAY_SHARDS, limit, place)
    found = ledger.journals_by_id([each["pk"].partition("#")[2] for each in keys])
    return sorted(found, key=lambda each: (each.posted_at, each.id)), following


def of_batch(batch: str, *, limit: int, place: Place | None) -> tuple[list[Journal], Place | None]:
    """Return the journals of some payouts of a batch, and the next place.

    Args:
        batch: Its id. What it cost in fees and exchange is the holder ``batch.{id}``'s.
        limit: Most payouts; each has up to three journals.
        place: From the page before; None for the beginning.
    """

    def key(shard: int) -> str:
        return f"BATCH#{batch}#{shard}"

    keys, following = _across(key, payouts.SHARDS, limit, place, prefix="PAYOUT#")
    references = [each["pk"].partition("#")[2] for each in keys]
    names = [f"payout:{reference}:{fact}" for reference in references for fact in _FACTS]
    found = ledger.journals_by_id(names)
    return sorted(found, key=lambda each: (each.partner, each.currency, each.seq)), following


def _across(
    key: Callable[[int], str], shards: int, limit: int, place: Place | None, *, prefix: str = ""
) -> tuple[Sequence[store.Item], Place | None]:
    """Return up to *limit* keys of an index that is spread over *shards*, and the next place."""
    shard, start = (place["shard"], place["start"]) if place else (0, None)
    found: list[store.Item] = []
    while shard < shards and len(found) < limit:
        page = store.query(
            Table.LEDGER,
            key(shard),
            prefix=prefix,
            index="gsi2",
            limit=limit - len(found),
            start=start,
        )
        found += page.items
        start = page.next
        shard += start is None
    return found, {"shard": shard, "start": start} if shard < shards else None
