"""What plans offer, as column expressions: calculations, tiers, variants, bonuses, promotions.

Mirrors :mod:`introducer.earning.amount` and :mod:`introducer.earning.offers`. An amount is null
where a calculation has nothing to say.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from introducer import money
from introducer.clock import Instant
from introducer.document.plan import (
    BonusPercent,
    Calculation,
    Effect,
    Flat,
    Multiplier,
    Percent,
    PerProduct,
    Points,
    RewardPlan,
)
from introducer.earning.rules import PlanRules
from introducer.money import MAX_MINOR, POINTS
from payout.preview.conditions import Facts, holds
from payout.preview.exact import WIDE, limited, rate_of
from payout.preview.layout import TIME

SALE = ""
"""Stands for the currency of the occasion."""
_AMOUNT = pl.col("amount_minor")
_CURRENCY = pl.col("currency")


class Offer(NamedTuple):
    """An amount and what it is in: one currency, that of the occasion, or by the row."""

    amount: pl.Expr
    unit: str | pl.Expr

    @property
    def currency(self) -> pl.Expr:
        """Return the currency of each row."""
        if isinstance(self.unit, pl.Expr):
            return self.unit
        return _CURRENCY if self.unit == SALE else pl.lit(self.unit, dtype=pl.Categorical())


def calculations(plan: RewardPlan) -> list[Calculation]:
    """Return every calculation that *plan* may use."""
    tiers = plan.escalation.tiers if plan.escalation else []
    return [
        plan.calculation,
        *(each.calculation for each in tiers),
        *(each.calculation for each in plan.variants),
    ]


def line_column(calculation: Calculation) -> str | None:
    """Return the name of the column of line items that *calculation* needs, if any."""
    if isinstance(calculation, Percent) and calculation.products:
        return "products:" + ",".join(sorted(calculation.products))
    if isinstance(calculation, PerProduct):
        rates = (f"{r.product}={r.amount_minor}+{r.basis_points}" for r in calculation.rates)
        return "rates:" + ",".join(rates)
    return None


def offer(rules: PlanRules, facts: Facts) -> Offer:
    """Return what a plan offers.

    Args:
        rules: The plan.
        facts: What conditions may ask about; the plan's own history too, where it counts.
    """
    plan = rules.plan
    made = _base(rules)
    for variant in plan.variants:
        other = calculate(variant.calculation)
        made = _better(made, other, holds(variant.condition, facts))
    for bonus in plan.bonuses:
        made = _add(made, bonus.effect, holds(bonus.condition, facts))
    for promotion, _ in rules.promotions:
        at = pl.col("at")
        where = (at >= _moment(promotion.starts_at)) & (at < _moment(promotion.ends_at))
        if promotion.audiences:
            admitted = pl.col("partner.audience").is_in(promotion.audiences)
            where &= admitted.fill_null(value=False)
        made = _add(made, promotion.effect, where & holds(promotion.condition, facts))
    return made


def calculate(calculation: Calculation) -> Offer:
    """Return what *calculation* gives."""
    match calculation:
        case Flat(amount_minor=amount_minor, currency=currency):
            return Offer(pl.lit(min(amount_minor, MAX_MINOR), dtype=pl.Int64), currency)
        case Percent():
            return Offer(_percent(calculation), SALE)
        case PerProduct(currency=currency):
            amount = limited(pl.col(line_column(calculation) or ""))
            return Offer(pl.when(currency == _CURRENCY).then(amount), currency)
        case Points(points=points, per_unit=per_unit):
            if not per_unit:
                return Offer(pl.lit(min(points, MAX_MINOR), dtype=pl.Int64), POINTS)
            units = pl.col("units").fill_null(0).cast(WIDE)
            return Offer(limited(units * per_unit + points), POINTS)


def units(currencies: list[str]) -> pl.Expr:
    """Return the whole units of each occasion's amount."""
    found = pl.lit(None, dtype=pl.Int64)
    for digits in sorted({money.exponent(code) for code in currencies}):
        same = [code for code in currencies if money.exponent(code) == digits]
        found = pl.when(_CURRENCY.is_in(same)).then(_AMOUNT // 10**digits).otherwise(found)
    return found


def _percent(rule: Percent) -> pl.Expr:
    column = line_column(rule)
    base = pl.col(column) if column else _AMOUNT
    amount = rate_of(base, rule.basis_points)
    if column:
        amount = limited(amount)
    if rule.min_minor:
        amount = amount.clip(lower_bound=rule.min_minor)
    if rule.cap_minor is not None:
        amount = amount.clip(upper_bound=rule.cap_minor)
    return pl.when(_CURRENCY.is_not_null() & (base > 0)).then(amount)


def _base(rules: PlanRules) -> Offer:
    escalation = rules.plan.escalation
    made = calculate(rules.plan.calculation)
    if escalation is None:
        return made
    reached = pl.col(history(rules, escalation.measure))
    for tier in escalation.tiers:
        made = _choose(reached >= tier.start, calculate(tier.calculation), made)
    return made


def history(rules: PlanRules, measure: str) -> str:
    """Return the column with a plan's successes, counted or added up."""
    return f"history.{measure}:{rules.index}"


def _better(made: Offer, other: Offer, where: pl.Expr) -> Offer:
    """Return *other* where it holds and pays more, or where nothing else has anything to say."""
    more = (other.amount > made.amount).fill_null(other.amount.is_not_null())
    more &= made.amount.is_null() | other.amount.is_not_null()
    return _choose(where & more, other, made)


def _choose(where: pl.Expr, other: Offer, made: Offer) -> Offer:
    amount = pl.when(where).then(other.amount).otherwise(made.amount)
    if isinstance(made.unit, str) and made.unit == other.unit:
        return Offer(amount, made.unit)
    return Offer(amount, pl.when(where).then(other.currency).otherwise(made.currency))


def _add(made: Offer, effect: Effect, where: pl.Expr) -> Offer:
    """Return *made* with a bonus or promotion; one in another currency adds nothing."""
    match effect:
        case Flat(amount_minor=more, currency=currency):
            after = made.amount + more
            where &= (made.currency == currency).fill_null(value=False)
        case BonusPercent(basis_points=rate):
            after = made.amount + rate_of(_AMOUNT, rate)
            if made.unit != SALE:
                where &= (made.currency == _CURRENCY).fill_null(value=False)
        case Multiplier(basis_points=rate):
            after = rate_of(made.amount, rate)
    return Offer(pl.when(where).then(limited(after)).otherwise(made.amount), made.unit)


def _moment(at: Instant) -> pl.Expr:
    return pl.lit(datetime.fromisoformat(at).astimezone(UTC), dtype=TIME)
