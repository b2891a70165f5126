"""The preview's columns give what the single evaluator gives, over random programs and pasts."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from introducer import calendar
from introducer.document.condition import Condition
from introducer.document.plan import BonusPercent, Clawback, Flat, Percent, Promotion, Variant
from introducer.document.policy import Exchange
from introducer.earning.evaluate import Outcome, evaluate, needs
from introducer.earning.history import Success, Tally, TallyKey
from introducer.earning.occasion import Case
from introducer.earning.rules import rules_of
from introducer.errors import MissingRateError
from introducer.event import Event
from introducer.program import Program
from introducer.referral import Sale
from introducer.reward import reversals
from payout.preview.awards import awards
from payout.preview.engine import run
from payout.preview.lasting import lasting
from payout.preview.layout import Findings
from payout.preview.limits import limited
from payout.preview.normal import normal
from payout.preview.sheet import Sheet
from payout.preview.table import rows_of
from payout.preview.whole import whole
from tests.support.drawn import DAYS, amounts, cases, conditions, documents, rates

Key = tuple[str, str, str, str]
Amounts = dict[Key, tuple[int, int]]
"""What was earned and what was taken back, by referral, occasion, plan and beneficiary."""
SLICE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a program; some with one group of several currencies, some without any rate."""
    document = draw(documents())
    changes: dict[str, object] = {}
    if draw(st.booleans()):
        clawback = st.builds(
            Clawback,
            policy=st.sampled_from(["proportional", "full", "none"]),
            within_days=st.sampled_from([None, 1, 60]),
        )
        changes["rewards"] = [
            msgspec.structs.replace(each, clawback=draw(clawback)) for each in document.rewards
        ]
    if draw(st.booleans()):
        first, *others = changes.get("rewards", document.rewards)
        variant = Variant(
            id="mixed",
            condition=Condition(field="lead.size", op="gte", value=draw(st.integers(0, 1_000))),
            calculation=draw(
                st.one_of(
                    st.builds(Percent, basis_points=rates),
                    st.builds(Flat, amount_minor=amounts, currency=st.sampled_from(["EUR", "JPY"])),
                )
            ),
        )
        if first.type != "points":
            first = msgspec.structs.replace(first, variants=[variant])
        changes["rewards"] = [first, *others]
    if draw(st.booleans()):
        changes["rewards"] = [
            msgspec.structs.replace(each, group="one")
            if (each.beneficiary, each.type) == ("partner", "cash")
            else each
            for each in changes.get("rewards", document.rewards)
        ]
    if draw(st.booleans()):
        changes["promotions"] = [
            Promotion(
                id="more",
                name="More",
                starts_at=DAYS[0],
                ends_at=DAYS[-1],
                audiences=draw(st.sampled_from([[], ["staff"]])),
                condition=draw(st.none() | conditions),
                effect=draw(
                    st.one_of(
                        st.builds(
                            Flat, amount_minor=amounts, currency=st.sampled_from(["EUR", "JPY"])
                        ),
                        st.builds(BonusPercent, basis_points=rates),
                    )
                ),
            )
        ]
    if draw(st.sampled_from([False, False, True])):
        changes["exchange"] = Exchange()
    return msgspec.structs.replace(document, **changes)


@st.composite
def pasts(draw: st.DrawFn) -> list[Case]:
    """Draw one to three referrals whose partners meet again, some refunded, some churned."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        case = draw(cases(f"ref{number}"))
        events = [*case.events]
        for sale in case.sales:
            if sale.amount_minor and draw(st.booleans()):
                events.append(_refund(draw, sale, len(events)))
        referral = case.referral
        if referral.won_at and draw(st.sampled_from([False, True])):
            at = draw(st.sampled_from(DAYS))
            referral = msgspec.structs.replace(referral, status="churned", source_at=at)
            events.append(_event("ReferralChurned", 100, at, {}))
        found.append(msgspec.structs.replace(case, referral=referral, events=events))
    return found


@SLICE
@given(document=programs(), past=pasts())
def test_columns_give_the_same_amounts_as_one_by_one(document: Program, past: list[Case]) -> None:
    """Earned and taken back agree for every referral, occasion, plan and beneficiary."""
    try:
        expected = _one_by_one(document, past)
    except MissingRateError:
        assert _sheet(document, past).missing
        return
    sheet = _sheet(document, past)
    assert [] == sheet.missing
    assert expected == _amounts(document, sheet)


@settings(SLICE, max_examples=15)
@given(document=documents(), past=pasts())
def test_a_report_does_not_depend_on_how_the_table_is_parted(
    document: Program, past: list[Case]
) -> None:
    """One bucket or one for each row that can be parted: the same report."""
    with TemporaryDirectory() as folder:
        parts = []
        for number, case in enumerate(past):
            rows = rows_of([case], document)
            if len(rows):
                parts.append(Path(folder) / f"{number}.parquet")
                rows.write_parquet(parts[-1])
        whole_report, parted = (
            run(document, document, parts, bucket_rows=rows) for rows in (1_000, 1)
        )
    assert whole_report.report == parted.report
    assert list(whole_report.partners_csv()) == list(parted.partners_csv())


def _one_by_one(document: Program, past: list[Case]) -> Amounts:
    """Evaluate each referral again until what the others achieved no longer changes anything."""
    rules = rules_of(document)
    outcomes = [Outcome() for _ in past]
    while True:
        before = list(outcomes)
        for index, case in enumerate(past):
            others = [each for place, each in enumerate(outcomes) if place != index]
            history = {key: _tally(key, others) for key in needs(rules, case)}
            outcomes[index] = evaluate(rules, case, history)
        if [each.successes for each in before] == [each.successes for each in outcomes]:
            break
    found: Amounts = {}
    clawbacks = {each.id: each.clawback for each in document.rewards}
    for case, outcome in zip(past, outcomes, strict=True):
        sales = {each.id: each for each in case.sales}
        for each in outcome.rewards:
            taken = reversals(
                each,
                sales.get(each.sale),
                case.referral,
                case.events,
                clawbacks[each.plan],
                calendar.zone(document.time_zone),
            )
            key = (each.referral, each.occasion, each.plan, each.partner)
            earned, back = found.get(key, (0, 0))
            lost = taken[-1].total_minor if taken else 0
            found[key] = (earned + each.amount_minor, back + lost)
    return found


def _tally(key: TallyKey, others: list[Outcome]) -> Tally:
    found: list[Success] = [each for other in others for each in other.successes.get(key, ())]
    return Tally(others=tuple(sorted(found, key=lambda each: each.position)))


def _sheet(document: Program, past: list[Case]) -> Sheet:
    findings = Findings()
    table = rows_of(past, document).with_row_index("row", 2)
    rows = whole(normal(table, findings), findings)
    assert [] == findings.first
    sheet = Sheet(rules_of(document), rows)
    limited(sheet, awards(sheet))
    return sheet


def _amounts(document: Program, sheet: Sheet) -> Amounts:
    columns = {
        "partner": ("", "partner"),
        "organization": ("org.", "partner.organization"),
        "customer": ("customer.", "lead"),
        "rep": ("rep.", "rep"),
    }
    rows = {row["row"]: row for row in sheet.rows.iter_rows(named=True)}
    found: Amounts = {}
    made = limited(sheet, awards(sheet)).filter(pl.col("amount") > 0)
    for each in lasting(sheet, made).iter_rows(named=True):
        row = rows[each["row"]]
        prefix, column = columns[each["beneficiary"]]
        plan = document.rewards[each["plan"]].id
        key = (row["referral"], row["occasion"], plan, prefix + row[column])
        found[key] = (each["amount"], each["taken"])
    return found


def _refund(draw: st.DrawFn, sale: Sale, number: int) -> Event:
    paid = draw(st.integers(1, sale.amount_minor))
    data: dict[str, str | int] = {"sale": sale.id, "refund": f"r{number}", "amount_minor": paid}
    return _event("SaleRefunded", 50 + number, draw(st.sampled_from(DAYS)), data)


def _event(kind: str, seq: int, at: str, data: dict[str, str | int]) -> Event:
    return Event(
        type=kind, entity="REFERRAL#ref", seq=seq, program="telecom", at=at, actor="x", data=data
    )
