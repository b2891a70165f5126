"""Why something is not paid yet, in words, with a date where there is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from infra.template import ROOT
from introducer import payable
from introducer.ledger import Balance
from introducer.partner import Partner
from introducer.payout import Payout
from introducer.program import Program
from introducer.reward import Reward
from introducer.wording import language
from introducer.words import money_en
from tests.support import life
from tests.support.money import EUROS

NOW = "2026-11-22T11:17:00.000Z"
EN = language("en")


def document(**rule: Any) -> Program:
    """Return a program with one rule of paying."""
    return life.document(payouts=[EUROS | {"calendar": {"cutoff": "06:00"}} | rule])


def partner(**changes: Any) -> Partner:
    """Return a partner with an account."""
    plain: dict[str, Any] = {
        "id": "pia",
        "program": "acme",
        "audience": "partners",
        "person": "person-pia",
        "login": "login-pia",
        "country": "DE",
        "enrolled_at": NOW,
        "version": 1,
        "payee_set_at": NOW,
    }
    return Partner(**(plain | changes))


def reward(name: str, due_at: str, amount_minor: int = 100, **changes: Any) -> Reward:
    """Return a pending reward."""
    plain: dict[str, Any] = {
        "referral": name,
        "plan": "commission",
        "milestone": "purchase",
        "occasion": "s1",
        "partner": "pia",
        "program": "acme",
        "amount_minor": amount_minor,
        "currency": "EUR",
        "when": "earned",
        "earned_at": NOW,
        "due_at": due_at,
        "accounting_class": "referral",
        "version": 1,
    }
    return Reward(**(plain | changes))


def against(*codes: str, profile: Partner | None = None, held: int = 5_000, **rule: Any) -> Any:
    """Return the obstacles of somebody to whom so much is payable, by code."""
    rules = document(**rule)
    balance = Balance(partner="pia", currency="EUR", payable=held)
    found = payable.obstacles(codes, rules, rules.payouts[0], profile or partner(), balance, EN)
    return {each.code: each for each in found}


def test_pending_is_counted_by_day_and_by_why_it_waits() -> None:
    """Every reward stands in exactly one of the two."""
    rewards = [
        reward("a", "2026-12-01T09:00:00.000Z"),
        reward("b", "2026-12-01T23:00:00.000Z", 50, reversed_minor=20),
        reward("c", "2027-05-19T09:00:00.000Z"),
        reward("d", NOW, 7, waiting="on_hold"),
        reward("e", NOW, 8, waiting="on_hold"),
        reward("f", NOW, 9),
    ]
    assert [("2026-12-01", 2, 130), ("2027-05-19", 1, 100)] == [
        (each.on, each.count, each.amount_minor) for each in payable.dues(rewards, NOW)
    ]
    assert [("due", 1, 9), ("on_hold", 2, 15)] == [
        (each.code, each.count, each.amount_minor) for each in payable.waits(rewards, NOW, EN)
    ]


def test_nothing_stands_against_what_is_payable() -> None:
    """Then there is no obstacle at all."""
    assert {} == against()


def test_missing_to_the_smallest_payout_is_told_as_an_amount() -> None:
    """Hidden minimums are what people complain about."""
    (found,) = against(held=400).values()
    assert "below_threshold" == found.code
    assert "6.00 EUR are missing until the smallest payout of 10.00 EUR." == found.words
    assert ["nothing_payable"] == [*against(held=0)]


def test_cooling_off_has_an_end_and_moves_the_next_run_behind_it() -> None:
    """The first run after it, in the program's own time."""
    profile = partner(payee_usable_at="2026-11-24T12:00:00.000Z")
    found = against("payee_cooling_off", profile=profile)
    assert "2026-11-24T12:00:00.000Z" == found["payee_cooling_off"].until
    assert "24 November 2026" in found["payee_cooling_off"].words
    rules = document()
    at = payable.next_at(rules.payouts[0], "Europe/Berlin", found.values(), NOW)
    assert "2026-11-25T05:00:00.000Z" == at
    assert "2026-11-23T05:00:00.000Z" == payable.next_at(rules.payouts[0], "Europe/Berlin", [], NOW)


def test_rejected_account_says_why_and_what_to_do() -> None:
    """As the bank said it, in words."""
    found = against("payee_rejected", profile=partner(payee_problem="AC04"))["payee_rejected"]
    assert (
        "A payment to your account came back: the account is closed. "
        "Give us another account: this one is closed."
    ) == found.words
    assert found.yours


@pytest.mark.parametrize(
    ("payer", "country", "entity", "form"),
    [
        ("US", "US", "", "W-9"),
        ("US", "DE", "individual", "W-8BEN"),
        ("US", "DE", "company", "W-8BEN-E"),
        ("DE", "FR", "company", "VAT number"),
    ],
)
def test_missing_form_is_named(payer: str, country: str, entity: str, form: str) -> None:
    """Which one, by payer, country and kind of payee."""
    rules = life.document(payouts=[EUROS], tax={"payer_country": payer})
    profile = partner(tax_country=country, tax_entity=entity)
    balance = Balance(partner="pia", currency="EUR", payable=5_000)
    (found,) = payable.obstacles(
        ["tax_form_missing"], rules, rules.payouts[0], profile, balance, EN
    )
    assert form in found.words


def test_unit_without_a_rule_and_runs_by_hand_say_so() -> None:
    """There is no date then."""
    rules = document(automatic=False)
    balance = Balance(partner="pia", currency="PTS", payable=5_000)
    (found,) = payable.obstacles([], rules, None, partner(), balance, EN)
    assert "no_rule" == found.code
    assert ["by_hand"] == [*against(automatic=False)]
    assert "" == payable.next_at(rules.payouts[0], "Europe/Berlin", [], NOW)


@pytest.mark.parametrize(
    ("status", "reason", "payee_set_at", "code"),
    [
        ("cancelled", "payee_not_payable", NOW, "payee_not_payable"),
        ("cancelled", "excluded", NOW, ""),
        ("skipped", "duplicate_payee", NOW, "duplicate_payee"),
        ("skipped", "duplicate_payee", "2026-11-23T00:00:00.000Z", ""),
        ("skipped", "below_threshold", NOW, ""),
        ("returned", "AC04", NOW, ""),
    ],
)
def test_run_that_left_somebody_out_says_why(
    status: str, reason: str, payee_set_at: str, code: str
) -> None:
    """Until they give another account, where that is what was wrong."""
    newest = Payout(
        reference="P1",
        batch="b1",
        program="acme",
        partner="pia",
        currency="EUR",
        amount_minor=0,
        status=status,  # type: ignore[arg-type]
        version=1,
        created_at=NOW,
        updated_at=NOW,
        reason=reason,
    )
    assert code == payable.left_out(newest, partner(payee_set_at=payee_set_at))
    assert "" == payable.left_out(None, partner())


def test_every_obstacle_of_the_gates_has_words() -> None:
    """Whoever adds a gate adds its words: codes are told by the functions that pay."""
    folder = Path(ROOT) / "functions/payout"
    source = "".join(
        (folder / f"{name}.py").read_text()
        for name in ("gates", "screen", "withholding", "members")
    )
    code = re.compile(
        r'"(partner_[a-z_]+|payee_[a-z_]+|no_[a-z]+|on_hold|screening_[a-z]+'
        r'|tax_form_[a-z]+|duplicate_payee|below_threshold|excluded)"'
    )
    codes = set(code.findall(source)) - {"payee_method"}
    assert {"no_payee", "on_hold", "below_threshold"} <= codes
    assert set() == {each for each in codes if f"obstacle.{each}" not in money_en.WORDS}
