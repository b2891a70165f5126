"""Which sales could stop a computation later, for want of a rate."""

from typing import Any

import pytest

from introducer import comparison
from introducer.earning.rules import rules_of
from tests.support.life import document

WHOLE = [{"id": "all", "share_basis_points": 10_000}]
PERCENT = {
    "id": "percent",
    "calculation": {"kind": "percent", "basis_points": 1000},
    "milestones": WHOLE,
}
FLAT = {
    "id": "flat",
    "calculation": {"kind": "flat", "amount_minor": 500, "currency": "EUR"},
    "milestones": WHOLE,
}
CAP = {"id": "most", "per": "lead", "amount_minor": 9_000, "currency": "EUR"}
BUDGET = {"id": "year", "amount_minor": 9_000, "currency": "EUR"}
LARGE = {"field": "sale.amount_minor", "op": "gte", "value": 1_000}
FROM_USD = {"policy": "fixed", "rates": [{"from": "USD", "to": "EUR", "rate": "0.9"}]}
TO_USD = {"policy": "fixed", "rates": [{"from": "EUR", "to": "USD", "rate": "1.1"}]}


def _bonus(effect: dict[str, Any]) -> dict[str, Any]:
    condition = {"field": "lead.country", "op": "eq", "value": "DE"}
    return {"bonuses": [{"id": "b", "condition": condition, "effect": effect}]}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param({}, [], id="no plan"),
        pytest.param({"rewards": [PERCENT]}, [], id="paid as it was sold"),
        pytest.param({"rewards": [FLAT]}, [], id="always the same"),
        pytest.param({"rewards": [PERCENT, FLAT]}, ["EUR"], id="two that compete"),
        pytest.param({"rewards": [PERCENT, FLAT | {"group": "x"}]}, [], id="two that add up"),
        pytest.param({"rewards": [PERCENT | {"caps": [CAP]}]}, ["EUR"], id="cap of the plan"),
        pytest.param({"rewards": [PERCENT], "caps": [CAP]}, ["EUR"], id="cap of all"),
        pytest.param({"rewards": [FLAT], "caps": [CAP]}, [], id="cap in one currency"),
        pytest.param({"rewards": [PERCENT], "budgets": [BUDGET]}, ["EUR"], id="budget"),
        pytest.param(
            {
                "rewards": [PERCENT, FLAT | {"group": "x"}],
                "budgets": [BUDGET | {"plans": ["flat"]}],
            },
            [],
            id="budget of another plan",
        ),
        pytest.param(
            {"rewards": [PERCENT], "ceiling": {"amount_minor": 9, "currency": "EUR"}},
            ["EUR"],
            id="ceiling",
        ),
        pytest.param({"rewards": [FLAT | {"condition": LARGE}]}, ["EUR"], id="condition"),
        pytest.param(
            {
                "rewards": [
                    FLAT
                    | {
                        "escalation": {
                            "measure": "value",
                            "tiers": [{"from": 1, "calculation": FLAT["calculation"]}],
                        }
                    }
                ]
            },
            ["EUR"],
            id="tiers by value",
        ),
        pytest.param(
            {"rewards": [PERCENT | _bonus(FLAT["calculation"])]}, ["EUR"], id="flat bonus"
        ),
        pytest.param(
            {"rewards": [FLAT | _bonus({"kind": "percent", "basis_points": 100})]},
            ["EUR"],
            id="percent on top of flat",
        ),
        pytest.param(
            {"rewards": [PERCENT | _bonus({"kind": "multiplier", "basis_points": 20_000})]},
            [],
            id="multiplier",
        ),
    ],
)
def test_rates_are_wanted_where_currencies_meet(rules: dict[str, Any], expected: list[str]) -> None:
    """And nowhere else: a program of two currencies that never compares needs none."""
    assert expected == comparison.missing_rates(rules_of(document(**rules)), "USD")
    assert [] == comparison.missing_rates(rules_of(document(**rules)), "EUR")


@pytest.mark.parametrize("exchange", [FROM_USD, TO_USD])
def test_a_rate_serves_both_ways(exchange: dict[str, Any]) -> None:
    """A rate is there in whichever direction it was written; another currency still has none."""
    rules = rules_of(document(rewards=[PERCENT, FLAT], exchange=exchange))
    assert [] == comparison.missing_rates(rules, "USD")
    assert ["EUR"] == comparison.missing_rates(rules, "CHF")
