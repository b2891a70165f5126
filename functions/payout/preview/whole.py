"""What only all rows of a referral together tell: contradictions, numbers of sales, order."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from introducer.money import BASIS_POINTS
from payout.preview.layout import Findings

_KEY = ["ref", "occasion"]
_DAY_MS = 86_400_000


def whole(table: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Return the occasions that may earn, in business order, one row a credited partner.

    Adds ``ref`` (the referral as a number, in the order of its id), ``occ`` (the occasion as a
    number, rising with time, referral and id), ``seat`` (the place of the partner among those
    credited), ``number`` of sales, ``begin`` and ``referral.days_to_close``.

    Args:
        table: All rows of some referrals, as :func:`payout.preview.normal.normal` left them.
        findings: Takes what contradicts itself.
    """
    table = table.with_columns(ref=pl.col("referral").rank("dense").cast(pl.UInt32))
    shared = table.select(pl.struct(_KEY).is_duplicated()).to_series()
    _check(table, shared, findings)
    if findings.total:
        return table.clear()
    table = _with_sales(table)
    table = table.filter((pl.col("kind") != "sale") | (pl.col("amount_minor") > 0))
    table = table.sort("at", "ref", "occasion", "row")
    if not shared.any():  # nobody shares an occasion with anybody
        return table.with_columns(
            occ=pl.int_range(pl.len(), dtype=pl.UInt32), seat=pl.lit(0, dtype=pl.UInt32)
        )
    first = pl.any_horizontal(
        pl.col(name) != pl.col(name).shift() for name in ("ref", "occasion", "at")
    ).fill_null(value=True)
    table = table.with_columns(occ=(first.cast(pl.UInt32).cum_sum() - 1).cast(pl.UInt32))
    return table.with_columns(seat=pl.int_range(pl.len(), dtype=pl.UInt32).over("occ"))


def _check(table: pl.DataFrame, shared: pl.Series, findings: Findings) -> None:
    several = table.filter(shared)
    _check_doubles(several, findings)
    if findings.total:
        return
    parts = pl.concat(
        [
            table.filter(~shared).select("row", pl.col("partner.share").alias("share")),
            several.group_by(_KEY)
            .agg(pl.col("row").min(), pl.col("partner.share").sum().alias("share"))
            .select("row", "share"),
        ]
    )
    for row, share in parts.filter(pl.col("share") != BASIS_POINTS).sort("row").iter_rows():
        findings.add(
            row,
            "partner.share",
            f"the parts of this occasion make {share}",
            f"let them make {BASIS_POINTS}",
        )
    _check_alike(
        several, _KEY, ("at", "amount_minor", "currency", "kind"), "one occasion", findings
    )
    again = table.filter(pl.col("ref").is_duplicated())
    _check_alike(again, ["ref"], ("submitted_at", "won_at", "churned_at"), "one referral", findings)


def _check_doubles(several: pl.DataFrame, findings: Findings) -> None:
    key = [*_KEY, "partner"]
    doubled = several.filter(pl.struct(key).is_duplicated())
    firsts = doubled.unique(key, keep="first", maintain_order=True)
    later = doubled.join(firsts.select(*key, first="row"), on=key)
    pairs = later.filter(pl.col("row") != pl.col("first")).select("row", "first").sort("row")
    for row, first in pairs.iter_rows():
        problem = f"the same referral, occasion and partner as row {first}"
        findings.add(row, "partner", problem, "keep one")


def _check_alike(
    rows: pl.DataFrame, key: list[str], names: Sequence[str], what: str, findings: Findings
) -> None:
    """Find rows of one occasion or referral that say different things about it."""
    counts = rows.group_by(key).agg(
        pl.col("row").min(), *(pl.col(name).n_unique().alias(name) for name in names)
    )
    for name in names:
        found = counts.filter(pl.col(name) > 1)["row"].sort().to_list()
        findings.add(found, name, f"the rows of {what} differ in this", "make it the same")


def _with_sales(table: pl.DataFrame) -> pl.DataFrame:
    """Number the sales of each referral and tell how long the first took."""
    sold = pl.col("kind") == "sale"
    days = (pl.col("_close") - pl.col("submitted_at")).dt.total_milliseconds().floordiv(_DAY_MS)
    return (
        _with_numbers(table)
        .lazy()
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


def _with_numbers(table: pl.DataFrame) -> pl.DataFrame:
    sold = pl.col("kind") == "sale"
    if not table["ref"].is_duplicated().any():
        return table.with_columns(
            _number=pl.when(sold).then(pl.lit(1, dtype=pl.Int64)), _first=pl.when(sold).then("at")
        )
    sales = (
        table.lazy()
        .filter(sold)
        .select(*_KEY, "at")
        .unique(_KEY)
        .sort("ref", "at", "occasion")
        .with_columns(
            _number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("ref"),
            _first=pl.col("at").min().over("ref"),
        )
    )
    numbers = sales.select(*_KEY, "_number")
    firsts = sales.group_by("ref").agg(pl.col("_first").first())
    return (
        table.lazy().join(numbers, on=_KEY, how="left").join(firsts, on="ref", how="left").collect()
    )
