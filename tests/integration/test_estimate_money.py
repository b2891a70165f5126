"""What was estimated is what is booked, by the version a referral was made under."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.tables import referrals, rewards
from tests.support import money
from tests.support.api import call, login
from tests.support.money import COMMISSION

MEETING = {
    "id": "meeting",
    "trigger": {"on": "stage", "stage": "qualified"},
    "type": "gift_card",
    "calculation": {"kind": "flat", "amount_minor": 2_000, "currency": "EUR"},
    "milestones": [{"id": "met", "share_basis_points": 10_000, "when": "earned"}],
}
CAP = {"id": "lead", "per": "lead", "amount_minor": 14_000, "currency": "EUR"}
BETTER = {
    **COMMISSION,
    "calculation": {"kind": "percent", "basis_points": 1_200},
    "caps": [CAP],
}
Amounts = list[tuple[str, str, str, int]]


@pytest.fixture(autouse=True)
def books(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001  (orders them)
    """The program that pays, and Pia; the clock stands still."""
    money.publish(rewards=[COMMISSION, MEETING])
    money.enrol("pia")


def estimated(amount_minor: int) -> Amounts:
    """Return what anybody is told that a sale would earn."""
    body = {"audience": "partners", "amount_minor": amount_minor, "currency": "EUR"}
    answer = call("POST", "/v1/programs/acme/estimate", body, key=None)
    assert 200 == answer.status
    return sorted(_row(each) for each in answer.body["rewards"])


def _row(reward: dict[str, Any]) -> tuple[str, str, str, int]:
    return reward["plan"], reward["milestone"], reward["currency"], reward["amount_minor"]


def booked(name: str) -> Amounts:
    """Return what a referral has earned in the books."""
    assert {"batchItemFailures": []} == money.deliver(name)
    stored = rewards.load(referrals.detail(name).rewards)
    return sorted((each.plan, each.milestone, each.currency, each.amount_minor) for each in stored)


def test_what_was_estimated_is_what_is_booked() -> None:
    """Before a change of rules, across it and after it: each by its own version."""
    money.sell("r1", 123_457)
    before = estimated(123_457)
    assert before == booked("r1")
    money.publish(rewards=[BETTER, MEETING])
    after = estimated(123_457)
    assert (12_346, 14_000) == (_commission(before), _commission(after))
    money.sell("r3", 123_457, lead_key="key-r3", program_version=2)
    assert after == booked("r3")
    money.sell("r2", 123_457, lead_key="key-r2", program_version=1)
    assert before == booked("r2")


def test_what_is_no_money_is_listed_and_explained_apart() -> None:
    """A gift card has its own unit in rewards and statement, and the same words."""
    money.sell("r1", 123_457)
    booked("r1")
    pia = login("login-pia", "partner")
    (row,) = call("GET", "/v1/me/rewards?currency=EUR.gift_card", claims=pia).body["items"]
    assert (
        "meeting",
        "gift_card",
        "EUR",
        2_000,
        ["The plan “meeting” gives a fixed 20.00 EUR."],
    ) == tuple(row[name] for name in ("plan", "type", "currency", "amount_minor", "explanation"))
    statement = call("GET", "/v1/me/statement?currency=EUR.gift_card", claims=pia).body
    assert (2_000, ["RewardEarned"]) == (
        statement["balance"]["pending"],
        [each["kind"] for each in statement["movements"]],
    )
    for wrong in ("EUR.", "eur", "EUR.GIFT", "EUR.a.b", "EUR%23x"):
        reply = call("GET", f"/v1/me/statement?currency={wrong}", claims=pia)
        assert (400, "invalid_input", "currency") == reply.field()


def _commission(amounts: Amounts) -> int:
    return sum(amount for plan, _, _, amount in amounts if plan == "commission")
