"""Who may take part: audiences, what they must bring, and what leads are asked."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import (
    At,
    BasisPoints,
    Country,
    Days,
    Key,
    Locale,
    LongText,
    Part,
    Text,
)
from introducer.document.condition import Condition, Number


class Rollout(Part, frozen=True):
    """A staged opening: these segments, this score or better, or a share of everybody else."""

    segments: list[Key] = []
    min_score: Number | None = None
    share_basis_points: BasisPoints = 0


class Eligibility(Part, frozen=True):
    """What somebody must bring to join. What is not known counts as not met."""

    opens_at: At | None = None
    closes_at: At | None = None
    min_account_days: Days = 0
    """Days since the person became a customer or employee, as the company's own list says."""
    agreements: list[Key] = []
    """Texts to accept, by their id in the program's ``agreements``."""
    declarations: list[Key] = []
    """Statements to make, such as against kickbacks, by their id in ``declarations``."""
    rollout: Rollout | None = None
    listed_only: bool = False
    """Only people on the company's own list of prospects."""


class Engagement(Part, frozen=True):
    """The least a partner must have done for rewards to be released."""

    referrals: Annotated[int, Meta(ge=0, le=10_000)] = 0
    successes: Annotated[int, Meta(ge=0, le=10_000)] = 0
    agreements: list[Key] = []


class Audience(Part, frozen=True):
    """Who may refer: a group of partners with its own eligibility, language and currency."""

    name: Text
    countries: list[Country] = []
    """Where its members may live; empty means anywhere."""
    lead_countries: list[Country] = []
    """Where the leads they refer may be; empty means anywhere."""
    locale: Locale = "en"
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] | None = None
    """What its rewards are shown in; the program's own when there is none."""
    types: list[Key] = []
    """Partner types it admits; empty means all."""
    eligibility: Eligibility = Eligibility()
    engagement: Engagement = Engagement()


class Agreement(Part, frozen=True):
    """A text that partners accept, by version."""

    name: Text
    version: Text
    url: Annotated[str, Meta(pattern=r"^https://[^\s]{1,500}$")] | None = None


class Declaration(Part, frozen=True):
    """A statement that partners make."""

    text: LongText


class Question(Part, frozen=True):
    """A question about a lead. Answers are facts for conditions, so none is free text."""

    text: Text
    type: Literal["choice", "number", "flag"]
    options: Annotated[list[Key], Meta(max_length=50)] = []
    required: bool = False


class Points(Part, frozen=True):
    """What a lead gains or loses in its score where a condition holds."""

    id: Key
    condition: Condition
    points: Annotated[int, Meta(ge=-1000, le=1000)]
    name: Text | None = None


class Score(Part, frozen=True):
    """How well a lead fits the ideal customer: ``base`` plus the points, from 0 to ``most``."""

    base: Annotated[int, Meta(ge=0, le=1000)] = 0
    most: Annotated[int, Meta(ge=1, le=1000)] = 100
    rules: Annotated[list[Points], Meta(max_length=100)] = []


class Field(Part, frozen=True):
    """A field of the program's own that sales and referrals may carry, for conditions."""

    type: Literal["text", "number", "flag"]
