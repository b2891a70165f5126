"""A program of many rules on the deployed template: published, referred, sold, booked, told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.api import Stack
from tests.support.deployed import items, until
from tests.support.journey import Journey, Partner, unique

SOON = [{"id": "all", "share_basis_points": 10_000, "when": "earned"}]
SOLD = [{"id": "all", "share_basis_points": 10_000, "when": "won"}]
RULES: dict[str, Any] = {
    "rewards": [
        {
            "id": "lead_fee",
            "trigger": {"on": "submitted"},
            "calculation": {"kind": "flat", "amount_minor": 500, "currency": "EUR"},
            "milestones": SOON,
        },
        {
            "id": "qualified_fee",
            "trigger": {"on": "stage", "stage": "qualified"},
            "condition": {"field": "lead.size", "op": "gte", "value": 50},
            "calculation": {"kind": "flat", "amount_minor": 1_000, "currency": "EUR"},
            "milestones": SOON,
        },
        {
            "id": "commission",
            "trigger": {"on": "won"},
            "calculation": {"kind": "percent", "basis_points": 1_000},
            "escalation": {
                "measure": "count",
                "period": "ever",
                "tiers": [
                    {"from": 1, "calculation": {"kind": "percent", "basis_points": 1_000}},
                    {"from": 3, "calculation": {"kind": "percent", "basis_points": 2_000}},
                ],
            },
            "caps": [
                {
                    "id": "life",
                    "per": "partner",
                    "period": "ever",
                    "amount_minor": 350_000,
                    "currency": "EUR",
                }
            ],
            "milestones": SOLD,
        },
        {
            "id": "welcome",
            "trigger": {"on": "won"},
            "beneficiary": "customer",
            "type": "credit",
            "calculation": {"kind": "flat", "amount_minor": 2_000, "currency": "EUR"},
            "milestones": SOLD,
        },
    ],
    "budgets": [
        {
            "id": "fees",
            "plans": ["lead_fee"],
            "amount_minor": 1_200,
            "currency": "EUR",
            "period": "ever",
        }
    ],
}


@pytest.fixture(scope="module")
def rules(stack: Stack) -> Journey:
    """A program with fees for leads, a rising commission under a cap, and a customer's credit."""
    return Journey(stack, **RULES)


def rewards_of(rules: Journey, referral: str) -> dict[tuple[str, str], int]:
    """Return what stands of each reward of a referral, by plan and account."""
    return {
        (each["plan"], each["partner"]): each["amount_minor"] - each.get("reversed_minor", 0)
        for each in items(rules.stack, "core", f"REFERRAL#{referral}")
        if each["sk"].startswith("REWARD#")
    }


def refer(rules: Journey, partner: Partner, code: str, size: int) -> str:
    """Refer a company of *size* people and wait for the fee to be booked."""
    referral = rules.assigned(code, size=size)
    until(lambda: rewards_of(rules, referral), lambda found: ("lead_fee", partner.id) in found)
    return referral


def test_rules_of_every_kind_pay_what_they_say(rules: Journey) -> None:
    """Fees until the budget is spent, tiers in business order, a cap that holds, two sides paid."""
    partner = rules.partner()
    code = rules.link(partner)
    first, second, third = (refer(rules, partner, code, size) for size in (49, 50, 51))

    assert [500, 500, 200] == [
        rewards_of(rules, referral)["lead_fee", partner.id] for referral in (first, second, third)
    ]

    for referral in (first, second):
        stage = {"referral": referral, "stage": "qualified", "at": _ago(minutes=1)}
        rules.send("stage.changed", stage).expect(200)
    until(lambda: ("qualified_fee", partner.id) in rewards_of(rules, second), bool)

    _sell(rules, second, amount_minor=1_000_000, at=_ago(hours=2))
    _sell(rules, third, amount_minor=1_000_000, at=_ago(hours=1))
    # Told last, sold first: now the sale of the third is the third, and pays the higher rate.
    _sell(rules, first, amount_minor=1_000_000, at=_ago(hours=3))
    until(
        lambda: rewards_of(rules, third)["commission", partner.id],
        lambda amount: amount == 350_000 - 200_000,
    )

    def customer(referral: str) -> str:
        return f"customer.{rules.state(referral)['lead']}"

    assert {
        first: {
            ("lead_fee", partner.id): 500,
            ("commission", partner.id): 100_000,
            ("welcome", customer(first)): 2_000,
        },
        second: {
            ("lead_fee", partner.id): 500,
            ("qualified_fee", partner.id): 1_000,
            ("commission", partner.id): 100_000,
            ("welcome", customer(second)): 2_000,
        },
        third: {
            ("lead_fee", partner.id): 200,
            ("qualified_fee", partner.id): 1_000,
            ("commission", partner.id): 150_000,
            ("welcome", customer(third)): 2_000,
        },
    } == {referral: rewards_of(rules, referral) for referral in (first, second, third)}
    (level,) = rules.stack.call("GET", "/v1/me/forecast", token=partner.token).body["levels"]
    assert ("commission", 3, 2, 0) == (
        level["plan"],
        level["reached"],
        level["tier"],
        level["missing"],
    )
    held = rules.statement(partner)["balance"]
    assert 500 + 500 + 200 + 2 * 1_000 + 350_000 == sum(held.values())


def test_the_same_rules_are_told_and_estimated_in_public(rules: Journey) -> None:
    """Anybody reads what is paid for what, and what a sale of 10,000 EUR would bring."""
    table = rules.stack.call("GET", f"/v1/programs/{rules.program}/rewards").expect(200).body
    asked = {"audience": "partners", "amount_minor": 1_000_000, "currency": "EUR"}

    estimate = rules.stack.call("POST", f"/v1/programs/{rules.program}/estimate", asked)

    assert {"lead_fee", "qualified_fee", "commission", "welcome"} <= {
        row["plan"] for group in table["audiences"] for row in group["rows"]
    }
    paid = {(row["plan"], row["amount_minor"]) for row in estimate.expect(200).body["rewards"]}
    assert {("commission", 100_000), ("welcome", 2_000)} <= paid


def test_a_partner_reads_why_a_reward_is_what_it_is(rules: Journey) -> None:
    """Each reward comes with its trace in plain words."""
    partner = rules.partner()
    referral = rules.assigned(rules.link(partner))
    _sell(rules, referral, amount_minor=1_000_000, at=_ago(hours=1))
    until(lambda: ("commission", partner.id) in rewards_of(rules, referral), bool)

    listed = rules.stack.call("GET", "/v1/me/rewards", token=partner.token).expect(200).body
    (commission,) = [row for row in listed["items"] if row["plan"] == "commission"]

    assert any("10" in line and "%" in line for line in commission["explanation"])
    assert "rule" == commission["trace"][0]["step"]


def _sell(rules: Journey, referral: str, *, amount_minor: int, at: str) -> None:
    sale = rules.sale(referral, amount_minor=amount_minor, occurred_at=at, sale=unique("INV"))
    rules.send("sale.recorded", sale).expect(200)
    until(
        lambda: {plan for plan, _ in rewards_of(rules, referral)},
        lambda plans: "commission" in plans,
    )


def _ago(**passed: int) -> str:
    return (datetime.now(UTC) - timedelta(**passed)).isoformat(timespec="seconds")
