"""What the plans of a group offer for an occasion, and which of them pays best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from introducer import money
from introducer.document.plan import BonusPercent, Calculation, Effect, Flat, Multiplier
from introducer.earning.amount import Offer, Step, calculate
from introducer.earning.occasion import Occasion
from introducer.earning.rules import PlanRules, Rules
from introducer.money import BASIS_POINTS
from introducer.referral import Share


class Candidate(msgspec.Struct, frozen=True):
    """A plan and what it offers."""

    plan: PlanRules
    offer: Offer


def offer(
    plan: PlanRules, occasion: Occasion, share: Share, known: Mapping[str, Any]
) -> Offer | None:
    """Return what *plan* offers, or None when it has nothing to say of the occasion.

    Args:
        plan: One whose audience, trigger and condition hold.
        occasion: What it pays for.
        share: The partner asked about.
        known: All facts, ``history.*`` included where the plan counts.
    """
    if plan.plain:
        return calculate(plan.plan.calculation, occasion, plan.plan.id)
    made = _best_variant(plan, occasion, known)
    if made is None:
        return None
    for bonus, holds in plan.bonuses:
        if holds(known):
            made = _add(plan, made, "bonus", bonus.id, bonus.effect, occasion)
    for promotion, holds in plan.promotions:
        running = promotion.starts_at <= occasion.at < promotion.ends_at
        admitted = not promotion.audiences or share.audience in promotion.audiences
        if running and admitted and holds(known):
            made = _add(plan, made, "promotion", promotion.id, promotion.effect, occasion)
    return made


def best(rules: Rules, found: Sequence[Candidate]) -> Candidate | None:
    """Return the candidate that pays most; of equals the first in the document.

    Raises:
        MissingRateError: They pay in different currencies and there is no rate.
    """
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    if len({each.offer.currency for each in found}) == 1:
        chosen = max(found, key=lambda each: each.offer.amount_minor)
    else:
        rates = rules.rates
        chosen = max(
            found, key=lambda each: rates.convert(each.offer.amount_minor, each.offer.currency)
        )
    return Candidate(chosen.plan, _with(chosen.offer, {"step": "best", "of": len(found)}))


def _best_variant(plan: PlanRules, occasion: Occasion, known: Mapping[str, Any]) -> Offer | None:
    base = calculate(_base(plan, known), occasion, plan.plan.id)
    tier = _tier(plan, known)
    made = [_marked(base, **tier) if tier else base] if base else []
    for variant, holds in plan.variants:
        if holds(known):
            other = calculate(variant.calculation, occasion, plan.plan.id)
            made += [_marked(other, variant=variant.id)] if other else []
    if len({each.currency for each in made}) <= 1:  # no rate is needed to compare these
        return max(made, key=lambda each: each.amount_minor, default=None)
    return max(made, key=lambda each: plan.rates.convert(each.amount_minor, each.currency))


def _base(plan: PlanRules, known: Mapping[str, Any]) -> Calculation:
    escalation = plan.plan.escalation
    if escalation is None:
        return plan.plan.calculation
    reached = known[_measure(plan)]
    calculation = plan.plan.calculation
    for tier in escalation.tiers:  # rising, as publishing demands
        if reached >= tier.start:
            calculation = tier.calculation
    return calculation


def _tier(plan: PlanRules, known: Mapping[str, Any]) -> dict[str, int]:
    """Return which tier was reached and with what, for the trace."""
    escalation = plan.plan.escalation
    if escalation is None:
        return {}
    reached = known[_measure(plan)]
    number = sum(reached >= tier.start for tier in escalation.tiers)
    name = "count" if escalation.measure == "count" else "value_minor"
    return {"tier": number, name: reached}


def _measure(plan: PlanRules) -> str:
    escalation = plan.plan.escalation
    counted = escalation is None or escalation.measure == "count"
    return "history.count" if counted else "history.value_minor"


def _add(
    plan: PlanRules, offer: Offer, name: str, key: str, effect: Effect, occasion: Occasion
) -> Offer:
    """Return *offer* with a bonus or promotion added.

    Raises:
        MissingRateError: It is in another currency and there is no rate.
    """
    before = after = offer.amount_minor
    match effect:
        case Flat(amount_minor=amount_minor, currency=currency):
            after += plan.rates.convert(amount_minor, currency, offer.currency)
        case BonusPercent(basis_points=rate):
            more = money.fraction(occasion.amount_minor, rate, BASIS_POINTS)
            after += plan.rates.convert(more, occasion.currency, offer.currency) if more else 0
        case Multiplier(basis_points=rate):
            after = money.fraction(before, rate, BASIS_POINTS)
    after = min(after, money.MAX_MINOR)
    if after == before:
        return offer
    step: Step = {"step": name, "id": key, "amount_minor": after}
    return Offer(after, offer.currency, (*offer.steps, step))


def _marked(offer: Offer, **more: str | int) -> Offer:
    first, *rest = offer.steps
    return Offer(offer.amount_minor, offer.currency, ({**first, **more}, *rest))


def _with(offer: Offer, step: Step) -> Offer:
    return Offer(offer.amount_minor, offer.currency, (*offer.steps, step))
