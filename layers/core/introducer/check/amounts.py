"""Amounts: currencies, exchange, points, and rates on what has no amount."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from introducer import money, paying
from introducer.check import walk
from introducer.check.finding import Finding
from introducer.document.plan import (
    BonusPercent,
    Calculation,
    Flat,
    Happened,
    Percent,
    PerProduct,
    Points,
    RewardPlan,
)
from introducer.errors import InvalidInputError
from introducer.money import POINTS
from introducer.program import Program


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with the amounts of *document*."""
    yield from _currencies(document)
    yield from _rates(document)
    yield from _paid(document)
    yield from _exchange(document)
    for path, plan in walk.plans(document):
        yield from _points(path, plan, document)
        yield from _one_currency(path, plan, document)
        yield from _revenue(path, plan, document)


def _currencies(document: Program) -> Iterator[Finding]:
    used = {"$.currency": document.currency}
    limits: dict[str, str] = {}
    for key, audience in document.audiences.items():
        if audience.currency:
            used[f"$.audiences.{key}.currency"] = audience.currency
    for at, plan in walk.plans(document):
        parts = (*walk.calculations(at, plan), *walk.effects(at, plan, document))
        for path, part in parts:
            if isinstance(part, Flat | PerProduct):
                used[f"{path}.currency"] = part.currency
    for index, promotion in enumerate(document.promotions):
        if isinstance(promotion.effect, Flat):  # also where it touches no plan
            used[f"$.promotions[{index}].effect.currency"] = promotion.effect.currency
    for path, limit, _ in walk.limits(document):
        # Points are capped and budgeted in points; the ceiling leaves them out.
        (used if path == "$.ceiling" else limits)[f"{path}.currency"] = limit.currency
    for index, rate in enumerate(document.exchange.rates):
        used[f"$.exchange.rates[{index}].from"] = rate.base
        used[f"$.exchange.rates[{index}].to"] = rate.to
    limits |= _paid_in(document)
    for path, code in {**used, **limits}.items():
        if code == POINTS and path in used:
            yield Finding(path, "points are not a currency", "use an ISO 4217 code")
        elif not _is_known(code):
            yield Finding(path, f"{code} is not a currency", "use an ISO 4217 code")


def _paid_in(document: Program) -> dict[str, str]:
    found = {}
    for index, rule in enumerate(document.payouts):
        path = f"$.payouts[{index}]"
        found[f"{path}.currency"] = rule.currency.partition(".")[0]
        if rule.pays_in:
            found[f"{path}.pays_in"] = rule.pays_in
    return found


def _is_known(code: str) -> bool:
    try:
        money.exponent(code)
    except InvalidInputError:
        return False
    return True


def _rates(document: Program) -> Iterator[Finding]:
    exchange, seen = document.exchange, set[frozenset[str]]()
    if exchange.policy == "refuse" and exchange.rates:
        problem = "there are rates, and the policy refuses to use them"
        yield Finding("$.exchange.policy", problem, 'use "fixed", or leave the rates out')
    if exchange.policy == "fixed" and not exchange.rates:
        problem = "the policy is fixed rates, and there are none"
        yield Finding("$.exchange.rates", problem, 'list rates, or use "refuse"')
    for index, rate in enumerate(exchange.rates):
        path, pair = f"$.exchange.rates[{index}]", frozenset((rate.base, rate.to))
        if not Decimal(rate.rate):
            yield Finding(f"{path}.rate", "a rate of zero", "write what one unit is worth")
        if rate.base == rate.to:
            yield Finding(path, f"a rate from {rate.base} to itself", "leave it out")
        elif pair in seen:
            problem = f"there is a rate between {rate.base} and {rate.to} already"
            yield Finding(path, problem, "keep one; it serves its inverse too")
        seen.add(pair)


def _paid(document: Program) -> Iterator[Finding]:
    if not document.payouts:
        return
    for at, plan in walk.plans(document):
        if plan.type != "cash":
            continue
        for path, calculation in walk.calculations(at, plan):
            currency = walk.currency_of(calculation, document)
            told_elsewhere = currency == POINTS or not _is_known(currency)
            if not told_elsewhere and not paying.pays(document, currency):
                problem = f"cash in {currency}, which no payout rule pays"
                remedy = f"add {currency} to payouts, or pay in another currency"
                yield Finding(path, problem, remedy, "$.payouts")


def _exchange(document: Program) -> Iterator[Finding]:
    """Yield pairs of currencies that must be compared and have no rate."""
    home, told = document.currency, set[tuple[str, str, str]]()
    wanted: list[tuple[str, str, str]] = [
        (f"$.audiences.{key}.currency", audience.currency, home)
        for key, audience in document.audiences.items()
        if audience.currency
    ]
    every = list(walk.plans(document))
    for at, plan in every:
        rivals = [other for _, other in every if other is not plan and is_rival(plan, other)]
        others = {walk.currency_of(each.calculation, document) for each in rivals}
        own = walk.currency_of(plan.calculation, document)
        if others - {own}:
            wanted.append((f"{at}.calculation.currency", own, home))
    for path, limit, limited in walk.limits(document):
        for _, plan in limited:
            paid = walk.currency_of(plan.calculation, document)
            wanted.append((f"{path}.currency", limit.currency, paid))
    for path, one, other in wanted:
        clear = one == other or POINTS in {one, other} or (path, one, other) in told
        if clear or _has_rate(document, one, other):
            continue
        told.add((path, one, other))
        problem = f"{one} must be compared with {other}, and there is no rate"
        remedy = 'give exchange the policy "fixed" and a rate between them, or use one currency'
        yield Finding(path, problem, remedy, "$.exchange")


def is_rival(plan: RewardPlan, other: RewardPlan) -> bool:
    """Return whether two plans compete for the same occasion."""
    if (plan.beneficiary, plan.type) != (other.beneficiary, other.type):
        return False
    if plan.group or other.group:
        return plan.group == other.group
    return plan.trigger == other.trigger


def _has_rate(document: Program, one: str, other: str) -> bool:
    pairs = {frozenset((rate.base, rate.to)) for rate in document.exchange.rates}
    known = _is_known(one) and _is_known(other)  # what is no currency is told elsewhere
    return not known or frozenset((one, other)) in pairs


def _points(path: str, plan: RewardPlan, document: Program) -> Iterator[Finding]:
    for at, calculation in walk.calculations(path, plan):
        if (plan.type == "points") != isinstance(calculation, Points):
            if plan.type == "points":
                problem, remedy = "a plan of type points pays money", 'use the kind "points"'
            else:
                problem = f"a plan of type {plan.type} pays points"
                remedy = 'use another kind, or the type "points"'
            yield Finding(f"{at}.kind", problem, remedy, f"{path}.type")
    if plan.type == "points":
        for at, effect in walk.effects(path, plan, document):
            if at.startswith(path) and isinstance(effect, Flat | BonusPercent):
                problem = "money cannot be added to points"
                yield Finding(f"{at}.kind", problem, 'use the kind "multiplier"')
    for index, cap in enumerate(plan.caps):
        if (plan.type == "points") != (cap.currency == POINTS):
            unit = POINTS if plan.type == "points" else "an ISO 4217 code"
            problem = f"a cap in {cap.currency} does not limit {plan.type}"
            yield Finding(f"{path}.caps[{index}].currency", problem, f"use {unit}")


def _one_currency(path: str, plan: RewardPlan, document: Program) -> Iterator[Finding]:
    paid = walk.currency_of(plan.calculation, document)
    for at, calculation in walk.calculations(path, plan):
        currency = walk.currency_of(calculation, document)
        if POINTS not in {paid, currency} and currency != paid:
            problem = f"it pays in {currency}, the plan's own calculation in {paid}"
            yield Finding(at, problem, "let a plan pay in one currency")
    for at, effect in walk.effects(path, plan, document):
        if isinstance(effect, Flat) and POINTS != paid != effect.currency:
            problem = f"an amount in {effect.currency} adds nothing to {plan.id}, paid in {paid}"
            yield Finding(f"{at}.currency", problem, f"use {paid}, or name other plans")


def _revenue(path: str, plan: RewardPlan, document: Program) -> Iterator[Finding]:
    """Yield rates on an occasion without an amount, and line items where there are none."""
    revenue, sale = walk.has_revenue(plan, document), walk.has_sale(plan)
    what = _occasion(plan)
    for at, calculation in walk.calculations(path, plan):
        if _is_share(calculation) and not revenue:
            remedy = "use a flat amount, or a trigger with an amount"
            yield Finding(at, f"a share of revenue, and {what} has none", remedy)
        elif not sale and isinstance(calculation, PerProduct):
            yield Finding(at, f"amounts by product, and {what} has no products", "use a sale")
        elif not sale and isinstance(calculation, Percent) and calculation.products:
            remedy = "leave products out, or use a sale"
            yield Finding(f"{at}.products", f"{what} has no products", remedy)
    for at, effect in walk.effects(path, plan, document):
        if isinstance(effect, BonusPercent) and not revenue:
            problem = f"a share of revenue, and {what} of {plan.id} has none"
            yield Finding(at, problem, "use a flat amount or a multiplier")
    escalation = plan.escalation
    if escalation and escalation.measure == "value" and not revenue:
        problem = f"it adds up values, and {what} has none"
        yield Finding(f"{path}.escalation.measure", problem, 'use "count"')


def _is_share(calculation: Calculation) -> bool:
    match calculation:
        case Percent():
            return True
        case Points(per_unit=per_unit):
            return per_unit > 0
        case _:
            return False


def _occasion(plan: RewardPlan) -> str:
    if isinstance(plan.trigger, Happened):
        return f"the event {plan.trigger.event}"
    return "its trigger"
