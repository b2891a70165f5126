"""Payout batches: list, look into, approve."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer.payout import Batch
from introducer.tables import payouts
from submit import inputs
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Nothing, Paging

resource = Resource(__name__)


class BatchQuery(Paging, frozen=True, kw_only=True):
    """Whose batches."""

    program: inputs.Word


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in the list. Amounts are minor units of ``currency``."""

    id: str
    program: str
    currency: str
    method: str
    period: str
    run: int
    status: str
    count: int
    total_minor: int
    skipped: int
    started_by: str
    approved_by: str
    created_at: str
    updated_at: str


class BatchList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of batches, newest first; ``next`` is empty on the last."""

    items: list[BatchRow]
    next: str


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
    """A batch with what became of its payouts. ``file`` is the payment file's name."""

    id: str
    status: str
    batch: BatchRow
    payouts: list[StatusSum]
    paid_minor: int
    file: str
    file_count: int
    file_total_minor: int
    events: list[BatchMoment]


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
    return Answer(body=BatchList(items=[_row(each) for each in found], next=call.next(page.next)))


@resource.endpoint("GET", "/v1/batches/{batch}", roles=READERS, answer=BatchDetail)
def read_batch(call: Call[Any, Any]) -> Answer:
    """Read a batch: what is in it, what became of it, who did what."""
    batch = payouts.get_batch(call.path["batch"])
    tally = payouts.tally(batch.id)
    return Answer(
        body=BatchDetail(
            id=batch.id,
            status=batch.status,
            batch=_row(batch),
            payouts=[
                StatusSum(status=status, count=each.count, amount_minor=each.amount_minor)
                for status, each in sorted(tally.items())
            ],
            paid_minor=tally["paid"].amount_minor if "paid" in tally else 0,
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
    """Approve a batch that waits for it; never the person who started it."""
    # Its own transaction in the Ledger, safe to repeat: the claim of the key follows it.
    batch = payouts.approve(call.path["batch"], approver=call.caller.name, now=call.now)
    return Answer(body=BatchMoved(id=batch.id, status=batch.status))


def _row(batch: Batch) -> BatchRow:
    return BatchRow(
        id=batch.id,
        program=batch.program,
        currency=batch.currency,
        method=batch.method,
        period=batch.period,
        run=batch.run,
        status=batch.status,
        count=batch.count,
        total_minor=batch.total_minor,
        skipped=batch.skipped,
        started_by=batch.started_by,
        approved_by=batch.approved_by,
        created_at=batch.created_at,
        updated_at=batch.updated_at,
    )
