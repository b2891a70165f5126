"""What only all rows of a referral together tell: contradictions, numbers of sales, order."""

from __future__ import annotations

import polars as pl

from introducer.money import BASIS_POINTS
from payout.preview.layout import Findings

_KEY = ["referral", "occasion"]
_DAY_MS = 86_400_000


def whole(table: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Return the occasions that may earn, in business order, one row a credited partner.

    Adds ``occ`` (the number of the occasion, rising with time, referral and id), ``seat`` (the
    place of the partner among those credited), ``number`` of sales, ``begin`` and
    ``referral.days_to_close``.

    Args:
        table: All rows of some referrals, as :func:`payout.preview.normal.normal` left them.
        findings: Takes what contradicts itself.
    """
    _check(table, findings)
    if findings.total:
        return table.clear()
    table = _with_sales(table)
    table = table.filter((pl.col("kind") != "sale") | (pl.col("amount_minor") > 0))
    table = table.sort("at", "referral", "occasion", "row")
    first = (
        (pl.col("referral") != pl.col("referral").shift())
        | (pl.col("occasion") != pl.col("occasion").shift())
        | (pl.col("at") != pl.col("at").shift())
    ).fill_null(value=True)
    table = table.with_columns(occ=(first.cast(pl.UInt32).cum_sum() - 1).cast(pl.UInt32))
    if table["occ"].n_unique() == len(table):  # nobody shares a referral with anybody
        return table.with_columns(seat=pl.lit(0, dtype=pl.UInt32))
    return table.with_columns(seat=pl.int_range(pl.len(), dtype=pl.UInt32).over("occ"))


def _check(table: pl.DataFrame, findings: Findings) -> None:
    doubled = table.filter(pl.struct([*_KEY, "partner"]).is_duplicated())
    later = doubled.filter(~pl.struct([*_KEY, "partner"]).is_first_distinct())
    for row, first in (
        later.join(
            doubled.unique([*_KEY, "partner"], keep="first", maintain_order=True).select(
                *_KEY, "partner", first="row"
            ),
            on=[*_KEY, "partner"],
        )
        .select("row", "first")
        .sort("row")
        .iter_rows()
    ):
        findings.add(
            row, "partner", f"the same referral, occasion and partner as row {first}", "keep one"
        )
    if findings.total:
        return
    occasions = table.group_by(_KEY).agg(
        pl.col("row").min(),
        pl.col("partner.share").sum().alias("share"),
        *(
            pl.col(name).n_unique().alias(name)
            for name in ("at", "amount_minor", "currency", "kind")
        ),
    )
    wrong = occasions.filter(pl.col("share") != BASIS_POINTS).sort("row")
    for row, share in wrong.select("row", "share").iter_rows():
        findings.add(
            row,
            "partner.share",
            f"the parts of this occasion make {share}",
            f"let them make {BASIS_POINTS}",
        )
    for name in ("at", "amount_minor", "currency", "kind"):
        rows = occasions.filter(pl.col(name) > 1)["row"].sort().to_list()
        findings.add(rows, name, "the partners of one occasion differ in this", "make it the same")
    referrals = table.group_by("referral").agg(
        pl.col("row").min(),
        *(pl.col(name).n_unique().alias(name) for name in ("submitted_at", "won_at", "churned_at")),
    )
    for name in ("submitted_at", "won_at", "churned_at"):
        rows = referrals.filter(pl.col(name) > 1)["row"].sort().to_list()
        findings.add(rows, name, "the rows of one referral differ in this", "make it the same")


def _with_sales(table: pl.DataFrame) -> pl.DataFrame:
    """Number the sales of each referral and tell how long the first took."""
    sales = (
        table.lazy()
        .filter(pl.col("kind") == "sale")
        .select("referral", "occasion", "at")
        .unique(_KEY)
        .sort("referral", "at", "occasion")
        .with_columns(
            _number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("referral"),
            _first=pl.col("at").min().over("referral"),
        )
    )
    numbers = sales.select("referral", "occasion", "_number")
    firsts = sales.group_by("referral").agg(pl.col("_first").first())
    sold = pl.col("kind") == "sale"
    days = (pl.col("_close") - pl.col("submitted_at")).dt.total_milliseconds().floordiv(_DAY_MS)
    return (
        table.lazy()
        .join(numbers, on=_KEY, how="left")
        .join(firsts, on="referral", how="left")
        .with_columns(_close=pl.coalesce("_first", "won_at"))
        .with_columns(
            number=pl.when(sold).then(pl.coalesce("sale.number", "_number")),
            won_at=pl.coalesce("won_at", "_first"),
        )
        .with_columns(
            pl.coalesce("referral.days_to_close", days).alias("referral.days_to_close"),
            begin=pl.when(sold).then(pl.max_horizontal("at", "won_at")).otherwise(pl.col("at")),
        )
        .with_columns(pl.col("number").alias("sale.number"))
        .drop("_number", "_first", "_close")
        .collect()
    )
