"""Forms, thresholds by year, backup withholding, and the fold of a payee's year."""

from __future__ import annotations

import pytest

from introducer.errors import InvalidInputError
from introducer.ledger import Balance, Kind, Posting, post
from introducer.tax import law, tally
from introducer.tax.tally import YearTotal
from payout import withholding
from payout.withholding import Decision, decide
from tests.support import life

NOW = "2026-11-22T11:17:00.000Z"


@pytest.mark.parametrize(
    ("payer", "payee", "entity", "expected"),
    [
        (None, "US", "company", ""),
        ("US", "US", "", "w9"),
        ("US", "US", "company", "w9"),
        ("US", "DE", "", "w8ben"),
        ("US", "DE", "individual", "w8ben"),
        ("US", "DE", "company", "w8ben_e"),
        ("DE", "AT", "company", "vat"),
        ("GB", "DE", "company", "vat"),
        ("DE", "GB", "company", "vat"),
        ("DE", "AT", "individual", ""),
        ("DE", "US", "company", ""),
        ("CH", "CH", "company", ""),
    ],
)
def test_form_depends_on_both_countries_and_on_who_it_is(
    payer: str | None, payee: str, entity: str, expected: str
) -> None:
    """Nobody is asked where the payer names no country."""
    assert expected == law.form_for(payer, payee, entity)


def test_threshold_is_known_by_year_and_never_guessed() -> None:
    """600 dollars to 2025, 2,000 in 2026; of 2027 nothing is known; elsewhere there is none."""
    assert (60_000, 60_000, 200_000) == tuple(
        known.amount_minor for year in (2020, 2025, 2026) if (known := law.threshold("US", year))
    )
    for year in (2019, 2027):
        with pytest.raises(InvalidInputError) as caught:
            law.threshold("US", year)
        assert ("unknown_tax_year", "year") == (caught.value.code, caught.value.field)
    assert law.threshold("DE", 2027) is None
    assert law.threshold(None, 2027) is None


@pytest.mark.parametrize(
    ("form", "until", "needed", "expected"),
    [
        ("w9", "", "w9", True),
        ("", "", "w9", False),
        ("w9", "", "w8ben", False),
        ("w8ben", "2026-11-22", "w8ben", True),
        ("w8ben", "2026-11-21", "w8ben", False),
        ("w9", "", "", True),
    ],
)
def test_form_counts_while_it_is_the_right_one_and_has_not_run_out(
    form: str, until: str, needed: str, *, expected: bool
) -> None:
    """Its last day included."""
    assert expected is law.counts(form, until, needed, NOW)


def test_w8_runs_out_with_the_third_year_after_it_was_signed() -> None:
    """The others do not."""
    assert ("2029-12-31", "2029-12-31", "", "") == tuple(
        law.counts_until(form, "2026-01-02") for form in ("w8ben", "w8ben_e", "w9", "vat")
    )


@pytest.mark.parametrize(
    ("missing", "country", "overrides", "currency", "method", "expected"),
    [
        ("block", "US", {}, "USD", "ach", Decision(blocked="tax_form_missing")),
        ("block", "US", {"tax_form": "w9"}, "USD", "ach", Decision()),
        ("withhold", "US", {"tax_form": "w9"}, "USD", "ach", Decision()),
        (
            "withhold",
            "US",
            {},
            "USD",
            "ach",
            Decision(withheld_minor=2_401, rate_basis_points=2_400),
        ),
        ("withhold", "US", {}, "PTS", "points", Decision(blocked="tax_form_missing")),
        ("withhold", "US", {}, "USD.credit", "credit", Decision(blocked="tax_form_missing")),
        ("withhold", "DE", {}, "USD", "wire", Decision(blocked="tax_form_missing")),
        ("withhold", "US", {}, "USD", "payroll", Decision()),
        (
            "block",
            "DE",
            {"tax_form": "w8ben", "tax_form_until": "2026-11-21"},
            "USD",
            "wire",
            Decision(blocked="tax_form_missing"),
        ),
    ],
)
def test_decision_blocks_or_keeps_back_what_the_law_says(
    missing: str,
    country: str,
    overrides: dict[str, str],
    currency: str,
    method: str,
    expected: Decision,
) -> None:
    """Backup withholding is for residents and money; 24 percent, halves rounded up."""
    document = life.document(tax={"payer_country": "US", "missing": missing})
    profile = life.new_partner(country=country, **overrides)
    assert expected == decide(document, profile, currency, 10_003, NOW, method=method)


def test_decision_asks_nobody_without_a_payer_country_and_no_holder_without_a_profile() -> None:
    """Reps are employees, customers get discounts."""
    asked = life.document(tax={"payer_country": "US"})
    assert Decision() == decide(asked, None, "USD", 10_000, NOW)
    us = life.new_partner(country="US")
    assert Decision() == decide(life.document(), us, "USD", 10_000, NOW)


def test_withholding_everything_is_no_payout() -> None:
    """Of a cent nothing is kept back; a payout is never nothing."""
    document = life.document(tax={"payer_country": "US", "missing": "withhold"})
    profile = life.new_partner(country="US")
    assert 0 == decide(document, profile, "USD", 1, NOW).withheld_minor
    assert 24 == decide(document, profile, "USD", 100, NOW).withheld_minor


def _total(**overrides: object) -> YearTotal:
    values = {"partner": "pia", "program": "acme", "year": 2026, "currency": "USD"}
    return YearTotal(**(values | overrides))  # type: ignore[arg-type]


def test_total_leaves_wages_out_of_what_is_reported() -> None:
    """They are on another form; 2,000 dollars exactly are reported."""
    total = _total(paid={"ach": 199_999, "payroll": 500_000})
    assert ("no", 699_999, 199_999) == (
        tally.threshold_reached(total, "US"),
        total.paid_minor,
        total.reportable_minor("US"),
    )
    assert "yes" == tally.threshold_reached(_total(paid={"ach": 200_000}), "US")
    euros = _total(paid={"sepa": 900_000}, currency="EUR")
    assert "other_currency" == tally.threshold_reached(euros, "US")
    assert "no_threshold" == tally.threshold_reached(euros, "DE")


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_whoever_had_tax_withheld_is_reported_whatever_the_sum(currency: str) -> None:
    """A 1099-NEC is due for them below the threshold too; other countries have no such rule."""
    total = _total(paid={"ach": 150_000}, withheld_minor=36_000, currency=currency)
    assert ("yes", "no_threshold") == tuple(
        tally.threshold_reached(total, country) for country in ("US", "DE")
    )


def test_total_is_corrected_when_it_changed_after_the_export() -> None:
    """And is not while it says what the export said."""
    once = tally.added(_total(), "ach", 10_000, 2_400, NOW)
    told = tally.exported(once, 10_000, 2_400, NOW)
    assert (False, False) == (once.corrected, told.corrected)
    back = tally.added(told, "ach", -10_000, -2_400, NOW)
    assert (True, {}, 0, 0) == (back.corrected, back.paid, back.withheld_minor, back.payouts)


def test_fold_counts_in_the_year_of_the_payment() -> None:
    """A return in the new year takes from the old one; what was never paid counts nowhere."""
    balance, journals = Balance(partner="pia", currency="USD"), []

    def book(
        kind: Kind, payout: str, amount: int, at: str, kept: int = 0, source: str = ""
    ) -> None:
        nonlocal balance
        refs = {"payout": payout, "batch": "b"}
        posting = Posting(
            id=f"{payout}:{kind}",
            kind=kind,
            program="acme",
            partner="pia",
            currency="USD",
            amount_minor=amount,
            at=at,
            refs=refs,
            source=source,
            withheld_minor=kept,
        )
        posted = post(balance, [posting], at)
        balance = posted.balance
        journals.extend(posted.journals)

    book(Kind.CREDIT_ADJUSTED, "", 30_000, "2025-12-01T00:00:00.000Z")
    for name in ("one", "two", "three"):
        book(Kind.PAYOUT_CREATED, name, 10_000, "2025-12-02T00:00:00.000Z", 2_400)
        book(Kind.PAYOUT_SUBMITTED, name, 7_600, "2025-12-02T00:00:00.000Z")
    book(Kind.PAYOUT_PAID, "one", 7_600, "2025-12-31T00:00:00.000Z")
    book(Kind.PAYOUT_PAID, "two", 7_600, "2026-01-02T00:00:00.000Z")
    book(Kind.PAYOUT_RETURNED, "three", 10_000, "2026-01-03T00:00:00.000Z", 2_400, "in_transit")
    both = {2025: ({"ach": 10_000}, 2_400), 2026: ({"ach": 10_000}, 2_400)}
    assert both == tally.fold(journals, lambda _: "ach")
    book(Kind.PAYOUT_RETURNED, "one", 10_000, "2026-01-05T00:00:00.000Z", 2_400, "paid")
    assert {2026: ({"ach": 10_000}, 2_400)} == tally.fold(journals, lambda _: "ach")


def test_form_needed_follows_what_the_payee_said_of_themselves() -> None:
    """Where they are taxed counts, not where they enrolled."""
    document = life.document(tax={"payer_country": "US"})
    moved = life.new_partner(country="US", tax_country="FR", tax_entity="company")
    assert "w8ben_e" == withholding.form_needed(document, moved)
    assert "" == withholding.form_needed(document, None)
