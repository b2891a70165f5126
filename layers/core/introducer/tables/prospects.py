"""The company's own list of prospects in the Core table.

``PROSPECT#{program}#{keyed hash of the mailbox}`` / ``PROFILE``; nothing says who it is. The
entry hangs on ``gsi1`` ``PROSPECTS#{program}`` / ``{state}#{segment}#{type}#{hash}``, so that
keys alone say how many there are of each kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from introducer.errors import StaleError
from introducer.event import Event
from introducer.prospect import Prospect
from introducer.tables import events, store
from introducer.tables.store import Table, Transaction


class Kind(NamedTuple):
    """What prospects are counted by."""

    state: str
    segment: str
    type: str


def find(program: str, key: str) -> Prospect | None:
    """Return the entry of a mailbox, by its keyed hash, or None."""
    stored = store.get(Table.CORE, _pk(program, key), "PROFILE")
    return store.load(Prospect, stored) if stored else None


def find_all(program: str, keys: Sequence[str]) -> dict[str, Prospect]:
    """Return the entries found under *keys*, by key."""
    wanted = [(_pk(program, key), "PROFILE") for key in keys]
    found = store.batch_get(Table.CORE, wanted, consistent=True)
    entries = [store.load(Prospect, stored) for stored in found.values()]
    return {each.key: each for each in entries}


def save(writes: Transaction, before: Prospect | None, after: Prospect, event: Event) -> None:
    """Add the move of an entry and its event.

    The transaction fails with :class:`StaleError` when the entry changed meanwhile.
    """
    writes.put(
        Table.CORE,
        after.entity,
        "PROFILE",
        after,
        index={
            "gsi1pk": f"PROSPECTS#{after.program}",
            "gsi1sk": f"{after.state}#{after.segment}#{after.type}#{after.key}",
        },
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("somebody else changed the prospect first"),
    )
    events.add(writes, event)


def count(program: str) -> dict[Kind, int]:
    """Return how many prospects there are by state, segment and type; eventually consistent.

    Reads the index's keys: half a unit per 4 KB, about fifty entries.
    """
    counts: Counter[Kind] = Counter()
    for keys in store.query_all(Table.CORE, f"PROSPECTS#{program}", index="gsi1"):
        state, segment, kind, _ = keys["gsi1sk"].split("#")
        counts[Kind(state, segment, kind)] += 1
    return dict(sorted(counts.items()))


def _pk(program: str, key: str) -> str:
    return f"PROSPECT#{program}#{key}"
