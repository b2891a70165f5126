"""Links in the Core table.

``LINK#{code}`` / ``LINK``; a partner's links hang on ``gsi1`` ``PARTNER#{id}`` / ``LINK#{time}``,
those of a batch of print cards on ``CARDS#{batch}`` / ``LINK#{code}`` instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynamodb.expressions.operand import Path

from introducer.errors import AlreadyExistsError, StaleError
from introducer.event import Event
from introducer.link import Link, created
from introducer.tables import events, store
from introducer.tables.store import Item, Page, Table, Transaction


def add(writes: Transaction, link: Link, *, actor: str) -> None:
    """Add a new link; fails with :class:`AlreadyExistsError` when its code is taken."""
    writes.put(
        Table.CORE,
        link.entity,
        "LINK",
        link,
        index=_index(link),
        condition=store.absent(),
        error=AlreadyExistsError("this code is taken"),
    )
    events.add(writes, created(link, actor=actor))


def save(writes: Transaction, before: Link, after: Link, event: Event) -> None:
    """Add the move from *before* to *after* and its event.

    The transaction fails with :class:`StaleError` when the link changed meanwhile.
    """
    # A link is stored without what is its default, and version 1 is one.
    unchanged = store.at_version(before.version)
    if before.version == 1:
        unchanged |= Path("version").does_not_exist()
    writes.put(
        Table.CORE,
        after.entity,
        "LINK",
        after,
        index=_index(after),
        condition=Path("pk").exists() & unchanged,
        error=StaleError("somebody else changed the link first"),
    )
    events.add(writes, event)


def find(code: str, *, consistent: bool = False) -> Link | None:
    """Return a link by its code, or None."""
    stored = store.get(Table.CORE, f"LINK#{code}", "LINK", consistent=consistent)
    return store.load(Link, stored) if stored else None


def find_all(codes: Sequence[str], *, consistent: bool = False) -> dict[str, Link]:
    """Return those of *codes* that are links, by code."""
    keys = [(f"LINK#{code}", "LINK") for code in codes]
    found = store.batch_get(Table.CORE, keys, consistent=consistent)
    loaded = [store.load(Link, stored) for stored in found.values()]
    return {link.code: link for link in loaded}


def of_partner(partner: str, *, limit: int, start: Item | None = None) -> tuple[list[Link], Page]:
    """Return one page of a partner's links, newest first, and the page for its cursor."""
    page = store.query(
        Table.CORE,
        f"PARTNER#{partner}",
        prefix="LINK#",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    keys = [(key["pk"], key["sk"]) for key in page.items]
    found = store.batch_get(Table.CORE, keys)
    return [store.load(Link, found[key]) for key in keys if key in found], page


def _index(link: Link) -> dict[str, str]:
    if link.batch:
        return {"gsi1pk": f"CARDS#{link.batch}", "gsi1sk": f"LINK#{link.code}"}
    return {"gsi1pk": f"PARTNER#{link.partner}", "gsi1sk": f"LINK#{link.created_at}"}
