"""What stands against releasing a reward that is due, and when it is forfeited."""

from __future__ import annotations

from typing import Any

from introducer import clock, eligibility
from introducer.clock import Instant
from introducer.condition import compile_condition
from introducer.document.audience import Audience
from introducer.document.plan import Milestone
from introducer.earning.known import about_lead, about_occasion, about_partner
from introducer.earning.occasion import Case, occasions
from introducer.earning.rules import Rules
from introducer.eligibility import Done
from introducer.referral import Share
from introducer.reward import Reward

FORFEITING = frozenset({"condition_not_met", "not_sold"})
"""Obstacles that end a reward when they still stand after its time."""
NOT_ENROLLED = "not_enrolled"
"""The obstacle of a reward whose partner was invited and has not enrolled yet."""


def is_forfeited(due: Reward, why: str, now: Instant) -> bool:
    """Return whether the time of a pending reward is over with the obstacle *why*."""
    return bool(due.until_at) and now >= due.until_at and why in FORFEITING


def claim_until(due: Reward, invited_at: Instant, waiting_days: int) -> Instant:
    """Return until when a partner invited at *invited_at* must enrol to get *due*.

    The days count from the invitation, or from earning it where that came later.
    """
    return clock.plus(max(invited_at, due.earned_at), days=waiting_days)


def holds(rules: Rules, case: Case, due: Reward, milestone: Milestone) -> bool:
    """Return whether what *milestone* asks at release holds for *due*, by the facts of *case*."""
    return compile_condition(milestone.condition)(facts(rules, case, due))


def milestone_of(rules: Rules, due: Reward) -> Milestone | None:
    """Return the milestone that *due* is, of the version it was earned under."""
    plan = next((each for each in rules.document.rewards if each.id == due.plan), None)
    if plan is None:
        return None
    return next((each for each in plan.milestones if each.id == due.milestone), None)


def share_of(case: Case, holder: str) -> Share | None:
    """Return the share of *holder*, or for others than partners the one with the largest part."""
    own = next((each for each in case.shares if each.partner == holder), None)
    return own or max(case.shares, key=lambda each: each.basis_points, default=None)


def facts(rules: Rules, case: Case, due: Reward) -> dict[str, Any]:
    """Return what a milestone's condition may ask about, as it is known now.

    ``history.*`` belongs to the moment of earning and is not known here.
    """
    known = {**about_lead(case), "referral.status": case.referral.status}
    share = share_of(case, due.partner)
    if share:
        known |= about_partner(share)
    for occasion in occasions(rules.document, case):
        if occasion.id == due.occasion:
            known |= about_occasion(rules, occasion)
    return known


def missing(audience: Audience, done: Done) -> dict[str, int]:
    """Return how much a partner still has to do before rewards are released, by what it is.

    ``referrals``, ``successes``, and ``agreements.{id}`` for each text not accepted.
    """
    asked = audience.engagement
    short = {
        "referrals": asked.referrals - done.referrals,
        "successes": asked.successes - done.successes,
    }
    return {name: short.get(name, 1) for name in eligibility.engagement_missing(audience, done)}
