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


def narrowed(sheet: Sheet, awards: pl.DataFrame) -> pl.DataFrame:
    """Return *awards* with what a report needs and nothing else.

    Args:
        sheet: What they were computed from.
        awards: Limited, with ``taken``.
    """
    text = {
        "partner": pl.col("partner").cast(pl.String),
        "organization": "org." + pl.col("partner.organization").cast(pl.String),
        "rep": "rep." + pl.col("rep").cast(pl.String),
    }
    holder = pl.lit(None, dtype=pl.String)
    for name, expression in text.items():
        holder = pl.when(pl.col("beneficiary") == name).then(expression).otherwise(holder)
    facts = ["row", "partner", "partner.audience", "partner.organization", "rep"]
    return (
        awards.lazy()
        .join(sheet.rows.lazy().select(facts), on="row", maintain_order="left")
        .select(
            "row",
            "ref",
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


class Paid:
    """What one version pays, summed up bucket by bucket.

    ``granted`` of an award is its amount, or what a budget left of it.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._sums: list[pl.DataFrame] = []
        self._referrals: list[pl.DataFrame] = []
        self._holders: list[pl.DataFrame] = []
        self._cuts: list[pl.DataFrame] = []
        self.referrals = 0
        """How many referrals earn something."""

    def add(self, awards: pl.DataFrame) -> None:
        """Add the narrowed awards of a bucket, with ``granted``."""
        self._cuts.append(_stopped(awards))
        paid = awards.filter(pl.col("granted") > 0)
        zone = self._rules.document.time_zone
        self._sums.append(
            paid.lazy()
            .group_by(
                "plan", "beneficiary", "audience", "unit", period(pl.col("at"), "month", zone)
            )
            .agg(
                pl.len().cast(pl.Int64).alias("awards"),
                pl.col("granted").cast(WIDE).sum(),
                pl.min_horizontal("taken", "granted").cast(WIDE).sum().alias("taken"),
            )
            .rename({"at": "month"})
            .collect()
        )
        referrals = paid.group_by("ref", "unit").agg(pl.col("granted").sum())
        self.referrals += referrals["ref"].n_unique()
        self._referrals.append(referrals.drop("ref"))
        self._holders.append(_by_holder(paid))

    def add_cuts(self, cuts: pl.DataFrame) -> None:
        """Add what limits took, from :func:`cuts_of`."""
        self._cuts.append(cuts)

    def holders(self) -> pl.DataFrame:
        """Return ``holder``, ``unit`` and ``granted`` of everybody but customers."""
        return _by_holder(pl.concat(self._holders))

    def side(
        self, uses: list[BudgetUse], *, referrals: int, won: int, revenue: list[Total]
    ) -> Side:
        """Return the figures.

        Args:
            uses: Of the budgets.
            referrals: How many there are in all.
            won: How many bought something.
            revenue: What they bought, by currency.
        """
        ids = {place: each.id for place, each in enumerate(self._rules.document.rewards)}
        sums = pl.concat(self._sums)
        plan = pl.col("plan").replace_strict(ids, default="", return_dtype=pl.String)
        totals = _totals(sums, pl.lit("all"))
        used = set(sums["plan"].unique().to_list())
        month = pl.format(
            "{}-{}", pl.col("month") // 100, (pl.col("month") % 100).cast(pl.String).str.zfill(2)
        )
        return Side(
            totals=totals,
            by_plan=_totals(sums, plan),
            by_beneficiary=_totals(sums, pl.col("beneficiary").cast(pl.String)),
            by_audience=_totals(sums, pl.col("audience").cast(pl.String).fill_null("")),
            by_month=_totals(sums, month),
            per_referral=_spreads(pl.concat(self._referrals)),
            per_partner=_spreads(self.holders()),
            cost=_cost(self._rules, totals, won, revenue),
            cuts=_cuts(pl.concat(self._cuts)),
            budgets=uses,
            referrals_with_nothing=referrals - self.referrals,
            plans_with_nothing=[name for place, name in ids.items() if place not in used],
        )


def _by_holder(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.lazy()
        .filter(pl.col("holder").is_not_null())
        .group_by("holder", "unit")
        .agg(pl.col("granted").cast(WIDE).sum())
        .collect()
    )


def _totals(sums: pl.DataFrame, key: pl.Expr) -> list[Total]:
    found = (
        sums.group_by(key.alias("key"), pl.col("unit").cast(pl.String))
        .agg(pl.col("awards").sum(), pl.col("granted").sum(), pl.col("taken").sum())
        .sort("key", "unit")
    )
    return [
        Total(key=key, unit=unit, awards=count, amount_minor=amount, taken_minor=taken)
        for key, unit, count, amount, taken in found.iter_rows()
    ]


def _spreads(sums: pl.DataFrame) -> list[Spread]:
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


def _stopped(awards: pl.DataFrame) -> pl.DataFrame:
    """Return what budgets took."""
    return (
        awards.filter(pl.col("granted") < pl.col("amount"))
        .group_by(pl.col("unit").cast(pl.String))
        .agg(
            pl.len().cast(pl.Int64).alias("awards"),
            (pl.col("amount") - pl.col("granted")).cast(WIDE).sum().alias("cut"),
        )
        .select(pl.lit("budget").alias("limit"), "unit", "awards", "cut")
    )


def _cuts(cuts: pl.DataFrame) -> list[Cut]:
    order = pl.Enum(["lead", "partner", "ceiling", "budget"])
    found = cuts.group_by("limit", "unit").sum().sort(pl.col("limit").cast(order), "unit")
    return [
        Cut(limit=limit, unit=unit, awards=count, cut_minor=cut)
        for limit, unit, count, cut in found.iter_rows()
    ]


# ---- against the live version


def differences(draft: Paid, live: Paid | None) -> pl.DataFrame:
    """Return what each beneficiary but customers gets under both.

    Columns: ``holder``, ``unit``, ``live``, ``draft``, ``change``; in order of the first two.
    """
    now = draft.holders().rename({"granted": "draft"})
    before = (live.holders() if live else now.clear().rename({"draft": "granted"})).rename(
        {"granted": "live"}
    )
    return (
        now.lazy()
        .join(before.lazy(), on=["holder", "unit"], how="full", coalesce=True)
        .with_columns(pl.col("draft").fill_null(0), pl.col("live").fill_null(0))
        .select(
            pl.col("holder", "unit").cast(pl.String),
            "live",
            "draft",
            change=pl.col("draft") - pl.col("live"),
        )
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
    there = one.filter(pl.col("granted") > 0).select("ref").unique()
    return len(there.join(other.filter(pl.col("granted") > 0).select("ref"), on="ref", how="anti"))
