"""What the law of the payer's country asks: forms, thresholds by year, backup withholding.

Everything here is data with its source. A year the tables do not know is refused: a threshold
that was guessed would tell finance the wrong list of people.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.partner import Partner

Entity = Literal["individual", "company"]
Form = Literal["w9", "w8ben", "w8ben_e", "vat"]

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
VAT_AREA = EU | {"GB"}


class Threshold(msgspec.Struct, frozen=True):
    """From which sum of a year on payees are reported; below it they need not be."""

    amount_minor: int
    currency: str


class Law(msgspec.Struct, frozen=True, kw_only=True):
    """What one payer's country asks.

    Attributes:
        thresholds: By calendar year of the payment; None where there is no such report.
        backup_basis_points: What is kept back from residents whose form is missing; 0 for none.
        unreported: Ways of the money that are somebody else's to report.
        withheld_is_reported: Whether everybody from whom something was kept back is reported.
    """

    thresholds: dict[int, Threshold] | None = None
    backup_basis_points: int = 0
    unreported: frozenset[str] = frozenset()
    withheld_is_reported: bool = False


_US = Law(
    # Form 1099-NEC, box 1. 600 USD: IRC 6041A before 2026; 2,000 USD for payments made in 2026:
    # Public Law 119-21, section 70433, which indexes it from 2027 on. The figure of 2027 is
    # added when the IRS publishes it.
    thresholds={
        **{year: Threshold(60_000, "USD") for year in range(2020, 2026)},
        2026: Threshold(200_000, "USD"),
    },
    backup_basis_points=2_400,  # IRC 3406(a)(1): the fourth lowest rate, 24 percent
    unreported=frozenset({"payroll"}),  # wages are on Form W-2
    # Instructions for Forms 1099-MISC and 1099-NEC: file for each person from whom federal
    # income tax was withheld under the backup withholding rules, whatever the payment.
    withheld_is_reported=True,
)
_OTHER = Law(unreported=frozenset({"payroll"}))
_LAWS = {"US": _US}


def of(payer_country: str | None) -> Law:
    """Return what the law of *payer_country* asks; nothing where we know of nothing."""
    return _LAWS.get(payer_country or "", _OTHER)


def form_for(payer_country: str | None, payee_country: str, entity: str) -> Form | Literal[""]:
    """Return the form a payee must give, empty for none.

    Args:
        payer_country: Of who pays; None where nobody is asked.
        payee_country: Where the payee is taxed.
        entity: ``individual`` or ``company``; empty counts as an individual.
    """
    company = entity == "company"
    if payer_country == "US":
        if payee_country == "US":
            return "w9"
        return "w8ben_e" if company else "w8ben"
    if payer_country in VAT_AREA and company and payee_country in VAT_AREA:
        return "vat"
    return ""


def needed_of(payer_country: str | None, profile: Partner | None) -> Form | Literal[""]:
    """Return the form a holder must give, empty for none.

    Args:
        payer_country: Of who pays; None where nobody is asked.
        profile: Of the partner; None for reps, customers and companies as holders, who give none.
    """
    if profile is None:
        return ""
    country = profile.tax_country or profile.country
    return form_for(payer_country, country, profile.tax_entity)


def is_free(payer_country: str | None, profile: Partner | None, now: Instant) -> bool:
    """Return whether no form keeps a holder from being paid in full: lists and exports say so."""
    if profile is None:
        return True
    needed = needed_of(payer_country, profile)
    return counts(profile.tax_form, profile.tax_form_until, needed, now)


def threshold(payer_country: str | None, year: int) -> Threshold | None:
    """Return from which sum on payees of *year* are reported; None where no law has a threshold.

    Raises:
        InvalidInputError: ``unknown_tax_year``: the law has one, and it is not known here.
    """
    known = of(payer_country).thresholds
    if known is None:
        return None
    if year not in known:
        message = f"the threshold of {year} is not known; nothing is guessed"
        raise InvalidInputError("year", message, code="unknown_tax_year")
    return known[year]


def counts_until(form: str, signed_on: str) -> str:
    """Return the last day a form counts, empty when it does not run out.

    W-8: the last day of the third calendar year after the one it was signed in (26 CFR
    1.1441-1(e)(4)(ii)).
    """
    if form in {"w8ben", "w8ben_e"}:
        return f"{int(signed_on[:4]) + 3}-12-31"
    return ""


def counts(form: str, until: str, needed: str, now: Instant) -> bool:
    """Return whether payouts are free of forms at *now*.

    None is *needed*, or the *form* on file, good *until* a day, is the one.
    """
    return not needed or (form == needed and (not until or now[:10] <= until))
