"""A grid of known traps of reward rules, each with the one right answer."""

from __future__ import annotations

import pytest

from introducer import calendar
from introducer.document.condition import Condition
from introducer.document.plan import (
    Bonus,
    BonusPercent,
    Calculation,
    Flat,
    Happened,
    InvoicePaid,
    Milestone,
    Multiplier,
    Percent,
    PerProduct,
    Points,
    ProductRate,
    Promotion,
    Retained,
    StageReached,
    Submitted,
    Trigger,
    Variant,
    Won,
)
from introducer.document.policy import CustomEvent
from introducer.referral import Item
from introducer.reward import Reward
from tests.support.cases import PARTS, WON, case, earned, event, plan, program, sale, share, won

EUR = "EUR"


def paid(*rewards: Reward) -> list[tuple[str, str, int, str]]:
    """Return occasion, holder, amount and unit of each reward."""
    return [(each.occasion, each.partner, each.amount_minor, each.unit) for each in rewards]


@pytest.mark.parametrize(
    ("currency", "amount_minor", "basis_points", "expected"),
    [
        ("JPY", 333, 1_500, 50),  # 49.95 yen: whole units
        ("JPY", 3, 1_500, 0),  # 0.45 yen: nothing
        ("KWD", 12_345, 1_000, 1_235),  # 1.2345 dinar: thousandths
        ("EUR", 5, 1_000, 1),  # half a cent
        ("EUR", 4, 1_000, 0),
        ("EUR", 10**15, 10_000, 10**15),  # the largest amount there is, whole
        ("EUR", 10**15 - 1, 3_333, 333_300_000_000_000),  # no float would tell
    ],
)
def test_percentages_are_exact_in_every_currency(
    currency: str, amount_minor: int, basis_points: int, expected: int
) -> None:
    """Halves go away from zero, once, in the currency's own smallest unit."""
    found = earned(
        program(plan(Percent(basis_points=basis_points))), case(sale(amount_minor, currency))
    )

    assert ([expected] if expected else []) == [each.amount_minor for each in found]


def test_recurring_ends_with_the_calendar_in_the_programs_time_zone() -> None:
    """Three months from 30 November, 23:30 in Berlin, end on the last of February, 23:30 there."""
    sales = [
        sale(id="first", occurred_at="2026-11-30T22:30:00.000Z"),
        sale(id="in", occurred_at="2027-02-28T22:29:59.999Z"),
        sale(id="out", occurred_at="2027-02-28T22:30:00.000Z"),
    ]
    document = program(plan(trigger=InvoicePaid(months=3)), time_zone="Europe/Berlin")

    found = earned(document, case(*sales, referral=won(won_at="2026-11-30T22:30:00.000Z")))

    assert ["first", "in"] == [each.occasion for each in found]


@pytest.mark.parametrize(
    ("at", "months", "zone", "expected"),
    [
        ("2024-01-31T12:00:00.000Z", 1, "UTC", "2024-02-29T12:00:00.000Z"),
        ("2024-02-29T12:00:00.000Z", 12, "UTC", "2025-02-28T12:00:00.000Z"),
        ("2026-01-31T12:00:00.000Z", 600, "UTC", "2076-01-31T12:00:00.000Z"),
        # Wall-clock noon stays noon across the change to summer time.
        ("2026-02-28T11:00:00.000Z", 1, "Europe/Berlin", "2026-03-28T11:00:00.000Z"),
        ("2026-03-28T11:00:00.000Z", 1, "Europe/Berlin", "2026-04-28T10:00:00.000Z"),
    ],
)
def test_months_keep_the_wall_clock(at: str, months: int, zone: str, expected: str) -> None:
    """A day a month does not have becomes its last one."""
    assert expected == calendar.plus_months(at, months, calendar.zone(zone))


def test_due_dates_keep_the_wall_clock_too() -> None:
    """30 days from noon in Berlin are noon in Berlin, though a night was an hour shorter."""
    milestones = [Milestone(id="all", share_basis_points=10_000, after_days=30)]
    document = program(plan(milestones=milestones), time_zone="Europe/Berlin")
    at = "2026-03-15T11:00:00.000Z"

    (found,) = earned(document, case(sale(occurred_at=at), referral=won(won_at=at)))

    assert "2026-04-14T10:00:00.000Z" == found.due_at


@pytest.mark.parametrize(
    ("at", "kind", "expected"),
    [
        ("2026-12-31T22:59:59.999Z", "year", "2026"),
        ("2026-12-31T23:00:00.000Z", "year", "2027"),
        ("2026-12-31T23:00:00.000Z", "quarter", "2027-Q1"),
        ("2026-09-30T22:00:00.000Z", "quarter", "2026-Q4"),
        ("2026-09-30T21:59:59.999Z", "month", "2026-09"),
        ("2026-09-30T21:59:59.999Z", "ever", "ever"),
    ],
)
def test_periods_end_at_midnight_of_the_program(at: str, kind: str, expected: str) -> None:
    """New Year is when it is New Year in Berlin."""
    assert expected == calendar.period(at, kind, calendar.zone("Europe/Berlin"))


def test_six_hundred_months_of_invoices_each_earn() -> None:
    """Fifty years of monthly invoices, one reward each, nothing lost on the way."""
    where = calendar.zone("UTC")
    sales = [
        sale(199, id=f"i{n:03}", occurred_at=calendar.plus_months(WON, n, where))
        for n in range(601)
    ]

    found = earned(program(plan(trigger=InvoicePaid(months=600))), case(*sales))

    assert 600 == len(found)
    assert 600 * 20 == sum(each.amount_minor for each in found)


def test_a_hundred_conditions_all_count() -> None:
    """One of a hundred that does not hold is enough to refuse, and none is skipped."""
    tests = [Condition(field="lead.size", op="ne", value=number) for number in range(100)]
    document = program(plan(condition=Condition(all=tests)))

    def sized(size: int) -> tuple[Reward, ...]:
        return earned(document, case(sale(), referral=won(facts={"lead.size": size})))

    assert [()] * 100 == [sized(size) for size in range(100)]
    assert 1 == len(sized(100))


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (Submitted(), ["submitted"]),
        (StageReached(stage="qualified"), ["stage-qualified"]),
        (StageReached(stage="proposal"), ["stage-proposal"]),
        (Won(), ["s-1"]),
        (InvoicePaid(), ["s-1", "s-2"]),
        (Retained(days=90), ["s-1"]),
        (Happened(event="demo"), ["event-d1", "event-d2"]),
    ],
)
def test_every_trigger_finds_its_occasions(trigger: Trigger, expected: list[str]) -> None:
    """The stage that the CRM skipped counts as reached with the next one."""
    later = sale(id="s-2", occurred_at="2026-02-10T00:00:00.000Z")
    events = [
        event("ReferralAdvanced", 4, {"stage": "proposal"}),
        event("ReferralEventRecorded", 5, {"event": "demo", "id": "d1", "at": WON}),
        event("ReferralEventRecorded", 6, {"event": "demo", "id": "d2", "at": WON}),
        event("ReferralEventRecorded", 7, {"event": "other", "id": "d3", "at": WON}),
    ]
    document = program(
        plan(Flat(amount_minor=500, currency=EUR), trigger=trigger),
        stages=["qualified", "proposal"],
        events={"demo": CustomEvent(name="Demo"), "other": CustomEvent(name="Other")},
    )

    found = earned(document, case(later, sale(), events=events))

    assert expected == [each.occasion for each in found]


def test_submission_pays_only_once_screening_let_it_through() -> None:
    """A duplicate or a lead under review was submitted too, and earns nothing."""
    document = program(plan(Flat(amount_minor=500, currency=EUR), trigger=Submitted()))
    waiting = won(status="review", won_at="", partner="")

    assert () == earned(document, case(referral=waiting))
    assert 1 == len(earned(document, case(referral=won(status="assigned", won_at=""))))


def test_event_told_during_review_pays_only_once_the_lead_is_let_through() -> None:
    """Shares may be known before a person decides; until then nothing is anybody's."""
    document = program(
        plan(Flat(amount_minor=500, currency=EUR), trigger=Happened(event="demo")),
        events={"demo": CustomEvent(name="Demo")},
    )
    told = [event("ReferralEventRecorded", 5, {"event": "demo", "id": "d1", "at": WON})]
    waiting = won(status="review", won_at="", partner="")
    cleared = won(status="assigned", won_at="")
    assert [[], ["event-d1"]] == [
        [each.occasion for each in earned(document, case(referral=referral, events=told))]
        for referral in (waiting, cleared)
    ]


def test_retained_waits_and_asks_for_a_customer_who_stayed() -> None:
    """The trigger is the first sale; its milestones wait so many days longer."""
    milestones = [Milestone(id="all", share_basis_points=10_000, after_days=10)]
    document = program(plan(milestones=milestones, trigger=Retained(days=90)))

    (found,) = earned(document, case(sale()))

    assert ("retained", "2026-04-20T00:00:00.000Z") == (found.when, found.due_at)


def test_both_sides_the_rep_and_the_company_are_paid_beside_each_other() -> None:
    """Groups of beneficiaries add up; a company gets the part of its own partners only."""
    flat = Flat(amount_minor=1_000, currency=EUR)
    document = program(
        plan(flat, name="partner"),
        plan(flat, name="customer", beneficiary="customer", type="credit"),
        plan(flat, name="rep", beneficiary="rep"),
        plan(flat, name="company", beneficiary="organization"),
    )
    shares = [
        share("ann", 5_000, org="acme"),
        share("bob", 2_500, org="acme"),
        share("cyd", 2_500),
    ]

    found = earned(document, case(sale(), shares=shares, referral=won(rep="rita")))

    assert [
        ("s-1", "ann", 500, "EUR"),
        ("s-1", "bob", 250, "EUR"),
        ("s-1", "cyd", 250, "EUR"),
        ("s-1", "customer.person", 1_000, "EUR.credit"),
        ("s-1", "rep.rita", 1_000, "EUR"),
        ("s-1", "org.acme", 750, "EUR"),
    ] == paid(*found)


def test_products_are_paid_by_piece_and_by_price() -> None:
    """Two phones at 5 EUR each and a tenth of the fibre; what is not listed gives nothing."""
    rule = PerProduct(
        currency=EUR,
        rates=[
            ProductRate(product="mobile", amount_minor=500),
            ProductRate(product="fibre", basis_points=1_000),
        ],
    )
    lines = [
        Item(product="mobile", amount_minor=4_000, quantity=2),
        Item(product="fibre", amount_minor=9_995),
        Item(product="cable", amount_minor=100),
    ]

    (found,) = earned(program(plan(rule)), case(sale(14_095, items=lines)))

    assert 1_000 + 1_000 == found.amount_minor
    assert () == earned(program(plan(rule)), case(sale(14_095, "USD", items=lines)))


@pytest.mark.parametrize(
    ("rule", "currency", "expected"),
    [
        (Points(points=50), "EUR", 50),
        (Points(points=50, per_unit=2), "EUR", 50 + 2 * 1_000),
        (Points(per_unit=2), "JPY", 200_000),
        (Points(per_unit=1), "KWD", 100),
    ],
)
def test_points_count_whole_units(rule: Calculation, currency: str, expected: int) -> None:
    """A point for each whole unit of whatever currency, never for its hundredths."""
    (found,) = earned(program(plan(rule, type="points")), case(sale(100_000, currency)))

    assert (expected, "PTS") == (found.amount_minor, found.unit)


def test_involvement_is_a_variant_and_the_better_one_counts() -> None:
    """Co-selling pays 15 % where an introduction pays 10 %."""
    co_sold = Condition(field="partner.involvement", op="eq", value="co_sold")
    document = program(
        plan(
            variants=[
                Variant(id="co_sell", condition=co_sold, calculation=Percent(basis_points=1_500))
            ]
        )
    )

    for involvement, expected in (
        ("introduced", 10_000),
        ("assisted", 10_000),
        ("co_sold", 15_000),
    ):
        (found,) = earned(document, case(sale(), shares=[share(involvement=involvement)]))
        assert expected == found.amount_minor


def test_bonuses_then_promotions_in_their_order() -> None:
    """10 % of 1,000 EUR, 50 EUR for a fast close, 2 % for quality; then the spring doubles it."""
    fast = Condition(field="referral.days_to_close", op="lte", value=30)
    good = Condition(field="lead.score", op="gte", value=80)
    bonuses = [
        Bonus(id="fast", condition=fast, effect=Flat(amount_minor=5_000, currency=EUR)),
        Bonus(id="good", condition=good, effect=BonusPercent(basis_points=200)),
    ]
    spring = Promotion(
        id="spring", name="Spring", starts_at=WON, ends_at="2026-02-01T00:00:00.000Z",
        effect=Multiplier(basis_points=20_000),
    )  # fmt: skip
    document = program(plan(bonuses=bonuses), promotions=[spring])

    (found,) = earned(document, case(sale(), referral=won(facts={"lead.score": 80})))

    assert [10_000, 15_000, 17_000, 34_000] == [step["amount_minor"] for step in found.trace]
    assert ["rule", "bonus", "bonus", "promotion"] == [step["step"] for step in found.trace]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-31T23:59:59.999Z", 10_000),
        ("2026-02-01T00:00:00.000Z", 20_000),
        ("2026-02-28T23:59:59.999Z", 20_000),
        ("2026-03-01T00:00:00.000Z", 10_000),
    ],
)
def test_promotions_run_from_their_first_instant_to_before_their_last(
    at: str, expected: int
) -> None:
    """Business time decides, not when the sale was reported."""
    promotion = Promotion(
        id="feb", name="February", starts_at="2026-02-01T00:00:00.000Z",
        ends_at="2026-03-01T00:00:00.000Z", effect=Multiplier(basis_points=20_000),
    )  # fmt: skip
    document = program(plan(), promotions=[promotion])

    (found,) = earned(document, case(sale(occurred_at=at), referral=won(won_at=at)))

    assert expected == found.amount_minor


def test_what_is_missing_never_holds_and_its_opposite_does() -> None:
    """A lead of unknown size is not above 10, not below, not other than 10; but not above 10."""

    def pays(condition: Condition, **facts: int) -> bool:
        known = {f"lead.{name}": value for name, value in facts.items()}
        return bool(
            earned(program(plan(condition=condition)), case(sale(), referral=won(facts=known)))
        )

    above = Condition(field="lead.size", op="gt", value=10)
    other = Condition(field="lead.size", op="ne", value=10)
    known = Condition(field="lead.size", op="exists", value=True)

    assert [False, False, False] == [pays(each) for each in (above, other, known)]
    assert [True, True, True] == [pays(Condition(not_=each)) for each in (above, other, known)]
    assert [True, True, True] == [pays(each, size=11) for each in (above, other, known)]


def test_hold_days_delay_every_milestone() -> None:
    """Two weeks of hold move the first part; the one due after half a year is later anyway."""
    found = earned(program(plan(milestones=PARTS, hold_days=14)), case(sale()))

    assert ["2026-01-24T00:00:00.000Z", "2026-07-09T00:00:00.000Z"] == [
        each.due_at for each in found
    ]


def test_plans_of_different_triggers_add_up_and_of_the_same_compete() -> None:
    """A bounty for the lead does not cost the commission; two commissions are one, the better."""
    bounty = plan(Flat(amount_minor=500, currency=EUR), name="bounty", trigger=Submitted())
    document = program(bounty, plan(), plan(Percent(basis_points=1_200), name="better"))

    early = won(submitted_at="2026-01-01T00:00:00.000Z")
    found = earned(document, case(sale(), referral=early))

    assert [("bounty", 500), ("better", 12_000)] == [
        (each.plan, each.amount_minor) for each in found
    ]
    assert {"step": "best", "of": 2} == found[1].trace[-1]


def test_a_group_never_spans_beneficiaries_or_types() -> None:
    """A customer's reward is not weighed against a partner's, nor points against money."""
    flat = Flat(amount_minor=1_000, currency=EUR)
    document = program(
        plan(flat, name="partner", group="spring"),
        plan(flat, name="customer", beneficiary="customer", group="spring"),
        plan(Points(points=7), name="points", type="points", group="spring"),
        plan(Flat(amount_minor=900, currency=EUR), name="lesser", group="spring"),
    )

    found = earned(document, case(sale()))

    assert ["partner", "customer", "points"] == [each.plan for each in found]
