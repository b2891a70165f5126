"""Statements and payouts as documents: they add up, in two languages, whatever the text."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from introducer import ledger, statement
from introducer.errors import LedgerError
from introducer.ledger import ACCOUNTS, Balance, Journal, Kind, Posting
from introducer.payout import Payout
from introducer.statement import Contents, Paper, Sheet
from introducer.wording import LANGUAGES, language
from introducer.words import money_de, money_en

AT = "2026-11-20T00:00:00.000Z"
EN, DE = language("en"), language("de")
TEMPLATES = Path(__file__).parents[2] / "functions/notify/templates"


def journals(*facts: tuple[Kind, int, str], unit: str = "EUR") -> tuple[Balance, list[Journal]]:
    """Return the books after *facts*: a kind, an amount and a reason each."""
    balance, found = Balance(partner="p1", currency=unit), list[Journal]()
    for number, (kind, amount_minor, reason) in enumerate(facts):
        of = "payout" if kind.startswith("Payout") else "referral"
        posting = Posting(
            id=f"j{number}",
            kind=kind,
            program="acme",
            partner="p1",
            currency=unit,
            amount_minor=amount_minor,
            at=AT,
            refs={of: f"{of}-{number}"},
            source="payable" if kind is Kind.REWARD_REVERSED else "",
            reason=reason,
        )
        posted = ledger.post(balance, [posting], f"2026-11-{number + 1:02}T10:00:00.000Z")
        balance, found = posted.balance, [*found, *posted.journals]
    return balance, found


def sheet(**changes: Any) -> Sheet:
    """Return a statement: earned, released, refunded in part, reserved for a payout."""
    balance, found = journals(
        (Kind.REWARD_EARNED, 123_456_789, ""),
        (Kind.REWARD_RELEASED, 123_456_789, ""),
        (Kind.REWARD_REVERSED, 2_500, "refunded"),
        (Kind.PAYOUT_CREATED, 100_000, ""),
    )
    plain: dict[str, Any] = {
        "program": "Acme",
        "holder": "p1",
        "name": "Łukasz Müller",
        "unit": "EUR",
        "since": "2026-11-01",
        "until": "2026-11-30",
        "opening": dict.fromkeys(ACCOUNTS, 0),
        "movements": found,
        "closing": balance.accounts,
        "number": balance.version,
        "as_of": balance.posted_at,
    }
    return Sheet(**(plain | changes))


def payout(**changes: Any) -> Payout:
    """Return a payout that was sent in another currency and came back."""
    plain: dict[str, Any] = {
        "reference": "PABC",
        "batch": "b1",
        "program": "acme",
        "partner": "p1",
        "currency": "EUR",
        "amount_minor": 76_000,
        "withheld_minor": 24_000,
        "status": "returned",
        "version": 4,
        "created_at": AT,
        "updated_at": AT,
        "reason": "AC04",
        "returned_on": "2026-11-26",
        "sent_minor": 82_650,
        "sent_currency": "USD",
        "rate": "1.0875",
        "rate_source": "ECB",
        "rate_at": AT,
    }
    return Payout(**(plain | changes))


def told(paper: Paper) -> str:
    """Return every text of a document."""
    cells = [cell for row in paper.rows for cell in row.cells]
    facts = [text for fact in paper.facts for text in fact]
    return "\n".join([paper.title, paper.program, *facts, *cells, *paper.notes])


def test_statement_that_does_not_add_up_is_never_handed_out() -> None:
    """A booking that is missing in the middle shows."""
    whole = sheet()
    assert whole is statement.require_balanced(whole)
    for n in range(len(whole.movements)):
        torn = sheet(movements=whole.movements[:n] + whole.movements[n + 1 :])
        with pytest.raises(LedgerError):
            statement.require_balanced(torn)


def test_printed_statement_leads_from_opening_to_closing() -> None:
    """What is reserved and sent is one column; German writes its numbers."""
    paper = statement.paper_of(sheet(), DE)
    rows = [each.cells for each in paper.rows]
    assert ("2026-11-01", "Anfangsbestand", "0,00", "0,00", "0,00", "0,00", "0,00") == rows[0]
    reversal = "Prämie zurückgenommen · Empfehlung referral-2 · der Kauf wurde erstattet"
    assert ("2026-11-03", reversal, "", "-25,00", "", "", "") == rows[3]
    closing = ("2026-11-30", "Endbestand", "0,00", "1.233.542,89", "1.000,00", "0,00", "0,00")
    assert closing == rows[-1]
    assert [True, False, False, False, False, True] == [each.strong for each in paper.rows]
    assert {len(paper.columns)} == {len(each) for each in rows}


def test_period_and_account_without_a_name_have_words() -> None:
    """Who was erased is their account's number."""
    periods = [("", ""), ("2026-11-01", ""), ("", "2026-11-30")]
    facts = [
        dict(statement.paper_of(sheet(name="", since=since, until=until), EN).facts)
        for since, until in periods
    ]
    assert {"p1"} == {each["Account of"] for each in facts}
    assert [
        "From the beginning until today",
        "Since 2026-11-01",
        "Until 2026-11-30",
    ] == [each["Period"] for each in facts]


def test_spreadsheet_has_all_accounts_and_adds_up() -> None:
    """Opening, bookings, closing; decimal numbers with a point that stay numbers."""
    rows = list(csv.DictReader(io.StringIO(statement.csv_of(sheet(), DE))))
    kinds = "opening RewardEarned RewardReleased RewardReversed PayoutCreated closing"
    assert kinds.split() == [each["kind"] for each in rows]
    for name in ACCOUNTS:
        minor = [int(each[name].replace(".", "")) for each in rows]
        assert minor[-1] == sum(minor[:-1])
    assert "-25.00" == rows[3]["payable"]
    assert ("Prämie zurückgenommen", "der Kauf wurde erstattet", "referral-2") == (
        rows[3]["booking"],
        rows[3]["reason"],
        rows[3]["referral"],
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])  # noqa: RUF001
def test_reason_that_looks_like_a_formula_is_text(start: str) -> None:
    """Whoever writes the reason of an adjustment runs nothing on a partner's machine."""
    balance, found = journals((Kind.CREDIT_ADJUSTED, 5, f"{start}1+1"))
    text = statement.csv_of(sheet(movements=found, closing=balance.accounts), EN)
    (row,) = [each for each in csv.DictReader(io.StringIO(text)) if each["number"]]
    assert f"'{start}1+1" == row["reason"]


@pytest.mark.parametrize(("unit", "amount"), [("PTS", "500"), ("EUR.credit", "5.00")])
def test_units_that_are_no_currency_are_written_whole(unit: str, amount: str) -> None:
    """Points have no cents, credit has those of its currency."""
    balance, found = journals((Kind.REWARD_EARNED, 500, ""), unit=unit)
    of_unit = sheet(unit=unit, movements=found, closing=balance.accounts)
    assert amount == statement.paper_of(of_unit, EN).rows[1].cells[2]
    assert f"{unit},{amount}," in statement.csv_of(of_unit, EN)


def test_contents_of_a_payout_add_up() -> None:
    """What was left from before, what came since, what it took, what it left."""
    _, found = journals(
        (Kind.CREDIT_ADJUSTED, 700, "goodwill"),
        (Kind.PAYOUT_CREATED, 500, ""),
        (Kind.REWARD_EARNED, 3_000, ""),
        (Kind.REWARD_RELEASED, 3_000, ""),
        (Kind.REWARD_REVERSED, 100, "refunded"),
    )
    before = {"payable": 3_100}
    made_of = statement.contents(found[2:], before, 2_900, complete=True)
    assert (200, [3_000, -100], 200) == (
        made_of.carried_minor,
        [each.amount_minor for each in made_of.parts],
        made_of.left_minor,
    )
    assert ["RewardReleased", "RewardReversed"] == [each.kind for each in made_of.parts]


@pytest.mark.parametrize("words", [EN, DE])
def test_payout_tells_tax_rate_return_and_who_bears_fees(words: Any) -> None:
    """Everything that explains why another amount arrived, or none."""
    made_of = Contents(carried_minor=0, parts=[], left_minor=0, complete=False)
    paper = statement.payout_paper(
        payout(), made_of, name="", program="Acme", method="wire", language=words
    )
    text = told(paper)
    for value in ("USD", words.ratio(10_875, 10_000), "ECB", "2026-11-26", "PABC"):
        assert value in text
    keys = ("advice.closed", "payout.fees", "payout.contents", "payout.cut", "reason.AC04")
    for key in keys:
        assert words.say(key) in text
    assert words.amount(100_000, "EUR") in text
    assert words.amount(24_000, "EUR") in text
    assert {len(paper.columns)} == {len(each.cells) for each in paper.rows}


def test_payout_that_did_not_come_back_needs_no_advice() -> None:
    """Nothing empty is said either."""
    paid = payout(status="paid", reason="", returned_on="", sent_minor=0, sent_currency="", rate="")
    assert "" == statement.advice(paid, EN)
    facts = statement.payout_facts(paid, name="", method="sepa", language=EN)
    assert all(text for _, text in facts)
    assert {"Exchange rate", "Sent as", "Reason", "Came back on"}.isdisjoint(dict(facts))


def test_unknown_reason_is_said_as_it_is_and_has_advice() -> None:
    """Banks invent codes."""
    strange = payout(reason="ZZ99")
    assert "ZZ99" == statement.reason_words("ZZ99", EN)
    assert EN.say("advice.other") == statement.advice(strange, EN)


def test_every_kind_of_journal_status_and_account_has_words() -> None:
    """In both languages, and the same ones."""
    assert set(money_en.WORDS) == set(money_de.WORDS)
    statuses = ("created", "in_transit", "paid", "returned", "cancelled", "skipped")
    partners_own = [each for each in Kind if each.name.split("_")[0] not in {"FEE", "EXCHANGE"}]
    keys = [f"kind.{kind}" for kind in partners_own] + [f"status.{each}" for each in statuses]
    keys += [f"account.{name}" for name in statement.COLUMNS]
    keys += [f"advice.{each}" for each in set(statement._ADVICE.values())]
    assert [] == [key for key in keys if key not in money_en.WORDS]


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_mail_and_statement_give_a_reason_in_the_same_words(code: str) -> None:
    """Nobody wonders whether two messages speak of two things."""
    mails = json.loads((TEMPLATES / code / "words.json").read_text())["reasons"]
    mine = {
        key.removeprefix("reason."): text
        for key, text in {"en": money_en, "de": money_de}[code].WORDS.items()
        if key.startswith("reason.")
    }
    assert {} == {key: mine[key] for key in mine.keys() & mails.keys() if mine[key] != mails[key]}
