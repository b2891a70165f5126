"""Payouts and batches: which moves are allowed and what they book."""

from __future__ import annotations

import pytest

from introducer import payout
from introducer.errors import ForbiddenError, TransitionError
from introducer.ledger import Kind
from introducer.payout import Batch, BatchStatus, Payout, PayoutStatus

NOW = "2026-11-22T11:17:00.000Z"
LATER = "2026-11-23T09:00:00.000Z"


def batch(status: BatchStatus = "created", **changes: object) -> Batch:
    """Return a batch started by ``user:fin``."""
    values: dict[str, object] = {
        "id": "batch",
        "program": "telecom",
        "program_version": 1,
        "region": "eu",
        "currency": "EUR",
        "method": "sepa",
        "period": "2026-11-22",
        "run": 1,
        "status": status,
        "version": 3,
        "started_by": "user:fin",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Batch(**{**values, **changes})


def made(status: PayoutStatus = "created") -> Payout:
    """Return a payout of 5 EUR in *status*."""
    new = payout.created(batch(), "ann", 500, NOW)
    return Payout(**{**{f: getattr(new, f) for f in new.__struct_fields__}, "status": status})


def test_batch_id_is_the_same_for_the_same_run_only() -> None:
    """Every part of what makes a batch changes its id; nothing else does."""
    base = {
        "program": "telecom",
        "region": "eu",
        "currency": "EUR",
        "method": "sepa",
        "period": "2026-11-22",
        "run": 1,
    }
    others = [
        base | {"program": "energy"},
        base | {"region": "us"},
        base | {"currency": "CHF"},
        base | {"method": "wire"},
        base | {"period": "2026-11-23"},
        base | {"run": 2},
    ]

    assert payout.batch_id(**base) == payout.batch_id(**base)
    assert 7 == len({payout.batch_id(**values) for values in [base, *others]})


def test_reference_fits_every_bank() -> None:
    """At most 15 characters A-Z and 0-9, one for each partner of a batch."""
    found = {payout.reference("batch", partner) for partner in ("ann", "bob")}

    assert 2 == len(found)
    assert all(len(each) <= 15 and each.isalnum() and each == each.upper() for each in found)


@pytest.mark.parametrize(
    ("before", "after", "kind", "source"),
    [
        ("created", "in_transit", Kind.PAYOUT_SUBMITTED, ""),
        ("created", "cancelled", Kind.PAYOUT_CANCELLED, ""),
        ("in_transit", "paid", Kind.PAYOUT_PAID, ""),
        ("in_transit", "returned", Kind.PAYOUT_RETURNED, "in_transit"),
        ("paid", "returned", Kind.PAYOUT_RETURNED, "paid"),
    ],
)
def test_move_books_what_it_moves(
    before: PayoutStatus, after: PayoutStatus, kind: Kind, source: str
) -> None:
    """Each allowed move raises the version by one and books its whole amount."""
    moved, posting = payout.move(made(before), after, now=LATER, reason="AC04", booking="b")

    assert (after, 2, LATER, "AC04") == (
        moved.status,
        moved.version,
        moved.updated_at,
        moved.reason,
    )
    assert (kind, 500, source, "AC04") == (
        posting.kind,
        posting.amount_minor,
        posting.source,
        posting.reason,
    )
    assert {"payout": moved.reference, "batch": "batch", "booking": "b"} == posting.refs


def test_move_refuses_every_other_move() -> None:
    """What is not in the table is refused: nothing is paid twice or returned twice."""
    allowed = {
        ("created", "in_transit"),
        ("created", "cancelled"),
        ("in_transit", "paid"),
        ("in_transit", "returned"),
        ("paid", "returned"),
    }
    statuses = ("created", "in_transit", "paid", "returned", "cancelled", "skipped")
    for before in statuses:
        for after in ("in_transit", "paid", "returned", "cancelled"):
            if (before, after) not in allowed:
                with pytest.raises(TransitionError):
                    payout.move(made(before), after, now=LATER)


def test_move_keeps_the_banks_days() -> None:
    """A late return is booked today and names the bank's day."""
    paid, _ = payout.move(made("in_transit"), "paid", now=LATER, at="2026-11-20T00:00:00.000Z")
    returned, posting = payout.move(paid, "returned", now=LATER, at="2026-11-22T00:00:00.000Z")

    assert ("2026-11-20", "2026-11-22") == (returned.booked_on, returned.returned_on)
    assert "2026-11-22T00:00:00.000Z" == posting.at


def test_skipped_takes_the_reference_and_no_money() -> None:
    """The note that somebody gets nothing has the very reference a payout would have."""
    note = payout.skipped(batch(), "ann", "no_payee", NOW)

    assert (payout.reference("batch", "ann"), "skipped", 0, "no_payee") == (
        note.reference,
        note.status,
        note.amount_minor,
        note.reason,
    )


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ("created", "awaiting_approval", "BatchApprovalRequested"),
        ("created", "approved", "BatchApproved"),
        ("awaiting_approval", "approved", "BatchApproved"),
        ("approved", "submitted", "BatchSubmitted"),
        ("submitted", "in_transit", "BatchSent"),
        ("in_transit", "settled", "BatchSettled"),
        ("created", "cancelled", "BatchCancelled"),
        ("awaiting_approval", "cancelled", "BatchCancelled"),
        ("approved", "cancelled", "BatchCancelled"),
    ],
)
def test_move_batch_tells_of_each_move(before: BatchStatus, after: BatchStatus, event: str) -> None:
    """Each allowed move makes exactly one event, numbered by the new version."""
    moved, told = payout.move_batch(batch(before), after, now=LATER, actor="system", count=2)

    assert (after, 4, 2) == (moved.status, moved.version, moved.count)
    assert (event, 4, "BATCH#batch", "system") == (told.type, told.seq, told.entity, told.actor)


@pytest.mark.parametrize("before", ["submitted", "in_transit", "settled", "cancelled"])
def test_move_batch_cannot_cancel_what_was_submitted(before: BatchStatus) -> None:
    """Past the point of no return only the bank cancels a payout."""
    with pytest.raises(TransitionError):
        payout.move_batch(batch(before), "cancelled", now=LATER, actor="system")


def test_approve_needs_a_second_person() -> None:
    """Who started a batch never approves it; somebody else does, and is remembered."""
    waiting = batch("awaiting_approval")

    with pytest.raises(ForbiddenError):
        payout.approve(waiting, approver="user:fin", now=LATER)
    approved, event = payout.approve(waiting, approver="user:mia", now=LATER)

    assert ("approved", "user:mia") == (approved.status, approved.approved_by)
    assert ("BatchApproved", "user:mia") == (event.type, event.actor)


@pytest.mark.parametrize("status", ["created", "approved", "submitted", "cancelled", "settled"])
def test_approve_refuses_a_batch_that_does_not_wait(status: BatchStatus) -> None:
    """Approval is given once, and only to a batch that asks for it."""
    with pytest.raises(TransitionError):
        payout.approve(batch(status), approver="user:mia", now=LATER)
