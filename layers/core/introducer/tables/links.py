"""Links in the Core table.

``LINK#{code}`` / ``LINK``; a partner's links hang on ``gsi1`` ``PARTNER#{id}`` / ``LINK#{time}``.
"""

from __future__ import annotations

from introducer.errors import AlreadyExistsError
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
        index={"gsi1pk": f"PARTNER#{link.partner}", "gsi1sk": f"LINK#{link.created_at}"},
        condition=store.absent(),
        error=AlreadyExistsError("this code is taken"),
    )
    events.add(writes, created(link, actor=actor))


def find(code: str) -> Link | None:
    """Return a link by its code, or None."""
    stored = store.get(Table.CORE, f"LINK#{code}", "LINK", consistent=False)
    return store.load(Link, stored) if stored else None


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
