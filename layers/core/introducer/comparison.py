"""In which currencies a program may have to tell an amount, so that it is refused while that helps.

A sale or event whose currency has no rate would stop the computation of its referral later
(:class:`introducer.errors.MissingRateError`); so it is not taken in. A program that compares
nothing across currencies needs no rate, and takes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from introducer.document.plan import (
    BonusPercent,
    Calculation,
    Flat,
    Percent,
    PerProduct,
    RewardPlan,
)
from introducer.earning.rules import PlanRules, Rules


def missing_rates(rules: Rules, currency: str) -> list[str]:
    """Return the currencies that amounts in *currency* may have to be told in and cannot."""
    wanted = set(_wanted(rules))
    return sorted(each for each in wanted if not rules.rates.has(currency, each))


def _wanted(rules: Rules) -> Iterator[str]:
    document = rules.document
    own = document.currency
    if {"sale.amount_minor", "event.amount_minor", "history.value_minor"} & rules.asked:
        yield own
    rivals = Counter(each.group for each in rules.plans)
    for each in rules.plans:
        yield from _of_effects(each)
        plan = each.plan
        if plan.escalation and plan.escalation.measure == "value":
            yield own
        if not _pays_what_was_paid(plan):
            continue
        if plan.variants or rivals[each.group] > 1:
            yield own
        yield from (cap.currency for cap in (*plan.caps, *document.caps))
        yield from (
            budget.currency
            for budget in document.budgets
            if not budget.plans or plan.id in budget.plans
        )
        if document.ceiling:
            yield document.ceiling.currency


def _of_effects(each: PlanRules) -> Iterator[str]:
    """Yield what bonuses and promotions of a plan add up with amounts in a sale's currency."""
    effects = [bonus.effect for bonus, _ in each.bonuses]
    effects += [promotion.effect for promotion, _ in each.promotions]
    flat = [effect.currency for effect in effects if isinstance(effect, Flat)]
    if _pays_what_was_paid(each.plan):
        yield from flat
    if any(isinstance(effect, BonusPercent) for effect in effects):
        yield from (way.currency for way in _ways(each.plan) if isinstance(way, Flat))


def _pays_what_was_paid(plan: RewardPlan) -> bool:
    """Return whether the plan may pay in the currency of the sale or event."""
    return any(isinstance(way, (Percent, PerProduct)) for way in _ways(plan))


def _ways(plan: RewardPlan) -> Iterator[Calculation]:
    yield plan.calculation
    yield from (variant.calculation for variant in plan.variants)
    if plan.escalation:
        yield from (tier.calculation for tier in plan.escalation.tiers)
