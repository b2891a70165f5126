"""What refunds and customers who left would have taken back; mirrors :mod:`introducer.reward`."""

from __future__ import annotations

import polars as pl

from introducer.document.plan import Milestone, Retained, RewardPlan
from payout.preview.exact import fraction, plus_days
from payout.preview.limits import parts
from payout.preview.sheet import Sheet

_FACTS = ["row", "begin", "kind", "amount_minor", "refunds", "refunded_minor", "churned_at"]


def lasting(sheet: Sheet, awards: pl.DataFrame) -> pl.DataFrame:
    """Return *awards* with ``taken``: what was taken back of each until today.

    A refund of which only the sum is known (``refunded_minor``) counts as made in time.
    """
    awards = awards.with_row_index("_place")
    met = (
        awards.select("_place", "row", "occ", "plan", "at", "amount")
        .join(sheet.rows.select(_FACTS), on="row", maintain_order="left")
        .filter(
            pl.col("refunds").is_not_null()
            | (pl.col("refunded_minor") > 0)
            | pl.col("churned_at").is_not_null()
        )
    )
    if met.is_empty():
        return awards.with_columns(taken=pl.lit(0, dtype=pl.Int64)).drop("_place")
    taken = _taken(sheet, _with_refunded(sheet, met))
    return (
        awards.join(taken, on="_place", how="left", maintain_order="left")
        .with_columns(pl.col("taken").fill_null(0))
        .drop("_place")
    )


def _with_refunded(sheet: Sheet, met: pl.DataFrame) -> pl.DataFrame:
    """Add ``refunded``: what was paid back of the sale before the plan's clawback ended."""
    zone = sheet.rules.document.time_zone
    until = pl.lit(None, dtype=pl.Datetime("ms", "UTC"))
    for index, plan in enumerate(sheet.rules.document.rewards):
        days = plan.clawback.within_days
        if days:
            ends = plus_days(pl.col("at"), days, zone)
            until = pl.when(pl.col("plan") == index).then(ends).otherwise(until)
    met = met.with_columns(until=until)
    pair = pl.col("refunds").str.split_exact("=", 1)
    listed = (
        met.filter(pl.col("refunds").is_not_null())
        .select("_place", "until", pl.col("refunds").str.split(";"))
        .explode("refunds")
        .select(
            "_place",
            "until",
            when=pair.struct.field("field_0").str.to_datetime(
                "%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms", time_zone="UTC"
            ),
            paid=pair.struct.field("field_1").cast(pl.Int64),
        )
        .filter(pl.col("until").is_null() | (pl.col("when") <= pl.col("until")))
        .group_by("_place")
        .agg(pl.col("paid").sum())
    )
    unlisted = pl.when(pl.col("refunds").is_null()).then(pl.col("refunded_minor"))
    paid = pl.coalesce("paid", unlisted).fill_null(0)
    return met.join(listed, on="_place", how="left").with_columns(
        refunded=pl.when(pl.col("kind") == "sale")
        .then(pl.min_horizontal(paid, pl.col("amount_minor")))
        .otherwise(0)
    )


def _taken(sheet: Sheet, met: pl.DataFrame) -> pl.DataFrame:
    """Return what is taken back of each award, milestone by milestone."""
    document = sheet.rules.document
    rows = [row for place, plan in enumerate(document.rewards) for row in _milestones(place, plan)]
    milestones = pl.DataFrame(
        rows,
        schema={
            "plan": pl.UInt16,
            "seat": pl.UInt32,
            "weight": pl.Int64,
            "days": pl.Int64,
            "stays": pl.Boolean,
            "policy": pl.String,
        },
        orient="row",
    )
    pairs = met.join(milestones, on="plan", maintain_order="left_right")
    part, refunded, sold = pl.col("part"), pl.col("refunded"), pl.col("amount_minor")
    due_at = plus_days(pl.col("begin"), pl.col("days"), document.time_zone)
    left = (pl.col("stays") & (due_at > pl.col("churned_at"))).fill_null(value=False)
    taken = (
        pl.when(left | ((pl.col("policy") == "full") & (refunded > 0)))
        .then(part)
        .when((pl.col("policy") == "proportional") & (refunded > 0))
        .then(fraction(part, refunded, sold).cast(pl.Int64))
        .otherwise(0)
    )
    return parts(pairs).with_columns(taken=taken).group_by("_place").agg(pl.col("taken").sum())


def _milestones(index: int, plan: RewardPlan) -> list[tuple[int, int, int, int, bool, str]]:
    return [
        (
            index,
            place,
            each.share_basis_points,
            max(_wait(plan, each), plan.hold_days),
            each.when == "retained" or isinstance(plan.trigger, Retained),
            plan.clawback.policy,
        )
        for place, each in enumerate(plan.milestones)
    ]


def _wait(plan: RewardPlan, milestone: Milestone) -> int:
    if isinstance(plan.trigger, Retained):
        return milestone.after_days + plan.trigger.days
    return milestone.after_days
