"""Tiers, caps and the ceiling: counted in business order, never passed."""

from __future__ import annotations

import pytest

from introducer.document.plan import (
    Cap,
    Ceiling,
    Escalation,
    Flat,
    Percent,
    Points,
    Tier,
)
from introducer.earning.evaluate import evaluate, needs
from introducer.earning.history import Success, Tally, TallyKey
from introducer.earning.progress import Level, ladders, level
from introducer.earning.rules import rules_of
from introducer.reward import Reward
from tests.support.cases import case, earned, plan, program, sale, share

EUR = "EUR"


def paid(*rewards: Reward) -> list[tuple[str, str, int, str]]:
    """Return occasion, holder, amount and unit of each reward."""
    return [(each.occasion, each.partner, each.amount_minor, each.unit) for each in rewards]


TIERS = Escalation(
    measure="count",
    period="month",
    tiers=[
        Tier(start=1, calculation=Percent(basis_points=1_000)),
        Tier(start=3, calculation=Percent(basis_points=2_000)),
    ],
)
JANUARY = TallyKey("ann", "plan.commission", "2026-01")


def success(day: int, name: str = "other", **values: int) -> Success:
    """Return another referral's success on a day of January."""
    at = f"2026-01-{day:02}T00:00:00.000Z"
    return Success(at=at, referral=name, occasion="s-1", **values)


@pytest.mark.parametrize(
    ("history", "expected", "count"),
    [
        ({}, 10_000, 1),
        ({JANUARY: Tally(count=1)}, 10_000, 2),
        ({JANUARY: Tally(count=2)}, 20_000, 3),
        ({JANUARY: Tally(others=(success(8), success(9)))}, 20_000, 3),
        ({JANUARY: Tally(others=(success(9), success(11)))}, 10_000, 2),
        # At the same instant the referral's id decides: `other` before `ref`, `zoe` after.
        ({JANUARY: Tally(count=1, others=(success(10),))}, 20_000, 3),
        ({JANUARY: Tally(count=1, others=(success(10, "zoe"),))}, 10_000, 2),
        ({JANUARY._replace(period="2026-02"): Tally(count=9)}, 10_000, 1),
        ({JANUARY._replace(holder="bob"): Tally(count=9)}, 10_000, 1),
    ],
)
def test_tiers_count_in_business_order_within_the_period(
    history: dict[TallyKey, Tally], expected: int, count: int
) -> None:
    """The third success of the month earns the higher rate, whoever was reported first."""
    (found,) = earned(program(plan(escalation=TIERS)), case(sale()), history)

    assert (expected, count) == (found.amount_minor, found.trace[0]["count"])


def test_tiers_count_a_referrals_own_sales_one_after_the_other() -> None:
    """Three invoices of one referral climb the same ladder as three referrals would."""
    sales = [
        sale(id=f"s-{day}", occurred_at=f"2026-01-{day}T00:00:00.000Z") for day in (11, 12, 13)
    ]
    document = program(plan(escalation=TIERS))

    outcome = evaluate(rules_of(document), case(*sales))

    assert [10_000, 10_000, 20_000] == [each.amount_minor for each in outcome.rewards]
    assert {JANUARY: ["s-11", "s-12", "s-13"]} == {
        key: [each.occasion for each in found] for key, found in outcome.successes.items()
    }


def test_value_tiers_add_up_the_partners_own_part() -> None:
    """Half the credit counts half the sale towards the next level."""
    by_value = Escalation(
        measure="value",
        period="month",
        tiers=[Tier(start=100_000, calculation=Percent(basis_points=2_000))],
    )
    document = program(plan(escalation=by_value))
    shares = [share("ann", 5_000), share("bob", 5_000)]

    found = earned(
        document, case(sale(), shares=shares), {JANUARY: Tally(value_minor=50_000, count=1)}
    )

    assert [("s-1", "ann", 10_000, "EUR"), ("s-1", "bob", 5_000, "EUR")] == paid(*found)


CAP = Cap(id="yearly", per="partner", amount_minor=15_000, currency=EUR, period="year")


@pytest.mark.parametrize(
    ("used", "expected"),
    [(0, [10_000]), (5_000, [10_000]), (9_000, [6_000]), (15_000, []), (20_000, [])],
)
def test_caps_of_a_partner_leave_what_is_left(used: int, expected: list[int]) -> None:
    """What earlier successes used up is gone, and the trace says what was cut."""
    key = TallyKey("ann", "cap.yearly", "2026")

    found = earned(program(plan(caps=[CAP])), case(sale()), {key: Tally(used_minor=used)})

    assert expected == [each.amount_minor for each in found]
    if expected == [6_000]:
        cut = {"step": "cap", "id": "yearly", "per": "partner"}
        assert {**cut, "cut_minor": 4_000, "amount_minor": 6_000} == found[0].trace[-1]


def test_a_late_earlier_sale_displaces_a_later_one() -> None:
    """The cap goes to the sale of the day before; the later one gets the rest."""
    key = TallyKey("ann", "cap.yearly", "2026")
    document = program(plan(caps=[CAP]))
    alone = evaluate(rules_of(document), case(sale()))
    late = Success(at="2026-01-09T00:00:00.000Z", referral="late", occasion="x", award_minor=10_000)

    displaced = evaluate(rules_of(document), case(sale()), {key: Tally(others=(late,))})

    assert [10_000] == [each.amount_minor for each in alone.rewards]
    assert [5_000] == [each.amount_minor for each in displaced.rewards]
    assert {key} == needs(rules_of(document), case(sale()))


def test_caps_of_a_lead_are_shared_by_its_partners() -> None:
    """The cap is taken before the split, so both bear the cut, and together never pass it."""
    cap = Cap(id="lead", per="lead", amount_minor=5_001, currency=EUR)
    shares = [share("ann", 5_000), share("bob", 5_000)]

    found = earned(program(plan(caps=[cap])), case(sale(), shares=shares))

    assert [2_501, 2_500] == [each.amount_minor for each in found]


def test_the_ceiling_of_a_referral_holds_over_all_but_points() -> None:
    """First come by business time and the order of the document; points cost no money."""
    document = program(
        plan(name="partner"),
        plan(Flat(amount_minor=5_000, currency=EUR), name="customer", beneficiary="customer"),
        plan(Points(points=99), name="points", type="points"),
        ceiling=Ceiling(amount_minor=12_000, currency=EUR),
    )

    found = earned(document, case(sale()))

    assert [10_000, 2_000, 99] == [each.amount_minor for each in found]
    assert {"step": "ceiling", "cut_minor": 3_000, "amount_minor": 2_000} == found[1].trace[-1]


@pytest.mark.parametrize(
    ("count", "tier", "next_tier", "missing"),
    [(0, 0, 1, 1), (1, 1, 2, 2), (2, 1, 2, 1), (3, 2, 0, 0), (9, 2, 0, 0)],
)
def test_progress_says_what_the_next_tier_takes(
    count: int, tier: int, next_tier: int, missing: int
) -> None:
    """Successes of the month that runs, and how many are missing; nothing on the highest."""
    rules = rules_of(program(plan(escalation=TIERS), plan(name="flat")))

    (key,) = ladders(rules, "ann", "partners", "2026-01-20T00:00:00.000Z")

    assert JANUARY == key
    assert Level(
        plan="commission",
        period="2026-01",
        measure="count",
        currency="",
        reached=count,
        tier=tier,
        next_tier=next_tier,
        missing=missing,
    ) == level(rules, key, count, 0)


def test_progress_by_value_is_told_in_the_programs_currency() -> None:
    """And only of plans that are for the partner's audience."""
    by_value = Escalation(
        measure="value",
        period="ever",
        tiers=[Tier(start=100_000, calculation=Percent(basis_points=2_000))],
    )
    rules = rules_of(program(plan(escalation=by_value, audiences=["staff"])))

    (key,) = ladders(rules, "ann", "staff", success(10).at)

    assert [] == ladders(rules, "ann", "partners", success(10).at)
    found = level(rules, key, 7, 40_000)
    assert ("ever", "EUR", 40_000, 0, 1, 60_000) == (
        found.period,
        found.currency,
        found.reached,
        found.tier,
        found.next_tier,
        found.missing,
    )
