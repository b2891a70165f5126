"""How leads come in: channels, consent, identity, conflicts, pages, prompts, disputes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from introducer.document.base import Days, Key, Locale, LongText, Part, Text

Channel = Literal["form", "api", "page", "verbal", "email", "csv", "event", "migration"]
"""How a referral came in."""


class Consent(Part, frozen=True):
    """What a referred person agrees to, by language; ``version`` names the text."""

    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = "1"
    texts: dict[Locale, LongText] = {}


class Identity(Part, frozen=True):
    """What makes two leads one, besides the mailbox.

    A ``unique`` number or company domain is claimed by the first referral; with ``lookup`` it
    is only noted that there was an earlier one, for review and routing.
    """

    phone: Literal["unique", "lookup"] = "unique"
    domain: Literal["ignore", "lookup", "unique"] = "lookup"


LabelKey = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31}){1,2}$")]


class PageText(Part, frozen=True):
    """The words of the landing page in one language."""

    headline: Text
    intro: LongText
    button: Annotated[str, Meta(min_length=1, max_length=60)]
    thanks: LongText
    privacy_url: Annotated[str, Meta(pattern=r"^https://[^\s]{1,500}$")] | None = None
    labels: Annotated[dict[LabelKey, Text], Meta(max_length=300)] = {}
    """What keys are called in this language: ``products.fibre``, ``answers.when``,
    ``answers.when.this_year``, ``metadata.contract``, ``industries.health``."""


PageField = Literal["phone", "company", "product", "note", "size", "industry"]


class Page(Part, frozen=True):
    """The landing page that partners share: its words, and what it asks besides the questions.

    Without words there is no page.
    """

    texts: dict[Locale, PageText] = {}
    asks: Annotated[list[PageField], Meta(max_length=10)] = msgspec.field(
        default_factory=lambda: ["phone", "company", "note"]
    )
    metadata: Annotated[list[Key], Meta(max_length=20)] = []
    """Fields of the program that the page asks for."""
    industries: Annotated[list[Key], Meta(max_length=60)] = []
    """What can be chosen where the industry is asked."""
    hosted: bool = False
    """Whether a new link without a destination leads to the partner's own page here, instead of
    ``landing_url``."""
    least_seconds: Annotated[int, Meta(ge=0, le=60)] = 2
    """A form that comes back sooner was not filled in by a person."""


class Intake(Part, frozen=True):
    """Which ways are open, and what applies to all of them."""

    channels: Annotated[list[Channel], Meta(max_length=20)] = []
    """Empty means all."""
    consent: Consent = Consent()
    identity: Identity = Identity()
    page: Page = Page()
    waiting_days: Annotated[int, Meta(ge=1, le=3650)] = 365
    """How long the rewards of an invited partner wait for them to enrol."""
    remind_days: Annotated[list[Annotated[int, Meta(ge=1, le=365)]], Meta(max_length=5)] = (
        msgspec.field(default_factory=lambda: [7, 21])
    )
    """How many days after the invitation somebody who did not enrol is reminded."""
    conversions: Literal["create", "wait"] = "create"
    """Whether a reported sale of somebody nobody referred, with a partner's click or code,
    makes a referral, or waits for one."""
    clicks_days: Annotated[int, Meta(ge=1, le=730)] = 90
    """How long clicks are kept."""


Account = Literal["accept", "flag", "review", "ineligible"]


class Conflicts(Part, frozen=True):
    """What becomes of a lead somebody else has a claim to.

    ``customer``: they buy already. ``open``: sales works on them; ``named``: they are on the
    list of named accounts; both with ``assign`` go to the rep of that entry. ``domain``:
    another lead of the same company is protected for somebody else.
    """

    customer: Account = "ineligible"
    open: Literal["accept", "flag", "review", "ineligible", "assign"] = "assign"
    named: Literal["accept", "flag", "review", "ineligible", "assign"] = "assign"
    domain: Account = "flag"


class Advocacy(Part, frozen=True):
    """An act that starts an ask to refer: which event, how good, who is asked, how often."""

    event: Key
    audience: Key
    min_score: Annotated[int, Meta(ge=-100, le=1000)] | None = None
    asset: Key | None = None
    """The piece of the assets library that the ask carries."""
    again_after_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    invite: bool = True
    """Whether somebody who is no partner yet is invited."""


class Prompt(Part, frozen=True):
    """An embedded prompt: where it stands, what it says, how often one person sees it."""

    audience: Key
    texts: dict[Locale, Text]
    origins: Annotated[list[Text], Meta(min_length=1, max_length=20)]
    """Pages that may show it, such as ``https://app.example.com``."""
    most_per_week: Annotated[int, Meta(ge=1, le=1000)] = 3


class Disputes(Part, frozen=True):
    """How long a credit may be disputed, and when an undecided dispute goes up."""

    open_within_days: Days = 180
    decide_within_days: Annotated[int, Meta(ge=1, le=365)] = 14
