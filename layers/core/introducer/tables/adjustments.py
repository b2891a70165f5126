"""Adjustments in the Ledger table.

``ADJUSTMENT#{id}`` / ``STATE`` with one ``EVENT#{seq}`` for each change, on ``gsi1``
``ADJUSTMENTS#{program}`` / time and id. The journal of an approved one is written in the same
transaction as its state, by :func:`introducer.tables.ledger.post_all`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynamodb.expressions.condition import Condition

from introducer import adjustment
from introducer.adjustment import Adjustment
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.event import Event
from introducer.ledger import Balance
from introducer.tables import events, ledger, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Item, Page, Table, Transaction


def propose(writes: Transaction, new: Adjustment) -> None:
    """Add a new adjustment and its first event."""
    _add(writes, new, adjustment.event(new), store.absent())


def find(program: str, name: str) -> Adjustment:
    """Return an adjustment as it stands.

    Raises:
        NotFoundError: *program* has none of that id.
    """
    stored = store.get(Table.LEDGER, f"ADJUSTMENT#{name}", "STATE")
    found = store.load(Adjustment, stored) if stored else None
    if found is None or found.program != program:
        message = "no such adjustment"
        raise NotFoundError(message)
    return found


def of_program(
    program: str, *, limit: int, start: Item | None = None
) -> tuple[list[Adjustment], Page]:
    """Return one page of a program's adjustments, newest first, and the page for its cursor."""
    page = store.query(
        Table.LEDGER,
        f"ADJUSTMENTS#{program}",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    return [store.load(Adjustment, stored) for stored in page.items], page


def approve(program: str, name: str, *, actor: str, now: Instant) -> Adjustment:
    """Approve an adjustment and book it, in one transaction; safe to repeat.

    Raises:
        NotFoundError: *program* has none of that id.
        ForbiddenError: *actor* proposed it.
        TransitionError: It was decided otherwise, or the books do not take it.
        ContentionError: Others kept getting in first.
    """
    seen = find(program, name)

    def plan(balance: Balance) -> Sequence[Entry]:
        before = find(program, name)
        if before.status == "approved" and before.decided_by == actor:
            return []  # ours, of which the answer was lost
        after, event = adjustment.approve(before, actor=actor, now=now)
        adjustment.require_bookable(after, balance)

        def write(writes: Transaction) -> None:
            _add(writes, after, event, store.at_version(before.version))

        return [Entry(postings=(adjustment.posting(after),), write=write, writes=2)]

    ledger.post_all(seen.holder, seen.currency, plan, now=now)
    return find(program, name)


def reject(writes: Transaction, program: str, name: str, *, actor: str, now: Instant) -> Adjustment:
    """Add the rejection of an adjustment, or its withdrawal by who proposed it; return it so.

    Raises:
        NotFoundError: *program* has none of that id.
        TransitionError: It was decided already.
    """
    before = find(program, name)
    after, event = adjustment.reject(before, actor=actor, now=now)
    _add(writes, after, event, store.at_version(before.version))
    return after


def _add(writes: Transaction, after: Adjustment, event: Event, condition: Condition) -> None:
    stale = StaleError("somebody else decided the adjustment first")
    writes.put(
        Table.LEDGER,
        after.entity,
        "STATE",
        after,
        index={
            "gsi1pk": f"ADJUSTMENTS#{after.program}",
            "gsi1sk": f"{after.created_at}#{after.id}",
        },
        condition=condition,
        error=stale,
    )
    writes.put(
        Table.LEDGER,
        after.entity,
        f"EVENT#{event.seq:06}",
        events.store_form(event),
        condition=store.absent(),
        error=stale,
    )
