"""Limits and promotions: those that cannot be met, and those that never come to bear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from introducer.check import walk
from introducer.check.finding import Finding
from introducer.document.plan import Budget, Cap, Flat, Multiplier, Promotion, RewardPlan
from introducer.money import POINTS
from introducer.program import Program

_PERIODS = ("month", "quarter", "year", "ever")


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with caps, budgets, the ceiling and promotions of *document*."""
    yield from _flat_amounts(document)
    yield from _budgets(document)
    yield from _unlimited(document)
    for index, promotion in enumerate(document.promotions):
        yield from _promotion(f"$.promotions[{index}]", promotion, document)
    yield from _overlaps(document)


def _flat_amounts(document: Program) -> Iterator[Finding]:
    """Yield limits below a single flat amount they limit."""
    for path, limit, limited in walk.limits(document):
        flats = [
            (calculation.amount_minor, plan.id)
            for at, plan in limited
            for _, calculation in walk.calculations(at, plan)
            if isinstance(calculation, Flat) and calculation.currency == limit.currency
        ]
        most, name = max(flats, default=(0, ""))
        if most > limit.amount_minor:
            problem = f"{limit.amount_minor} is less than the {most} that {name} gives at once"
            yield Finding(f"{path}.amount_minor", problem, "raise it, or lower the reward")


def _budgets(document: Program) -> Iterator[Finding]:
    for index, budget in enumerate(document.budgets):
        spending = {plan.id for _, plan in walk.budgeted(budget, document)}
        for path, cap, limited in walk.caps(document):
            whole = spending.issuperset(plan.id for _, plan in limited)
            if whole and _binds_first(budget, cap):
                at = f"$.budgets[{index}].amount_minor"
                problem = f"the budget is smaller than the cap {cap.id} of {cap.amount_minor}"
                yield Finding(at, problem, f"raise it, or lower the cap at {path}")


def _binds_first(budget: Budget, cap: Cap) -> bool:
    """Return whether *budget* is used up before anybody can reach *cap*."""
    within = cap.per == "lead" or _PERIODS.index(cap.period) <= _PERIODS.index(budget.period)
    return (
        budget.stop
        and budget.currency == cap.currency
        and budget.amount_minor < cap.amount_minor
        and within
    )


def _unlimited(document: Program) -> Iterator[Finding]:
    """Yield limits of the program that no plan pays in the unit of."""
    for path, limit, limited in walk.limits(document):
        if path.startswith("$.rewards"):
            continue
        paid = {plan.type == "points" for _, plan in limited}
        if paid and (limit.currency == POINTS) not in paid:
            unit = "points" if limit.currency == POINTS else "money"
            problem = f"no plan that it limits pays {unit}"
            yield Finding(f"{path}.currency", problem, "use the unit they pay in")


def _promotion(path: str, promotion: Promotion, document: Program) -> Iterator[Finding]:
    if promotion.starts_at >= promotion.ends_at:
        yield Finding(f"{path}.ends_at", "it ends before it begins", "let it end later")
    known = {plan.id for plan in document.rewards}
    touched = list(walk.promoted(promotion, document))
    if not touched and known.issuperset(promotion.plans):
        problem = f"there is no plan of a {promotion.beneficiary} that it adds to"
        yield Finding(path, problem, "name other plans or audiences", "$.rewards")
    effect = promotion.effect
    if touched and not isinstance(effect, Multiplier) and _only_points(touched):
        problem = "money cannot be added to points"
        yield Finding(f"{path}.effect.kind", problem, 'use the kind "multiplier"')


def _only_points(plans: Sequence[tuple[str, RewardPlan]]) -> bool:
    return all(plan.type == "points" for _, plan in plans)


def _overlaps(document: Program) -> Iterator[Finding]:
    """Yield promotions that give the same to the same at the same time."""
    for index, promotion in enumerate(document.promotions):
        for before in document.promotions[:index]:
            together = before.starts_at < promotion.ends_at and promotion.starts_at < before.ends_at
            if together and _given(before) == _given(promotion):
                problem = f"it gives the same as {before.id} at the same time"
                yield Finding(f"$.promotions[{index}]", problem, "let one end before the other")
                break


def _given(promotion: Promotion) -> tuple[object, ...]:
    return (
        promotion.effect,
        promotion.beneficiary,
        sorted(promotion.plans),
        sorted(promotion.audiences),
        promotion.condition,
    )
