"""Reward plans one by one: milestones, tiers, dates and what is taken back."""

from __future__ import annotations

from collections.abc import Iterator

from introducer import money
from introducer.check import walk
from introducer.check.finding import Finding
from introducer.document.plan import (
    Calculation,
    Flat,
    Milestone,
    Multiplier,
    Percent,
    PerProduct,
    Points,
    Retained,
    RewardPlan,
)
from introducer.program import Program


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with each reward plan of *document* by itself."""
    for path, plan in walk.plans(document):
        yield from _shares(path, plan)
        for index, milestone in enumerate(plan.milestones):
            yield from _milestone(f"{path}.milestones[{index}]", milestone, plan)
        yield from _tiers(path, plan)
        yield from _clawback(path, plan)
        added = any(True for _ in walk.effects(path, plan, document))
        if not added and all(_is_nothing(each) for _, each in walk.calculations(path, plan)):
            remedy = "give something, or leave the plan out"
            yield Finding(f"{path}.calculation", "the plan gives nothing", remedy)
        for at, calculation in walk.calculations(path, plan):
            if isinstance(calculation, Percent):
                yield from _corridor(at, calculation)
        yield from _effects(path, plan)


def _shares(path: str, plan: RewardPlan) -> Iterator[Finding]:
    total = sum(milestone.share_basis_points for milestone in plan.milestones)
    if total != money.BASIS_POINTS:
        problem = f"the shares add up to {total} basis points"
        yield Finding(f"{path}.milestones", problem, "make them add up to 10000")


def _milestone(path: str, milestone: Milestone, plan: RewardPlan) -> Iterator[Finding]:
    ends = milestone.until_days
    if milestone.condition and ends is None:
        problem = "it waits for its condition without end"
        yield Finding(path, problem, "say with until_days how long it may wait")
    elif milestone.when != "earned" and ends is None and not walk.has_sale(plan):
        problem = "it waits for a sale that may never come, without end"
        yield Finding(path, problem, 'add until_days, or use the when "earned"')
    waits = milestone.after_days + _days(plan)
    if milestone.when == "retained" and not waits and not plan.hold_days:
        problem = "a customer of no days is retained at once"
        yield Finding(f"{path}.after_days", problem, 'wait some days, or use the when "won"')
    if ends is not None and plan.hold_days > waits + ends:
        problem = f"held for {plan.hold_days} days, it is forfeited after {waits + ends}"
        yield Finding(f"{path}.until_days", problem, "wait longer, or hold shorter")


def _days(plan: RewardPlan) -> int:
    return plan.trigger.days if isinstance(plan.trigger, Retained) else 0


def _tiers(path: str, plan: RewardPlan) -> Iterator[Finding]:
    if plan.escalation is None:
        return
    tiers, at = plan.escalation.tiers, f"{path}.escalation.tiers"
    first = tiers[0]
    if first.start == 1 and first.calculation != plan.calculation:
        problem = "it begins with the first success, so the plan's own calculation is never used"
        remedy = "let the first tier begin later, or give the plan its calculation"
        yield Finding(f"{at}[0].from", problem, remedy)
    for index, tier in enumerate(tiers[1:], start=1):
        before = tiers[index - 1]
        if tier.start <= before.start:
            problem = f"{tier.start} does not come after {before.start}"
            yield Finding(f"{at}[{index}].from", problem, "list tiers by rising from")
        if tier.calculation == before.calculation:
            problem = "it pays what the tier before it pays"
            yield Finding(f"{at}[{index}].calculation", problem, "pay more, or leave it out")


def _clawback(path: str, plan: RewardPlan) -> Iterator[Finding]:
    within = plan.clawback.within_days
    if within is None:
        return
    at = f"{path}.clawback.within_days"
    if plan.clawback.policy == "none":
        yield Finding(at, "nothing is taken back at any time", "leave it out")
        return
    longest = max(milestone.after_days for milestone in plan.milestones)
    last = _days(plan) + max(longest, plan.hold_days)
    if within < last:
        problem = f"a refund after {within} days takes back nothing, and a part is due after {last}"
        yield Finding(at, problem, f"take back for at least {last} days")


def _is_nothing(calculation: Calculation) -> bool:
    match calculation:
        case Flat(amount_minor=0) | Points(points=0, per_unit=0):
            return True
        case Percent(basis_points=0, min_minor=0) | Percent(cap_minor=0):
            return True
        case PerProduct(rates=rates):
            return not any(rate.amount_minor or rate.basis_points for rate in rates)
        case _:
            return False


def _corridor(path: str, calculation: Percent) -> Iterator[Finding]:
    cap = calculation.cap_minor
    if cap and cap < calculation.min_minor:
        problem = f"the least it gives, {calculation.min_minor}, is above its cap of {cap}"
        yield Finding(f"{path}.min_minor", problem, "raise the cap, or lower the least")


def _effects(path: str, plan: RewardPlan) -> Iterator[Finding]:
    for index, bonus in enumerate(plan.bonuses):
        effect, at = bonus.effect, f"{path}.bonuses[{index}].effect"
        if isinstance(effect, Multiplier) and effect.basis_points == money.BASIS_POINTS:
            yield Finding(at, "once the amount changes nothing", "use another factor")
        elif isinstance(effect, Flat) and not effect.amount_minor:
            yield Finding(at, "it gives nothing", "give something, or leave it out")
