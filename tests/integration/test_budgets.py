"""Budgets: never passed, first come, first served, and always adding up."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from introducer import budget
from introducer.budget import BudgetKey
from introducer.tables import budgets, events, rewards
from introducer.tables.store import Table
from tests.support import life, money, tallied

KEY = BudgetKey(life.PROGRAM, "spend", "2026")
PARTNERS = tuple(f"p{number}" for number in range(6))


@pytest.fixture
def pia(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """Pia, and a clock that stands still."""
    money.enrol("pia")


def difference(key: BudgetKey = KEY) -> int:
    """Return by how much a budget does not add up."""
    pool = budgets.find_pool(key)
    assert pool is not None
    stored = [each for each in money.everything(Table.CORE) if each["sk"].startswith("REWARD#")]
    charges = [each.charges for each in rewards.load(stored)]
    return budget.recount(pool, budgets.shards(key).values(), charges, key.charge)


def told(key: BudgetKey = KEY) -> list[str]:
    """Return what was told of a budget, in order."""
    name = f"BUDGET#{key.program}#{key.budget}#{key.period}"
    return [each.type for each in events.of_entity(name)]


@pytest.mark.usefixtures("pia")
def test_budget_cuts_the_reward_that_does_not_fit() -> None:
    """First come, first served: the third gets what is left, the fourth nothing, and says so."""
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(25_000)])
    for number in range(1, 5):
        tallied.sell(f"r{number}", 100_000, number)
        tallied.converge(f"r{number}")

    assert {"r1": 10_000, "r2": 10_000, "r3": 5_000, "r4": 0} == tallied.left(
        "r1", "r2", "r3", "r4"
    )
    assert {"pending": 25_000} == money.accounts()
    assert 0 == difference()
    assert ["BudgetAlerted", "BudgetExhausted"] == told()
    (cut,) = tallied.stored("r3")
    assert {
        "step": "budget",
        "id": "spend",
        "cut_minor": 5_000,
        "amount_minor": 5_000,
    } == cut.trace[-1]
    assert (10_000, 5_000, {KEY.charge: 5_000}) == (
        cut.offered_minor,
        cut.amount_minor,
        cut.charges,
    )


@pytest.mark.usefixtures("pia")
def test_budget_cut_is_not_made_up_for_later() -> None:
    """What a refund gives back goes to who comes next, not to who was cut before."""
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(15_000)])
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    tallied.sell("r3", 100_000, 3)
    tallied.converge("r1", "r2")
    money.refund("r1", "f1", 40_000)
    tallied.converge("r1", "r2", "r3")

    assert {"r1": 6_000, "r2": 5_000, "r3": 4_000} == tallied.left("r1", "r2", "r3")
    assert 0 == difference()


@pytest.mark.usefixtures("pia")
def test_budget_without_stop_only_tells() -> None:
    """Without ``stop`` nothing is cut, and the alert is given once."""
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(15_000, stop=False)])
    for number in range(1, 4):
        tallied.sell(f"r{number}", 100_000, number)
        tallied.converge(f"r{number}")

    assert {"pending": 30_000} == money.accounts()
    assert 0 == difference()
    assert ["BudgetAlerted"] == told()


@pytest.mark.usefixtures("pia")
def test_smallest_grant_of_several_budgets_counts() -> None:
    """A budget of one plan and one of all: the one that leaves least decides, both add up."""
    money.publish(
        rewards=[tallied.plan()],
        budgets=[
            tallied.budget(100_000),
            tallied.budget(12_000, id="small", plans=["commission"], period="month"),
        ],
    )
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    tallied.converge("r1", "r2")

    small = BudgetKey(life.PROGRAM, "small", "2026-11")
    assert {"pending": 12_000} == money.accounts()
    assert [0, 0] == [difference(), difference(small)]
    assert {KEY.charge: 2_000, small.charge: 2_000} == tallied.stored("r2")[0].charges


@pytest.mark.usefixtures("pia")
def test_budget_in_another_currency_is_counted_at_the_programs_rate() -> None:
    """A budget in dollars, rewards in euros at 1.10: what is left is never passed by rounding."""
    rates = {"policy": "fixed", "rates": [{"from": "EUR", "to": "USD", "rate": "1.10"}]}
    money.publish(
        rewards=[tallied.plan()],
        budgets=[tallied.budget(15_001, currency="USD")],
        exchange=rates,
    )
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    tallied.converge("r1", "r2")

    # 110.00 dollars, then 40.01 are left: 36.37 euros cost 40.007.
    assert {"r1": 10_000, "r2": 3_637} == tallied.left("r1", "r2")
    assert 0 == difference()


@pytest.mark.usefixtures("pia")
def test_raised_budget_gives_more_and_lowered_one_takes_what_is_left() -> None:
    """The newest version says how much there is, for referrals of older versions too."""
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(10_000)])
    for number in range(1, 6):
        tallied.sell(f"r{number}", 100_000, number)
    tallied.converge("r1", "r2")
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(34_000)])
    tallied.converge("r3")
    assert {"r1": 10_000, "r2": 0, "r3": 10_000} == tallied.left("r1", "r2", "r3")

    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(21_000)])
    tallied.converge("r4", "r5")

    assert {"r4": 1_000, "r5": 0} == tallied.left("r4", "r5")
    assert 0 == difference()


@pytest.mark.usefixtures("engine", "frozen")
def test_budget_holds_when_many_take_at_once() -> None:
    """Six partners, forty sales, four workers: spent to the last cent, not one beyond it."""
    for partner in PARTNERS:
        money.enrol(partner, email_key=partner)
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(300_007)])
    chance = random.Random(7)
    names = [f"r{number:02}" for number in range(40)]
    for number, name in enumerate(names):
        shares = {chance.choice(PARTNERS): 10_000}
        tallied.sell(name, chance.randrange(70_001, 150_000), number, shares=shares)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tallied.converge, [*names, *chance.sample(names, 5)]))

    held = sum(sum(money.accounts(partner).values()) for partner in PARTNERS)
    assert 300_007 == held == tallied.highest(PARTNERS)
    assert 0 == difference()
    assert ["BudgetAlerted", "BudgetExhausted"] == told()
