"""Which act of advocacy starts an ask to refer, and whose."""

from __future__ import annotations

import msgspec

from introducer import clock
from introducer.clock import Instant
from introducer.document.intake import Advocacy
from introducer.program import Program

CHANNEL = "ask"
"""The channel of the links that asks carry."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did: a review, a renewal, a recommendation. ``score`` is how good it was."""

    event: str
    at: Instant
    score: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the program, or somebody's own choice, whose ``key`` is empty."""

    key: str
    terms: Advocacy


def rule_for(document: Program, act: Act, audience: str, now: Instant) -> Rule | None:
    """Return the first rule that *act* meets, or None.

    A score that is asked for and not told is not met. An act older than the time between two
    asks is history that somebody sends late.

    Args:
        document: The program.
        act: What happened.
        audience: The audience of whoever did it; empty for somebody who is no partner yet.
        now: The present instant.
    """
    for key, terms in document.advocacy.items():
        good = terms.min_score is None or (act.score is not None and act.score >= terms.min_score)
        fits = terms.event == act.event and good and audience in {"", terms.audience}
        if fits and clock.plus(act.at, days=terms.again_after_days) > now:
            return Rule(key=key, terms=terms)
    return None


def choice(audience: str, asset: str | None = None) -> Rule:
    """Return what somebody's own choice of people stands for: asked or invited, with our pauses."""
    return Rule(key="", terms=Advocacy(event="chosen", audience=audience, asset=asset))
