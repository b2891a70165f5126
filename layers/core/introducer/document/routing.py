"""Routing: which rep gets a lead, until when they must take it, and what then."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import Country, Key, Part, Text
from introducer.document.condition import Condition


class Target(Part, frozen=True):
    """A rep in a rule; ``weight`` is how many leads in a round."""

    rep: Text
    weight: Annotated[int, Meta(ge=1, le=100)] = 1


class RoutingRule(Part, frozen=True):
    """Leads that fit go to these reps in weighted turns.

    A rep is passed over who is inactive, handed the lead back, has as many open leads as
    their capacity, or does not speak the lead's language where ``language`` is asked for.
    """

    reps: Annotated[list[Text | Target], Meta(min_length=1, max_length=200)]
    id: Key | None = None
    countries: list[Country] = []
    products: list[Key] = []
    condition: Condition | None = None
    language: bool = False
    hours: Literal["ignore", "prefer", "require"] = "ignore"
    """Whether reps at work at the moment come first, or are the only ones."""


class Sla(Part, frozen=True):
    """How long a rep has to take a lead, when they are reminded, and what then."""

    accept_within_hours: Annotated[int, Meta(ge=1, le=720)]
    remind_after_hours: Annotated[int, Meta(ge=1, le=720)] | None = None
    then: Literal["reroute", "review"] = "reroute"


class Routing(Part, frozen=True):
    """Ordered rules; the first with a rep to give decides, none means the review queue.

    ``owner_first`` gives a lead to the rep who owns the partner, if they take leads.
    """

    rules: Annotated[list[RoutingRule], Meta(max_length=200)] = []
    owner_first: bool = False
    sla: Sla | None = None
