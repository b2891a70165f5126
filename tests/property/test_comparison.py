"""What is taken in can be computed: no sale that passed stops its referral for want of a rate."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from introducer import comparison
from introducer.document.plan import BonusPercent, Flat, Promotion
from introducer.earning.evaluate import evaluate
from introducer.earning.occasion import Case
from introducer.earning.rules import Rules
from introducer.program import Program
from tests.support.drawn import DAYS, cases, documents

promotions = st.lists(
    st.builds(
        Promotion,
        id=st.just("spring"),
        name=st.just("Spring"),
        starts_at=st.just(DAYS[0]),
        ends_at=st.just("2027-01-01T00:00:00.000Z"),
        effect=st.sampled_from(
            [BonusPercent(basis_points=500), Flat(amount_minor=100, currency="EUR")]
        ),
    ),
    max_size=1,
)


@st.composite
def without_limits(draw: st.DrawFn) -> Program:
    """Draw a program that mostly compares nothing: no limits of all plans, groups that add up."""
    document = draw(documents())
    apart = [
        msgspec.structs.replace(
            plan,
            group=plan.id,
            caps=plan.caps if draw(st.integers(0, 3)) == 0 else [],
            escalation=plan.escalation if draw(st.booleans()) else None,
            bonuses=plan.bonuses if draw(st.booleans()) else [],
            condition=plan.condition if draw(st.booleans()) else None,
        )
        for plan in document.rewards
    ]
    # Percents of points are refused when a document is published.
    points = any(plan.type == "points" for plan in apart)
    more = [] if points else draw(promotions)
    return msgspec.structs.replace(
        document, rewards=apart, caps=[], ceiling=None, budgets=[], promotions=more
    )


@given(st.one_of(without_limits(), documents()), cases(), st.sampled_from(["USD", "JPY", "EUR"]))
@settings(max_examples=150, deadline=None)
def test_what_is_taken_in_never_lacks_a_rate(document: Program, case: Case, currency: str) -> None:
    """Where intake sees no comparison, evaluating every sale in that currency succeeds."""
    rules = Rules(document)
    assume(not comparison.missing_rates(rules, currency))
    sold = [msgspec.structs.replace(sale, currency=currency) for sale in case.sales]
    evaluate(rules, msgspec.structs.replace(case, sales=sold))


@given(documents())
@settings(max_examples=50, deadline=None)
def test_a_currency_with_rates_is_never_refused(document: Program) -> None:
    """The program's own currency, and the other one that it has a rate for."""
    rules = Rules(document)
    assert [] == comparison.missing_rates(rules, "EUR")
    assert [] == comparison.missing_rates(rules, "JPY")
