"""How well a lead fits the ideal customer, by the program's own rules, with the reasons.

Computed once, when the lead is submitted, from what is known of it then: the facts of the
catalogue's scope ``lead``. Without rules there is no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from introducer.clock import Instant
from introducer.condition import compile_condition
from introducer.document.audience import Score
from introducer.program import Program
from introducer.referral import Facts, Referral, Touch

FACT = "lead.score"
KIND = "score"
"""The kind of touch that keeps the reasons beside the referral."""
_RULE = "rule."


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that held, in the program's words, and its points."""

    rule: str
    name: str
    points: int


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A lead's score: ``base`` and the points of ``reasons``, kept from 0 to ``most``."""

    score: int
    base: int
    most: int
    reasons: list[Reason]


def score(rules: Score, facts: Facts | dict[str, Any]) -> Scored | None:
    """Return the score of a lead of which *facts* are known, or None without rules."""
    if not rules.rules:
        return None
    held = [each for each in rules.rules if compile_condition(each.condition)(facts)]
    points = rules.base + sum(each.points for each in held)
    return Scored(
        score=min(max(points, 0), rules.most),
        base=rules.base,
        most=rules.most,
        reasons=[
            Reason(rule=each.id, name=each.name or each.id, points=each.points) for each in held
        ],
    )


def facts_of(referral: Referral) -> dict[str, Any]:
    """Return what is known of a lead under the catalogue's names."""
    known: dict[str, Any] = {**referral.facts, "referral.channel": referral.channel}
    if referral.country:
        known["lead.country"] = referral.country
    if referral.product:
        known["lead.product"] = referral.product
    return known


def touch_of(scored: Scored, *, at: Instant) -> Touch:
    """Return the touch that keeps why a lead has its score; it belongs to no partner."""
    reasons = {f"{_RULE}{each.rule}": str(each.points) for each in scored.reasons}
    return Touch(id=KIND, kind=KIND, at=at, data={"score": str(scored.score), **reasons})


def explain(touches: Sequence[Touch], document: Program) -> Scored | None:
    """Return the stored score with its reasons, or None when the lead has none.

    Args:
        touches: Those of the referral.
        document: The version the referral was made under, which names the rules.
    """
    kept = next((touch for touch in touches if touch.kind == KIND and not touch.late), None)
    if kept is None:
        return None
    names = {each.id: each.name or each.id for each in document.score.rules}
    points = {
        key.removeprefix(_RULE): int(value)
        for key, value in kept.data.items()
        if key.startswith(_RULE)
    }
    return Scored(
        score=int(kept.data["score"]),
        base=document.score.base,
        most=document.score.most,
        reasons=[
            Reason(rule=rule, name=names.get(rule, rule), points=each)
            for rule, each in points.items()
        ],
    )
