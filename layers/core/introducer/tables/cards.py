"""Batches of print cards in the Core table, and the links they are.

``CARDS#{id}`` / ``BATCH`` holds the codes; a partner's batches hang on ``gsi1``
``PARTNER#{id}`` / ``CARDS#{time}``. A hundred links with their events are more than a
transaction takes, so the batch is stored first and its links follow: what is missing after
a crash is made when anybody asks for the batch again.
"""

from __future__ import annotations

from introducer import card
from introducer.card import Batch
from introducer.errors import AlreadyExistsError
from introducer.landing import OWN_PAGE
from introducer.link import Link
from introducer.tables import events, links, store
from introducer.tables.store import Item, Page, Table, Transaction

_LINKS_AT_ONCE = 45
"""Two items each, in transactions of a hundred."""


def add(writes: Transaction, batch: Batch, *, actor: str) -> None:
    """Add a new batch; :func:`complete` makes its links afterwards."""
    writes.put(
        Table.CORE,
        batch.entity,
        "BATCH",
        batch,
        index={"gsi1pk": f"PARTNER#{batch.partner}", "gsi1sk": f"CARDS#{batch.created_at}"},
        condition=store.absent(),
        error=AlreadyExistsError("there is such a batch"),
    )
    events.add(writes, card.made(batch, actor=actor))


def find(batch: str) -> Batch | None:
    """Return a batch, or None."""
    stored = store.get(Table.CORE, f"CARDS#{batch}", "BATCH")
    return store.load(Batch, stored) if stored else None


def of_partner(partner: str, *, limit: int, start: Item | None = None) -> tuple[list[Batch], Page]:
    """Return one page of a partner's batches, newest first, and the page for its cursor."""
    page = store.query(
        Table.CORE,
        f"PARTNER#{partner}",
        prefix="CARDS#",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    keys = [(key["pk"], key["sk"]) for key in page.items]
    found = store.batch_get(Table.CORE, keys)
    return [store.load(Batch, found[key]) for key in keys if key in found], page


def free_codes(count: int) -> list[str]:
    """Return *count* codes that no link has."""
    codes: dict[str, None] = {}
    while len(codes) < count:
        drawn = list(dict.fromkeys(card.new_code() for _ in range(count - len(codes))))
        taken = links.find_all(drawn, consistent=True)
        codes.update(dict.fromkeys(code for code in drawn if code not in taken))
    return list(codes)


def complete(batch: Batch) -> list[Link]:
    """Return the links of *batch* in its order, making those that are missing.

    A code that somebody else took since it was drawn is left out.
    """
    found = links.find_all(batch.codes, consistent=True)
    missing = [code for code in batch.codes if code not in found]
    if missing:
        for begin in range(0, len(missing), _LINKS_AT_ONCE):
            _make(batch, missing[begin : begin + _LINKS_AT_ONCE])
        found = links.find_all(batch.codes, consistent=True)
    own = {code: link for code, link in found.items() if link.batch == batch.id}
    return [own[code] for code in batch.codes if code in own]


def _make(batch: Batch, codes: list[str]) -> None:
    writes = Transaction()
    for code in codes:
        links.add(writes, _link(batch, code), actor=f"PARTNER#{batch.partner}")
    try:
        writes.commit()
    except AlreadyExistsError:
        # Somebody else completes the batch at this moment, or owns one of the codes.
        if len(codes) > 1:
            for code in codes:
                _make(batch, [code])


def _link(batch: Batch, code: str) -> Link:
    return Link(
        code=code,
        program=batch.program,
        partner=batch.partner,
        destination=batch.destination or f"{OWN_PAGE}{code}",
        created_at=batch.created_at,
        campaign=batch.campaign,
        channel="card",
        asset=batch.id,
        batch=batch.id,
        expires_at=batch.expires_at,
        clicks_days=batch.clicks_days,
    )
