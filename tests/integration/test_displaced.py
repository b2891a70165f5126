"""Tiers and caps per partner hold, in whatever order and however many at once things arrive."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from introducer.tables import ledger
from introducer.tables.store import Table
from payout import earn
from tests.support import life, money, tallied
from tests.support.money import NOW


@pytest.fixture
def pia(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """Pia, and a clock that stands still."""
    money.enrol("pia")


@pytest.mark.usefixtures("pia")
def test_cap_is_shared_in_business_time() -> None:
    """Three sales under a cap that two of them fill: the third gets the rest, then nothing."""
    money.publish(rewards=[tallied.plan(caps=[tallied.cap(25_000)])])
    for number in range(1, 5):
        tallied.sell(f"r{number}", 100_000, number)

    tallied.converge("r1", "r2", "r3", "r4")

    assert {"r1": 10_000, "r2": 10_000, "r3": 5_000, "r4": 0} == tallied.left(
        "r1", "r2", "r3", "r4"
    )
    assert {"pending": 25_000} == money.accounts()


@pytest.mark.usefixtures("pia")
def test_late_earlier_sale_takes_from_those_it_displaces() -> None:
    """A sale reported last but made first: it gets its part, others lose it first."""
    money.publish(rewards=[tallied.plan(caps=[tallied.cap(15_000)])])
    tallied.sell("r1", 100_000, 10)
    tallied.sell("r2", 100_000, 20)
    tallied.converge("r1", "r2")
    tallied.sell("late", 100_000, 5)

    tallied.converge("late")

    assert {"late": 10_000, "r1": 5_000, "r2": 0} == tallied.left("late", "r1", "r2")
    assert [
        ("RewardEarned", 10_000, ""),
        ("RewardEarned", 5_000, ""),
        ("RewardReversed", 5_000, "displaced"),
        ("RewardReversed", 5_000, "displaced"),
        ("RewardEarned", 10_000, ""),
    ] == [(str(each.kind), each.amount_minor, each.reason) for each in money.journals()]
    assert 15_000 == tallied.highest()
    assert ("reversed", 0) == ((gone := tallied.stored("r2")[0]).status, gone.amount_minor)


@pytest.mark.usefixtures("pia")
def test_late_earlier_sale_raises_those_behind_it() -> None:
    """From the third on 20 %: a late first one makes the second the third."""
    money.publish(rewards=[tallied.plan(escalation=tallied.tiers((3, 2_000)))])
    tallied.sell("r1", 100_000, 10)
    tallied.sell("r2", 100_000, 20)
    tallied.converge("r1", "r2")
    money.release()
    tallied.sell("late", 100_000, 5)

    tallied.converge("late")

    assert {"late": 10_000, "r1": 10_000, "r2": 20_000} == tallied.left("late", "r1", "r2")
    assert {"pending": 10_000, "payable": 30_000} == money.accounts()
    assert [("RewardEarned", "displaced"), ("RewardReleased", "displaced")] == [
        (str(each.kind), each.reason) for each in money.journals() if each.reason
    ]
    assert {"step": "rule", "tier": 1, "count": 3}.items() <= tallied.stored("r2")[0].trace[
        0
    ].items()


@pytest.mark.usefixtures("pia")
def test_displaced_after_payout_is_owed() -> None:
    """What was paid and is displaced becomes a receivable, as with any clawback."""
    money.publish(rewards=[tallied.plan(caps=[tallied.cap(10_000)])])
    tallied.sell("r1", 100_000, 10)
    tallied.converge("r1")
    money.release()
    money.debit(money.pay_out())
    tallied.sell("late", 60_000, 5)

    tallied.converge("late")

    assert {"late": 6_000, "r1": 4_000} == tallied.left("late", "r1")
    assert {"paid": 10_000, "receivable": -6_000, "pending": 6_000} == money.accounts()


@pytest.mark.usefixtures("pia")
def test_late_earlier_sale_of_the_same_customer_becomes_the_first() -> None:
    """A plan for the first sale alone: when an earlier one is reported, it is that one."""
    money.publish(rewards=[tallied.plan(trigger={"on": "won"}, caps=[tallied.cap(50_000)])])
    tallied.sell("r1", 100_000, 20)
    tallied.converge("r1")
    money.sell_more("r1", "s0", 70_000, at=tallied.at(10))

    tallied.converge("r1", "r1")

    assert {"s1": 0, "s0": 7_000} == {each.sale: each.left_minor for each in tallied.stored("r1")}
    assert {"pending": 7_000} == money.accounts()


@pytest.mark.usefixtures("pia")
def test_caps_by_period_do_not_mix() -> None:
    """A cap of each month: October's sale leaves November's alone."""
    money.publish(rewards=[tallied.plan(caps=[tallied.cap(10_000, "month")])])
    money.sell("r1", 100_000, at="2026-10-31T23:00:00.000Z", lead_key="1")
    money.sell("r2", 100_000, at="2026-11-01T00:00:00.000Z", lead_key="2")
    money.sell("r3", 100_000, at="2026-11-02T00:00:00.000Z", lead_key="3")

    tallied.converge("r3", "r2", "r1")

    assert {"r1": 10_000, "r2": 10_000, "r3": 0} == tallied.left("r1", "r2", "r3")


@pytest.mark.usefixtures("pia")
def test_a_recurring_customer_among_others() -> None:
    """Invoices of two customers in turn under one cap and tiers: as if one after another."""
    money.publish(
        rewards=[
            tallied.plan(
                escalation=tallied.tiers((3, 1_500), (6, 2_000)), caps=[tallied.cap(80_000)]
            )
        ]
    )
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    for number in range(2, 5):
        money.sell_more("r1", f"s{number}", 100_000, at=tallied.at(number * 2 - 1))
        money.sell_more("r2", f"s{number}", 100_000, at=tallied.at(number * 2))

    tallied.converge("r2", "r1", "r2")

    amounts = {
        (name, each.sale): each.left_minor for name in ("r1", "r2") for each in tallied.stored(name)
    }
    assert {
        ("r1", "s1"): 10_000,
        ("r2", "s1"): 10_000,
        ("r1", "s2"): 15_000,
        ("r2", "s2"): 15_000,
        ("r1", "s3"): 15_000,
        ("r2", "s3"): 15_000,  # of 20,000, which the cap cuts
        ("r1", "s4"): 0,
        ("r2", "s4"): 0,
    } == {**dict.fromkeys(amounts, 0), **amounts, ("r1", "s4"): 0, ("r2", "s4"): 0}
    assert 80_000 >= tallied.highest()


@pytest.mark.usefixtures("pia")
def test_many_at_once_end_as_one_after_another() -> None:
    """Fifty sales by four workers in any order, some twice, some late: business time decides."""
    money.publish(
        rewards=[
            tallied.plan(
                escalation=tallied.tiers((10, 1_200), (25, 1_500)), caps=[tallied.cap(400_000)]
            )
        ],
        budgets=[tallied.budget(10_000_000)],
    )
    chance = random.Random(1)
    names = [f"r{number:02}" for number in range(50)]
    minutes = chance.sample(range(300), 50)
    for name, minute in zip(names, minutes, strict=True):
        tallied.sell(name, chance.randrange(50_000, 150_000), minute)
    # Nearly in order, as messages are, with some far too late and some twice.
    late = chance.sample(range(50), 5)
    order = sorted(
        range(50),
        key=lambda index: minutes[index] + chance.randrange(8) + 1_000 * (index in late),
    )
    work = [names[index] for index in order] + chance.sample(names, 5)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tallied.converge, work))

    assert tallied.expected(names) == tallied.left(*names)
    assert [] == tallied.disagreeing(names)
    assert {"pending": 400_000} == money.accounts()
    assert 400_000 == tallied.highest()
    assert not ledger.halted(life.PROGRAM)
    before = money.everything(Table.CORE), money.everything(Table.LEDGER)
    earn.converge(names[0], now=NOW)
    assert before == (money.everything(Table.CORE), money.everything(Table.LEDGER))


@pytest.mark.usefixtures("pia")
def test_shared_customers_of_two_partners_agree_in_the_end() -> None:
    """Shares, several sales, tiers by number and by value, two caps, refunds, three workers."""
    money.enrol("quin", email_key="key-quin")
    halves = [
        {"id": "now", "share_basis_points": 3_000},
        {"id": "later", "share_basis_points": 7_000},
    ]
    by_value = tallied.tiers((100_000, 500), (300_000, 700), measure="value")
    money.publish(
        rewards=[
            tallied.plan(
                escalation=tallied.tiers((3, 1_200), (5, 1_500)),
                caps=[tallied.cap(40_000)],
                milestones=halves,
            ),
            tallied.plan(id="second", group="more", trigger={"on": "won"}, escalation=by_value),
        ],
        caps=[tallied.cap(60_000, id="all")],
        budgets=[tallied.budget(90_000)],
    )
    chance = random.Random(3)
    names = [f"r{number}" for number in range(6)]
    for name in names:
        shares = chance.choice([{"pia": 10_000}, {"pia": 6_000, "quin": 4_000}])
        tallied.sell(name, chance.randrange(50_000, 150_000), chance.randrange(300), shares=shares)
    tallied.converge(*names[:3])
    money.sell_more("r0", "s0", 70_000, at=tallied.at(0))
    money.refund("r1", "f1", 20_000)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(tallied.converge, [*names[3:], "r0", "r1", "r5"]))

    assert [] == tallied.disagreeing(names)
    assert not ledger.halted(life.PROGRAM)
    before = money.everything(Table.CORE), money.everything(Table.LEDGER)
    tallied.converge(*names)
    assert before == (money.everything(Table.CORE), money.everything(Table.LEDGER))
