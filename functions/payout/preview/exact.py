"""Whole-number money in columns: the same results as :mod:`introducer.money`, and never a float.

Amounts go to 10^15 and rates to 10^5, so a product may pass 64 bits. A rate in basis points is
applied to quotient and remainder apart, which is exact in 64 bits; where both factors are large
the work is done in 128 bits.
"""

from __future__ import annotations

from typing import Protocol

import polars as pl

from introducer import money
from introducer.document.plan import Period
from introducer.earning.exchange import Rates
from introducer.money import BASIS_POINTS

WIDE = pl.Int128


def rate_of(amount: pl.Expr, basis_points: int) -> pl.Expr:
    """Return *basis_points* of a not negative *amount*, halves rounded up (away from zero)."""
    if basis_points == BASIS_POINTS:
        return amount
    whole, rest = amount // BASIS_POINTS, amount % BASIS_POINTS
    return whole * basis_points + (rest * (2 * basis_points) + BASIS_POINTS) // (2 * BASIS_POINTS)


def fraction(amount: pl.Expr, numerator: pl.Expr | int, denominator: pl.Expr | int) -> pl.Expr:
    """Return ``amount x numerator / denominator`` in 128 bits, halves away from zero.

    Amount and numerator are not negative; twice their product stays under 1.7 x 10^38.
    """
    over, under = _wide(numerator), _wide(denominator)
    return (amount.cast(WIDE) * over * 2 + under) // (under * 2)


def limited(amount: pl.Expr) -> pl.Expr:
    """Return *amount* or the largest amount there may be, in 64 bits."""
    return amount.clip(upper_bound=money.MAX_MINOR).cast(pl.Int64)


class Currencies(Protocol):
    """What amounts are in, row by row, and every currency it may be."""

    @property
    def currency(self) -> pl.Expr:
        """The currency of each row."""

    @property
    def among(self) -> frozenset[str]:
        """Every currency there may be."""


def exchange(amount: pl.Expr, base: Currencies, to: Currencies, rates: Rates) -> pl.Expr:
    """Return amounts of *base* told in *to*, in 128 bits, rounded once; null without a rate."""
    if len(base.among | to.among) == 1:
        return amount.cast(WIDE)
    chain: pl.expr.whenthen.Then | pl.expr.whenthen.ChainedThen = pl.when(
        base.currency == to.currency
    ).then(amount.cast(WIDE))
    for each in sorted(base.among):
        for other in sorted(to.among):
            if each == other or not rates.has(each, other):
                continue
            between = (base.currency == each) & (to.currency == other)
            told = fraction(amount, *rates.minor_ratio(each, other))
            chain = chain.when(between).then(told)
    return chain.otherwise(pl.lit(None, dtype=WIDE))


def period(at: pl.Expr, kind: Period, zone: str) -> pl.Expr:
    """Return a number for the *kind* of period of the time zone that *at* lies in."""
    if kind == "ever":
        return pl.lit(0, dtype=pl.Int32)
    local = at if zone == "UTC" else at.dt.convert_time_zone(zone)
    year = local.dt.year()
    if kind == "year":
        return year
    part = local.dt.month() if kind == "month" else local.dt.quarter()
    return year * 100 + part.cast(pl.Int32)


def plus_days(at: pl.Expr, days: pl.Expr | int, zone: str) -> pl.Expr:
    """Return the instant with the same wall-clock time *days* days later."""
    duration = pl.duration(days=days)
    if zone == "UTC":
        return at + duration
    return _instant(at.dt.convert_time_zone(zone).dt.replace_time_zone(None) + duration, zone)


def plus_months(at: pl.Expr, months: int, zone: str) -> pl.Expr:
    """Return the same wall-clock time *months* months later; a day too many becomes the last."""
    local = at.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return _instant(local.dt.offset_by(f"{months}mo"), zone)


def _instant(wall: pl.Expr, zone: str) -> pl.Expr:
    """Return wall-clock times as instants: the earlier of two, the offset from before a gap."""
    day = pl.duration(days=1)
    plain = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    before = (wall - day).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return plain.fill_null(before + day).dt.convert_time_zone("UTC")


def _wide(value: pl.Expr | int) -> pl.Expr:
    return value.cast(WIDE) if isinstance(value, pl.Expr) else pl.lit(value, dtype=WIDE)
