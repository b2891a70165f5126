"""Conversions that wait, the keys they are found again by, and the referrals of clicks.

``CONVERSION#{id}`` / ``STATE`` is the message; while it waits it hangs on ``gsi2`` in
``QUEUE#{program}#unmatched``, and ``WAITING#{program}#{kind}#{value}`` / ``{at}#{id}`` leads to
it from each of its keys. ``CLICK#{click id}`` / ``REFERRAL#{id}`` leads from a click to the
referral it was part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pynamodb.expressions.operand import Path

from introducer.conversion import Conversion
from introducer.errors import AlreadyExistsError, StaleError
from introducer.event import Event
from introducer.referral import Referral, Touch
from introducer.tables import events, store
from introducer.tables.store import Item, Page, Table, Transaction

POINTED_CLICKS = 3
"""How many of a referral's clicks lead back to it: the newest, which a checkout still has."""


def point_to(writes: Transaction, referral: Referral, touches: Iterable[Touch]) -> None:
    """Add the ways from a new referral's newest clicks to it, two write units each.

    Several referrals may have one click: colleagues behind one address with one browser.
    """
    clicks = sorted((each for each in touches if each.kind == "click"), key=lambda each: each.at)
    for click in clicks[-POINTED_CLICKS:]:
        writes.put(Table.CORE, f"CLICK#{click.id}", referral.entity, {"program": referral.program})


def referrals_of_click(program: str, click: str) -> list[str]:
    """Return the ids of the program's referrals that *click* was part of."""
    found = store.query_all(Table.CORE, f"CLICK#{click}", consistent=True)
    return [each["sk"].partition("#")[2] for each in found if each["program"] == program]


def keep(writes: Transaction, conversion: Conversion, event: Event) -> None:
    """Add a conversion that has to wait, with the ways to it."""
    writes.put(
        Table.CORE,
        conversion.entity,
        "STATE",
        conversion,
        index=_index(conversion),
        condition=store.absent(),
        error=AlreadyExistsError("this message is kept already"),
    )
    events.add(writes, event)
    _point(writes, conversion, conversion.keys)


def save(writes: Transaction, before: Conversion, after: Conversion, event: Event) -> None:
    """Add the move from *before* to *after*, its event, and the change of the ways to it.

    The transaction fails with :class:`StaleError` when the conversion moved meanwhile.
    """
    stale = StaleError("somebody else changed the conversion first")
    writes.put(
        Table.CORE,
        after.entity,
        "STATE",
        after,
        index=_index(after),
        condition=store.at_version(before.version),
        error=stale,
    )
    events.add(writes, event)
    _point(writes, after, [key for key in after.keys if key not in before.keys])
    for key in before.keys:
        if key not in after.keys:
            pk, sk = _way(before, key)
            writes.delete(Table.CORE, pk, sk, condition=Path("pk").exists(), error=stale)


def find(conversion: str) -> Conversion | None:
    """Return a conversion that waits or did, or None."""
    stored = store.get(Table.CORE, f"CONVERSION#{conversion}", "STATE")
    return store.load(Conversion, stored) if stored else None


def found_by(program: str, keys: Sequence[str]) -> list[Conversion]:
    """Return what waits under any of *keys*, in the order in which it happened."""
    ids = {
        pointer["sk"].rpartition("#")[2]
        for key in dict.fromkeys(keys)
        for pointer in store.query_all(Table.CORE, _pk(program, key), consistent=True)
    }
    found = (find(each) for each in sorted(ids))
    waiting = [each for each in found if each is not None and each.status == "waiting"]
    return sorted(waiting, key=lambda each: (each.at, each.id))


def page(program: str, *, limit: int, start: Item | None = None) -> tuple[list[Conversion], Page]:
    """Return one page of what waits in a program, longest waiting first."""
    found = store.query(
        Table.CORE, f"QUEUE#{program}#unmatched", index="gsi2", limit=limit, start=start
    )
    keys = [(item["pk"], item["sk"]) for item in found.items]
    stored = store.batch_get(Table.CORE, keys)
    rows = [store.load(Conversion, stored[key]) for key in keys if key in stored]
    # The index may be a moment behind.
    return [row for row in rows if row.status == "waiting"], found


def _point(writes: Transaction, conversion: Conversion, keys: Iterable[str]) -> None:
    for key in keys:
        pk, sk = _way(conversion, key)
        writes.put(Table.CORE, pk, sk, {"conversion": conversion.id})


def _way(conversion: Conversion, key: str) -> tuple[str, str]:
    return _pk(conversion.program, key), f"{conversion.at}#{conversion.id}"


def _pk(program: str, key: str) -> str:
    return f"WAITING#{program}#{key}"


def _index(conversion: Conversion) -> dict[str, str]:
    if conversion.status != "waiting":
        return {}
    return {
        "gsi2pk": f"QUEUE#{conversion.program}#unmatched",
        "gsi2sk": f"{conversion.kept_at}#{conversion.id}",
    }
