"""What surrounds the rewards: law, exchange, notice, messages, payouts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import (
    At,
    BasisPoints,
    Country,
    Currency,
    Days,
    Key,
    Locale,
    LongText,
    Minor,
    Part,
    Text,
)

Mechanic = Literal[
    "cash_reward",
    "percent_of_revenue",
    "payment_for_lead",
    "customer_reward",
    "rep_reward",
    "gift",
    "prize_draw",
]


class Jurisdiction(Part, frozen=True):
    """A mechanic that is forbidden, or needs an attestation, somewhere for some trade.

    Empty ``countries`` or ``trades`` mean all of them.
    """

    id: Key
    mechanics: Annotated[list[Mechanic], Meta(min_length=1)]
    rule: Literal["forbidden", "attestation"]
    countries: list[Country] = []
    trades: list[Key] = []
    reason: Text | None = None


class Attestation(Part, frozen=True):
    """Somebody answers for a mechanic being lawful; by the id of the jurisdiction's entry."""

    by: Text
    at: At
    text: LongText


class Rate(Part, frozen=True, rename={"base": "from"}):
    """One unit of ``from`` is ``rate`` units of ``to``; decimal text, exact."""

    base: Currency
    to: Currency
    rate: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$")]


class Exchange(Part, frozen=True):
    """How amounts of different currencies are compared: not at all, or at fixed rates.

    A rate also serves its inverse. Where one is missing, nothing is computed.
    """

    policy: Literal["refuse", "fixed"] = "refuse"
    rates: Annotated[list[Rate], Meta(max_length=200)] = []


class CustomEvent(Part, frozen=True):
    """An event of the program's own that systems may report; with an amount, or without."""

    name: Text
    amount: bool = False


class Message(Part, frozen=True):
    """A text of the program's own for an event, by language; for later work."""

    event: Annotated[str, Meta(max_length=60)]
    locale: Locale
    subject: Text
    body: LongText
    audiences: list[Key] = []


class Forecast(Part, frozen=True):
    """What open referrals may bring: a usual sale by product, the chance by stage."""

    usual_sale_minor: dict[Key, Minor] = {}
    chance_basis_points: dict[Key, BasisPoints] = {}


class Fraud(Part, frozen=True):
    """What a fraud signal does to the rewards of a referral."""

    self_referral: Literal["flag", "hold"] = "hold"


class Notice(Part, frozen=True):
    """How long before a new version takes effect it must be published."""

    days: Days = 0
