"""Tables larger than memory: spilled to disk and put together again in independent pieces.

Referrals of one beneficiary must be looked at together where a rule remembers what went before
(tiers, caps per partner), and so must all beneficiaries of one referral. What hangs together that
way stays in one bucket; everything else may be looked at apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from introducer.earning.rules import Rules

BUCKET_ROWS = 50_000
_COLUMNS = {
    "partner": "partner",
    "organization": "partner.organization",
    "rep": "rep",
    "customer": "lead",
}


def buckets(
    pieces: Iterable[pl.DataFrame], rules: list[Rules], work: Path, rows: int = BUCKET_ROWS
) -> Iterator[pl.DataFrame]:
    """Yield the rows of *pieces* in buckets that can be evaluated one after the other.

    Args:
        pieces: The table, cut anywhere.
        rules: The versions it is evaluated under.
        work: An empty folder for what does not fit into memory.
        rows: How many rows a bucket should have at most; more where they hang together.
    """
    kept: list[pl.DataFrame] = []
    narrow: list[pl.DataFrame] = []
    spilled: list[Path] = []
    total = 0
    together = _together(rules)
    for piece in pieces:
        total += len(piece)
        kept.append(piece)
        narrow.append(_narrow(piece, together))
        if total > rows:
            _spill_all(kept, spilled, work)
    if not spilled:
        if kept:
            yield pl.concat(kept, how="diagonal")
        return
    _spill_all(kept, spilled, work)
    places = _places(pl.concat(narrow), together, rows)
    del narrow
    yield from _regrouped(spilled, places, work)


def _together(rules: list[Rules]) -> list[str]:
    """Return the columns whose equal values must lie in one bucket, besides the referral."""
    found = {
        _COLUMNS[each.plan.beneficiary]
        for one in rules
        for each in one.plans
        if each.counts or each.partner_caps
    }
    return sorted(found)


def _narrow(piece: pl.DataFrame, together: list[str]) -> pl.DataFrame:
    """Return hashes of what may hang together; equal hashes of unequal things do no harm."""
    return piece.select(
        pl.col("referral").hash().alias("referral"),
        *(
            pl.col(name).cast(pl.String).hash(seed=number).alias(name)
            for number, name in enumerate(together, 1)
        ),
    )


def _places(narrow: pl.DataFrame, together: list[str], rows: int) -> pl.DataFrame:
    """Return the bucket of each referral, by its hash."""
    if not together:
        number = -(-len(narrow) // rows)
        return narrow.unique().with_columns(bucket=(pl.col("referral") % number).cast(pl.UInt16))
    links = narrow.unpivot(together, index="referral", value_name="key").drop("variable")
    links = links.drop_nulls().unique()
    roots = _roots(links)
    referrals = (
        links.unique("referral", keep="any")
        .join(roots, on="key", how="left")
        .select("referral", pl.coalesce("root", "key").alias("root"))
    )
    # A referral without any of them stands for itself.
    alone = narrow.select("referral").unique().join(referrals, on="referral", how="anti")
    referrals = pl.concat([referrals, alone.with_columns(root=pl.col("referral"))])
    sizes = (
        narrow.group_by("referral")
        .len()
        .join(referrals, on="referral")
        .group_by("root")
        .agg(pl.col("len").sum())
        .sort("len", "root", descending=[True, False])
        .with_columns(bucket=((pl.col("len").cum_sum() - 1) // rows).cast(pl.UInt16))
    )
    return referrals.join(sizes, on="root").select("referral", "bucket")


def _roots(links: pl.DataFrame) -> pl.DataFrame:
    """Return, for each key that shares a referral with another, the one that stands for all."""
    several = links.filter(pl.len().over("referral") > 1).sort("referral")
    pairs = (
        several.select(
            "key",
            before=pl.col("key").shift(),
            same=pl.col("referral") == pl.col("referral").shift(),
        )
        .filter(pl.col("same").fill_null(value=False))
        .select("key", "before")
        .unique()
    )
    parents: dict[int, int] = {}

    def root(key: int) -> int:
        top = key
        while (above := parents.get(top, top)) != top:
            top = above
        while key != top:
            parents[key], key = top, parents.get(key, top)
        return top

    for key, before in pairs.iter_rows():
        parents[root(key)] = root(before)
        parents.setdefault(before, root(before))
    found = {key: root(key) for key in list(parents)}
    return pl.DataFrame(
        {"key": list(found), "root": list(found.values())},
        schema={"key": pl.UInt64, "root": pl.UInt64},
    )


def _spill_all(kept: list[pl.DataFrame], spilled: list[Path], work: Path) -> None:
    """Move what is *kept* in memory to files, listed in *spilled*."""
    for each in kept:
        spilled.append(_spill(each, work / f"piece-{len(spilled)}"))
    kept.clear()


def _spill(piece: pl.DataFrame, path: Path) -> Path:
    piece.write_parquet(path, compression="lz4", statistics=False)
    return path


def _regrouped(spilled: list[Path], places: pl.DataFrame, work: Path) -> Iterator[pl.DataFrame]:
    written: dict[int, list[Path]] = {}
    for number, path in enumerate(spilled):
        piece = pl.read_parquet(path).with_columns(_hash=pl.col("referral").hash())
        path.unlink()
        piece = piece.join(places, left_on="_hash", right_on="referral", maintain_order="left")
        for (bucket,), part in (
            piece.drop("_hash")
            .partition_by("bucket", as_dict=True, include_key=False, maintain_order=True)
            .items()
        ):
            to = work / f"bucket-{bucket}-{number}"
            written.setdefault(bucket, []).append(_spill(part, to))
    for bucket in sorted(written):
        yield pl.concat([pl.read_parquet(path) for path in written[bucket]], how="diagonal")
        for path in written[bucket]:
            path.unlink()
