"""The preview's columns give what the single evaluator gives, over random programs and pasts."""

from __future__ import annotations

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from introducer.earning.evaluate import Outcome, evaluate, needs
from introducer.earning.history import Success, Tally, TallyKey
from introducer.earning.occasion import Case
from introducer.earning.rules import rules_of
from introducer.errors import MissingRateError
from introducer.program import Program
from payout.preview.awards import awards
from payout.preview.layout import Findings
from payout.preview.limits import limited
from payout.preview.normal import normal
from payout.preview.sheet import Sheet
from payout.preview.table import rows_of
from payout.preview.whole import whole
from tests.support.drawn import cases, documents

Amounts = dict[tuple[str, str, str, str], int]
SLICE = settings(
    max_examples=100, phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def pasts(draw: st.DrawFn) -> list[Case]:
    """Draw one to three referrals whose partners meet again."""
    return [draw(cases(f"ref{number}")) for number in range(draw(st.integers(1, 3)))]


@SLICE
@given(document=documents(), past=pasts())
def test_columns_give_the_same_amounts_as_one_by_one(document: Program, past: list[Case]) -> None:
    """Whole amounts agree for every referral, occasion, plan and beneficiary."""
    try:
        expected = _one_by_one(document, past)
    except MissingRateError:
        assert _sheet(document, past)[1].missing
        return
    found, sheet = _sheet(document, past)
    assert [] == sheet.missing
    assert expected == _amounts(document, found, sheet)


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
    for outcome in outcomes:
        for each in outcome.rewards:
            key = (each.referral, each.occasion, each.plan, each.partner)
            found[key] = found.get(key, 0) + each.amount_minor
    return found


def _tally(key: TallyKey, others: list[Outcome]) -> Tally:
    found: list[Success] = [each for other in others for each in other.successes.get(key, ())]
    return Tally(others=tuple(sorted(found, key=lambda each: each.position)))


def _sheet(document: Program, past: list[Case]) -> tuple[pl.DataFrame, Sheet]:
    findings = Findings()
    table = rows_of(past, document).with_row_index("row", 2)
    rows = whole(normal(table, findings), findings)
    assert [] == findings.first
    sheet = Sheet(rules_of(document), rows)
    return limited(sheet, awards(sheet)), sheet


def _amounts(document: Program, found: pl.DataFrame, sheet: Sheet) -> Amounts:
    prefixes = {"partner": "", "organization": "org.", "customer": "customer.", "rep": "rep."}
    columns = {
        "partner": "partner",
        "organization": "partner.organization",
        "customer": "lead",
        "rep": "rep",
    }
    rows = {row["row"]: row for row in sheet.rows.iter_rows(named=True)}
    return {
        (
            rows[each["row"]]["referral"],
            rows[each["row"]]["occasion"],
            document.rewards[each["plan"]].id,
            prefixes[each["beneficiary"]] + rows[each["row"]][columns[each["beneficiary"]]],
        ): each["amount"]
        for each in found.filter(pl.col("amount") > 0).iter_rows(named=True)
    }
