"""Seals in the Ledger table: what a day's books add up to, fixed for ever.

``SEAL#{program}`` / ``{day}``, and ``{day}#{n}`` for the n-th supplement: what the day adds up
to after a journal was found later.
"""

from __future__ import annotations

import msgspec

from introducer.clock import Instant
from introducer.errors import AlreadyExistsError
from introducer.tables import store
from introducer.tables.store import Table


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """One day (UTC) of one program's books.

    Attributes:
        count: How many journals.
        sums: Sum of the legs by currency and account.
        hash: SHA-256, in hex, over the sorted hashes of the journals.
        supplement: 0 for the seal itself.
    """

    program: str
    day: str
    count: int
    sums: dict[str, dict[str, int]]
    hash: str
    sealed_at: Instant
    supplement: int = 0


def add(seal: Seal) -> bool:
    """Store a seal; return whether it is the first under its name."""
    try:
        store.put(
            Table.LEDGER,
            f"SEAL#{seal.program}",
            f"{seal.day}#{seal.supplement}" if seal.supplement else seal.day,
            seal,
            condition=store.absent(),
            error=AlreadyExistsError("sealed before"),
        )
    except AlreadyExistsError:
        return False
    return True


def of_day(program: str, day: str) -> list[Seal]:
    """Return a day's seal and its supplements, in order; empty while it is not sealed."""
    found = store.query_all(Table.LEDGER, f"SEAL#{program}", prefix=day, consistent=True)
    return sorted((store.load(Seal, each) for each in found), key=lambda seal: seal.supplement)
