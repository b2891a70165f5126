"""How rewards are paid: whom, by which way, from which account, when, and what is checked first."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import (
    Country,
    Currency,
    Key,
    Minor,
    Part,
    Text,
)

Method = Literal[
    "sepa", "wire", "ach", "payroll", "stripe", "paypal", "gift_card", "points", "credit"
]
"""Ways of the money; :mod:`introducer.rails` has one module for each."""
HolderKind = Literal["partner", "organization", "rep", "customer"]
Unit = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}(\.[a-z_]{1,20})?$",
        description="As the books keep it: EUR, PTS, EUR.credit",
    ),
]


class Address(Part, frozen=True):
    """A structured postal address, the least that banks accept since November 2026."""

    town: Text
    country: Country


class Debtor(Part, frozen=True):
    """The account that files for European banks pay from."""

    name: Annotated[str, Meta(min_length=1, max_length=70)]
    iban: Annotated[str, Meta(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")]
    bic: Annotated[str, Meta(pattern=r"^[A-Z0-9]{8}([A-Z0-9]{3})?$")]
    address: Address


class Originator(Part, frozen=True):
    """Who sends a NACHA file, and through which bank."""

    name: Annotated[str, Meta(min_length=1, max_length=16)]
    company_id: Annotated[str, Meta(pattern=r"^[0-9A-Z]{10}$")]
    routing: Annotated[str, Meta(pattern=r"^[0-9]{9}$", description="ABA number of our bank")]
    bank: Annotated[str, Meta(min_length=1, max_length=23)]


class Calendar(Part, frozen=True):
    """When payouts are made: every day, on a day of the week (1 is Monday) or of the month.

    ``cutoff`` is the program's local time from which the batch of that day may start; what
    becomes payable later is the next one's.
    """

    every: Literal["day", "week", "month"] = "day"
    on: Annotated[int, Meta(ge=1, le=28)] = 1
    cutoff: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "06:00"


class PayoutRule(Part, frozen=True):
    """How one unit is paid to some holders: the first rule that fits a holder is theirs.

    Region, currency and method together name the rule, its calendar and its batches. Empty
    ``audiences`` and ``countries`` mean all of them.
    """

    currency: Unit
    debtor: Debtor | None = None
    """For ``sepa`` and ``wire``."""
    originator: Originator | None = None
    """For ``ach``."""
    provider: Key | None = None
    """The configured provider or endpoint; for every method that is a call."""
    method: Method = "sepa"
    region: Key = "default"
    holders: list[HolderKind] = []
    """Who is paid; empty means partners."""
    audiences: list[Key] = []
    countries: list[Country] = []
    pays_in: Currency | None = None
    """The currency that is sent, where it is not the books'; the rate is finance's."""
    rate_max_age_hours: Annotated[int, Meta(ge=1, le=8760)] = 24
    """An older rate stops this rule."""
    threshold_minor: Minor = 0
    approval_above_minor: Minor = 0
    """A batch worth more than this waits for a person; 0 means every batch does."""
    payout_most_minor: Minor = 0
    """No single payout is larger; the rest waits for the next. 0 for no limit."""
    batch_most_minor: Minor = 0
    """A batch worth more than this always waits for a person, who is told so. 0 for no limit."""
    automatic: bool = True
    """Whether the calendar starts batches; otherwise somebody does, by hand."""
    screening: bool = False
    """Whether payees are compared with the program's list of sanctioned people first."""
    calendar: Calendar = Calendar()


class Recovery(Part, frozen=True):
    """What becomes of money that was paid and is owed back.

    It is netted from what is earned later. A partner never owes more than
    ``most_owed_minor`` in a currency named there: the program bears what is above it. A debt
    below ``write_off_below_minor``, or unchanged for ``write_off_after_days``, is written off.
    """

    most_owed_minor: dict[Currency, Minor] = {}
    write_off_below_minor: dict[Currency, Minor] = {}
    write_off_after_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Tax(Part, frozen=True):
    """Which tax data payees must give, and what happens while they have not.

    ``payer_country`` decides which forms and thresholds count (:mod:`introducer.tax`); without
    it nobody is asked. ``missing`` says what becomes of a payout whose payee owes a form:
    it waits, or the backup rate is withheld where the law has one.
    """

    payer_country: Country | None = None
    missing: Literal["block", "withhold"] = "block"


class Payees(Part, frozen=True):
    """How carefully changes of bank data are taken."""

    cooling_off_hours: Annotated[int, Meta(ge=0, le=720)] = 72
    """After a confirmed change nothing is paid to the new account for so long."""
    confirm_within_hours: Annotated[int, Meta(ge=1, le=720)] = 48


class Fulfilment(Part, frozen=True):
    """When a manager who pays by hand is advised to let the calendar do it."""

    advise_above_monthly: Annotated[int, Meta(ge=1, le=10**6)] = 500
