"""Adjustments: two people, one decision, one journal."""

from __future__ import annotations

import msgspec
import pytest

from introducer import adjustment, ledger
from introducer.adjustment import Adjustment, AdjustmentKind
from introducer.errors import ForbiddenError, TransitionError
from introducer.ledger import Balance, Kind

NOW = "2026-11-22T11:17:00.000Z"
PROPOSED = Adjustment(
    id="a1",
    program="telecom",
    holder="ann",
    kind="credit",
    currency="EUR",
    amount_minor=500,
    reason="Goodwill",
    status="proposed",
    version=1,
    proposed_by="user:finn",
    created_at="2026-11-21T09:00:00.000Z",
)


def test_approve_needs_a_second_person() -> None:
    """Who proposed it may not approve it."""
    with pytest.raises(ForbiddenError):
        adjustment.approve(PROPOSED, actor="user:finn", now=NOW)

    after, event = adjustment.approve(PROPOSED, actor="user:mia", now=NOW)

    assert ("approved", 2, "user:mia", NOW) == (
        after.status,
        after.version,
        after.decided_by,
        after.decided_at,
    )
    assert ("AdjustmentApproved", "ADJUSTMENT#a1", 2) == (event.type, event.entity, event.seq)
    assert "Goodwill" not in str(event)


@pytest.mark.parametrize(
    ("actor", "status"), [("user:mia", "rejected"), ("user:finn", "withdrawn")]
)
def test_reject_by_another_and_withdraw_by_oneself(actor: str, status: str) -> None:
    """The same move has two names, by who makes it."""
    after, event = adjustment.reject(PROPOSED, actor=actor, now=NOW)

    assert status == after.status
    assert f"Adjustment{status.title()}" == event.type


@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn"])
def test_decision_is_the_last_word(status: str) -> None:
    """What was decided is not decided again."""
    decided = msgspec.structs.replace(PROPOSED, status=status)
    for move in (adjustment.approve, adjustment.reject):
        with pytest.raises(TransitionError):
            move(decided, actor="user:mia", now=NOW)


@pytest.mark.parametrize(
    ("kind", "booked", "legs"),
    [
        ("credit", Kind.CREDIT_ADJUSTED, {"adjustments": -500, "receivable": 300, "payable": 200}),
        ("debit", Kind.DEBIT_ADJUSTED, {"receivable": -500, "adjustments": 500}),
        (
            "opening",
            Kind.BALANCE_OPENED,
            {"expense_before": -500, "receivable": 300, "payable": 200},
        ),
    ],
)
def test_posting_of_an_adjustment(kind: AdjustmentKind, booked: Kind, legs: dict[str, int]) -> None:
    """Each kind books by its rule and carries reason and class; its id is the adjustment's."""
    approved = msgspec.structs.replace(
        PROPOSED, kind=kind, accounting_class="marketing_expense", decided_at=NOW
    )
    before = Balance(partner="ann", currency="EUR", version=1, head="h", receivable=-300)
    (journal,) = ledger.post(before, [adjustment.posting(approved)], NOW).journals

    assert ("adjustment:a1", booked, "Goodwill") == (journal.id, journal.kind, journal.reason)
    assert {"adjustment": "a1", "class": "marketing_expense"} == journal.refs
    assert legs == journal.legs


def test_no_more_is_written_off_than_is_owed() -> None:
    """It is refused before the books are asked: they would halt payouts."""
    much = msgspec.structs.replace(PROPOSED, kind="write_off", amount_minor=301)
    before = Balance(partner="ann", currency="EUR", receivable=-300)

    with pytest.raises(TransitionError):
        adjustment.require_bookable(much, before)
    adjustment.require_bookable(msgspec.structs.replace(much, amount_minor=300), before)


def test_account_of_another_program_is_not_adjusted() -> None:
    """Likewise refused before the books are asked."""
    with pytest.raises(TransitionError):
        adjustment.require_bookable(
            PROPOSED, Balance(partner="ann", currency="EUR", program="other")
        )
