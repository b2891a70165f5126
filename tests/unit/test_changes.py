"""What a new version changes for partners, and what they are told of it."""

from __future__ import annotations

import pytest

from introducer import changes
from introducer.program import Program
from tests.support.plans import flat, plan, program, promotion

NOW = "2026-11-22T11:17:00.000Z"


def told(before: Program, after: Program, locale: str = "en") -> list[str]:
    """Return what partners are told of a change."""
    return changes.lines(before, after, "partners", NOW, locale)


OTHERWISE = "Details of the rules change; the rewards table has all of it."
EUROS = {
    "currency": "EUR",
    "debtor": {
        "name": "Acme",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "address": {"town": "Berlin", "country": "DE"},
    },
}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (program(plan()), []),
        (program(plan(accounting_class="acquisition_cost")), []),
        (program(plan(), stages=["qualified"], name="Other", notice={"days": 3}), []),
        (program(plan(), promotions=[promotion(beneficiary="rep")]), []),
        (program(), ["“Commission” ends."]),
        (
            program(plan(calculation=flat(700))),
            [
                "“Commission”, new: For every sale to the lead: you get 7.00 EUR.",
                "“Commission”, no longer: For every sale to the lead: you get 10% of the sale.",
            ],
        ),
        (
            program(plan(), plan(id="more", group="more", calculation=flat(100))),
            [
                (
                    "New, “More”: For every sale to the lead: you get 1.00 EUR. 100% is "
                    "due at once. "
                    "A refund takes back its part."
                )
            ],
        ),
        (program(plan(), terms_version="2027-01"), ["New terms apply: 2027-01."]),
        (program(plan(), currency="USD"), ["Amounts are counted in USD."]),
        (
            program(plan(), ceiling={"amount_minor": 1, "currency": "EUR"}),
            ["The limits over all rewards together change."],
        ),
        (
            program(plan(), payouts=[{**EUROS, "threshold_minor": 5000}]),
            ["The rules or dates of payouts change."],
        ),
        (
            program(plan(), attribution={"model": "first_touch"}),
            ["Who is credited for a lead, and for how long, changes."],
        ),
        (
            program(plan(), messages=[{"event": "x", "locale": "en", "subject": "s", "body": "b"}]),
            ["The texts of our messages change."],
        ),
        (
            program(
                plan(),
                exchange={
                    "policy": "fixed",
                    "rates": [{"from": "USD", "to": "EUR", "rate": "0.9"}],
                },
            ),
            ["The rates between currencies change."],
        ),
        (
            program(plan(group="own")),
            [OTHERWISE],
        ),
    ],
)
def test_a_change_is_told_in_what_it_means(after: Program, expected: list[str]) -> None:
    """What concerns partners and nothing else, as the table says it."""
    assert expected == told(program(plan()), after)
    assert bool(expected) == changes.affects_partners(program(plan()), after, "partners")


def test_a_change_of_the_account_paid_from_is_no_news() -> None:
    """Partners are owed thresholds and dates, not the company's bank."""
    other = {**EUROS, "debtor": {**EUROS["debtor"], "iban": "DE75512108001245126199"}}  # type: ignore[dict-item]
    before, after = program(plan(), payouts=[EUROS]), program(plan(), payouts=[other])
    assert not changes.affects_partners(before, after)


def test_who_loses_the_program_is_told() -> None:
    """An audience that is gone; those who stay hear nothing."""
    before = program(plan())
    after = program(plan(), audiences={"employees": {"name": "Employees"}})
    assert ["This group of partners ends."] == told(before, after)
    assert not changes.affects_partners(before, after, "employees")
    assert changes.affects_partners(before, after)


def test_a_notice_has_an_end() -> None:
    """Twenty new plans are twelve sentences and a pointer to the table."""
    many = [plan(id=f"p{number}", group=f"g{number}") for number in range(20)]
    found = told(program(), program(*many), "de")
    assert 13 == len(found)
    assert "Es gibt noch mehr; die Prämientabelle enthält alles." == found[-1]
