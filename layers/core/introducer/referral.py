"""Referrals and what hangs on them, as they are stored: shares, touches, sales."""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.clock import Instant

EARLY = frozenset({"submitted", "screening", "review", "assigned"})
ANNULLED = "ReferralAnnulled"
"""The event after which nothing was ever earned by a referral."""
SOLD = frozenset({"won", "retained"})
FINAL = frozenset(
    {"duplicate", "ineligible", "rejected", "withdrawn", "expired", "refunded", "churned"}
)
HANDED_BACK = frozenset({"not_my_territory", "no_capacity", "conflict_of_interest"})
"""Reasons of a rep that send the lead to another rep."""
TURNED_DOWN = frozenset({"not_a_fit", "unreachable", "invalid_contact", "no_interest"})
"""Reasons of a rep that end the referral."""

Facts = dict[str, bool | int | str | list[str]]
"""Facts for conditions by their name in the catalogue; never free text, never a person."""


class Referral(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A referral as it stands. ``version`` is the number of its last event."""

    id: str
    program: str
    program_version: int
    version: int
    status: str
    submitted_at: Instant
    updated_at: Instant
    channel: str
    lead: str
    """The person id of the referred lead; who that is, only the People table knows."""
    lead_key: str = ""
    """Keyed hash of the lead's normalised e-mail address."""
    keys: dict[str, str] = {}
    """Keyed hashes of what else they are known by: ``phone``, ``domain``, ``external.{source}``."""
    partner: str = ""
    """The partner credited with most of it, for lists and messages."""
    audience: str = ""
    rep: str = ""
    passed: list[str] = []
    """Reps who handed it back; routing does not ask them again."""
    reserved_for: str = ""
    """The rep who brought it or whose account it is; routing asks them first."""
    link: str = ""
    country: str = ""
    product: str = ""
    duplicate_of: str = ""
    hold: str = ""
    """Why its rewards may not be released at present; empty when they may."""
    reason: str = ""
    source_at: Instant = ""
    """The time the CRM gave to the newest update taken from it."""
    won_at: Instant = ""
    retain_at: Instant = ""
    accept_by: Instant = ""
    """Until when the rep must take it; only while assigned, and where the program says so."""
    remind_at: Instant = ""
    """When the rep is to be reminded of it; empty once that was done."""
    facts: Facts = {}
    """What else is known under the catalogue's names: ``lead.*``, ``answers.*``, ``metadata.*``."""
    uncredited: dict[str, str] = {}
    """Partners of its touches who could not be credited when it was screened, and why; so that
    the credit can be computed again with what was true then."""
    dispute: str = ""
    """The dispute whose decision says who is credited; empty where the program's rule does."""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"REFERRAL#{self.id}"


Involvement = Literal["introduced", "assisted", "co_sold"]
"""How far a partner was part of the deal."""
OVERDUE = "sla"
"""The reason of a lead that was taken back because nobody took it in time."""


class Share(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner's part of the credit for a referral; all parts make 10,000."""

    partner: str
    basis_points: int
    audience: str
    org: str = ""
    involvement: Involvement = "introduced"
    facts: Facts = {}
    """The partner as they were when credited: ``partner.*`` of the catalogue."""


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a sale: its whole price, and how many pieces."""

    product: str
    amount_minor: int
    quantity: int = 1


class Sale(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the referred customer bought, as the billing system reported it."""

    id: str
    """The billing system's own id, unique within the referral."""
    amount_minor: int
    currency: str
    occurred_at: Instant
    source: str
    product: str = ""
    items: list[Item] = []
    facts: Facts = {}
    """``metadata.*`` of this sale; it hides the referral's own of the same name."""
    refunded_minor: int = 0
    refunds: dict[str, int] = {}
    """Amount by refund id, so that a repeated report counts once."""


class Touch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One contact of the lead with a partner's link, code or form."""

    id: str
    kind: str
    at: Instant
    link: str = ""
    partner: str = ""
    utm: dict[str, str] = {}
    data: dict[str, str] = {}
    late: bool = False
    """Whether it became known only when the credit had been given; it is evidence, and counts
    for nothing."""
