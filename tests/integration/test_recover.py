"""Clawback's end: what was paid and is owed back is netted, and the rest written off by policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from introducer.command import Annul, Hold
from introducer.tables import ledger
from payout import recover
from tests.support import life, money
from tests.support.api import call, login

POLICY = {
    "most_owed_minor": {"EUR": 2_000},
    "write_off_below_minor": {"EUR": 100},
    "write_off_after_days": 30,
}
LATER = "2026-12-23T11:17:00.000Z"


@pytest.fixture
def paid(aws: None, frozen: Callable[[str], None]) -> Iterator[Callable[..., None]]:
    """Returns what pays Pia 25.00 EUR for a sale, under a policy."""

    def pay(**policy: Any) -> None:
        assert aws is None
        money.publish(recovery=policy)
        money.enrol("pia")
        money.sell()
        money.deliver("r1")
        money.release()
        money.debit(money.pay_out())
        assert {"pending": 7_500, "paid": 2_500} == money.accounts()

    assert frozen
    yield pay
    assert not ledger.halted(life.PROGRAM)


def run(now: str = money.NOW) -> dict[str, int]:
    """Run the job at a moment."""
    return recover.recover(now)


def owed() -> int:
    """Return what Pia owes back."""
    return -ledger.balance("pia", "EUR").receivable


def test_refund_after_payment_is_netted_and_the_rest_written_off_by_age(
    paid: Callable[..., None],
) -> None:
    """Owed back, netted from the next sale, and what has not moved for a month is let go."""
    paid(write_off_after_days=30)
    money.refund("r1", "refund-1", 100_000)
    money.deliver("r1")
    assert 2_500 == owed()
    assert [("pia", "EUR")] == list(ledger.debtors(life.PROGRAM))
    assert {"debts": 1, "written_off": 0} == run()

    money.sell("r2", 40_000)
    money.deliver("r2")
    money.release()
    assert 1_500 == owed()
    assert {"debts": 1, "written_off": 0} == run("2026-12-22T11:16:59.999Z")
    assert {"debts": 1, "written_off": 1} == run(LATER)

    assert {"pending": 3_000, "paid": 2_500} == money.accounts()
    assert ("ReceivableWrittenOff", {"written_off": -1_500, "receivable": 1_500}) == (
        money.booked()[-1]
    )
    assert {"debts": 0, "written_off": 0} == run(LATER)
    statement = call("GET", "/v1/me/statement?currency=EUR", claims=login("login-pia", "partner"))
    told = [(each["kind"], each["reason"]) for each in statement.body["movements"]]
    assert ("ReceivableWrittenOff", "too_old") == told[0]
    assert "RewardReversed" in [kind for kind, _ in told]


def test_debt_above_the_floor_is_borne_by_the_program_the_same_day(
    paid: Callable[..., None],
) -> None:
    """Nobody owes more than the program says; what is left is small one day, and goes too."""
    paid(**POLICY)
    money.refund("r1", "refund-1", 100_000)
    money.deliver("r1")
    assert {"debts": 1, "written_off": 1} == run()
    assert 2_000 == owed()
    assert {"debts": 1, "written_off": 0} == run()

    money.sell("r2", 76_400)
    money.deliver("r2")
    money.release()
    assert 90 == owed()
    assert {"debts": 1, "written_off": 1} == run()
    reasons = [each.reason for each in money.journals() if each.kind == "ReceivableWrittenOff"]
    assert (["above_most_owed", "too_small"], 0) == (reasons, owed())


def test_churn_known_too_late_is_owed_back(paid: Callable[..., None]) -> None:
    """The customer left before the milestone, and that is told after it was paid."""
    paid(write_off_after_days=30)
    money.release(money.DUE)
    money.debit(money.pay_out(now=money.DUE), name="camt-2.xml")
    assert {"paid": 10_000} == money.accounts()
    money.churn("r1", "2026-12-24T00:00:00.000Z")
    money.deliver("r1")

    assert 7_500 == owed()
    assert {"debts": 1, "written_off": 1} == run("2027-07-01T00:00:00.000Z")
    assert {"paid": 10_000} == money.accounts()


def test_fraud_found_after_payment_is_taken_back_and_ends_the_same_way(
    paid: Callable[..., None],
) -> None:
    """A manager annuls the referral: what waits goes, what was paid is owed, then written off."""
    paid(write_off_after_days=30)
    life.move("r1", Hold(reason="self_referral"))
    path = f"/v1/programs/{life.PROGRAM}/referrals/r1/annul"
    body = {"reason": "self_referral"}
    refused = call("POST", path, body, claims=login("finn", "finance"))
    assert (403, "forbidden") == refused.problem()
    annulled = call("POST", path, body, claims=login("mia", "manager"))
    assert {"id": "r1", "status": "rejected"} == annulled.body
    again = call("POST", path, body, claims=login("mia", "manager"))
    assert (409, "transition_not_allowed") == again.problem()
    for _ in range(2):
        money.deliver("r1")
    money.release(money.DUE)

    assert {"receivable": -2_500, "paid": 2_500} == money.accounts()
    assert {"self_referral"} == {
        each.reason for each in money.journals() if each.kind == "RewardReversed"
    }
    assert {"debts": 1, "written_off": 1} == run(LATER)
    assert {"paid": 2_500} == money.accounts()


def test_fraud_found_before_payment_leaves_nothing_to_pay(
    aws: None, frozen: Callable[[str], None]
) -> None:
    """What is payable and what waits are reversed; a payout not yet sent is called off."""
    assert (aws, bool(frozen)) == (None, True)
    money.publish()
    money.enrol("pia")
    money.sell()
    money.deliver("r1")
    money.release()
    money.pay_out(until="reserve")
    life.move("r1", Annul(reason="fraud"))
    money.deliver("r1")

    assert {} == money.accounts()
    assert not list(ledger.debtors(life.PROGRAM))


def test_write_off_that_another_posting_overtakes_is_decided_anew(
    paid: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The debt is netted between reading and writing: only what is left is written off."""
    paid(write_off_below_minor={"EUR": 5_000})
    money.refund("r1", "refund-1", 100_000)
    money.deliver("r1")
    money.sell("r2", 80_000)
    money.deliver("r2")
    money.intrude(monkeypatch, money.release)

    assert {"debts": 1, "written_off": 1} == run()
    assert {"written_off": -500, "receivable": 500} == money.booked()[-1][1]
    assert 0 == owed()
