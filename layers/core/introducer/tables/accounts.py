"""Accounts in the Core table: whom the company deals with already.

``ACCOUNT#{program}#{email, phone, domain or external.source}#{keyed hash}`` / ``PROFILE``. A
key that is on a list hangs on ``gsi1`` ``ACCOUNTS#{program}`` / ``{lists}#{kind of key}#{hash}``,
so that index keys alone say how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from introducer.account import KINDS, Account, entity
from introducer.errors import StaleError
from introducer.event import Event
from introducer.tables import events, store
from introducer.tables.store import Table, Transaction


class Key(NamedTuple):
    """A keyed hash, and what it is of."""

    by: str
    key: str


def find_all(program: str, keys: Iterable[Key], *, consistent: bool = False) -> dict[Key, Account]:
    """Return those of *keys* that are or were on a list: half a unit each, or one."""
    wanted = [(entity(program, *each), "PROFILE") for each in keys]
    found = store.batch_get(Table.CORE, wanted, consistent=consistent)
    known = [store.load(Account, stored) for stored in found.values()]
    return {Key(each.by, each.key): each for each in known}


def save(writes: Transaction, before: Account | None, after: Account, event: Event) -> None:
    """Add the move of a key and its event.

    The transaction fails with :class:`StaleError` when it was moved meanwhile.
    """
    lists = "+".join(kind for kind in KINDS if kind in after.on)
    index = {"gsi1pk": f"ACCOUNTS#{after.program}", "gsi1sk": f"{lists}#{after.by}#{after.key}"}
    writes.put(
        Table.CORE,
        after.entity,
        "PROFILE",
        after,
        index=index if lists else None,
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("somebody else changed the account first"),
    )
    events.add(writes, event)


def count(program: str) -> dict[Key, int]:
    """Return how many keys are on a list, as ``Key(by=kind of key, key=list)``.

    Eventually consistent, those included whose time is over. Reads the index's keys: half a
    unit per 4 KB, about forty keys.
    """
    counts: Counter[Key] = Counter()
    for keys in store.query_all(Table.CORE, f"ACCOUNTS#{program}", index="gsi1"):
        lists, by, _ = keys["gsi1sk"].split("#")
        counts.update(Key(by, kind) for kind in lists.split("+"))
    return dict(sorted(counts.items()))
