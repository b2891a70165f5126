"""What payees were paid in a year, in the Ledger table.

``PARTNER#{id}`` / ``TAX#{program}#{year}#{currency}``, changed only in the transaction with
the journal it counts. On ``gsi1`` ``TAX#{program}#{year}#{0-3}`` / holder and currency, whole,
so that a year's list needs no scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from introducer import ids
from introducer.errors import StaleError
from introducer.tables import store
from introducer.tables.store import Table, Transaction
from introducer.tax.tally import YearTotal

SHARDS = 4
_FIRST: dict[str, Any] = {"shard": 0}


def find(partner: str, program: str, year: int, currency: str) -> YearTotal:
    """Return what a holder was paid in *year* in one unit; all zero when nothing was."""
    stored = store.get(Table.LEDGER, f"PARTNER#{partner}", _sk(program, year, currency))
    if stored is None:
        return YearTotal(partner=partner, program=program, year=year, currency=currency)
    return store.load(YearTotal, stored)


def find_many(program: str, year: int, keys: Sequence[tuple[str, str]]) -> list[YearTotal]:
    """Return the totals of holders and units, *keys*, that exist, as they stand."""
    wanted = [(f"PARTNER#{partner}", _sk(program, year, unit)) for partner, unit in keys]
    found = store.batch_get(Table.LEDGER, wanted, consistent=True)
    return [store.load(YearTotal, stored) for stored in found.values()]


def of_holder(partner: str) -> list[YearTotal]:
    """Return every total of a holder."""
    found = store.query_all(Table.LEDGER, f"PARTNER#{partner}", prefix="TAX#", consistent=True)
    return [store.load(YearTotal, stored) for stored in found]


def save(writes: Transaction, before: YearTotal, after: YearTotal) -> None:
    """Add the move from *before* to *after*.

    The transaction fails with :class:`StaleError` when the total moved meanwhile.
    """
    writes.put(
        Table.LEDGER,
        f"PARTNER#{after.partner}",
        _sk(after.program, after.year, after.currency),
        after,
        index={
            "gsi1pk": _list(after.program, after.year, ids.shard(after.partner, SHARDS)),
            "gsi1sk": f"{after.partner}#{after.currency}",
        },
        condition=store.at_version(before.version) if before.version else store.absent(),
        error=StaleError("somebody else changed the year's total first"),
    )


def page(
    program: str, year: int, *, limit: int, start: dict[str, Any] | None = None
) -> tuple[list[YearTotal], dict[str, Any] | None]:
    """Return some of a year's totals from *start* on, and where the list goes on, if it does."""
    place = start or _FIRST
    shard, key = int(place["shard"]), place.get("key")
    found: list[YearTotal] = []
    while shard < SHARDS and len(found) < limit:
        read = store.query(
            Table.LEDGER,
            _list(program, year, shard),
            index="gsi1",
            limit=limit - len(found),
            start=key,
        )
        found += [store.load(YearTotal, stored) for stored in read.items]
        key = read.next
        if key is None:
            shard += 1
    if shard == SHARDS:
        return found, None
    return found, {"shard": shard, **({"key": key} if key else {})}


def of_year(program: str, year: int) -> Iterator[YearTotal]:
    """Yield every total of a year, in a stable order."""
    for shard in range(SHARDS):
        for stored in store.query_all(Table.LEDGER, _list(program, year, shard), index="gsi1"):
            yield store.load(YearTotal, stored)


def _list(program: str, year: int, shard: int) -> str:
    return f"TAX#{program}#{year}#{shard}"


def _sk(program: str, year: int, currency: str) -> str:
    return f"TAX#{program}#{year}#{currency}"
