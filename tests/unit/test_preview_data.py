"""Reading past facts: whatever is wrong with a file is told with its row, never counted as zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from introducer.document.audience import Field, Question
from introducer.document.condition import Condition
from introducer.document.plan import Cap, Percent
from introducer.program import Program
from payout.preview.engine import run
from payout.preview.layout import MAX_FINDINGS, BadDataError, Finding
from payout.preview.table import rows_of
from tests.support.cases import case, plan, program, sale, won

HEADER = "referral,partner,audience,won_at,amount,currency,product,country"
GOOD = "r1,ann,partners,2026-01-10,100.00,EUR,fibre,DE"


def findings(tmp_path: Path, text: str | bytes, document: Program | None = None) -> list[Finding]:
    """Return the findings of a file; none when it can be used."""
    path = tmp_path / "past.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        run(document or program(plan()), None, [path])
    except BadDataError as bad:
        return bad.findings.first
    return []


def found(tmp_path: Path, text: str | bytes) -> list[tuple[int, str, str]]:
    """Return row, column and problem of each finding."""
    return [(each.row, each.column, each.problem) for each in findings(tmp_path, text)]


def test_a_simple_file_is_enough(tmp_path: Path) -> None:
    """Eight columns make a past; a plain day begins in the program's time zone."""
    assert [] == found(tmp_path, f"{HEADER}\n{GOOD}\n")


def test_a_mark_at_the_beginning_and_carriage_returns_do_no_harm(tmp_path: Path) -> None:
    """Files as spreadsheets write them are read."""
    assert [] == found(tmp_path, f"\ufeff{HEADER}\r\n{GOOD}\r\n\r\n")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "r1,ann,partners,2026-01-10,12.345,EUR,,",
            ("amount", "more decimals than the currency has"),
        ),
        (
            "r1,ann,partners,2026-01-10,12.5,JPY,,",
            ("amount", "more decimals than the currency has"),
        ),
        ("r1,ann,partners,2026-01-10,-1,EUR,,", ("amount", "this is not a money that can be read")),
        (
            "r1,ann,partners,2026-01-10,1e3,EUR,,",
            ("amount", "this is not a money that can be read"),
        ),
        ("r1,ann,partners,2026-01-10,,EUR,,", ("sale.amount_minor", "a sale without an amount")),
        ("r1,ann,partners,2026-01-10,1,,,", ("sale.currency", "an amount without a currency")),
        ("r1,ann,partners,2026-01-10,1,XXX,,", ("sale.currency", "unknown currency")),
        ("r1,ann,partners,2026-01-10,1,PTS,,", ("sale.currency", "unknown currency")),
        ("r1,ann,partners,2026-02-30,1,EUR,,", ("won_at", "this is not a time that can be read")),
        ("r1,ann,partners,yesterday,1,EUR,,", ("won_at", "this is not a time that can be read")),
        ("r1,ann,partners,,1,EUR,,", ("at", "no time")),
        (",ann,partners,2026-01-10,1,EUR,,", ("referral", "no referral")),
        ("r1,,partners,2026-01-10,1,EUR,,", ("partner", "no partner")),
        ("r1,ann,partners,2026-01-10,1,EUR,", ("", "this row has 7 cells and the header 8")),
        ("r1,ann,partners,2026-01-10,1,EUR,,,", ("", "this row has 9 cells and the header 8")),
        (
            f"r1,ann,{'x' * 201},2026-01-10,1,EUR,,",
            ("partner.audience", "this is not a text that can be read"),
        ),
    ],
)
def test_a_bad_row_is_told_with_its_number(
    tmp_path: Path, row: str, expected: tuple[str, str]
) -> None:
    """Each fault of a row is a finding at that row, in that column."""
    assert (3, *expected) in found(tmp_path, f"{HEADER}\n{GOOD}\n{row}\n")


def test_an_amount_in_a_currency_without_decimals(tmp_path: Path) -> None:
    """Whole yen are read as they are."""
    assert [] == found(tmp_path, f"{HEADER}\nr1,ann,partners,2026-01-10,1250,JPY,,\n")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("referral,partner,at,colour", ("colour", "unknown column")),
        ("referral,partner,at,at", ("at", "this column is there twice")),
        (
            "referral,partner,country,lead.country,at",
            ("lead.country", "this column is there twice"),
        ),
        ("referral,at", ("partner", "this column is missing")),
        ("referral,partner", ("won_at", "there is no time")),
        ("", ("referral", "this column is missing")),
        (HEADER, ("", "there are no rows")),
    ],
)
def test_a_bad_header_is_told(tmp_path: Path, header: str, expected: tuple[str, str]) -> None:
    """Faults of the header are findings at row 1; nothing else is looked at."""
    assert (1, *expected) in found(tmp_path, f"{header}\n")


def test_columns_of_the_program_itself_are_typed(tmp_path: Path) -> None:
    """Answers and metadata are read as the program declares them, and no others are known."""
    document = program(
        plan(),
        questions={"budget": Question(text="Budget?", type="number")},
        fields={"new": Field(type="flag")},
    )
    header = f"{HEADER},answers.budget,metadata.new"
    text = f"{header}\n{GOOD},500,true\n{GOOD.replace('r1', 'r2')},much,maybe\n"
    assert [
        (3, "answers.budget", "this is not a number that can be read"),
        (3, "metadata.new", "this is not a flag that can be read"),
    ] == [(each.row, each.column, each.problem) for each in findings(tmp_path, text, document)]
    assert [(1, "answers.budget"), (1, "metadata.new")] == [
        (each.row, each.column) for each in findings(tmp_path, text)
    ]


def test_the_same_row_twice_is_told_with_both_numbers(tmp_path: Path) -> None:
    """A referral, occasion and partner stand in one row."""
    assert [(4, "partner", "the same referral, occasion and partner as row 2")] == found(
        tmp_path, f"{HEADER}\n{GOOD}\n{GOOD.replace('r1', 'r2')}\n{GOOD}\n"
    )


def test_parts_that_do_not_make_the_whole_are_told(tmp_path: Path) -> None:
    """Two partners of one sale need shares that make 10,000."""
    text = f"{HEADER}\n{GOOD}\n{GOOD.replace('ann', 'ben')}\n"
    assert [(2, "partner.share", "the parts of this occasion make 20000")] == found(tmp_path, text)


def test_rows_of_one_referral_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    """One sale has one amount and one time, whoever is credited for it."""
    text = (
        f"{HEADER},share_basis_points\n{GOOD},5000\n"
        "r1,ben,partners,2026-01-11,200.00,EUR,fibre,DE,5000\n"
    )
    assert [
        (2, "at", "the rows of one occasion differ in this"),
        (2, "amount_minor", "the rows of one occasion differ in this"),
        (2, "won_at", "the rows of one referral differ in this"),
    ] == found(tmp_path, text)


def test_a_file_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    """Another encoding is a finding and no crash."""
    assert [(1, "", "this is not UTF-8")] == found(tmp_path, f"{HEADER}\nr1,Jörg".encode("latin-1"))


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    """Broken quoting is a finding at the row where reading ends."""
    (finding,) = findings(tmp_path, f'{HEADER}\n"r1,ann\n')
    assert (2, "") == (finding.row, finding.column)
    assert finding.problem.startswith("this row cannot be read")


def test_a_huge_cell_is_told(tmp_path: Path) -> None:
    """A cell of megabytes is refused when it is met."""
    (finding,) = findings(tmp_path, f"{HEADER}\n{'x' * 3_000_000},ann\n")
    assert "this row cannot be read: field larger than field limit (20000)" == finding.problem


def test_many_findings_are_counted_and_the_first_are_kept(tmp_path: Path) -> None:
    """A file of nothing but faults gives a bounded list."""
    path = tmp_path / "past.csv"
    path.write_text(HEADER + "\n" + "r,ann,partners,never,1,EUR,,\n" * 1_000)
    with pytest.raises(BadDataError) as bad:
        run(program(plan()), None, [path])
    assert (MAX_FINDINGS, 2_000) == (len(bad.value.findings.first), bad.value.findings.total)


def test_cells_with_quotes_commas_lines_and_formulas_are_only_text(tmp_path: Path) -> None:
    """What a spreadsheet would run is an odd name here."""
    row = '"r,1\n","=HYPERLINK(""http://x"")",partners,2026-01-10,100.00,EUR,fibre,DE'
    assert [] == found(tmp_path, f"{HEADER}\n{row}\n")


@pytest.mark.parametrize("refunds", ["2026-13-45T00:00:00.000Z=5", "soon=5", "5", "=5;=6"])
def test_a_refund_without_a_real_time_is_told(tmp_path: Path, refunds: str) -> None:
    """The calendar has no thirteenth month; nothing is taken back at a time that is not there."""
    text = f"{HEADER},refunds\n{GOOD},{refunds}\n"
    assert [(2, "refunds", "this is not a refunds that can be read")] == found(tmp_path, text)


def test_an_amount_of_what_is_no_sale_is_told(tmp_path: Path) -> None:
    """An amount in the wrong column would silently count for nothing."""
    text = (
        "referral,partner,occasion,event,at,amount,currency,event.amount_minor\n"
        "r1,ann,submitted,,2026-01-10,5.00,EUR,\nr1,ann,s1,,2026-01-10,5.00,EUR,500\n"
    )
    assert [
        (2, "sale.amount_minor", "only a sale has this"),
        (3, "event.amount_minor", "only an event has this"),
    ] == found(tmp_path, text)


def test_a_header_of_very_many_columns_is_told_at_once(tmp_path: Path) -> None:
    """A hundred thousand columns give a bounded list, and quickly."""
    assert MAX_FINDINGS == len(found(tmp_path, ",".join(map(str, range(100_000))) + "\n"))


def test_two_amounts_are_told(tmp_path: Path) -> None:
    """A row says its amount once."""
    text = f"{HEADER},amount_minor\n{GOOD},10000\n"
    assert [(2, "amount", "there are two amounts")] == found(tmp_path, text)


def test_a_rate_that_is_missing_refuses_the_preview(tmp_path: Path) -> None:
    """Nothing is computed when a limit must be compared with an amount that has no rate."""
    cap = Cap(id="cap", per="partner", amount_minor=1_000, currency="EUR")
    capped = plan(Percent(basis_points=1_000), caps=[cap])
    text = f"{HEADER}\n{GOOD}\n{GOOD.replace('r1', 'r2').replace('EUR', 'USD')}\n"
    assert [(3, "sale.currency", "the draft has no rate from USD to EUR")] == [
        (each.row, each.column, each.problem) for each in findings(tmp_path, text, program(capped))
    ]


def test_live_data_with_facts_of_another_type_or_version_are_read(tmp_path: Path) -> None:
    """An answer no version asks for is left out; a number where a choice is asked is not known."""
    asked = program(
        plan(condition=Condition(field="answers.kind", op="exists", value=True)),
        questions={"kind": Question(text="Kind?", type="choice", options=["new"])},
    )
    known = case(sale(), referral=won(facts={"answers.kind": "new", "answers.old": 7}))
    typed = case(sale(), referral=won(id="other", facts={"answers.kind": 3}))
    path = tmp_path / "part.parquet"
    rows_of([known, typed], asked).write_parquet(path)
    report = run(asked, program(plan()), [path]).report
    assert (2, 1) == (report.referrals, report.draft.referrals_with_nothing)
