"""Budgets: what counts, how much is shared out at once, when the alert is given."""

from __future__ import annotations

import pytest

from introducer import budget
from introducer.budget import BudgetKey, Pool, Shard, Terms
from introducer.document.plan import Budget
from tests.support.cases import case, earned, plan, program, sale

KEY = BudgetKey("telecom", "spend", "2026")


def terms(amount_minor: int = 10_000, *, stop: bool = True) -> Terms:
    """Return the terms of a budget in euros that alerts at 80 %."""
    return Terms(currency="EUR", amount_minor=amount_minor, stop=stop, alert_basis_points=8_000)


def pool(left_minor: int = 10_000, **changes: object) -> Pool:
    """Return a pool of 100 euros."""
    values: dict[str, object] = {
        "program": "telecom",
        "budget": "spend",
        "period": "2026",
        "currency": "EUR",
        "version": 3,
        "amount_minor": 10_000,
        "left_minor": left_minor,
    }
    return Pool(**{**values, **changes})


def spend(**changes: object) -> Budget:
    """Return a budget of 100 euros."""
    values: dict[str, object] = {"id": "spend", "amount_minor": 10_000, "currency": "EUR"}
    return Budget(**{**values, **changes})


def test_terms_are_those_of_the_newest_version() -> None:
    """The amount and whether it stops follow the newest version while it has the budget."""
    newest = program(plan(), budgets=[spend(amount_minor=20_000, stop=False)])
    dollars = program(plan(), budgets=[spend(currency="USD")])

    assert terms(20_000, stop=False) == budget.terms(spend(), newest)
    assert terms() == budget.terms(spend(), program(plan()))
    assert terms() == budget.terms(spend(), dollars)


def test_budgets_cover_their_plans_and_points_apart_from_money() -> None:
    """Without plans it covers all; one of points covers points."""
    all_of_it, other = spend(), spend(id="other", plans=["bonus"])
    points = spend(id="points", currency="PTS")
    document = program(plan(), budgets=[all_of_it, other, points])
    (reward,) = earned(document, case(sale()))

    assert [all_of_it] == budget.covering(document, reward)


@pytest.mark.parametrize(
    ("left_minor", "short_minor", "stop", "expected"),
    [
        (10_000, 0, True, 0),
        (10_000, 1, True, 50),
        (10_000, 70, True, 70),
        (30, 70, True, 30),
        (0, 70, True, 0),
        (-5, 70, True, 0),
        (-5, 70, False, 70),
    ],
)
def test_allotment_is_what_is_short_or_half_a_per_cent(
    left_minor: int, short_minor: int, expected: int, *, stop: bool
) -> None:
    """Never more than the pool has, unless the budget does not stop."""
    assert expected == budget.allotment(pool(left_minor), short_minor, stop=stop)


def test_opened_pool_follows_the_amount() -> None:
    """New it is whole; raised it has more left, lowered less, even less than nothing."""
    assert pool(version=0) == budget.opened(None, KEY, terms())
    assert pool(6_000, amount_minor=15_000) == budget.opened(pool(1_000), KEY, terms(15_000))
    assert pool(-2_000, amount_minor=7_000) == budget.opened(pool(1_000), KEY, terms(7_000))


def test_alert_is_given_once_and_when_so_much_is_shared_out() -> None:
    """At 80 % of 100 euros."""
    assert not budget.is_alarming(pool(2_001), terms())
    assert budget.is_alarming(pool(2_000), terms())
    assert not budget.is_alarming(pool(0, alerted=True), terms())


def test_recount_finds_every_cent() -> None:
    """What is in the pool, in shards and charged makes the amount, or the difference is told."""
    shards = [Shard(left_minor=100), Shard(left_minor=50)]
    charges = [{"spend#2026": 800}, {"spend#2025": 5_000}, {}, {"spend#2026": 50}]

    assert 0 == budget.recount(pool(9_000), shards, charges, KEY.charge)
    assert -1 == budget.recount(pool(9_001), shards, charges, KEY.charge)
