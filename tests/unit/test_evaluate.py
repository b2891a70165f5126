"""What a referral earns: the best plan, the splits, the milestones, and a grid of known traps."""

from __future__ import annotations

import pytest

from introducer.document.plan import Flat, Percent
from introducer.document.policy import Exchange, Rate
from introducer.errors import MissingRateError
from introducer.referral import Referral, Sale, Share
from introducer.reward import Reward
from tests.support.cases import (
    DUE,
    PARTS,
    WON,
    case,
    earned,
    plan,
    program,
    sale,
    share,
    won,
)


def amounts(*rewards: Reward) -> list[tuple[str, str, str, int]]:
    """Return plan, milestone, partner and amount of each reward."""
    return [(each.plan, each.milestone, each.partner, each.amount_minor) for each in rewards]


def test_evaluate_gives_a_whole_reward_with_its_trace() -> None:
    """Every field of a reward is what the documents say, the trace included."""
    (found,) = earned(program(plan()), case(sale()))

    assert (
        Reward(
            referral="ref",
            plan="commission",
            milestone="purchase",
            occasion="s-1",
            sale="s-1",
            partner="ann",
            program="telecom",
            amount_minor=10_000,
            offered_minor=10_000,
            currency="EUR",
            when="won",
            earned_at=WON,
            due_at=WON,
            accounting_class="acquisition_cost",
            version=1,
            trace=[
                {
                    "step": "rule",
                    "plan": "commission",
                    "kind": "percent",
                    "base_minor": 100_000,
                    "basis_points": 1_000,
                    "amount_minor": 10_000,
                    "currency": "EUR",
                }
            ],
        )
        == found
    )
    assert "reward:ref:commission:purchase:s-1:ann" == found.journal_id()


def test_evaluate_splits_by_milestone_and_dates_them() -> None:
    """A quarter is due with the sale, the rest after 180 days, and nothing is lost."""
    found = earned(program(plan(milestones=PARTS)), case(sale(999)))

    assert [25, 75] == [each.amount_minor for each in found]
    assert [("won", WON), ("retained", DUE)] == [(each.when, each.due_at) for each in found]


def test_evaluate_takes_the_best_paying_plan_by_amount() -> None:
    """Percent and flat are compared by what they pay on this sale, never as numbers."""
    document = program(plan(), plan(Flat(amount_minor=5_000, currency="EUR"), name="bounty"))

    assert [("commission", "purchase", "ann", 10_000)] == amounts(
        *earned(document, case(sale(100_000)))
    )
    assert [("bounty", "purchase", "ann", 5_000)] == amounts(*earned(document, case(sale(10_000))))


def test_evaluate_keeps_plans_to_their_audience() -> None:
    """A co-referrer of another audience is rewarded by that audience's plan."""
    document = program(
        plan(audiences=["partners"]),
        plan(Flat(amount_minor=500, currency="EUR"), name="bounty", audiences=["staff"]),
    )
    shares = [share("ann", 5_000), share("bob", 5_000, "staff")]

    assert [
        ("commission", "purchase", "ann", 5_000),
        ("bounty", "purchase", "bob", 250),
    ] == amounts(*earned(document, case(sale(), shares=shares)))


def test_evaluate_cuts_at_the_cap_and_says_so() -> None:
    """The cap is taken before any split and the cut is in the trace."""
    document = program(plan(Percent(basis_points=1_000, cap_minor=999)))

    (found,) = earned(document, case(sale()))

    assert (999, 10_000) == (found.amount_minor, found.trace[0]["exact_minor"])


@pytest.mark.parametrize(
    ("amount_minor", "expected", "rounding"), [(5, 1, 5_000), (4, None, None), (15, 2, 5_000)]
)
def test_evaluate_rounds_halves_away_from_zero(
    amount_minor: int, expected: int | None, rounding: int | None
) -> None:
    """Half a cent becomes one cent; less than half earns nothing and is not posted."""
    found = earned(program(plan()), case(sale(amount_minor)))

    assert ([expected] if expected else []) == [each.amount_minor for each in found]
    if expected:
        assert rounding == found[0].trace[0]["rounding_ten_thousandths"]


def test_evaluate_splits_between_partners_without_loss() -> None:
    """Three equal shares of 100 are 34, 33 and 33."""
    shares = [share("ann", 3_334), share("bob", 3_333), share("cyd", 3_333)]

    found = earned(program(plan()), case(sale(1_000), shares=shares))

    assert [34, 33, 33] == [each.amount_minor for each in found]


def test_evaluate_compares_currencies_by_the_programs_rate_or_not_at_all() -> None:
    """Without a rate nothing is computed; with one the better-paying plan is found."""
    flat = plan(Flat(amount_minor=20_000, currency="JPY"), name="bounty")

    with pytest.raises(MissingRateError) as refused:
        earned(program(flat, plan()), case(sale()))
    assert {"base": "JPY", "to": "EUR"} == refused.value.data
    for rate, best in (
        ("0.006", ("bounty", "JPY", 20_000)),
        ("0.004", ("commission", "EUR", 10_000)),
    ):
        exchange = Exchange(policy="fixed", rates=[Rate(base="JPY", to="EUR", rate=rate)])
        (found,) = earned(program(flat, plan(), exchange=exchange), case(sale()))
        assert best == (found.plan, found.currency, found.amount_minor)


@pytest.mark.parametrize(
    ("referral", "sold", "shares"),
    [
        (won(won_at="", status="accepted"), sale(), [share()]),
        (won(), sale(0), [share()]),
        (won(), sale(), []),
        (won(), sale(), [share(audience="unknown")]),
    ],
)
def test_evaluate_earns_nothing_without_a_reason(
    referral: Referral, sold: Sale, shares: list[Share]
) -> None:
    """No win, no amount, no partner or no plan for the audience: no reward."""
    document = program(plan(audiences=["partners"]))

    assert () == earned(document, case(sold, referral=referral, shares=shares))


def test_evaluate_dates_a_later_sale_from_its_own_day() -> None:
    """A second sale half a year later waits its own 180 days."""
    later = sale(occurred_at="2026-06-01T00:00:00.000Z")

    found = earned(program(plan(milestones=PARTS)), case(later))

    assert ["2026-06-01T00:00:00.000Z", "2026-11-28T00:00:00.000Z"] == [
        each.due_at for each in found
    ]
