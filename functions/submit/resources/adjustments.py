"""Adjustments of balances by hand: proposed by one person, allowed by another."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import ids, paying
from introducer.adjustment import Adjustment, AdjustmentKind
from introducer.document.plan import AccountingClass
from introducer.errors import InvalidInputError
from introducer.money import MAX_MINOR
from introducer.tables import adjustments, ledger, partners, programs, reps
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Nothing, Paging

resource = Resource(__name__)

Unit = Annotated[str, Meta(pattern=r"^[A-Z]{3}(\.[a-z_]{1,20})?$(?!\n)", examples=["EUR"])]
Reason = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=200,
        pattern=r"^(?=[\s\S]*\S)[^@\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$(?!\n)",
        description="What the holder reads on the statement; it stays for ever, so it names nobody",
    ),
]


class NewAdjustment(Input, frozen=True, kw_only=True):
    """What is to be booked, and for whom.

    ``credit`` and ``opening`` are added to what is payable, ``debit`` is taken from it and owed
    back as far as it does not suffice; ``write_off`` takes from what is owed back.
    """

    holder: inputs.Word
    kind: AdjustmentKind
    currency: Unit
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    reason: Reason
    accounting_class: AccountingClass | Literal[""] = ""


class AdjustmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment. ``journal`` is what it was booked as, empty while it is not."""

    id: str
    program: str
    holder: str
    kind: str
    currency: str
    amount_minor: int
    reason: str
    accounting_class: str
    status: str
    proposed_by: str
    created_at: str
    decided_by: str
    decided_at: str
    journal: str


class AdjustmentList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of adjustments, newest first; ``next`` is empty on the last."""

    items: list[AdjustmentRow]
    next: str


class AdjustmentMoved(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment and the status it has now."""

    id: str
    status: str


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/adjustments",
    roles=FINANCE,
    body=NewAdjustment,
    answer=AdjustmentMoved,
    status=201,
    location="adjustments/{id}",
    codes=("unknown_holder", "unit_not_paid"),
)
def propose_adjustment(call: Call[NewAdjustment, Any]) -> Answer:
    """Propose to credit, debit, open or write off a balance; a second person allows it."""
    program, body = call.path["program"], call.body
    document = programs.current(program, call.now).document
    held = {each.currency for each in ledger.balances(body.holder) if each.program == program}
    # What a batch cost is booked to its own name, to which nothing is ever paid.
    costs = body.holder.startswith("batch.")
    if costs or (not held and not _is_of(program, body.holder)):
        message = "nobody of that name has an account in the program"
        raise InvalidInputError("holder", message, code="unknown_holder")
    if body.currency not in held and not paying.pays(document, body.currency):
        message = "the program pays nothing in it, and the holder has none"
        raise InvalidInputError("currency", message, code="unit_not_paid")
    new = Adjustment(
        id=ids.new_id(),
        program=program,
        holder=body.holder,
        kind=body.kind,
        currency=body.currency,
        amount_minor=body.amount_minor,
        reason=body.reason,
        accounting_class=body.accounting_class,
        status="proposed",
        version=1,
        proposed_by=call.caller.name,
        created_at=call.now,
    )
    writes = Transaction()
    adjustments.propose(writes, new)
    return Answer(body=AdjustmentMoved(id=new.id, status=new.status), writes=writes)


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/adjustments",
    roles=READERS,
    query=Paging,
    answer=AdjustmentList,
)
def list_adjustments(call: Call[Any, Paging]) -> Answer:
    """List a program's adjustments, newest first."""
    found, page = adjustments.of_program(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    items = [_row(each) for each in found]
    return Answer(body=AdjustmentList(items=items, next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/adjustments/{adjustment}",
    roles=READERS,
    answer=AdjustmentRow,
)
def read_adjustment(call: Call[Any, Any]) -> Answer:
    """Read an adjustment: what it books, who proposed and who decided it."""
    return Answer(body=_row(adjustments.find(call.path["program"], call.path["adjustment"])))


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/adjustments/{adjustment}/approve",
    roles=FINANCE,
    body=Nothing,
    answer=AdjustmentMoved,
    codes=("forbidden", "transition_not_allowed"),
)
def approve_adjustment(call: Call[Nothing, Any]) -> Answer:
    """Approve an adjustment and book it; never the person who proposed it."""
    # Its own transaction with the balance, safe to repeat: the claim of the key follows it.
    after = adjustments.approve(
        call.path["program"], call.path["adjustment"], actor=call.caller.name, now=call.now
    )
    return Answer(body=AdjustmentMoved(id=after.id, status=after.status))


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/adjustments/{adjustment}/reject",
    roles=FINANCE,
    body=Nothing,
    answer=AdjustmentMoved,
    codes=("transition_not_allowed",),
)
def reject_adjustment(call: Call[Nothing, Any]) -> Answer:
    """Reject an adjustment, or withdraw one's own."""
    writes = Transaction()
    after = adjustments.reject(
        writes,
        call.path["program"],
        call.path["adjustment"],
        actor=call.caller.name,
        now=call.now,
    )
    return Answer(body=AdjustmentMoved(id=after.id, status=after.status), writes=writes)


def _is_of(program: str, holder: str) -> bool:
    """Return whether *holder*, who has no account yet, may have one in *program*."""
    kind, dot, name = holder.partition(".")
    if not dot:
        partner = partners.find_partner(holder)
        return partner is not None and partner.program == program
    rep = reps.find(name) if kind == "rep" else None
    return rep is not None and rep.program == program


def _row(each: Adjustment) -> AdjustmentRow:
    return AdjustmentRow(
        id=each.id,
        program=each.program,
        holder=each.holder,
        kind=each.kind,
        currency=each.currency,
        amount_minor=each.amount_minor,
        reason=each.reason,
        accounting_class=each.accounting_class,
        status=each.status,
        proposed_by=each.proposed_by,
        created_at=each.created_at,
        decided_by=each.decided_by,
        decided_at=each.decided_at,
        journal=each.journal if each.status == "approved" else "",
    )
