"""Payout batches: list, look into, approve, take somebody out, give up."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from introducer import payday
from introducer.clients import client
from introducer.payout import Batch, Payout
from introducer.settings import setting
from introducer.tables import batches, payouts, programs
from submit import inputs
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Nothing, Paging

resource = Resource(__name__)

MOST_TALLIED = 5_000
"""More payouts are not read one by one while somebody waits for the answer."""


class BatchQuery(Paging, frozen=True, kw_only=True):
    """Whose batches."""

    program: inputs.Word


class Exclusion(Input, frozen=True, kw_only=True):
    """Whom to take out of a batch, and why, in a word: ``fraud_check``."""

    holder: inputs.Word
    reason: inputs.Word


class GivingUp(Input, frozen=True, kw_only=True):
    """Why a batch is given up, in a word: ``wrong_rate``."""

    reason: inputs.Word


class PayoutQuery(Paging, frozen=True, kw_only=True):
    """Which payouts of a batch: those with one status, or all."""

    status: Literal["", "created", "in_transit", "paid", "returned", "cancelled", "skipped"] = ""


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in the list. Amounts are minor units of ``currency``.

    ``reason`` tells why it was cancelled. ``findings`` is what to know before approving it: how
    many holders are left out, by what stands against them, and by how much it is above the limit.
    """

    id: str
    program: str
    region: str
    currency: str
    sent_currency: str
    method: str
    period: str
    run: int
    status: str
    reason: str
    count: int
    total_minor: int
    skipped: int
    excluded: int
    findings: dict[str, int]
    started_by: str
    approved_by: str
    created_at: str
    updated_at: str


class BatchAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """A rule started by hand that paid more often this month than the program calls many.

    Its ``automatic`` could be true: then the calendar starts it.
    """

    region: str
    currency: str
    method: str
    month: str
    payouts: int
    limit: int


class BatchList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of batches, newest first; ``next`` is empty on the last.

    Only the first page has ``advice``.
    """

    items: list[BatchRow]
    next: str
    advice: list[BatchAdvice]


class StatusSum(msgspec.Struct, frozen=True, kw_only=True):
    """How many payouts have a status, and their sum."""

    status: str
    count: int
    amount_minor: int


class BatchMoment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a batch, and who did it."""

    type: str
    at: str
    actor: str


class BatchDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with what became of its payouts. ``file`` is the payment file's name.

    With ``tallied`` false it has more than 5,000 holders, too many to be counted while somebody
    waits: ``payouts`` is empty and ``paid_minor`` null. What ``batch`` and ``file_…`` tell stands.
    """

    id: str
    status: str
    batch: BatchRow
    tallied: bool
    payouts: list[StatusSum]
    paid_minor: int | None
    file: str
    file_count: int
    file_total_minor: int
    events: list[BatchMoment]


class PayoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """One payout of a batch, or the note that there is none. Amounts are minor units.

    ``reason`` tells why it was skipped, cancelled or returned. ``sent_minor`` of ``sent_currency``
    is what was ordered, where that is not the books' currency.
    """

    reference: str
    holder: str
    status: str
    reason: str
    amount_minor: int
    withheld_minor: int
    currency: str
    sent_minor: int
    sent_currency: str
    rate: str
    booked_on: str
    returned_on: str


class PayoutPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of payouts; with a status asked for it may hold few while ``next`` goes on."""

    items: list[PayoutRow]
    next: str


class BatchMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A batch and the status it has now."""

    id: str
    status: str


@resource.endpoint("GET", "/v1/batches", roles=READERS, query=BatchQuery, answer=BatchList)
def list_batches(call: Call[Any, BatchQuery]) -> Answer:
    """List a program's payout batches, newest first."""
    found, page = payouts.list_batches(
        call.query.program, limit=call.query.limit, start=call.start()
    )
    advice = [] if call.query.cursor else _advice(call)
    rows = [_row(each) for each in found]
    return Answer(body=BatchList(items=rows, next=call.next(page.next), advice=advice))


@resource.endpoint("GET", "/v1/batches/{batch}", roles=READERS, answer=BatchDetail)
def read_batch(call: Call[Any, Any]) -> Answer:
    """Read a batch: what is in it, what became of it, who did what."""
    batch = payouts.get_batch(call.path["batch"])
    tallied = batch.partners <= MOST_TALLIED
    tally = payouts.tally(batch.id) if tallied else {}
    paid_minor = tally["paid"].amount_minor if "paid" in tally else 0
    return Answer(
        body=BatchDetail(
            id=batch.id,
            status=batch.status,
            batch=_row(batch),
            tallied=tallied,
            payouts=[
                StatusSum(status=status, count=each.count, amount_minor=each.amount_minor)
                for status, each in sorted(tally.items())
            ],
            paid_minor=paid_minor if tallied else None,
            file=batch.file,
            file_count=batch.file_count,
            file_total_minor=batch.file_total_minor,
            events=[
                BatchMoment(type=event.type, at=event.at, actor=event.actor)
                for event in payouts.batch_events(batch.id)
            ],
        )
    )


@resource.endpoint(
    "POST",
    "/v1/batches/{batch}/approve",
    roles=FINANCE,
    body=Nothing,
    answer=BatchMoved,
    codes=("forbidden", "transition_not_allowed"),
)
def approve_batch(call: Call[Nothing, Any]) -> Answer:
    """Approve a batch that waits for it.

    Never who started it, took somebody out of it, or entered the exchange rate it is paid by.
    """
    # Its own transaction in the Ledger, safe to repeat: the claim of the key follows it.
    batch = payouts.approve(call.path["batch"], approver=call.caller.name, now=call.now)
    return Answer(body=BatchMoved(id=batch.id, status=batch.status))


@resource.endpoint(
    "GET",
    "/v1/batches/{batch}/payouts",
    roles=READERS,
    query=PayoutQuery,
    answer=PayoutPage,
)
def list_batch_payouts(call: Call[Any, PayoutQuery]) -> Answer:
    """List the payouts of a batch, and why somebody on its list gets none."""
    batch = payouts.get_batch(call.path["batch"])
    found, place = batches.payouts_page(
        batch.id, status=call.query.status, limit=call.query.limit, start=call.start()
    )
    return Answer(body=PayoutPage(items=[_payout(each) for each in found], next=call.next(place)))


@resource.endpoint(
    "POST",
    "/v1/batches/{batch}/exclude",
    roles=FINANCE,
    body=Exclusion,
    answer=BatchMoved,
    codes=("forbidden", "transition_not_allowed"),
)
def exclude_from_batch(call: Call[Exclusion, Any]) -> Answer:
    """Take a holder out of a batch before it is submitted; whoever does may not approve it."""
    batch = batches.exclude(
        call.path["batch"],
        call.body.holder,
        reason=call.body.reason,
        actor=call.caller.name,
        now=call.now,
    )
    return Answer(body=BatchMoved(id=batch.id, status=batch.status))


@resource.endpoint(
    "POST",
    "/v1/batches/{batch}/cancel",
    roles=FINANCE,
    body=GivingUp,
    answer=BatchMoved,
    codes=("transition_not_allowed",),
)
def cancel_batch(call: Call[GivingUp, Any]) -> Answer:
    """Give a batch up before it is submitted: it never is, and its money becomes payable again."""
    batch = batches.cancel(
        call.path["batch"], reason=call.body.reason, actor=call.caller.name, now=call.now
    )
    # Thousands of payouts take longer than a request may; the state machine does it too.
    client("lambda").invoke(
        FunctionName=setting("BATCH_FUNCTION"),
        InvocationType="Event",
        Payload=msgspec.json.encode({"step": "finish", "batch": batch.id}),
    )
    return Answer(body=BatchMoved(id=batch.id, status=batch.status))


def _advice(call: Call[Any, BatchQuery]) -> list[BatchAdvice]:
    document = programs.current(call.query.program, call.now).document
    if all(rule.automatic for rule in document.payouts):
        return []
    month = batches.since(document.id, f"{call.now[:7]}-01T00:00:00.000Z")
    return [
        BatchAdvice(**msgspec.structs.asdict(each))
        for each in payday.advice(document, month, call.now)
    ]


def _payout(each: Payout) -> PayoutRow:
    return PayoutRow(
        reference=each.reference,
        holder=each.partner,
        status=each.status,
        reason=each.reason,
        amount_minor=each.amount_minor,
        withheld_minor=each.withheld_minor,
        currency=each.currency,
        sent_minor=each.sent_minor,
        sent_currency=each.sent_currency,
        rate=each.rate,
        booked_on=each.booked_on,
        returned_on=each.returned_on,
    )


def _row(batch: Batch) -> BatchRow:
    return BatchRow(
        id=batch.id,
        program=batch.program,
        region=batch.region,
        currency=batch.currency,
        sent_currency=batch.sent_currency,
        method=batch.method,
        period=batch.period,
        run=batch.run,
        status=batch.status,
        reason=batch.reason,
        count=batch.count,
        total_minor=batch.total_minor,
        skipped=batch.skipped,
        excluded=batch.excluded,
        findings=batch.findings,
        started_by=batch.started_by,
        approved_by=batch.approved_by,
        created_at=batch.created_at,
        updated_at=batch.updated_at,
    )
