"""How far a partner has come towards the next tier of each plan that has tiers."""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer import calendar
from introducer.clock import Instant
from introducer.earning.history import TallyKey
from introducer.earning.rules import Rules


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's place on the ladder of one plan in the period that runs.

    Attributes:
        measure: What is counted: successes, or their value in ``currency``'s minor units.
        reached: So many, or so much, up to now.
        tier: The tier reached, 0 for none yet.
        next_tier: The next one, 0 on the highest.
        missing: What the next tier still takes, 0 on the highest.
    """

    plan: str
    period: str
    measure: Literal["count", "value"]
    currency: str
    reached: int
    tier: int
    next_tier: int
    missing: int


def ladders(rules: Rules, holder: str, audience: str, now: Instant) -> list[TallyKey]:
    """Return the tallies of the plans with tiers that a partner of *audience* may climb."""
    return [
        TallyKey(holder, f"plan.{each.plan.id}", calendar.period(now, each.period, rules.where))
        for each in rules.plans
        if each.plan.escalation
        and each.plan.beneficiary == "partner"
        and (not each.audiences or audience in each.audiences)
    ]


def level(rules: Rules, key: TallyKey, count: int, value_minor: int) -> Level:
    """Return the place of somebody with *count* successes worth *value_minor* in tally *key*.

    Args:
        rules: The version that counts now.
        key: One of :func:`ladders`.
        count: Successes in the tally.
        value_minor: What they are worth, program's currency.
    """
    (plan,) = [each for each in rules.document.rewards if f"plan.{each.id}" == key.scope]
    escalation = plan.escalation
    assert escalation is not None  # noqa: S101  (what makes it a ladder)
    reached = count if escalation.measure == "count" else value_minor
    starts = [tier.start for tier in escalation.tiers]
    tier = sum(reached >= start for start in starts)
    top = tier == len(starts)
    return Level(
        plan=plan.id,
        period=key.period,
        measure=escalation.measure,
        currency=rules.document.currency if escalation.measure == "value" else "",
        reached=reached,
        tier=tier,
        next_tier=0 if top else tier + 1,
        missing=0 if top else starts[tier] - reached,
    )
