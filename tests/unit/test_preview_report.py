"""What a preview tells about a small past, figure by figure."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from introducer.document.plan import (
    Budget,
    Cap,
    Ceiling,
    Clawback,
    Escalation,
    Flat,
    InvoicePaid,
    Percent,
    PerProduct,
    Points,
    ProductRate,
    Promotion,
    Tier,
    Won,
)
from introducer.document.policy import Exchange, Rate
from introducer.program import Program
from payout.preview.budgets import BudgetUse
from payout.preview.engine import Preview, run
from payout.preview.report import Change, Cost, Cut, Mover, Spread, Step, Total, safe
from tests.support.cases import PARTS, plan, program

EUR = "EUR"
PAST = """referral,partner,audience,won_at,amount,currency,product,country
r1,ann,partners,2026-01-10,1000.00,EUR,fibre,DE
r2,ann,partners,2026-02-10,500.00,EUR,mobile,DE
r3,ben,partners,2026-02-11,200.00,EUR,fibre,US
r4,cyd,staff,2026-03-12,50.00,EUR,fibre,US
"""


def previewed(
    tmp_path: Path, text: str, draft: Program, live: Program | None = None, rows: int = 100
) -> Preview:
    """Return the preview of *draft* over the CSV *text*."""
    path = tmp_path / "past.csv"
    path.write_text(text)
    return run(draft, live, [path], bucket_rows=rows)


def total(key: str, amount_minor: int, awards: int, unit: str = EUR, taken_minor: int = 0) -> Total:
    """Return a total."""
    return Total(
        key=key, unit=unit, awards=awards, amount_minor=amount_minor, taken_minor=taken_minor
    )


def earned(tmp_path: Path, text: str, draft: Program) -> list[Total]:
    """Return what *draft* pays in all, by unit."""
    return previewed(tmp_path, text, draft).report.draft.totals


def test_totals_are_told_by_plan_audience_and_month(tmp_path: Path) -> None:
    """Ten percent for partners and a flat amount for staff, over four referrals."""
    draft = program(
        plan(audiences=["partners"]),
        plan(Flat(amount_minor=2_500, currency=EUR), name="bounty", audiences=["staff"]),
    )
    report = previewed(tmp_path, PAST, draft).report
    side = report.draft
    assert (4, 4, 4, 3) == (report.referrals, report.won, report.rows, report.partners)
    assert [total("sales", 175_000, 4)] == report.revenue
    assert [total("all", 19_500, 4)] == side.totals
    assert [total("bounty", 2_500, 1), total("commission", 17_000, 3)] == side.by_plan
    assert [total("partner", 19_500, 4)] == side.by_beneficiary
    assert [total("partners", 17_000, 3), total("staff", 2_500, 1)] == side.by_audience
    assert [
        total("2026-01", 10_000, 1),
        total("2026-02", 7_000, 2),
        total("2026-03", 2_500, 1),
    ] == side.by_month
    assert (0, []) == (side.referrals_with_nothing, side.plans_with_nothing)


def test_cost_is_told_per_acquisition_and_of_revenue(tmp_path: Path) -> None:
    """Gross and net, for each referral won, and as basis points of what was sold."""
    assert (
        Cost(
            gross_minor=17_500,
            net_minor=17_500,
            per_acquisition_minor=4_375,
            net_per_acquisition_minor=4_375,
            of_revenue_basis_points=1_000,
            net_of_revenue_basis_points=1_000,
        )
        == previewed(tmp_path, PAST, program(plan())).report.draft.cost
    )


def test_the_spread_is_told_per_referral_and_partner(tmp_path: Path) -> None:
    """Percentiles are amounts that occur; the histogram counts between round numbers."""
    side = previewed(tmp_path, PAST, program(plan())).report.draft
    steps = [(500, 1_000, 1), (2_000, 5_000, 1), (5_000, 10_000, 1), (10_000, 20_000, 1)]
    percentiles = {
        "p10": 500,
        "p25": 500,
        "p50": 2_000,
        "p75": 5_000,
        "p90": 5_000,
        "p99": 5_000,
        "most": 10_000,
    }
    expected = Spread(
        unit=EUR,
        count=4,
        percentiles=percentiles,
        histogram=[Step(from_minor=low, to_minor=high, count=n) for low, high, n in steps],
    )
    assert [expected] == side.per_referral
    (partners,) = side.per_partner
    assert (3, 500, 15_000) == (
        partners.count,
        partners.percentiles["p10"],
        partners.percentiles["most"],
    )


def test_winners_and_losers_are_told_against_the_live_version(tmp_path: Path) -> None:
    """A draft that pays 20 % for fibre alone, against 10 % for everything."""
    draft = program(plan(Percent(basis_points=2_000, products=["fibre"])), products=["fibre"])
    found = previewed(tmp_path, PAST, draft, program(plan()))
    report = found.report
    up = [_mover("ann", 15_000, 20_000), _mover("ben", 2_000, 4_000), _mover("cyd", 500, 1_000)]
    assert [
        Change(
            unit=EUR,
            winners=3,
            losers=0,
            unchanged=0,
            gained_minor=7_500,
            lost_minor=0,
            most_up=up,
            most_down=[],
        )
    ] == report.changes
    assert (1, 0) == (report.newly_nothing, report.newly_something)
    assert [
        "holder,unit,live_minor,draft_minor,change_minor",
        "ann,EUR,15000,20000,5000",
        "ben,EUR,2000,4000,2000",
        "cyd,EUR,500,1000,500",
        "",
    ] == "".join(found.partners_csv()).split("\r\n")


def test_limits_are_told_by_what_they_cut(tmp_path: Path) -> None:
    """A cap per lead, one per partner and a ceiling, each with what it took."""
    draft = program(
        plan(
            Percent(basis_points=1_000),
            caps=[
                Cap(id="lead", per="lead", amount_minor=8_000, currency=EUR),
                Cap(id="year", per="partner", amount_minor=12_000, currency=EUR, period="year"),
            ],
        ),
        ceiling=Ceiling(amount_minor=7_000, currency=EUR),
    )
    side = previewed(tmp_path, PAST, draft).report.draft
    assert [
        Cut(limit="lead", unit=EUR, awards=1, cut_minor=2_000),
        Cut(limit="partner", unit=EUR, awards=1, cut_minor=1_000),
        Cut(limit="ceiling", unit=EUR, awards=1, cut_minor=1_000),
    ] == side.cuts
    assert [total("all", 13_500, 4)] == side.totals


def test_an_award_that_a_cap_leaves_nothing_of_counts_as_cut(tmp_path: Path) -> None:
    """The cut holds what the second referral would have got; the referral earns nothing."""
    cap = Cap(id="cap", per="partner", amount_minor=10_000, currency=EUR)
    side = previewed(tmp_path, PAST, program(plan(caps=[cap]))).report.draft
    assert [Cut(limit="partner", unit=EUR, awards=1, cut_minor=5_000)] == side.cuts
    assert 1 == side.referrals_with_nothing


def test_a_budget_that_stops_is_spent_in_the_order_of_time(tmp_path: Path) -> None:
    """The third award is cut in part and the fourth gets nothing; the report says when."""
    budget = Budget(id="year", amount_minor=16_000, currency=EUR)
    side = previewed(tmp_path, PAST, program(plan(), budgets=[budget])).report.draft
    assert [
        BudgetUse(
            id="year",
            period=2026,
            currency=EUR,
            amount_minor=16_000,
            wanted_minor=17_500,
            cut_minor=1_500,
            reached_at="2026-02-11T00:00:00.000Z",
        )
    ] == side.budgets
    assert [total("all", 16_000, 3)] == side.totals
    assert [Cut(limit="budget", unit=EUR, awards=2, cut_minor=1_500)] == side.cuts


def test_a_budget_that_only_alerts_cuts_nothing(tmp_path: Path) -> None:
    """What is beyond it is told, and paid."""
    budget = Budget(id="year", amount_minor=16_000, currency=EUR, stop=False)
    side = previewed(tmp_path, PAST, program(plan(), budgets=[budget])).report.draft
    assert [total("all", 17_500, 4)] == side.totals
    assert [(17_500, 0)] == [(use.wanted_minor, use.cut_minor) for use in side.budgets]


def test_refunds_and_lost_customers_are_taken_back(tmp_path: Path) -> None:
    """A quarter refunded takes a quarter; who left early takes the part that waits."""
    text = (
        "referral,partner,won_at,amount,currency,refunded_minor,churned_at\n"
        "r1,ann,2026-01-10,1000.00,EUR,25000,\n"
        "r2,ben,2026-01-10,1000.00,EUR,,2026-03-01\n"
        "r3,cyd,2026-01-10,1000.00,EUR,,2026-12-01\n"
    )
    side = previewed(tmp_path, text, program(plan(milestones=PARTS))).report.draft
    assert [total("all", 30_000, 3, taken_minor=2_500 + 7_500)] == side.totals
    assert (30_000, 20_000) == (side.cost.gross_minor, side.cost.net_minor)


@pytest.mark.parametrize(
    ("clawback", "taken_minor"),
    [
        (Clawback(), 2_000),
        (Clawback(policy="full"), 10_000),
        (Clawback(policy="none"), 0),
        (Clawback(within_days=30), 1_000),
        (Clawback(policy="full", within_days=1), 0),
    ],
)
def test_clawback_follows_the_plan(tmp_path: Path, clawback: Clawback, taken_minor: int) -> None:
    """Policy and days decide what two refunds take back."""
    text = (
        "referral,partner,won_at,amount,currency,refunds\n"
        "r1,ann,2026-01-10,1000.00,EUR,"
        "2026-01-20T00:00:00.000Z=10000;2026-03-20T00:00:00.000Z=10000\n"
    )
    assert [total("all", 10_000, 1, taken_minor=taken_minor)] == earned(
        tmp_path, text, program(plan(clawback=clawback))
    )


def test_half_cents_are_rounded_away_from_zero_once(tmp_path: Path) -> None:
    """0.5 % of one euro is half a cent and pays one; of 0.99 it is less and pays none."""
    text = (
        "referral,partner,won_at,amount,currency\nr1,ann,2026-01-10,1.00,EUR\n"
        "r2,ann,2026-01-10,0.99,EUR\n"
    )
    assert [total("all", 1, 1)] == earned(tmp_path, text, program(plan(Percent(basis_points=50))))


def test_the_largest_amounts_are_exact(tmp_path: Path) -> None:
    """Ten to the fifteenth at 99.99 % keeps every unit."""
    text = "referral,partner,at,amount_minor,currency\nr1,ann,2026-01-10,999999999999999,EUR\n"
    assert [total("all", 999_899_999_999_999, 1)] == earned(
        tmp_path, text, program(plan(Percent(basis_points=9_999)))
    )


def test_currencies_are_never_mixed(tmp_path: Path) -> None:
    """Yen have no decimals, dinars three; each total stands in its own unit."""
    text = (
        "referral,partner,won_at,amount,currency\nr1,ann,2026-01-10,1255,JPY\n"
        "r2,ann,2026-01-10,1.255,KWD\nr3,ann,2026-01-10,12.55,EUR\n"
    )
    side = previewed(tmp_path, text, program(plan())).report.draft
    assert [
        total("all", 126, 1),
        total("all", 126, 1, "JPY"),
        total("all", 126, 1, "KWD"),
    ] == side.totals
    assert (None, None) == (side.cost.gross_minor, side.cost.per_acquisition_minor)


def test_cost_is_told_in_the_programs_currency_where_rates_allow(tmp_path: Path) -> None:
    """A hundred yen are 61 cents at this rate, a thousand 612; the share is that of the cents."""
    text = "referral,partner,won_at,amount,currency\nr1,ann,2026-01-10,1000,JPY\n"
    exchange = Exchange(policy="fixed", rates=[Rate(base="EUR", to="JPY", rate="163.27")])
    side = previewed(tmp_path, text, program(plan(), exchange=exchange)).report.draft
    assert (61, 997) == (side.cost.gross_minor, side.cost.of_revenue_basis_points)


def test_months_are_those_of_the_programs_time_zone(tmp_path: Path) -> None:
    """Half past eleven at night in London is February in Berlin; a plain day begins there too."""
    text = (
        "referral,partner,won_at,amount,currency\nr1,ann,2026-01-31T23:30:00Z,1.00,EUR\n"
        "r2,ann,2026-03-01,1.00,EUR\n"
    )
    monthly = Cap(id="cap", per="partner", amount_minor=5, currency=EUR, period="month")
    side = previewed(
        tmp_path, text, program(plan(caps=[monthly]), time_zone="Europe/Berlin")
    ).report.draft
    assert [total("2026-02", 5, 1), total("2026-03", 5, 1)] == side.by_month


def test_invoices_are_paid_for_calendar_months(tmp_path: Path) -> None:
    """A month after 31 January ends on 28 February, at the same wall-clock time."""
    head = "referral,occasion,partner,at,amount,currency\n"
    text = head + "".join(
        f"r1,s{number},ann,{at},1.00,EUR\n"
        for number, at in enumerate(
            ["2026-01-31T09:00:00Z", "2026-02-28T08:59:59Z", "2026-02-28T09:00:00Z"]
        )
    )
    draft = program(plan(trigger=InvoicePaid(months=1)), time_zone="Europe/Berlin")
    assert [total("all", 20, 2)] == earned(tmp_path, text, draft)


def test_a_refund_counts_until_the_last_moment_of_its_days(tmp_path: Path) -> None:
    """Thirty days later to the millisecond is in time; a millisecond more is not."""
    text = (
        "referral,partner,won_at,amount,currency,refunds\n"
        "r1,ann,2026-01-10T00:00:00Z,100.00,EUR,2026-02-09T00:00:00.000Z=10000\n"
        "r2,ann,2026-01-10T00:00:00Z,100.00,EUR,2026-02-09T00:00:00.001Z=10000\n"
    )
    draft = program(plan(clawback=Clawback(within_days=30)))
    assert [total("all", 2_000, 2, taken_minor=1_000)] == earned(tmp_path, text, draft)


def test_a_promotion_runs_from_its_beginning_to_before_its_end(tmp_path: Path) -> None:
    """The first instant is in, the last is out."""
    text = "referral,partner,won_at,amount,currency\n" + "".join(
        f"r{number},ann,{at},1.00,EUR\n"
        for number, at in enumerate(
            ["2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"]
        )
    )
    spring = Promotion(
        id="spring",
        name="Spring",
        starts_at="2026-03-01T00:00:00.000Z",
        ends_at="2026-04-01T00:00:00.000Z",
        effect=Flat(amount_minor=5, currency=EUR),
    )
    assert [total("all", 10 + 15 + 10, 3)] == earned(
        tmp_path, text, program(plan(), promotions=[spring])
    )


def test_what_counts_against_a_limit_of_another_currency_is_rounded_up(tmp_path: Path) -> None:
    """One yen uses a whole cent up, though it is worth less: nothing slips through a cap."""
    text = (
        "referral,partner,won_at,amount,currency\nr1,ann,2026-01-10,10,JPY\n"
        "r2,ann,2026-01-11,10,JPY\n"
    )
    cap = Cap(id="cap", per="partner", amount_minor=1, currency=EUR)
    exchange = Exchange(policy="fixed", rates=[Rate(base="EUR", to="JPY", rate="163.27")])
    assert [total("all", 1, 1, "JPY")] == earned(
        tmp_path, text, program(plan(caps=[cap]), exchange=exchange)
    )


def test_tiers_follow_business_time_and_not_the_order_of_rows(tmp_path: Path) -> None:
    """The later sale stands first in the file and still is the second success."""
    text = (
        "referral,partner,won_at,amount,currency\nr2,ann,2026-02-10,1.00,EUR\n"
        "r1,ann,2026-01-10,10.00,EUR\n"
    )
    tiers = [Tier(start=2, calculation=Percent(basis_points=5_000))]
    draft = program(plan(escalation=Escalation(measure="count", tiers=tiers)))
    assert [total("all", 100 + 50, 2)] == earned(tmp_path, text, draft)


def test_line_items_points_and_customers(tmp_path: Path) -> None:
    """Products pay by piece and price, points by whole euro, the customer once."""
    text = (
        "referral,partner,won_at,amount_minor,currency,items\n"
        "r1,ann,2026-01-10,59900,EUR,fibre:1:49900;cloud_voice:2:10000\n"
    )
    rates = [
        ProductRate(product="fibre", amount_minor=1_000),
        ProductRate(product="cloud_voice", amount_minor=50, basis_points=1_000),
    ]
    draft = program(
        plan(PerProduct(rates=rates, currency=EUR)),
        plan(Points(points=10, per_unit=2), name="stars", type="points"),
        plan(
            Flat(amount_minor=500, currency=EUR),
            name="welcome",
            trigger=Won(),
            beneficiary="customer",
            type="credit",
        ),
    )
    assert [
        total("all", 1_000 + 100 + 1_000, 1),
        total("all", 500, 1, "EUR.credit"),
        total("all", 10 + 2 * 599, 1, "PTS"),
    ] == earned(tmp_path, text, draft)


def test_buckets_change_nothing(tmp_path: Path) -> None:
    """Spilled and looked at two rows at a time, a past gives the very same report."""
    rows = "".join(
        f"r{number},p{number * 7 % 13},{'partners' if number % 3 else 'staff'},"
        f"2026-0{1 + number % 9}-10,{number}.50,EUR,fibre,DE\n"
        for number in range(200)
    )
    text = PAST.splitlines(keepends=True)[0] + rows
    cap = Cap(id="cap", per="partner", amount_minor=5_000, currency=EUR)
    tiers = [Tier(start=3, calculation=Percent(basis_points=2_000))]
    draft = program(
        plan(escalation=Escalation(measure="count", tiers=tiers), caps=[cap]),
        budgets=[Budget(id="all", amount_minor=40_000, currency=EUR)],
    )
    whole, parted = (
        previewed(tmp_path, text, draft, program(plan()), rows=rows) for rows in (1_000, 2)
    )
    assert whole.report == parted.report
    assert list(whole.partners_csv()) == list(parted.partners_csv())


def test_a_past_without_anything_gives_an_empty_report() -> None:
    """No parts of live data at all are no fault: a young program has no past."""
    report = run(program(plan()), program(plan()), []).report
    assert (0, 0, [], []) == (report.referrals, report.won, report.draft.totals, report.changes)
    assert ["commission"] == report.draft.plans_with_nothing


def test_the_report_is_json_of_whole_numbers(tmp_path: Path) -> None:
    """It reads back as it was, and its summary holds numbers and codes alone."""
    report = previewed(tmp_path, PAST, program(plan()), program(plan())).report
    assert report == msgspec.json.decode(report.json(), type=type(report))
    assert {
        "currency": "EUR",
        "referrals": 4,
        "won": 4,
        "gross_minor": 17_500,
        "net_minor": 17_500,
        "per_acquisition_minor": 4_375,
        "live_gross_minor": 17_500,
        "winners": 0,
        "losers": 0,
    } == report.summary()


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]
)
def test_no_cell_is_a_formula(cell: str) -> None:
    """What a spreadsheet would run gets an apostrophe."""
    assert f"'{cell}" == safe(cell)


def _mover(holder: str, live_minor: int, draft_minor: int) -> Mover:
    return Mover(
        holder=holder,
        unit=EUR,
        live_minor=live_minor,
        draft_minor=draft_minor,
        change_minor=draft_minor - live_minor,
    )
