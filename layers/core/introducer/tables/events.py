"""Events in the Core table: the audit trail of every entity, beside the entity itself.

``pk`` the entity's, ``sk`` ``EVENT#{seq}``. An entity's first event also carries
``gsi1`` ``{KIND}#{program}#{day}`` / time and id, which lists what was made on a day.
"""

from __future__ import annotations

from collections.abc import Iterator

from introducer import clock
from introducer.errors import StaleError
from introducer.event import Event
from introducer.tables import store
from introducer.tables.store import Item, Table, Transaction


def add(writes: Transaction, event: Event) -> None:
    """Add the put of *event*; an event with its number stops the transaction."""
    index = {}
    if event.seq == 1:
        kind = event.entity.partition("#")[0]
        index = {
            "gsi1pk": f"{kind}#{event.program}#{clock.day(event.at)}",
            "gsi1sk": f"{event.at}#{event.entity}",
        }
    writes.put(
        Table.CORE,
        event.entity,
        f"EVENT#{event.seq:06}",
        {**store_form(event), **index},
        condition=store.absent(),
        error=StaleError("somebody else changed it first"),
    )


def store_form(event: Event) -> dict[str, object]:
    """Return the event as stored and published: its fields and its id."""
    return {
        "id": event.id,
        "type": event.type,
        "entity": event.entity,
        "seq": event.seq,
        "program": event.program,
        "at": event.at,
        "actor": event.actor,
        "data": event.data,
        "cause": event.cause,
    }


def of_entity(entity: str) -> Iterator[Event]:
    """Yield the events of *entity* in order."""
    for stored in store.query_all(Table.CORE, entity, prefix="EVENT#", consistent=True):
        yield store.load(Event, stored)


def made_on_page(
    kind: str, program: str, day: str, *, limit: int, start: Item | None = None
) -> tuple[list[str], Item | None]:
    """Return some of :func:`made_on` from *start* on, and where the list goes on, if it does."""
    page = store.query(
        Table.CORE, f"{kind}#{program}#{day}", index="gsi1", limit=limit, start=start
    )
    return [keys["pk"] for keys in page.items], page.next


def made_on(kind: str, program: str, day: str) -> Iterator[str]:
    """Yield the names of the entities of *kind* made in *program* on *day* (UTC), oldest first."""
    for keys in store.query_all(Table.CORE, f"{kind}#{program}#{day}", index="gsi1"):
        yield keys["pk"]
