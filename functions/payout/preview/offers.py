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
from payout.preview.exact import WIDE, exchange, limited, rate_of
from payout.preview.layout import TIME

_AMOUNT = pl.col("amount_minor")
_CURRENCY = pl.col("currency")


class Unit(NamedTuple):
    """What amounts are in, row by row, and every currency it may be."""

    currency: pl.Expr
    among: frozenset[str]

    @property
    def only(self) -> str | None:
        """Return the one currency it always is, if there is one."""
        return next(iter(self.among)) if len(self.among) == 1 else None


class Lack(NamedTuple):
    """Where a rate from *base* to *to* is needed and missing."""

    where: pl.Expr
    base: pl.Expr
    to: pl.Expr


class Offer(NamedTuple):
    """An amount, what it is in, and where computing it lacks a rate."""

    amount: pl.Expr
    unit: Unit
    lacks: tuple[Lack, ...] = ()


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


def history(rules: PlanRules, measure: str) -> str:
    """Return the column with a plan's successes, counted or added up."""
    return f"history.{measure}:{rules.index}"


def units(currencies: list[str]) -> pl.Expr:
    """Return the whole units of each occasion's amount."""
    found = pl.lit(None, dtype=pl.Int64)
    for digits in sorted({money.exponent(code) for code in currencies}):
        same = [code for code in currencies if money.exponent(code) == digits]
        found = pl.when(_CURRENCY.is_in(same)).then(_AMOUNT // 10**digits).otherwise(found)
    return found


class Offers:
    """Makes the offers of one version's plans for rows of known currencies.

    Args:
        home: The program's currency.
        known: The currencies of the occasions.
    """

    def __init__(self, home: str, known: list[str]) -> None:
        self._home = fixed(home)
        self._sale = Unit(_CURRENCY, frozenset(known))

    def of(self, rules: PlanRules, facts: Facts) -> Offer:
        """Return what a plan offers.

        Args:
            rules: The plan.
            facts: What conditions may ask about; the plan's own history too, where it counts.
        """
        made = self._base(rules)
        for variant in rules.plan.variants:
            other = self._calculate(variant.calculation)
            made = self._better(rules, made, other, holds(variant.condition, facts))
        for bonus in rules.plan.bonuses:
            made = self._add(rules, made, bonus.effect, holds(bonus.condition, facts))
        for promotion, _ in rules.promotions:
            at = pl.col("at")
            where = (at >= _moment(promotion.starts_at)) & (at < _moment(promotion.ends_at))
            if promotion.audiences:
                admitted = pl.col("partner.audience").is_in(promotion.audiences)
                where &= admitted.fill_null(value=False)
            where &= holds(promotion.condition, facts)
            made = self._add(rules, made, promotion.effect, where)
        return made

    def _calculate(self, calculation: Calculation) -> Offer:
        match calculation:
            case Flat(amount_minor=amount_minor, currency=currency):
                return Offer(_whole(amount_minor), fixed(currency))
            case Percent():
                return Offer(_percent(calculation), self._sale)
            case PerProduct(currency=currency):
                amount = limited(pl.col(line_column(calculation) or ""))
                return Offer(pl.when(_CURRENCY.eq(currency)).then(amount), fixed(currency))
            case Points(points=points, per_unit=0):
                return Offer(_whole(points), fixed(POINTS))
            case Points(points=points, per_unit=per_unit):
                each = pl.col("units").fill_null(0).cast(WIDE) * per_unit
                return Offer(limited(each + points), fixed(POINTS))

    def _base(self, rules: PlanRules) -> Offer:
        escalation = rules.plan.escalation
        made = self._calculate(rules.plan.calculation)
        if escalation is None:
            return made
        reached = pl.col(history(rules, escalation.measure))
        for tier in escalation.tiers:
            made = _choose(reached >= tier.start, self._calculate(tier.calculation), made)
        return made

    def _better(self, rules: PlanRules, made: Offer, other: Offer, where: pl.Expr) -> Offer:
        """Return *other* where it holds and pays more, or nothing else has anything to say."""
        both = where & made.amount.is_not_null() & other.amount.is_not_null()
        if made.unit.only and made.unit.only == other.unit.only:
            return _choose(where & _more(other.amount, made.amount), other, made)
        alike = (made.unit.currency == other.unit.currency).fill_null(value=False)
        told = [exchange(each.amount, each.unit, self._home, rules.rates) for each in (other, made)]
        more = pl.when(both & ~alike).then(_more(*told)).otherwise(_more(other.amount, made.amount))
        lacks = [
            Lack(both & ~alike & amount.is_null(), each.unit.currency, self._home.currency)
            for amount, each in zip(told, (other, made), strict=True)
        ]
        chosen = _choose(where & more, other, made)
        return chosen._replace(lacks=(*chosen.lacks, *lacks))

    def _add(self, rules: PlanRules, made: Offer, effect: Effect, where: pl.Expr) -> Offer:
        """Return *made* with a bonus or promotion, exchanged where it must be."""
        if isinstance(effect, Multiplier):
            after = limited(rate_of(made.amount, effect.basis_points))
            return made._replace(amount=pl.when(where).then(after).otherwise(made.amount))
        if isinstance(effect, Flat):
            more, unit = _whole(effect.amount_minor), fixed(effect.currency)
        else:
            # An occasion without an amount has nothing to give a share of.
            more, unit = rate_of(_AMOUNT, effect.basis_points).fill_null(0), self._sale
        told = exchange(more, unit, made.unit, rules.rates)
        if isinstance(effect, BonusPercent):
            told = pl.when(more > 0).then(told).otherwise(0)
        after = limited(made.amount + told)
        lack = Lack(
            where & made.amount.is_not_null() & told.is_null(), unit.currency, made.unit.currency
        )
        plain = unit.only is not None and unit.only == made.unit.only
        return Offer(
            pl.when(where).then(after).otherwise(made.amount),
            made.unit,
            made.lacks if plain else (*made.lacks, lack),
        )


def fixed(currency: str) -> Unit:
    """Return the unit of amounts that are all in *currency*."""
    return Unit(pl.lit(currency, dtype=pl.Categorical()), frozenset([currency]))


def _whole(amount_minor: int) -> pl.Expr:
    return pl.lit(min(amount_minor, MAX_MINOR), dtype=pl.Int64)


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


def _more(other: pl.Expr, made: pl.Expr) -> pl.Expr:
    return (
        pl.when(made.is_null())
        .then(other.is_not_null())
        .otherwise(other > made)
        .fill_null(value=False)
    )


def _choose(where: pl.Expr, other: Offer, made: Offer) -> Offer:
    amount = pl.when(where).then(other.amount).otherwise(made.amount)
    lacks = (*made.lacks, *other.lacks)
    if made.unit.only and made.unit.only == other.unit.only:
        return Offer(amount, made.unit, lacks)
    currency = pl.when(where).then(other.unit.currency).otherwise(made.unit.currency)
    return Offer(amount, Unit(currency, made.unit.among | other.unit.among), lacks)


def _moment(at: Instant) -> pl.Expr:
    return pl.lit(datetime.fromisoformat(at).astimezone(UTC), dtype=TIME)
