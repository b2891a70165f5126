"""Rewards of any sale: the parts add up, the best plan wins, nothing exceeds its cap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from introducer import money
from introducer.document.audience import Audience
from introducer.document.plan import Flat, Milestone, Percent, RewardPlan
from introducer.program import Program
from introducer.referral import Referral, Sale, Share
from tests.support.cases import case, earned

WON = "2026-01-10T00:00:00.000Z"

REFERRAL = Referral(
    id="ref",
    program="telecom",
    program_version=1,
    version=1,
    status="won",
    submitted_at=WON,
    updated_at=WON,
    channel="link",
    lead="person",
    won_at=WON,
)


def weights(most: int) -> st.SearchStrategy[list[int]]:
    """Return basis points that add up to 10,000, in 1 to *most* parts."""
    cuts = st.lists(st.integers(0, money.BASIS_POINTS), max_size=most - 1).map(sorted)
    return cuts.map(
        lambda inner: [
            high - low for low, high in zip([0, *inner], [*inner, money.BASIS_POINTS], strict=True)
        ]
    )


calculations = st.one_of(
    st.builds(
        Percent,
        basis_points=st.integers(0, money.BASIS_POINTS),
        cap_minor=st.none() | st.integers(0, 10**9),
    ),
    st.builds(Flat, amount_minor=st.integers(0, 10**9), currency=st.just("EUR")),
)
plans = st.lists(st.tuples(calculations, weights(5)), min_size=1, max_size=5).map(
    lambda drawn: [
        RewardPlan(
            id=f"plan{number}",
            calculation=calculation,
            milestones=[
                Milestone(id=f"m{place}", share_basis_points=points)
                for place, points in enumerate(parts)
            ],
        )
        for number, (calculation, parts) in enumerate(drawn)
    ]
)
documents = plans.map(
    lambda drawn: Program(
        id="telecom",
        name="Telecom",
        currency="EUR",
        audiences={"partners": Audience(name="Partners")},
        destinations=["www.example.com"],
        landing_url="https://www.example.com/",
        rewards=drawn,
    )
)
sales = st.builds(
    Sale,
    id=st.just("s1"),
    amount_minor=st.integers(1, money.MAX_MINOR // 10**5),
    currency=st.just("EUR"),
    occurred_at=st.just(WON),
    source=st.just("billing"),
)
shares = weights(4).map(
    lambda points: [
        Share(partner=f"p{place}", basis_points=each, audience="partners")
        for place, each in enumerate(points)
    ]
)


def worth(plan: RewardPlan, sale: Sale) -> int:
    """Return what a plan gives on a sale, computed with fractions and by hand."""
    if isinstance(plan.calculation, Flat):
        return plan.calculation.amount_minor
    rounded = (2 * sale.amount_minor * plan.calculation.basis_points + 10_000) // 20_000
    cap = plan.calculation.cap_minor
    return rounded if cap is None else min(rounded, cap)


@given(documents, sales, shares)
def test_evaluate_gives_the_best_plan_without_loss(
    document: Program, sale: Sale, credited: list[Share]
) -> None:
    """All parts together are exactly what the best-paying plan gives."""
    found = earned(document, case(sale, referral=REFERRAL, shares=credited))

    assert max(worth(plan, sale) for plan in document.rewards) == sum(
        each.amount_minor for each in found
    )
    assert 1 >= len({each.plan for each in found})
    assert all(each.amount_minor > 0 for each in found)


@given(documents, sales, shares)
def test_evaluate_is_a_function_of_its_facts(
    document: Program, sale: Sale, credited: list[Share]
) -> None:
    """The same facts give the same rewards, each under a name of its own."""
    found = earned(document, case(sale, referral=REFERRAL, shares=credited))

    assert found == earned(document, case(sale, referral=REFERRAL, shares=credited))
    assert len(found) == len({each.journal_id() for each in found})
    assert len(found) == len({each.key for each in found})
