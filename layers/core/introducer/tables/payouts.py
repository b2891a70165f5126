"""Payouts, batches and the bank's bookings in the Ledger table.

``PAYOUT#{reference}`` / ``STATE``, on ``gsi1`` ``PARTNER#{id}`` / time and reference, on
``gsi2`` ``BATCH#{id}#{0-3}`` / reference. ``BATCH#{id}`` / ``STATE`` with one ``EVENT#{seq}``
for each change, on ``gsi1`` ``PROGRAM#{program}`` / time, on ``gsi3`` ``OPEN#batch#{program}`` /
time while a state machine has work to do on it; ``TOKEN`` beside it is what the
waiting one wants back. ``BOOKING#{key}`` / ``STATE`` is what a bank said, on
``gsi2`` of its batch, or on ``gsi1`` ``UNMATCHED`` while nobody knows what it belongs to.
A payout that a provider is to be asked about hangs on ``gsi3`` ``DUE#send#{0-3}`` / time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

import msgspec
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from introducer import clock, ids, payout
from introducer.clients import client
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.event import Event
from introducer.ledger import Posting
from introducer.payout import Batch, BatchStatus, Payout
from introducer.settlement import Booking
from introducer.tables import events, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Item, Page, Table, Transaction

SHARDS = 4
_ATTEMPTS = 5
_PAGE = 100


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many payouts of a batch have a status, and what they are worth together."""

    count: int
    amount_minor: int


def add(writes: Transaction, new: Payout) -> None:
    """Add a payout that must not exist yet."""
    writes.put(
        Table.LEDGER,
        f"PAYOUT#{new.reference}",
        "STATE",
        new,
        index=_payout_index(new),
        condition=store.absent(),
        error=StaleError("the payout exists already"),
    )


def change(writes: Transaction, before: Payout, after: Payout) -> None:
    """Add the move of a payout; its version is one higher."""
    writes.put(
        Table.LEDGER,
        f"PAYOUT#{after.reference}",
        "STATE",
        after,
        index=_payout_index(after),
        condition=store.at_version(before.version),
        error=StaleError("somebody else changed the payout first"),
    )


def moved(before: Payout, after: Payout, posting: Posting) -> Entry:
    """Return the move of a payout together with what it books."""
    return Entry(postings=(posting,), write=lambda writes: change(writes, before, after))


def find(reference: str) -> Payout | None:
    """Return a payout by its reference, or None."""
    stored = store.get(Table.LEDGER, f"PAYOUT#{reference}", "STATE")
    return store.load(Payout, stored) if stored else None


def find_many(references: Sequence[str]) -> dict[str, Payout]:
    """Return those payouts that exist, as they stand, by reference."""
    keys = [(f"PAYOUT#{each}", "STATE") for each in references]
    found = store.batch_get(Table.LEDGER, keys, consistent=True)
    loaded = [store.load(Payout, stored) for stored in found.values()]
    return {each.reference: each for each in loaded}


def due_to_send(now: Instant) -> Iterator[Payout]:
    """Yield the payouts that a provider is to be asked about by *now*, the shards in turns.

    They are as they stood when their hundred was read: whoever asks reads anew.
    """
    due = (clock.EPOCH, now)
    shards = [
        store.query_all(Table.LEDGER, f"DUE#send#{shard}", index="gsi3", between=due, limit=_PAGE)
        for shard in range(SHARDS)
    ]
    keys = (each for turn in zip_longest(*shards) for each in turn if each is not None)
    while page := [each["pk"].partition("#")[2] for each in islice(keys, _PAGE)]:
        found = find_many(page)
        yield from (found[each] for each in page if each in found)


def of_partner(
    partner: str, *, limit: int, start: Item | None = None
) -> tuple[list[Payout], Item | None]:
    """Return one page of a partner's payouts, newest first, and where to go on."""
    page = store.query(
        Table.LEDGER,
        f"PARTNER#{partner}",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    return [store.load(Payout, stored) for stored in page.items], page.next


def cancellable(partner: str, currency: str) -> list[Payout]:
    """Return the partner's payouts that were not submitted yet, newest first."""
    listed = store.query_all(Table.LEDGER, f"PARTNER#{partner}", index="gsi1", newest_first=True)
    references = [
        stored["reference"]
        for stored in listed
        if stored["status"] == "created" and stored["currency"] == currency
    ]
    now = find_many(references)
    return [now[each] for each in references if now[each].status == "created"]


def each_of_batch(batch: str) -> Iterator[Payout]:
    """Yield every payout of a batch, those skipped included; whoever stops early reads little."""
    for shard in range(SHARDS):
        pk = f"BATCH#{batch}#{shard}"
        keys = store.query_all(Table.LEDGER, pk, prefix="PAYOUT#", index="gsi2", limit=_PAGE)
        while page := list(islice(keys, _PAGE)):
            yield from find_many([each["pk"].partition("#")[2] for each in page]).values()


def of_batch(batch: str) -> list[Payout]:
    """Return every payout of a batch, by reference, those skipped included."""
    return sorted(each_of_batch(batch), key=lambda each: each.reference)


def tally(batch: str) -> dict[str, Tally]:
    """Return count and sum of a batch's payouts by status."""
    sums: dict[str, Tally] = {}
    for each in each_of_batch(batch):
        before = sums.get(each.status, Tally(count=0, amount_minor=0))
        sums[each.status] = Tally(
            count=before.count + 1, amount_minor=before.amount_minor + each.amount_minor
        )
    return sums


def create_batch(batch: Batch) -> None:
    """Store a new batch and its first event.

    Raises:
        StaleError: It exists already.
    """
    batch_writes(batch, payout.prepared(batch), store.absent()).commit()


def save_batch(before: Batch, after: Batch, event: Event) -> None:
    """Store the move of a batch and its event.

    Raises:
        StaleError: Somebody else changed the batch first.
    """
    batch_writes(after, event, store.at_version(before.version)).commit()


def find_batch(batch: str) -> Batch | None:
    """Return a batch as it stands, or None."""
    stored = store.get(Table.LEDGER, f"BATCH#{batch}", "STATE")
    return store.load(Batch, stored) if stored else None


def get_batch(batch: str) -> Batch:
    """Return a batch as it stands.

    Raises:
        NotFoundError: There is none.
    """
    found = find_batch(batch)
    if found is None:
        message = "no such batch"
        raise NotFoundError(message)
    return found


def list_batches(
    program: str, *, limit: int = 50, start: Item | None = None
) -> tuple[list[Batch], Page]:
    """Return one page of a program's batches, newest first, and the page for its cursor."""
    page = store.query(
        Table.LEDGER,
        f"PROGRAM#{program}",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    return [store.load(Batch, stored) for stored in page.items], page


def batch_events(batch: str) -> list[Event]:
    """Return what happened to a batch, in order."""
    found = store.query_all(Table.LEDGER, f"BATCH#{batch}", prefix="EVENT#", consistent=True)
    return [store.load(Event, stored) for stored in found]


def move_batch(
    batch: str, status: BatchStatus, *, now: Instant, actor: str, **changes: object
) -> Batch:
    """Bring a batch to *status* and return it; one that is there already stays as it is.

    Raises:
        NotFoundError: There is no such batch.
        TransitionError: Its present status does not allow it.
        StaleError: Others kept changing it.
    """
    for attempt in range(_ATTEMPTS):
        before = get_batch(batch)
        if before.status == status:
            return before
        after, event = payout.move_batch(before, status, now=now, actor=actor, **changes)
        try:
            save_batch(before, after, event)
        except StaleError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return after
    raise AssertionError


def approve(batch: str, *, approver: str, now: Instant) -> Batch:
    """Approve a batch and wake the state machine that waits for it; safe to repeat.

    Args:
        batch: Its id.
        approver: ``user:…``, another person than the one who started it.
        now: The present instant.

    Raises:
        NotFoundError: There is no such batch.
        ForbiddenError: The approver started it.
        TransitionError: It does not wait for approval.
        StaleError: Somebody else changed it at the same moment.
    """
    before = get_batch(batch)
    if before.approved_by == approver:  # the answer, or the call below, was lost
        wake(batch)
        return before
    after, event = payout.approve(before, approver=approver, now=now)
    save_batch(before, after, event)
    wake(batch)
    return after


def keep_token(batch: str, token: str) -> None:
    """Keep what the state machine wants back on approval; a new attempt's token replaces it."""
    store.put(Table.LEDGER, f"BATCH#{batch}", "TOKEN", {"token": token})


def wake(batch: str) -> None:
    """Tell the waiting state machine that the batch is approved.

    Nothing happens when it does not wait yet (it will see the approval itself) or no
    longer.
    """
    stored = store.get(Table.LEDGER, f"BATCH#{batch}", "TOKEN")
    if stored is None:
        return
    states = client("stepfunctions")
    gone = (states.exceptions.TaskTimedOut, states.exceptions.TaskDoesNotExist)
    try:
        states.send_task_success(taskToken=stored["token"], output="{}")
    except gone:
        return


def book(writes: Transaction, booking: Booking, before: Booking | None) -> None:
    """Add what became of a booking; *before* is what it replaces."""
    condition = store.absent() if before is None else _unchanged(before)
    writes.put(
        Table.LEDGER,
        f"BOOKING#{booking.key}",
        "STATE",
        booking,
        index=_booking_index(booking),
        condition=condition,
        error=StaleError("this booking was taken in before"),
    )


def find_booking(key: str) -> Booking | None:
    """Return what became of a booking, or None when it is new."""
    stored = store.get(Table.LEDGER, f"BOOKING#{key}", "STATE")
    return store.load(Booking, stored) if stored else None


def unmatched() -> list[Booking]:
    """Return the bookings that belong to nothing we know, oldest first."""
    found = store.query_all(Table.LEDGER, "UNMATCHED", index="gsi1")
    return [store.load(Booking, stored) for stored in found]


def unmatched_page(*, limit: int, start: Item | None = None) -> tuple[list[Booking], Page]:
    """Return one page of :func:`unmatched`, and the page for its cursor."""
    page = store.query(Table.LEDGER, "UNMATCHED", index="gsi1", limit=limit, start=start)
    return [store.load(Booking, stored) for stored in page.items], page


def resolve(writes: Transaction, before: Booking, after: Booking, event: Event) -> None:
    """Add what a person decided about a booking, and the event that tells who and why."""
    book(writes, after, before)
    writes.put(
        Table.LEDGER,
        event.entity,
        f"EVENT#{event.at}",  # a decision that did not help may be followed by another
        events.store_form(event),
        condition=store.absent(),
        error=StaleError("somebody else decided in this moment"),
    )


def bookings_of(batch: str) -> list[Booking]:
    """Return what the bank said about a batch, by key."""
    keys = [
        (each["pk"], each["sk"])
        for shard in range(SHARDS)
        for each in store.query_all(
            Table.LEDGER, f"BATCH#{batch}#{shard}", prefix="BOOKING#", index="gsi2"
        )
    ]
    found = store.batch_get(Table.LEDGER, keys, consistent=True)
    return [store.load(Booking, found[key]) for key in sorted(found)]


def batch_index(batch: Batch, *, under_way: bool) -> dict[str, str]:
    """Return the index keys of a batch; *under_way* lists it until it has gone."""
    at = f"{batch.created_at}#{batch.id}"
    listed = {"gsi3pk": f"OPEN#batch#{batch.program}", "gsi3sk": at} if under_way else {}
    return {**listed, "gsi1pk": f"PROGRAM#{batch.program}", "gsi1sk": at}


def batch_writes(batch: Batch, event: Event, condition: Condition) -> Transaction:
    """Return what stores a batch, if *condition* holds of the one there, and its event."""
    stale = StaleError("somebody else changed the batch first")
    writes = Transaction()
    writes.put(
        Table.LEDGER,
        batch.entity,
        "STATE",
        batch,
        index=batch_index(batch, under_way=payout.under_way(batch)),
        condition=condition,
        error=stale,
    )
    writes.put(
        Table.LEDGER,
        batch.entity,
        f"EVENT#{event.seq:06}",
        events.store_form(event),
        condition=store.absent(),
        error=stale,
    )
    return writes


def _payout_index(each: Payout) -> dict[str, str]:
    shard = ids.shard(each.reference, SHARDS)
    due = {"gsi3pk": f"DUE#send#{shard}", "gsi3sk": each.next_at} if each.next_at else {}
    return {
        **due,
        "gsi1pk": f"PARTNER#{each.partner}",
        "gsi1sk": f"{each.created_at}#{each.reference}",
        "gsi2pk": f"BATCH#{each.batch}#{shard}",
        "gsi2sk": f"PAYOUT#{each.reference}",
    }


def _unchanged(before: Booking) -> Condition:
    condition: Condition = Path("status") == before.status
    for name in ("told_by", "resolved_at"):  # what may change while the status stays
        value = getattr(before, name)
        condition &= Path(name) == value if value else Path(name).does_not_exist()
    return condition


def _booking_index(booking: Booking) -> dict[str, str]:
    index: dict[str, str] = {}
    if booking.status == "unmatched":
        index |= {"gsi1pk": "UNMATCHED", "gsi1sk": f"{booking.at}#{booking.key}"}
    if booking.batch:
        index["gsi2pk"] = f"BATCH#{booking.batch}#{ids.shard(booking.key, SHARDS)}"
        index["gsi2sk"] = f"BOOKING#{booking.key}"
    return index
