"""Budgets over everything: first come, first served, taken in order of business time.

The real order is that of booking, which is not known beforehand; so this is close, not exact.
Of awards of the same instant the one whose row stands first comes first.
"""

from __future__ import annotations

import msgspec
import polars as pl

from introducer.document.plan import Budget
from introducer.earning.exchange import Rates
from introducer.earning.rules import Rules
from introducer.money import POINTS
from payout.preview.cells import currencies
from payout.preview.exact import WIDE, period


class BudgetUse(msgspec.Struct, frozen=True, kw_only=True):
    """How far a budget reaches in one period: 2026, 202611, 202604 (a quarter), or 0 for ever."""

    id: str
    period: int
    currency: str
    amount_minor: int
    wanted_minor: int
    cut_minor: int
    reached_at: str = ""
    """When it was used up; empty when it lasts."""


def budgeted(rules: Rules, awards: pl.DataFrame) -> tuple[pl.Series, list[BudgetUse]]:
    """Return what budgets grant of each of *awards*, and the use of every budget.

    Amounts of another currency without a rate are left out of a budget, and granted.

    Args:
        rules: The version.
        awards: All of them: ``at``, ``row``, ``plan``, ``unit`` and ``amount``.
    """
    # A unit is a currency, with the type of reward behind a full stop when it is not cash.
    currency = pl.col("unit").cast(pl.String).str.slice(0, 3).cast(pl.Categorical)
    awards = awards.with_columns(currency=currency, granted=pl.col("amount"))
    uses: list[BudgetUse] = []
    for budget in rules.document.budgets:
        awards, found = _one(rules, awards, budget)
        uses += found
    return awards["granted"], uses


def _one(
    rules: Rules, awards: pl.DataFrame, budget: Budget
) -> tuple[pl.DataFrame, list[BudgetUse]]:
    plans = [n for n, each in enumerate(rules.document.rewards) if each.id in budget.plans]
    covered = (pl.col("currency") == POINTS) == (budget.currency == POINTS)
    if budget.plans:
        covered &= pl.col("plan").is_in(plans)
    zone = rules.document.time_zone
    spent = (
        awards.with_row_index("_place")
        .filter(covered)
        .select(
            "_place",
            "row",
            "at",
            "granted",
            "currency",
            period=period(pl.col("at"), budget.period, zone),
            cost=_cost(rules.rates, awards, budget.currency),
        )
        .drop_nulls("cost")
        .sort("at", "row", "_place")
        .with_columns(total=pl.col("cost").cum_sum().over("period"))
    )
    uses = _uses(spent, budget)
    if not budget.stop or not any(use.cut_minor for use in uses):
        return awards, uses
    over = spent.filter(pl.col("total") > budget.amount_minor).with_columns(
        room=(budget.amount_minor - (pl.col("total") - pl.col("cost"))).clip(lower_bound=0)
    )
    rooms = [
        min(granted, rules.rates.room(room, currency, budget.currency)) if room else 0
        for granted, currency, room in over.select("granted", "currency", "room").iter_rows()
    ]
    cuts = pl.DataFrame([over["_place"], pl.Series("_left", rooms, dtype=pl.Int64)])
    awards = (
        awards.with_row_index("_place")
        .join(cuts, on="_place", how="left", maintain_order="left")
        .with_columns(granted=pl.coalesce("_left", "granted"))
        .drop("_place", "_left")
    )
    return awards, uses


def _cost(rates: Rates, awards: pl.DataFrame, unit: str) -> pl.Expr:
    cost = pl.lit(None, dtype=WIDE)
    for code in currencies(awards["currency"]):
        if rates.has(code, unit):
            up, down = rates.minor_ratio(code, unit)
            costly = (pl.col("granted").cast(WIDE) * up + (down - 1)) // down
            cost = pl.when(pl.col("currency") == code).then(costly).otherwise(cost)
    return cost


def _uses(spent: pl.DataFrame, budget: Budget) -> list[BudgetUse]:
    over = pl.col("total") > budget.amount_minor
    found = (
        spent.group_by("period")
        .agg(pl.col("cost").sum().alias("wanted"), pl.col("at").filter(over).min().alias("reached"))
        .sort("period")
    )
    return [
        BudgetUse(
            id=budget.id,
            period=number,
            currency=budget.currency,
            amount_minor=budget.amount_minor,
            wanted_minor=wanted,
            cut_minor=max(0, wanted - budget.amount_minor) if budget.stop else 0,
            reached_at=reached.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            if reached
            else "",
        )
        for number, wanted, reached in found.iter_rows()
    ]
