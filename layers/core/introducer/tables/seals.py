"""Seals in the Ledger table: what a day's books add up to, fixed for ever.

``SEAL#{program}`` / ``{day}``, and ``{day}#{n}`` for the n-th supplement: what the day adds up
to after a journal was found later. ``PROGRAM#{program}`` / ``SEALS`` is the end of their chain.
"""

from __future__ import annotations

from collections.abc import Iterator

from introducer.errors import AlreadyExistsError, StaleError
from introducer.sealing import Head, Seal
from introducer.tables import store
from introducer.tables.store import Table, Transaction

_FIRST, _LAST = "0000-00-00", "9999-99-99"
_AFTER = "~"
"""Sorts behind every supplement of a day."""


def add(seal: Seal, head: Head) -> bool:
    """Store a seal at the end of the chain; return whether nobody was faster."""
    writes = Transaction()
    writes.put(
        Table.LEDGER,
        _pk(seal.program),
        f"{seal.day}#{seal.supplement}" if seal.supplement else seal.day,
        seal,
        condition=store.absent(),
        error=AlreadyExistsError("sealed before"),
    )
    writes.put(
        Table.LEDGER,
        f"PROGRAM#{seal.program}",
        "SEALS",
        Head(version=seal.number, hash=seal.hash),
        condition=store.at_version(head.version) if head.version else store.absent(),
        error=StaleError("somebody else sealed first"),
    )
    try:
        writes.commit()
    except (AlreadyExistsError, StaleError):
        return False
    return True


def head(program: str) -> Head:
    """Return the end of a program's chain of seals."""
    stored = store.get(Table.LEDGER, f"PROGRAM#{program}", "SEALS")
    return store.load(Head, stored) if stored else Head()


def of_day(program: str, day: str) -> list[Seal]:
    """Return a day's seal and its supplements, in order; empty while it is not sealed."""
    return list(of_period(program, day, day))


def of_period(program: str, first: str = _FIRST, last: str = _LAST) -> Iterator[Seal]:
    """Yield the seals, supplements too, of the days *first* to *last*, by day; all by default."""
    found = store.query_all(
        Table.LEDGER, _pk(program), between=(first, f"{last}{_AFTER}"), consistent=True
    )
    for stored in found:
        yield store.load(Seal, stored)


def last_day(program: str) -> str:
    """Return the newest day that is sealed, empty while none is."""
    page = store.query(
        Table.LEDGER,
        _pk(program),
        between=(_FIRST, f"{_LAST}{_AFTER}"),
        newest_first=True,
        limit=1,
        consistent=True,
    )
    return str(page.items[0]["day"]) if page.items else ""


def _pk(program: str) -> str:
    return f"SEAL#{program}"
