"""Rewards: the best plan, the splits, the milestones and what refunds take back."""

from __future__ import annotations

import pytest

from introducer import reward
from introducer.event import Event
from introducer.document.audience import Audience
from introducer.document.plan import Flat, Milestone, Percent, RewardPlan
from introducer.program import Program
from introducer.referral import Referral, Sale, Share
from introducer.reward import Reward

WON = "2026-01-10T00:00:00.000Z"
DUE = "2026-07-09T00:00:00.000Z"

WHOLE = [Milestone(id="purchase", share_basis_points=10_000)]
PARTS = [
    Milestone(id="purchase", share_basis_points=2_500),
    Milestone(id="loyalty", share_basis_points=7_500, when="retained", after_days=180),
]


def plan(
    calculation: Percent | Flat | None = None,
    *,
    name: str = "commission",
    milestones: list[Milestone] = WHOLE,
    audiences: list[str] | None = None,
) -> RewardPlan:
    """Return a plan of 10 % unless said otherwise."""
    return RewardPlan(
        id=name,
        calculation=calculation or Percent(basis_points=1_000),
        milestones=milestones,
        audiences=audiences or [],
        accounting_class="acquisition_cost",
    )


def program(*plans: RewardPlan) -> Program:
    """Return a program with *plans* and nothing else of interest."""
    return Program(
        id="telecom",
        name="Telecom",
        currency="EUR",
        audiences={"partners": Audience(name="Partners"), "staff": Audience(name="Staff")},
        destinations=["www.example.com"],
        landing_url="https://www.example.com/",
        rewards=list(plans),
    )


def won(**changes: object) -> Referral:
    """Return a referral that was won on the tenth of January."""
    values: dict[str, object] = {
        "id": "ref",
        "program": "telecom",
        "program_version": 1,
        "version": 9,
        "status": "won",
        "submitted_at": WON,
        "updated_at": WON,
        "channel": "link",
        "lead": "person",
        "won_at": WON,
    }
    return Referral(**{**values, **changes})


def sale(amount_minor: int = 100_000, currency: str = "EUR", **changes: object) -> Sale:
    """Return a sale of 1,000 EUR unless said otherwise."""
    values: dict[str, object] = {
        "id": "s-1",
        "amount_minor": amount_minor,
        "currency": currency,
        "occurred_at": WON,
        "source": "billing",
    }
    return Sale(**{**values, **changes})


def share(partner: str = "ann", basis_points: int = 10_000, audience: str = "partners") -> Share:
    """Return one partner's share."""
    return Share(partner=partner, basis_points=basis_points, audience=audience)


def refund(seq: int, amount_minor: int, *, kind: str = "SaleRefunded", of: str = "s-1") -> Event:
    """Return the event of a refund."""
    data: dict[str, str | int] = {"sale": of, "refund": f"r-{seq}", "amount_minor": amount_minor}
    return _event(kind, seq, data)


def churned(seq: int) -> Event:
    """Return the event of a customer who left."""
    return _event("ReferralChurned", seq, {})


def _event(kind: str, seq: int, data: dict[str, str | int]) -> Event:
    return Event(
        type=kind, entity="REFERRAL#ref", seq=seq, program="telecom", at=WON, actor="x", data=data
    )


def amounts(*rewards: Reward) -> list[tuple[str, str, str, int]]:
    """Return plan, milestone, partner and amount of each reward."""
    return [(each.plan, each.milestone, each.partner, each.amount_minor) for each in rewards]


def test_evaluate_gives_a_whole_reward_with_its_trace() -> None:
    """Every field of a reward is what the documents say, the trace included."""
    (found,) = reward.evaluate(program(plan()), won(), sale(), [share()])

    assert (
        Reward(
            referral="ref",
            plan="commission",
            milestone="purchase",
            sale="s-1",
            partner="ann",
            program="telecom",
            amount_minor=10_000,
            currency="EUR",
            when="won",
            earned_at=WON,
            due_at=WON,
            accounting_class="acquisition_cost",
            version=1,
            trace={
                "rule": "percent",
                "sale_minor": 100_000,
                "rate_basis_points": 1_000,
                "total_minor": 10_000,
                "plans": 1,
                "basis_points": 10_000,
                "part_minor": 10_000,
                "milestone_basis_points": 10_000,
            },
        )
        == found
    )
    assert "reward:ref:commission:purchase:s-1:ann" == found.journal_id()


def test_evaluate_splits_by_milestone_and_dates_them() -> None:
    """A quarter is due with the sale, the rest after 180 days, and nothing is lost."""
    found = reward.evaluate(program(plan(milestones=PARTS)), won(), sale(999), [share()])

    assert [25, 75] == [each.amount_minor for each in found]
    assert [("won", WON), ("retained", DUE)] == [(each.when, each.due_at) for each in found]


def test_evaluate_takes_the_best_paying_plan_by_amount() -> None:
    """Percent and flat are compared by what they pay on this sale, never as numbers."""
    document = program(plan(), plan(Flat(amount_minor=5_000, currency="EUR"), name="bounty"))

    assert [("commission", "purchase", "ann", 10_000)] == amounts(
        *reward.evaluate(document, won(), sale(100_000), [share()])
    )
    assert [("bounty", "purchase", "ann", 5_000)] == amounts(
        *reward.evaluate(document, won(), sale(10_000), [share()])
    )


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
    ] == amounts(*reward.evaluate(document, won(), sale(), shares))


def test_evaluate_cuts_at_the_cap_and_says_so() -> None:
    """The cap is taken before any split and the cut is in the trace."""
    document = program(plan(Percent(basis_points=1_000, cap_minor=999)))

    (found,) = reward.evaluate(document, won(), sale(), [share()])

    assert (999, 9_001) == (found.amount_minor, found.trace["cap_cut_minor"])


@pytest.mark.parametrize(
    ("amount_minor", "expected", "rounding"), [(5, 1, 5_000), (4, None, None), (15, 2, 5_000)]
)
def test_evaluate_rounds_halves_away_from_zero(
    amount_minor: int, expected: int | None, rounding: int | None
) -> None:
    """Half a cent becomes one cent; less than half earns nothing and is not posted."""
    found = reward.evaluate(program(plan()), won(), sale(amount_minor), [share()])

    assert ([expected] if expected else []) == [each.amount_minor for each in found]
    if expected:
        assert rounding == found[0].trace["rounding_ten_thousandths"]


def test_evaluate_splits_between_partners_without_loss() -> None:
    """Three equal shares of 100 are 34, 33 and 33."""
    shares = [share("ann", 3_334), share("bob", 3_333), share("cyd", 3_333)]

    found = reward.evaluate(program(plan()), won(), sale(1_000), shares)

    assert [34, 33, 33] == [each.amount_minor for each in found]


def test_evaluate_never_compares_across_currencies() -> None:
    """A plan in the sale's own currency wins; another is taken only when there is none."""
    flat = plan(Flat(amount_minor=10**9, currency="JPY"), name="bounty")

    assert [("commission", "purchase", "ann", 10_000)] == amounts(
        *reward.evaluate(program(flat, plan()), won(), sale(), [share()])
    )
    (only,) = reward.evaluate(program(flat), won(), sale(), [share()])
    assert ("JPY", 10**9) == (only.currency, only.amount_minor)


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

    assert () == reward.evaluate(document, referral, sold, shares)


def test_evaluate_dates_a_later_sale_from_its_own_day() -> None:
    """A second sale half a year later waits its own 180 days."""
    later = sale(occurred_at="2026-06-01T00:00:00.000Z")

    found = reward.evaluate(program(plan(milestones=PARTS)), won(), later, [share()])

    assert ["2026-06-01T00:00:00.000Z", "2026-11-28T00:00:00.000Z"] == [
        each.due_at for each in found
    ]


def _one(milestones: list[Milestone] = WHOLE, amount_minor: int = 1_000) -> Reward:
    return reward.evaluate(
        program(plan(milestones=milestones)), won(), sale(amount_minor), [share()]
    )[-1]


def test_reversals_follow_partial_refunds_without_drift() -> None:
    """Three refunds of a third each take back all, whatever each rounds to."""
    found = reward.reversals(
        _one(), sale(1_000), won(), [refund(10, 333), refund(11, 333), refund(12, 334)]
    )

    assert [(10, 33, 33), (11, 34, 67), (12, 33, 100)] == [
        (each.seq, each.amount_minor, each.total_minor) for each in found
    ]


def test_reversals_ignore_the_order_they_are_read_in() -> None:
    """Events are taken in their own order; those of other sales do not count."""
    events = [refund(12, 500), refund(10, 250), refund(11, 999, of="s-2")]

    assert [(10, 25), (12, 50)] == [
        (each.seq, each.amount_minor)
        for each in reward.reversals(_one(), sale(1_000), won(), events)
    ]


def test_reversals_never_take_more_than_was_earned() -> None:
    """A refund beyond the sale takes the whole reward and no more."""
    last = refund(11, 900, kind="ReferralRefunded")

    found = reward.reversals(_one(), sale(1_000), won(status="refunded"), [refund(10, 900), last])

    assert [90, 10] == [each.amount_minor for each in found]


def test_reversals_of_churn_take_only_what_was_not_due() -> None:
    """A customer who left early costs the loyalty milestone, not the purchase one."""
    left = won(status="churned", source_at="2026-03-01T00:00:00.000Z")
    stayed = won(status="churned", source_at="2026-08-01T00:00:00.000Z")
    loyalty = _one(PARTS)

    assert [("churned", 75)] == [
        (each.reason, each.amount_minor)
        for each in reward.reversals(loyalty, sale(1_000), left, [churned(10)])
    ]
    assert [] == reward.reversals(loyalty, sale(1_000), stayed, [churned(10)])
    assert [] == reward.reversals(_one(), sale(1_000), left, [churned(10)])


def test_reversals_of_churn_after_a_refund_take_the_rest() -> None:
    """Refund first, then churn: together exactly what was earned."""
    left = won(status="churned", source_at="2026-03-01T00:00:00.000Z")

    found = reward.reversals(_one(PARTS), sale(1_000), left, [refund(10, 500), churned(11)])

    assert [38, 37] == [each.amount_minor for each in found]


@pytest.mark.parametrize(
    ("milestones", "referral", "now", "expected"),
    [
        (WHOLE, won(), WON, ""),
        (PARTS, won(), "2026-07-08T23:59:59.999Z", "not_due"),
        (PARTS, won(), DUE, ""),
        (PARTS, won(status="retained"), DUE, ""),
        (PARTS, won(hold="self_referral"), DUE, "on_hold"),
        (PARTS, won(status="churned", source_at="2026-03-01T00:00:00.000Z"), DUE, "churned"),
        (WHOLE, won(status="churned", source_at="2026-03-01T00:00:00.000Z"), DUE, ""),
        (WHOLE, won(status="refunded"), DUE, ""),
        (WHOLE, won(status="lost"), DUE, "not_sold"),
    ],
)
def test_obstacle_says_why_a_reward_waits(
    milestones: list[Milestone], referral: Referral, now: str, expected: str
) -> None:
    """A reward is released when it is due, not held, and its condition holds."""
    assert expected == reward.obstacle(_one(milestones), referral, now)
