"""What may happen to a referral, each with what it takes; :mod:`introducer.life` does it."""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.referral import Involvement, Sale


class Clear(msgspec.Struct, frozen=True, kw_only=True):
    """Screening found nothing against it; ``partner`` gets most of the credit."""

    partner: str
    audience: str
    hold: str = ""
    reserved_for: str = ""
    """The rep whose account it is, because of ``reason``."""
    reason: str = ""


class MarkDuplicate(msgspec.Struct, frozen=True, kw_only=True):
    """The lead was referred before."""

    of: str
    reason: str = "duplicate"


class Absorb(msgspec.Struct, frozen=True, kw_only=True):
    """A later referral turned out to be of the same lead; what led to it is kept here, too."""

    referral: str


class MarkIneligible(msgspec.Struct, frozen=True, kw_only=True):
    """The program does not take this lead, for ``reason``."""

    reason: str


class SendToReview(msgspec.Struct, frozen=True, kw_only=True):
    """A person must decide, because of ``reason``."""

    reason: str
    passed_over: str = ""
    """Why routing found nobody; codes as :mod:`introducer.routing` writes them."""
    hold: str = ""
    """Why its rewards are to be kept back, should it go on."""


class Assign(msgspec.Struct, frozen=True, kw_only=True):
    """Give the lead to a rep; ``rule`` and ``passed_over`` say why to this one."""

    rep: str
    rule: str = ""
    passed_over: str = ""
    partner: str = ""
    audience: str = ""
    """Who gets most of the credit, where screening left that to a person."""


class Remind(msgspec.Struct, frozen=True, kw_only=True):
    """The rep has not taken it yet and is told so."""


class TakeBack(msgspec.Struct, frozen=True, kw_only=True):
    """The rep did not take it in time: another is asked, or a person decides."""

    then: Literal["reroute", "review"]


class Assess(msgspec.Struct, frozen=True, kw_only=True):
    """The rep's own view of the lead: ``rating`` 1 to 5, and each partner's part in it."""

    rating: int
    involvement: dict[str, Involvement] = {}


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """The rep takes the lead."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """The rep declines; the reason decides whether another rep is asked."""

    reason: str


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """The CRM moved the opportunity to one of the program's stages."""

    stage: str
    source_at: Instant


class Win(msgspec.Struct, frozen=True, kw_only=True):
    """The customer bought; the first sale wins the referral."""

    sale: Sale


class Lose(msgspec.Struct, frozen=True, kw_only=True):
    """The opportunity was closed without a sale."""

    reason: str
    source_at: Instant


class RecordSale(msgspec.Struct, frozen=True, kw_only=True):
    """A further sale to a customer already won."""

    sale: Sale


class Identify(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's own id was tied to it; nothing else changes."""

    external: str
    """What messages wait under that bring it: ``external.{source}#{keyed hash}``."""


class RecordEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the program's own was reported; an amount comes with its currency."""

    event: str
    id: str
    """The sender's own id, unique within the referral."""
    at: Instant
    amount_minor: int = 0
    currency: str = ""


class RecordRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a sale was paid back; ``nothing_left`` when no sale stands any more."""

    sale: str
    refund: str
    amount_minor: int
    nothing_left: bool


class Retain(msgspec.Struct, frozen=True, kw_only=True):
    """The customer is still one after the program's retention time."""


class Churn(msgspec.Struct, frozen=True, kw_only=True):
    """The customer left."""

    source_at: Instant


class Withdraw(msgspec.Struct, frozen=True, kw_only=True):
    """The partner or the lead takes the referral back."""

    reason: str


class Expire(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing happened for too long."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Keep its rewards back for ``reason``."""

    reason: str


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Let its rewards go again."""

    reason: str


class Annul(msgspec.Struct, frozen=True, kw_only=True):
    """It was no honest referral, for ``reason``: nothing was ever earned by it."""

    reason: str


class Recredit(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute was decided: others are credited than before, or with other parts."""

    dispute: str
    reason: str
    partner: str
    """Who gets most of the credit now, and their audience; kept where it was let through."""
    audience: str
    parts: dict[str, int]
    """By partner, in basis points that make 10,000."""


Command = (
    Clear
    | MarkDuplicate
    | Absorb
    | MarkIneligible
    | SendToReview
    | Assign
    | Remind
    | TakeBack
    | Assess
    | Accept
    | Reject
    | Advance
    | Win
    | Lose
    | RecordSale
    | Identify
    | RecordEvent
    | RecordRefund
    | Retain
    | Churn
    | Withdraw
    | Expire
    | Hold
    | Release
    | Annul
    | Recredit
)
