"""The assets library in the Core table.

``ASSET#{program}#{id}`` / ``ASSET`` is what counts now, ``VERSION#{0001}`` what a version said;
a program's assets hang on ``gsi1`` ``ASSETS#{program}`` / id.
"""

from __future__ import annotations

from introducer.asset import Asset, published
from introducer.errors import StaleError
from introducer.tables import events, store
from introducer.tables.store import Item, Page, Table, Transaction


def save(writes: Transaction, before: Asset | None, after: Asset, *, actor: str) -> None:
    """Add a new version of an asset and its event.

    The transaction fails with :class:`StaleError` when somebody published one meanwhile.
    """
    writes.put(
        Table.CORE,
        after.entity,
        "ASSET",
        after,
        index={"gsi1pk": f"ASSETS#{after.program}", "gsi1sk": after.id},
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("somebody else changed the asset first"),
    )
    writes.put(Table.CORE, after.entity, f"VERSION#{after.version:04}", after)
    events.add(writes, published(after, actor=actor))


def find(program: str, asset: str) -> Asset | None:
    """Return an asset, or None."""
    stored = store.get(Table.CORE, f"ASSET#{program}#{asset}", "ASSET")
    return store.load(Asset, stored) if stored else None


def of_program(program: str, *, limit: int, start: Item | None = None) -> tuple[list[Asset], Page]:
    """Return one page of a program's assets by id, and the page for its cursor."""
    page = store.query(Table.CORE, f"ASSETS#{program}", index="gsi1", limit=limit, start=start)
    # One item hangs there by each asset; its versions do not.
    keys = [(key["pk"], key["sk"]) for key in page.items]
    found = store.batch_get(Table.CORE, keys)
    return [store.load(Asset, found[key]) for key in keys if key in found], page
