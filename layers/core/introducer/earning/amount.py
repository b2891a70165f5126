"""What a calculation gives for an occasion: exact, in minor units, with how it came about."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from introducer import money
from introducer.document.plan import Calculation, Flat, Percent, PerProduct, Points
from introducer.earning.occasion import Occasion
from introducer.money import BASIS_POINTS, POINTS
from introducer.referral import Item

Step = dict[str, str | int]
"""One step of a trace: ``step`` names it, ``amount_minor`` is the amount after it."""


class Offer(msgspec.Struct, frozen=True):
    """An amount and the steps that led to it."""

    amount_minor: int
    currency: str
    steps: tuple[Step, ...]


def calculate(calculation: Calculation, occasion: Occasion, plan: str) -> Offer | None:
    """Return what *calculation* gives for *occasion*, or None when it has nothing to say.

    A percentage has nothing to say of an occasion without an amount, and neither has a
    calculation by product of a sale in another currency.
    """
    match calculation:
        case Flat(amount_minor=amount_minor, currency=currency):
            return _offer(plan, "flat", amount_minor, currency)
        case Percent():
            return _percent(calculation, occasion, plan)
        case PerProduct():
            return _per_product(calculation, occasion, plan)
        case Points(points=points, per_unit=per_unit):
            units = _whole_units(occasion) if per_unit else 0
            return _offer(plan, "points", points + per_unit * units, POINTS, units=units)


def base_minor(occasion: Occasion, products: Sequence[str] = ()) -> int:
    """Return what of *occasion*'s amount falls on *products*; all of it when none is named."""
    if not products:
        return occasion.amount_minor
    return sum(item.amount_minor for item in items(occasion) if item.product in products)


def items(occasion: Occasion) -> Sequence[Item]:
    """Return the line items; a sale without any is one piece of its product."""
    return occasion.items or (Item(product=occasion.product, amount_minor=occasion.amount_minor),)


def _percent(rule: Percent, occasion: Occasion, plan: str) -> Offer | None:
    if not occasion.currency:
        return None
    base = base_minor(occasion, rule.products)
    if base <= 0:
        return None
    exact = money.fraction(base, rule.basis_points, BASIS_POINTS)
    amount = max(exact, rule.min_minor)
    if rule.cap_minor is not None:
        amount = min(amount, rule.cap_minor)
    step: Step = {"base_minor": base, "basis_points": rule.basis_points}
    if amount != exact:
        step["exact_minor"] = exact
    # Ten-thousandths of a minor unit, by which rounding moved the exact amount.
    rounding = exact * BASIS_POINTS - base * rule.basis_points
    if rounding:
        step["rounding_ten_thousandths"] = rounding
    return _offer(plan, "percent", amount, occasion.currency, **step)


def _per_product(rule: PerProduct, occasion: Occasion, plan: str) -> Offer | None:
    if occasion.currency != rule.currency:
        return None
    rates = {each.product: each for each in rule.rates}
    amount = pieces = 0
    for item in items(occasion):
        rate = rates.get(item.product)
        if rate is None:
            continue
        pieces += item.quantity
        amount += rate.amount_minor * item.quantity
        amount += money.fraction(item.amount_minor, rate.basis_points, BASIS_POINTS)
    return _offer(plan, "per_product", amount, rule.currency, pieces=pieces) if pieces else None


def _whole_units(occasion: Occasion) -> int:
    if not occasion.currency:
        return 0
    return int(occasion.amount_minor // 10 ** money.exponent(occasion.currency))


def _offer(plan: str, kind: str, amount_minor: int, currency: str, **more: str | int) -> Offer:
    # Nothing else in the product holds an amount beyond the limit either.
    amount_minor = min(amount_minor, money.MAX_MINOR)
    step: Step = {"step": "rule", "plan": plan, "kind": kind}
    step.update({name: value for name, value in more.items() if value})
    step["amount_minor"] = amount_minor
    step["currency"] = currency
    return Offer(amount_minor, currency, (step,))
