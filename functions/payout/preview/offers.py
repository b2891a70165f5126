"""What plans offer, as column expressions: calculations, tiers, variants, bonuses, promotions.

Mirrors :mod:`introducer.earning.amount` and :mod:`introducer.earning.offers`. An amount is null
where a calculation has nothing to say.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        variants = [
            (holds(each.condition, facts), self._calculate(each.calculation))
            for each in rules.plan.variants
        ]
        made = self._best(rules, [(pl.lit(value=True), self._base(rules)), *variants])
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

    def _best(self, rules: PlanRules, choices: list[tuple[pl.Expr, Offer]]) -> Offer:
        """Return, of the offers that hold, the one that pays most; of equals the first."""
        if len(choices) == 1:
            return choices[0][1]
        units = {offer.unit.only for _, offer in choices}
        amounts: list[pl.Expr] = [pl.when(where).then(offer.amount) for where, offer in choices]
        told, lacks = amounts, tuple(lack for _, offer in choices for lack in offer.lacks)
        if len(units) > 1 or None in units:
            told, more = self._told(rules, amounts, [offer.unit for _, offer in choices])
            lacks += more
        most = pl.max_horizontal(told)
        wins = [each == most for each in told]
        amount = pl.coalesce(
            pl.when(win).then(each) for win, each in zip(wins, amounts, strict=True)
        )
        among = frozenset[str]().union(*(offer.unit.among for _, offer in choices))
        currency = pl.coalesce(
            pl.when(win).then(offer.unit.currency)
            for win, (_, offer) in zip(wins, choices, strict=True)
        )
        return Offer(amount, Unit(currency, among), lacks)

    def _told(
        self, rules: PlanRules, amounts: Sequence[pl.Expr], units: list[Unit]
    ) -> tuple[list[pl.Expr], tuple[Lack, ...]]:
        """Return amounts as they compare: in the program's currency where a row has several."""
        pairs = list(zip(amounts, units, strict=True))
        first = pl.coalesce(
            pl.when(amount.is_not_null()).then(unit.currency) for amount, unit in pairs
        )
        mixed = pl.any_horizontal(
            amount.is_not_null() & (unit.currency != first) for amount, unit in pairs
        ).fill_null(value=False)
        told = [exchange(amount, unit, self._home, rules.rates) for amount, unit in pairs]
        lacks = tuple(
            Lack(mixed & amount.is_not_null() & each.is_null(), unit.currency, self._home.currency)
            for (amount, unit), each in zip(pairs, told, strict=True)
        )
        return [
            pl.when(mixed).then(each).otherwise(amount.cast(WIDE))
            for each, amount in zip(told, amounts, strict=True)
        ], lacks

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


def _choose(where: pl.Expr, other: Offer, made: Offer) -> Offer:
    amount = pl.when(where).then(other.amount).otherwise(made.amount)
    lacks = (*made.lacks, *other.lacks)
    if made.unit.only and made.unit.only == other.unit.only:
        return Offer(amount, made.unit, lacks)
    currency = pl.when(where).then(other.unit.currency).otherwise(made.unit.currency)
    return Offer(amount, Unit(currency, made.unit.among | other.unit.among), lacks)


def _moment(at: Instant) -> pl.Expr:
    return pl.lit(datetime.fromisoformat(at).astimezone(UTC), dtype=TIME)
