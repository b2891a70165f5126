"""What banks and providers said and nobody could match: look at it, and decide."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import money, settlement
from introducer.errors import InvalidInputError, NotFoundError, TransitionError
from introducer.settlement import Booking
from introducer.tables import payouts
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)

_BATCH_CHARACTERS = 20


class BookingQuery(Paging, frozen=True, kw_only=True):
    """Which bookings: those that wait, of one batch only if it is named."""

    status: Literal["unmatched"] = "unmatched"
    batch: inputs.Word | None = None


class BookingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said, and why it waits. Amounts are minor units of their currency.

    ``program`` is empty where nobody knows whose it is: every program's finance sees it then.
    ``fact`` is ``paid``, ``returned``, ``rejected``, ``fee`` or ``noted``, which moves nothing.
    ``problem`` is ``unknown_reference``, ``unknown_batch``, ``amount_differs``,
    ``nothing_in_transit``, ``unassigned_fee``, ``duplicate``, ``unknown_status``,
    ``contested``, ``resolved`` (decided, taken in by the next reconciliation) or
    ``payout_is_`` and its status.
    """

    id: str
    program: str
    batch: str
    reference: str
    kind: str
    fact: str
    problem: str
    amount_minor: int
    currency: str
    fee_minor: int
    direction: str
    booked_on: str
    reason: str
    file: str
    told_at: str


class BookingList(msgspec.Struct, frozen=True, kw_only=True):
    """One page, oldest first; it may be short, and the last only where ``next`` is empty."""

    items: list[BookingRow]
    next: str


class Resolution(Input, frozen=True, kw_only=True):
    """What it is: nothing of ours, or about a payout or batch, and why you say so."""

    action: Literal["dismiss", "match"]
    reason: inputs.Line
    reference: inputs.Word | None = None
    """With ``match``: the payout's reference, or the batch's id for what concerns all of it."""
    fee_minor: Annotated[int, Meta(ge=0, le=money.MAX_MINOR)] = 0
    """With ``match``: the part of the amount that is the bank's charge."""


class BookingResolved(msgspec.Struct, frozen=True, kw_only=True):
    """A booking and what it is now; what was matched is taken in by the next reconciliation."""

    id: str
    status: Literal["matched", "unmatched", "dismissed"]
    problem: str


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/bookings",
    roles=READERS,
    query=BookingQuery,
    answer=BookingList,
)
def list_bookings(call: Call[Any, BookingQuery]) -> Answer:
    """List what was said about payments and could not be matched."""
    found, page = payouts.unmatched_page(limit=call.query.limit, start=call.start())
    program, batch = call.path["program"], call.query.batch
    rows = [
        _row(each)
        for each in found
        if each.program in {"", program} and (batch is None or each.batch == batch)
    ]
    return Answer(body=BookingList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "POST",
    "/v1/bookings/{booking}/resolve",
    roles=FINANCE,
    body=Resolution,
    answer=BookingResolved,
    codes=(
        "transition_not_allowed",
        "unknown_reference",
        "amount_differs",
        "payout_status",
        "nothing_to_match",
        "names_another_payout",
        "names_another_batch",
        "names_no_payout",
        "no_charge",
    ),
)
def resolve_booking(call: Call[Resolution, Any]) -> Answer:
    """Put an unmatched booking aside for good, or say which payout or batch it is about."""
    before = payouts.find_booking(call.path["booking"])
    if before is None:
        raise NotFoundError("no such booking")
    if before.status != "unmatched":
        message = f"a booking that is {before.status} is decided"
        raise TransitionError(message, status=before.status)
    reference = _reference(call.body)
    _require_divisible(before, call.body.fee_minor)
    after, event = settlement.resolved(
        before,
        reason=call.body.reason,
        actor=call.caller.name,
        now=call.now,
        reference=reference,
        fee_minor=call.body.fee_minor,
    )
    if reference:
        _require_match(before, after, reference)
    writes = Transaction()
    payouts.resolve(writes, before, after, event)
    answer = BookingResolved(id=after.key, status=after.status, problem=after.problem)
    return Answer(body=answer, writes=writes)


def _reference(body: Resolution) -> str:
    if body.action == "match" and not body.reference:
        raise InvalidInputError("reference", "is needed to match", code="unknown_reference")
    if body.action == "dismiss" and (body.reference or body.fee_minor):
        raise InvalidInputError("reference", "what is dismissed is matched with nothing")
    return body.reference or ""


def _require_divisible(before: Booking, fee_minor: int) -> None:
    if fee_minor and not settlement.divisible(before, fee_minor):
        message = "no charge can be a part of what it says"
        raise InvalidInputError("fee_minor", message, code="no_charge")


def _require_match(before: Booking, after: Booking, reference: str) -> None:
    """Refuse what one person may not say, and what the reconciliation could not take in either."""
    if after.fact == "noted":
        raise InvalidInputError("action", "it moves nothing", code="nothing_to_match")
    whole = len(reference) == _BATCH_CHARACTERS
    found = None if whole else payouts.find(reference)
    batch = payouts.find_batch(reference) if whole else None
    if whole:
        foreign = batch and before.provider and batch.program != before.program
        problem = "" if batch and not foreign else "unknown_reference"
    else:
        problem = settlement.judge(found, after).problem
    if problem != "unknown_reference":
        own_reference, own_batch = settlement.stated(before)
        own = payouts.find(own_reference) if own_reference else None
        named = payouts.find_batch(own_batch) if own_batch else None
        chosen = found.batch if found else reference
        problem = settlement.unmatchable(before, own, named, found, chosen) or problem
    if problem:
        code = "payout_status" if problem.startswith("payout_is_") else problem
        raise InvalidInputError("reference", problem.replace("_", " "), code=code)


def _row(booking: Booking) -> BookingRow:
    return BookingRow(
        id=booking.key,
        program=booking.program,
        batch=booking.batch,
        reference=booking.reference,
        kind=booking.kind,
        fact=booking.fact,
        problem=booking.problem,
        amount_minor=booking.amount_minor,
        currency=booking.currency,
        fee_minor=booking.fee_minor,
        direction=booking.direction,
        booked_on=booking.booked_on,
        reason=booking.reason,
        file=booking.file,
        told_at=booking.at,
    )
