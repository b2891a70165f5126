"""The program document: what a company's referral program is, as data.

A version is published once and never changes; a referral keeps the version it was made
under. The parts are in :mod:`introducer.document`, what they mean in ``docs/programs.md``;
:mod:`introducer.check` says what is wrong with a document.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from introducer.clock import Instant
from introducer.document.audience import Agreement, Audience, Declaration, Field, Question, Score
from introducer.document.base import Country, Currency, Key, Part, ProgramId, Text
from introducer.document.credit import Attribution
from introducer.document.intake import Advocacy, Conflicts, Disputes, Intake, Prompt
from introducer.document.payout import Fulfilment, Payees, PayoutRule, Recovery, Tax
from introducer.document.plan import Budget, Cap, Ceiling, Promotion, RewardPlan
from introducer.document.policy import (
    Attestation,
    CustomEvent,
    Exchange,
    Forecast,
    Fraud,
    Jurisdiction,
    Message,
    Notice,
)
from introducer.document.routing import Routing


class Program(Part, frozen=True):
    """One version of one program."""

    id: ProgramId
    name: Text
    currency: Currency
    audiences: Annotated[dict[Key, Audience], Meta(min_length=1, max_length=50)]
    destinations: Annotated[list[Text], Meta(min_length=1, max_length=50)]
    """Hosts that links may lead to; the first is where a link leads by default."""
    landing_url: Annotated[str, Meta(pattern=r"^https://[^\s]{1,500}$")]
    trade: Key | None = None
    """The company's trade, for the law's sake; such as ``insurance``."""
    countries: list[Country] = []
    """Where the program runs; empty means anywhere."""
    partner_types: list[Key] = []
    agreements: dict[Key, Agreement] = {}
    declarations: dict[Key, Declaration] = {}
    stages: Annotated[list[Key], Meta(max_length=20)] = []
    """Between ``accepted`` and ``won``, in order."""
    stage_map: dict[str, dict[str, Key]] = {}
    """For each inbound source: its own word for a stage, and ours."""
    products: list[Key] = []
    questions: dict[Key, Question] = {}
    """What a lead is asked; ``answers.{id}`` in conditions."""
    fields: dict[Key, Field] = {}
    """What sales and referrals may carry besides; ``metadata.{id}`` in conditions."""
    events: dict[Key, CustomEvent] = {}
    score: Score = Score()
    intake: Intake = Intake()
    conflicts: Conflicts = Conflicts()
    advocacy: Annotated[dict[Key, Advocacy], Meta(max_length=50)] = {}
    prompts: Annotated[dict[Key, Prompt], Meta(max_length=50)] = {}
    attribution: Attribution = Attribution()
    disputes: Disputes = Disputes()
    routing: Routing = Routing()
    rewards: Annotated[list[RewardPlan], Meta(max_length=200)] = []
    promotions: Annotated[list[Promotion], Meta(max_length=100)] = []
    caps: Annotated[list[Cap], Meta(max_length=20)] = []
    """Over all plans together."""
    budgets: Annotated[list[Budget], Meta(max_length=20)] = []
    ceiling: Ceiling | None = None
    exchange: Exchange = Exchange()
    jurisdictions: Annotated[list[Jurisdiction], Meta(max_length=200)] = []
    attestations: dict[Key, Attestation] = {}
    payouts: Annotated[list[PayoutRule], Meta(max_length=50)] = []
    payees: Payees = Payees()
    recovery: Recovery = Recovery()
    tax: Tax = Tax()
    fulfilment: Fulfilment = Fulfilment()
    fraud: Fraud = Fraud()
    retention_days: Annotated[int, Meta(ge=1, le=3650)] = 180
    """A won customer who is still one after this many days is retained."""
    notice: Notice = Notice()
    messages: Annotated[list[Message], Meta(max_length=500)] = []
    forecast: Forecast = Forecast()
    terms_version: Text = "1"
    time_zone: Text = "UTC"
    sender_name: Text = "Introducer"


class ProgramVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A published document with its number and when it counts from.

    Attributes:
        effective_at: From when it counts.
        reason: Why it took effect before the notice was over; empty when it did not.
        restores: The version it repeats, 0 for none.
        follows: The version that counts until then, 0 for none.
        instead_of: The scheduled version whose place it took, 0 for none.
    """

    program: str
    version: int
    document: Program
    published_at: Instant
    published_by: str
    effective_at: Instant = ""
    reason: str = ""
    restores: int = 0
    follows: int = 0
    instead_of: int = 0
