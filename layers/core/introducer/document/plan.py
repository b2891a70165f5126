"""Reward plans: what earns, whom, how much, when it is due, and where it ends."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import (
    At,
    BasisPoints,
    Currency,
    Days,
    Factor,
    Key,
    Minor,
    Part,
    Text,
)
from introducer.document.condition import Condition

Beneficiary = Literal["partner", "organization", "customer", "rep"]
Period = Literal["month", "quarter", "year", "ever"]
RewardType = Literal["cash", "credit", "gift_card", "points", "experience", "donation"]
AccountingClass = Literal["revenue_reduction", "marketing_expense", "acquisition_cost"]

# ---- what earns


class Submitted(Part, frozen=True, tag="submitted", tag_field="on"):
    """The lead was submitted and let through by screening; once."""


class StageReached(Part, frozen=True, tag="stage", tag_field="on"):
    """The referral reached this stage or went past it; once."""

    stage: Key


class Won(Part, frozen=True, tag="won", tag_field="on"):
    """The first sale; once."""


class InvoicePaid(Part, frozen=True, tag="invoice_paid", tag_field="on"):
    """Every sale that happens less than ``months`` after the first; without it, every sale."""

    months: Annotated[int, Meta(ge=1, le=600)] | None = None


class Retained(Part, frozen=True, tag="retained", tag_field="on"):
    """The customer is still one ``days`` days after the first sale; once."""

    days: Annotated[int, Meta(ge=1, le=3650)]


class Happened(Part, frozen=True, tag="event", tag_field="on"):
    """An event of the program's own was reported; each time."""

    event: Key


Trigger = Submitted | StageReached | Won | InvoicePaid | Retained | Happened

# ---- how much


class Flat(Part, frozen=True, tag="flat", tag_field="kind"):
    """A fixed amount."""

    amount_minor: Minor
    currency: Currency


class Percent(Part, frozen=True, tag="percent", tag_field="kind"):
    """A share of what was sold, or of the line items of some products.

    At least ``min_minor`` and at most ``cap_minor``, both in the sale's currency.
    """

    basis_points: BasisPoints
    products: list[Key] = []
    cap_minor: Minor | None = None
    min_minor: Minor = 0


class ProductRate(Part, frozen=True):
    """What one product gives: an amount for each piece, or a share of its price."""

    product: Key
    amount_minor: Minor = 0
    basis_points: BasisPoints = 0


class PerProduct(Part, frozen=True, tag="per_product", tag_field="kind"):
    """The sum over the line items; amounts are in ``currency``, as the sale must be."""

    rates: Annotated[list[ProductRate], Meta(min_length=1, max_length=200)]
    currency: Currency


class Points(Part, frozen=True, tag="points", tag_field="kind"):
    """Points: a fixed number, and so many for each whole unit of the sale's currency."""

    points: Minor = 0
    per_unit: Minor = 0


Calculation = Flat | Percent | PerProduct | Points


class Variant(Part, frozen=True):
    """Another calculation where a condition holds; the best-paying of those that hold counts."""

    id: Key
    condition: Condition
    calculation: Calculation


class Tier(Part, frozen=True, rename={"start": "from"}):
    """A calculation that begins with the success numbered, or the sum that reaches, ``from``."""

    start: Annotated[int, Meta(ge=1, le=10**15)]
    calculation: Calculation


class Escalation(Part, frozen=True):
    """Rates that rise with the partner's successes of a period, the present one included.

    ``count`` counts successes, ``value`` adds up the partner's part of what was sold, in
    the program's currency. What was refunded later still counts.
    """

    measure: Literal["count", "value"]
    tiers: Annotated[list[Tier], Meta(min_length=1, max_length=20)]
    period: Period = "year"


class Multiplier(Part, frozen=True, tag="multiplier", tag_field="kind"):
    """So many times the amount."""

    basis_points: Factor


class BonusPercent(Part, frozen=True, tag="percent", tag_field="kind"):
    """A further share of the sale."""

    basis_points: BasisPoints


Effect = Flat | BonusPercent | Multiplier


class Bonus(Part, frozen=True):
    """More where a condition holds, such as a fast close or a lead of quality."""

    id: Key
    condition: Condition
    effect: Effect


class Promotion(Part, frozen=True):
    """More for what happens from ``starts_at`` to before ``ends_at``."""

    id: Key
    name: Text
    starts_at: At
    ends_at: At
    effect: Effect
    beneficiary: Literal["partner", "rep"] = "partner"
    plans: list[Key] = []
    audiences: list[Key] = []
    condition: Condition | None = None


# ---- where it ends


class Cap(Part, frozen=True):
    """The most that one partner or one lead gets in a period; what was taken back still counts."""

    id: Key
    per: Literal["partner", "lead"]
    amount_minor: Minor
    currency: Currency
    period: Period = "ever"


class Budget(Part, frozen=True):
    """What the program spends on some plans, or all, in a period of the program's time zone.

    First come, first served. ``stop`` cuts what is beyond it; without, it only alerts.
    What is taken back can be spent again.
    """

    id: Key
    amount_minor: Annotated[int, Meta(ge=1, le=10**15)]
    currency: Currency
    plans: list[Key] = []
    period: Period = "year"
    alert_basis_points: BasisPoints = 8000
    stop: bool = True


class Ceiling(Part, frozen=True):
    """The most that one referral may cost in rewards of all kinds but points."""

    amount_minor: Minor
    currency: Currency


class Milestone(Part, frozen=True):
    """A dated part of a reward and what must hold for its release.

    ``earned`` waits for its date only; ``won`` for a sale that stands; ``retained`` for a
    customer who is still one on the date. ``condition`` is asked at release; one that does
    not hold ``until_days`` after the date forfeits the part.
    """

    id: Key
    share_basis_points: BasisPoints
    when: Literal["earned", "won", "retained"] = "won"
    after_days: Days = 0
    condition: Condition | None = None
    until_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Clawback(Part, frozen=True):
    """What a refund takes back: its part, everything, or nothing; none after ``within_days``."""

    policy: Literal["proportional", "full", "none"] = "proportional"
    within_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class RewardPlan(Part, frozen=True):
    """One way to earn. Plans of one ``group`` compete: the best-paying counts; groups add up.

    Only plans of the same beneficiary and type ever compete; without a ``group``, those that
    have the same trigger too.
    """

    id: Key
    calculation: Calculation
    milestones: Annotated[list[Milestone], Meta(min_length=1, max_length=24)]
    name: Text | None = None
    trigger: Trigger = InvoicePaid()
    beneficiary: Beneficiary = "partner"
    type: RewardType = "cash"
    by_chance: bool = False
    """Whether what it gives is a chance in a draw and not the prize; for the law's sake."""
    audiences: list[Key] = []
    """Whose referrals it rewards; empty means everybody's."""
    condition: Condition | None = None
    group: Key | None = None
    variants: Annotated[list[Variant], Meta(max_length=100)] = []
    escalation: Escalation | None = None
    bonuses: Annotated[list[Bonus], Meta(max_length=20)] = []
    caps: Annotated[list[Cap], Meta(max_length=10)] = []
    hold_days: Days = 0
    clawback: Clawback = Clawback()
    accounting_class: AccountingClass = "marketing_expense"
