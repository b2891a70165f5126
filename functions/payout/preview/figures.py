"""From awards to the figures of a report."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from introducer import money
from introducer.earning.exchange import Rates
from introducer.earning.rules import Rules
from introducer.errors import MissingRateError
from introducer.money import BASIS_POINTS, POINTS
from payout.preview.budgets import BudgetUse
from payout.preview.exact import WIDE, period
from payout.preview.report import Change, Cost, Cut, Mover, Side, Spread, Step, Total
from payout.preview.sheet import Sheet

TOP = 50
_PERCENTILES = {"p10": 10, "p25": 25, "p50": 50, "p75": 75, "p90": 90, "p99": 99, "most": 100}
_EDGES = [1, *(factor * 10**power for power in range(2, 16) for factor in (1, 2, 5))]
_CUTS = {
    "lead": pl.col("whole_part") - pl.col("after_lead"),
    "partner": pl.col("after_lead") - pl.col("after_partner"),
    "ceiling": pl.col("after_partner") - pl.col("amount"),
}


def narrowed(sheet: Sheet, awards: pl.DataFrame, first_referral: int) -> pl.DataFrame:
    """Return *awards* with what a report needs and nothing else.

    Args:
        sheet: What they were computed from.
        awards: Limited, with ``taken``.
        first_referral: Number of the bucket's first referral; they count on from there.
    """
    text = {
        "partner": pl.col("partner").cast(pl.String),
        "organization": "org." + pl.col("partner.organization").cast(pl.String),
        "rep": "rep." + pl.col("rep").cast(pl.String),
    }
    holder = pl.lit(None, dtype=pl.String)
    for name, expression in text.items():
        holder = pl.when(pl.col("beneficiary") == name).then(expression).otherwise(holder)
    facts = ["row", "number_of_referral", "partner", "partner.audience", "partner.organization"]
    return (
        awards.lazy()
        .join(sheet.rows.lazy().select(*facts, "rep"), on="row", maintain_order="left")
        .select(
            (pl.col("number_of_referral") + first_referral).alias("referral"),
            holder.cast(pl.Categorical).alias("holder"),
            "beneficiary",
            "plan",
            pl.col("partner.audience").alias("audience"),
            _unit(sheet.rules).alias("unit"),
            "at",
            "amount",
            "taken",
        )
        .collect()
    )


def _unit(rules: Rules) -> pl.Expr:
    """Return what the books keep an award in, as :attr:`introducer.reward.Reward.unit` does."""
    currency, unit = pl.col("currency"), pl.col("currency")
    for place, plan in enumerate(rules.document.rewards):
        if plan.type not in {"cash", "points"}:
            typed = (currency.cast(pl.String) + f".{plan.type}").cast(pl.Categorical)
            unit = pl.when(pl.col("plan") == place).then(typed).otherwise(unit)
    return unit


def side(
    rules: Rules,
    awards: pl.DataFrame,
    cuts: pl.DataFrame,
    uses: list[BudgetUse],
    *,
    referrals: int,
    won: int,
    revenue: list[Total],
) -> Side:
    """Return the figures of one version.

    Args:
        rules: The version.
        awards: Narrowed, with ``granted``.
        cuts: What its limits took, from :func:`cuts_of`.
        uses: Of its budgets.
        referrals: How many there are in all.
        won: How many bought something.
        revenue: What they bought, by currency.
    """
    ids = {n: each.id for n, each in enumerate(rules.document.rewards)}
    earned = pl.col("plan").replace_strict(ids, default="", return_dtype=pl.String)
    totals = _totals(awards, pl.lit("all"))
    paid = awards.filter(pl.col("granted") > 0)
    with_something = paid["referral"].n_unique()
    used = set(paid["plan"].unique().to_list())
    return Side(
        totals=totals,
        by_plan=_totals(awards, earned),
        by_beneficiary=_totals(awards, pl.col("beneficiary").cast(pl.String)),
        by_audience=_totals(awards, pl.col("audience").cast(pl.String).fill_null("")),
        by_month=_totals(awards, _month_text(rules.document.time_zone)),
        per_referral=_spreads(awards, "referral"),
        per_partner=_spreads(awards.filter(pl.col("holder").is_not_null()), "holder"),
        cost=_cost(rules, totals, won, revenue),
        cuts=_cuts(awards, cuts),
        budgets=uses,
        referrals_with_nothing=referrals - with_something,
        plans_with_nothing=[name for place, name in ids.items() if place not in used],
    )


def _month_text(zone: str) -> pl.Expr:
    month = period(pl.col("at"), "month", zone)
    return pl.format("{}-{}", month // 100, (month % 100).cast(pl.String).str.zfill(2))


def _totals(awards: pl.DataFrame, key: pl.Expr) -> list[Total]:
    found = (
        awards.lazy()
        .filter(pl.col("granted") > 0)
        .group_by(key.alias("key"), pl.col("unit").cast(pl.String))
        .agg(
            pl.len(),
            pl.col("granted").cast(WIDE).sum(),
            pl.min_horizontal("taken", "granted").cast(WIDE).sum().alias("taken"),
        )
        .sort("key", "unit")
        .collect()
    )
    return [
        Total(key=key, unit=unit, awards=count, amount_minor=amount, taken_minor=taken)
        for key, unit, count, amount, taken in found.iter_rows()
    ]


def _spreads(awards: pl.DataFrame, who: str) -> list[Spread]:
    sums = (
        awards.filter(pl.col("granted") > 0)
        .group_by(who, "unit")
        .agg(pl.col("granted").cast(WIDE).sum())
    )
    found = []
    for unit in sorted(sums["unit"].unique().cast(pl.String).to_list()):
        amounts = sums.filter(pl.col("unit") == unit)["granted"].sort()
        last = len(amounts) - 1
        found.append(
            Spread(
                unit=unit,
                count=len(amounts),
                percentiles={
                    name: amounts[last * percent // 100] for name, percent in _PERCENTILES.items()
                },
                histogram=_histogram(amounts),
            )
        )
    return found


def _histogram(amounts: pl.Series) -> list[Step]:
    """Count sorted *amounts* between edges of 1, 2 and 5 times the powers of ten."""
    ends = [int(amounts.search_sorted(edge, side="left")) for edge in _EDGES]
    steps = zip(_EDGES, [*_EDGES[1:], 0], ends, [*ends[1:], len(amounts)], strict=True)
    return [
        Step(from_minor=low, to_minor=high, count=end - begin)
        for low, high, begin, end in steps
        if end > begin
    ]


def _cost(rules: Rules, totals: Iterable[Total], won: int, revenue: list[Total]) -> Cost:
    home, rates = rules.document.currency, rules.rates
    money_only = [each for each in totals if each.unit != POINTS]
    gross = _told(rates, home, [(each.unit, each.amount_minor) for each in money_only])
    net = _told(
        rates, home, [(each.unit, each.amount_minor - each.taken_minor) for each in money_only]
    )
    sold = _told(rates, home, [(each.unit, each.amount_minor) for each in revenue])
    return Cost(
        gross_minor=gross,
        net_minor=net,
        per_acquisition_minor=_ratio(gross, 1, won),
        net_per_acquisition_minor=_ratio(net, 1, won),
        of_revenue_basis_points=_ratio(gross, BASIS_POINTS, sold),
        net_of_revenue_basis_points=_ratio(net, BASIS_POINTS, sold),
    )


def _told(rates: Rates, home: str, amounts: list[tuple[str, int]]) -> int | None:
    try:
        return sum(rates.convert(amount, unit.partition(".")[0], home) for unit, amount in amounts)
    except MissingRateError:
        return None


def _ratio(amount: int | None, times: int, of: int | None) -> int | None:
    return money.fraction(amount, times, of) if amount is not None and of else None


def cuts_of(rules: Rules, awards: pl.DataFrame) -> pl.DataFrame:
    """Return what each kind of limit took from awards, those cut to nothing included."""
    return pl.concat(
        awards.lazy()
        .select(_unit(rules).cast(pl.String).alias("unit"), cut=taken)
        .filter(pl.col("cut") > 0)
        .group_by("unit")
        .agg(pl.len().cast(pl.Int64).alias("awards"), pl.col("cut").cast(WIDE).sum())
        .select(pl.lit(name).alias("limit"), "unit", "awards", "cut")
        .collect()
        for name, taken in _CUTS.items()
    )


def _cuts(awards: pl.DataFrame, cuts: pl.DataFrame) -> list[Cut]:
    stopped = (
        awards.filter(pl.col("granted") < pl.col("amount"))
        .group_by(pl.col("unit").cast(pl.String))
        .agg(
            pl.len().cast(pl.Int64).alias("awards"),
            (pl.col("amount") - pl.col("granted")).cast(WIDE).sum().alias("cut"),
        )
        .select(pl.lit("budget").alias("limit"), "unit", "awards", "cut")
    )
    found = pl.concat([cuts, stopped]).group_by("limit", "unit", maintain_order=True).sum()
    return [
        Cut(limit=limit, unit=unit, awards=count, cut_minor=cut)
        for limit, unit, count, cut in found.iter_rows()
    ]


# ---- against the live version


def differences(draft: pl.DataFrame, live: pl.DataFrame) -> pl.DataFrame:
    """Return what each beneficiary but customers gets under both.

    Columns: ``holder``, ``unit``, ``live``, ``draft``, ``change``; in order of the first two.
    """
    sums = [
        awards.lazy()
        .filter(pl.col("holder").is_not_null())
        .group_by(pl.col("holder").cast(pl.String), pl.col("unit").cast(pl.String))
        .agg(pl.col("granted").cast(WIDE).sum().alias(name))
        for name, awards in (("draft", draft), ("live", live))
    ]
    return (
        sums[0]
        .join(sums[1], on=["holder", "unit"], how="full", coalesce=True)
        .with_columns(pl.col("draft").fill_null(0), pl.col("live").fill_null(0))
        .select("holder", "unit", "live", "draft", change=pl.col("draft") - pl.col("live"))
        .filter((pl.col("live") > 0) | (pl.col("draft") > 0))
        .sort("holder", "unit")
        .collect()
    )


def changes(differing: pl.DataFrame) -> list[Change]:
    """Return winners and losers by unit."""
    found = []
    change = pl.col("change")
    for (unit,), rows in sorted(differing.partition_by("unit", as_dict=True).items()):
        up, down = rows.filter(change > 0), rows.filter(change < 0)
        found.append(
            Change(
                unit=str(unit),
                winners=len(up),
                losers=len(down),
                unchanged=len(rows) - len(up) - len(down),
                gained_minor=int(up["change"].cast(WIDE).sum() or 0),
                lost_minor=-int(down["change"].cast(WIDE).sum() or 0),
                most_up=_movers(up.sort("change", "holder", descending=[True, False])),
                most_down=_movers(down.sort("change", "holder")),
            )
        )
    return found


def _movers(rows: pl.DataFrame) -> list[Mover]:
    return [
        Mover(holder=holder, unit=unit, live_minor=live, draft_minor=draft, change_minor=change)
        for holder, unit, live, draft, change in rows.head(TOP).iter_rows()
    ]


def only_in(one: pl.DataFrame, other: pl.DataFrame) -> int:
    """Return how many referrals earn something in *one* and nothing in *other*."""
    there = one.filter(pl.col("granted") > 0).select("referral").unique()
    return len(
        there.join(
            other.filter(pl.col("granted") > 0).select("referral"), on="referral", how="anti"
        )
    )
