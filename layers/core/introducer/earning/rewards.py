"""From an award to its rewards: one for each milestone, dated."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from introducer import calendar, money
from introducer.document.plan import Milestone, Retained
from introducer.earning.amount import Step
from introducer.earning.occasion import Occasion
from introducer.earning.offers import Candidate
from introducer.earning.rules import Rules
from introducer.money import BASIS_POINTS
from introducer.referral import Referral
from introducer.reward import Reward


class Award(msgspec.Struct, frozen=True, kw_only=True):
    """What one beneficiary gets of a plan for an occasion, before milestones."""

    choice: Candidate
    occasion: Occasion
    holder: str
    basis_points: int
    amount_minor: int
    steps: tuple[Step, ...] = ()

    @property
    def currency(self) -> str:
        """Return the currency it is in."""
        return self.choice.offer.currency

    def cut(self, amount_minor: int, step: str, **more: str | int) -> Award:
        """Return it cut to *amount_minor*, with the step that says so."""
        if amount_minor == self.amount_minor:
            return self
        taken: Step = {
            "step": step,
            **more,
            "cut_minor": self.amount_minor - amount_minor,
            "amount_minor": amount_minor,
        }
        return msgspec.structs.replace(self, amount_minor=amount_minor, steps=(*self.steps, taken))


def rewards_of(rules: Rules, referral: Referral, award: Award) -> Iterator[Reward]:
    """Yield the rewards that *award* is divided into; a part of nothing is none."""
    plan = award.choice.plan.plan
    shares = [milestone.share_basis_points for milestone in plan.milestones]
    parts = money.split(award.amount_minor, shares)
    for milestone, amount_minor in zip(plan.milestones, parts, strict=True):
        if amount_minor > 0:
            yield _reward(rules, referral, award, milestone, amount_minor)


def _reward(
    rules: Rules, referral: Referral, award: Award, milestone: Milestone, amount_minor: int
) -> Reward:
    plan, occasion = award.choice.plan.plan, award.occasion
    when, after = milestone.when, milestone.after_days
    if isinstance(plan.trigger, Retained):
        when, after = "retained", after + plan.trigger.days
    due_at = calendar.plus_days(occasion.begin, max(after, plan.hold_days), rules.where)
    until_at = (
        calendar.plus_days(due_at, milestone.until_days, rules.where)
        if milestone.until_days
        else ""
    )
    return Reward(
        referral=referral.id,
        plan=plan.id,
        milestone=milestone.id,
        occasion=occasion.id,
        sale=occasion.sale,
        partner=award.holder,
        program=rules.document.id,
        amount_minor=amount_minor,
        offered_minor=amount_minor,
        currency=award.currency,
        type=plan.type,
        when=when,
        earned_at=occasion.begin,
        due_at=due_at,
        until_at=until_at,
        accounting_class=plan.accounting_class,
        version=1,
        trace=[*_steps(award), *_milestone(award, milestone, amount_minor)],
    )


def _steps(award: Award) -> Iterator[Step]:
    yield from award.choice.offer.steps
    if award.basis_points != BASIS_POINTS:
        before = award.amount_minor + sum(int(step["cut_minor"]) for step in award.steps)
        yield {"step": "share", "basis_points": award.basis_points, "amount_minor": before}
    yield from award.steps


def _milestone(award: Award, milestone: Milestone, amount_minor: int) -> Iterator[Step]:
    if len(award.choice.plan.plan.milestones) > 1:
        yield {
            "step": "milestone",
            "id": milestone.id,
            "basis_points": milestone.share_basis_points,
            "amount_minor": amount_minor,
        }
