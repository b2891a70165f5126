"""From what a row says to what it means: defaults filled in, one amount, one currency, one time."""

from __future__ import annotations

import polars as pl

from introducer import money
from introducer.money import BASIS_POINTS
from payout.preview.cells import currencies, is_currency
from payout.preview.layout import Findings

_SALE_FACTS = ("sale.currency", "sale.product", "sale.number", "items")
STEPS = (
    "row referral occasion kind event at submitted_at won_at churned_at lead rep partner "
    "partner.share partner.audience partner.organization sale.product sale.number items refunds "
    "refunded_minor referral.days_to_close amount_minor currency"
).split()
"""The columns that later steps look at, whatever the rules are."""
_SALE = pl.col("kind") == "sale"


def normal(table: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Return *table* with what was left out filled in, row by row.

    Afterwards every row has ``referral``, ``partner``, ``occasion``, ``kind``, ``at``,
    ``partner.share``, ``amount_minor`` and ``currency`` (null for an occasion without an amount).
    """
    table = _with_missing(table)
    table = _with_amounts(_with_occasions(table), findings)
    _require(table, findings)
    return table


def _with_missing(table: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that later steps rely on, empty."""
    wanted: dict[str, pl.DataType] = {
        "occasion": pl.String(),
        "kind": pl.Categorical(),
        "event": pl.Categorical(),
        **dict.fromkeys(("at", "won_at", "submitted_at", "churned_at"), pl.Datetime("ms", "UTC")),
        "lead": pl.String(),
        "rep": pl.Categorical(),
        "partner.share": pl.Int64(),
        "partner.audience": pl.Categorical(),
        "partner.involvement": pl.Categorical(),
        "partner.organization": pl.Categorical(),
        "sale.amount_minor": pl.Int64(),
        "sale.currency": pl.Categorical(),
        "sale.product": pl.Categorical(),
        "sale.number": pl.Int64(),
        "event.amount_minor": pl.Int64(),
        "event.currency": pl.Categorical(),
        "amount": pl.String(),
        "items": pl.String(),
        "refunds": pl.String(),
        "refunded_minor": pl.Int64(),
        "referral.days_to_close": pl.Int64(),
    }
    return table.with_columns(
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in wanted.items()
        if name not in table.columns
    )


def _with_occasions(table: pl.DataFrame) -> pl.DataFrame:
    """Fill in kind from occasion and occasion from kind; a row with neither is a sale."""
    named = pl.col("occasion")
    kind = (
        pl.when(named == "submitted")
        .then(pl.lit("submitted"))
        .when(named.str.starts_with("stage-"))
        .then(pl.lit("stage"))
        .when(named.str.starts_with("event-"))
        .then(pl.lit("event"))
        .otherwise(pl.lit("sale"))
    )
    name = pl.col("event").cast(pl.String)
    rest = pl.when(pl.col("kind").is_in(["stage", "event"])).then(
        named.str.replace(r"^(stage|event)-", "")
    )
    occasion = (
        pl.when(pl.col("kind").is_in(["stage", "event"]))
        .then(pl.concat_str(pl.col("kind").cast(pl.String), name, separator="-"))
        .otherwise(pl.col("kind").cast(pl.String))
    )
    return table.with_columns(pl.col("kind").fill_null(kind.cast(pl.Categorical))).with_columns(
        named.fill_null(occasion),
        pl.coalesce(name, rest).cast(pl.Categorical).alias("event"),
        pl.col("partner.share").fill_null(BASIS_POINTS),
        pl.col("partner.involvement").fill_null("introduced"),
        pl.col("lead").fill_null(pl.col("referral")),
        pl.when(_SALE)
        .then(pl.coalesce("at", "won_at"))
        .when(pl.col("kind") == "submitted")
        .then(pl.coalesce("at", "submitted_at"))
        .otherwise(pl.col("at"))
        .alias("at"),
    )


def _with_amounts(table: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """Make one amount and one currency of the columns that may hold them."""
    events = pl.col("kind") == "event"
    both = pl.col("amount").is_not_null() & pl.col("sale.amount_minor").is_not_null()
    rows = table.filter(both)["row"].to_list()
    findings.add(rows, "amount", "there are two amounts", "keep amount or sale.amount_minor")
    stray = pl.coalesce("amount", pl.col("sale.amount_minor").cast(pl.String)).is_not_null()
    rows = table.filter(stray & ~_SALE)["row"].to_list()
    findings.add(rows, "sale.amount_minor", "only a sale has this", "leave it empty here")
    rows = table.filter(pl.col("event.amount_minor").is_not_null() & ~events)["row"].to_list()
    findings.add(rows, "event.amount_minor", "only an event has this", "leave it empty here")
    codes = [code for code in currencies(table["sale.currency"]) if is_currency(code)]
    exponents = {code: money.exponent(code) for code in codes}
    table = table.with_columns(
        _exponents=pl.col("sale.currency")
        .cast(pl.String)
        .replace_strict(exponents, default=None, return_dtype=pl.Int64)
    )
    digits = pl.col("_exponents")
    fraction = pl.col("amount").str.extract(r"\.([0-9]+)$").fill_null("")
    scaled = pl.lit(None, dtype=pl.Int64)
    for each in sorted(set(exponents.values())):
        whole = pl.col("amount").str.extract(r"^([0-9]+)").cast(pl.Int64) * 10**each
        rest = fraction.str.pad_end(each, "0").cast(pl.Int64, strict=False).fill_null(0)
        fits = fraction.str.len_bytes() <= each
        scaled = pl.when((digits == each) & fits).then(whole + rest).otherwise(scaled)
    table = table.with_columns(_scaled=scaled)
    bad = pl.col("amount").is_not_null() & digits.is_not_null() & pl.col("_scaled").is_null()
    findings.add(
        table.filter(bad)["row"].to_list(),
        "amount",
        "more decimals than the currency has",
        "write as many as the currency has, or fewer",
    )
    return table.with_columns(
        pl.when(_SALE)
        .then(pl.coalesce("sale.amount_minor", "_scaled"))
        .when(events)
        .then(pl.col("event.amount_minor"))
        .alias("amount_minor"),
        pl.when(_SALE)
        .then(pl.col("sale.currency"))
        .when(events & pl.col("event.amount_minor").is_not_null())
        .then(pl.col("event.currency"))
        .alias("currency"),
        *(pl.when(_SALE).then(pl.col(name)).alias(name) for name in _SALE_FACTS),
    ).drop(
        "_scaled",
        "_exponents",
        "amount",
        "sale.amount_minor",
        "event.amount_minor",
        "event.currency",
    )


def _require(table: pl.DataFrame, findings: Findings) -> None:
    """Find rows that lack what nothing can stand in for."""
    for name, problem in (("referral", "no referral"), ("partner", "no partner")):
        rows = table.filter(pl.col(name).is_null())["row"].to_list()
        findings.add(rows, name, problem, "name it")
    rows = table.filter(pl.col("at").is_null())["row"].to_list()
    findings.add(rows, "at", "no time", "say when it happened, in at or won_at")
    needs = _SALE | pl.col("amount_minor").is_not_null()
    rows = table.filter(needs & pl.col("amount_minor").is_null())["row"].to_list()
    findings.add(rows, "sale.amount_minor", "a sale without an amount", "write what was sold")
    rows = table.filter(needs & pl.col("currency").is_null())["row"].to_list()
    findings.add(rows, "sale.currency", "an amount without a currency", "use an ISO 4217 code")
    unnamed = pl.col("kind").is_in(["stage", "event"]) & pl.col("event").is_null()
    rows = table.filter(unnamed)["row"].to_list()
    findings.add(rows, "event", "no stage or event", "name it, or write stage-… in occasion")
