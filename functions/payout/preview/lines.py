"""Line items: written as ``fibre:1:49900;voice:2:10000`` in a row, summed up for the rules."""

from __future__ import annotations

import polars as pl

from introducer.document.plan import Calculation, Percent, PerProduct, ProductRate
from payout.preview.exact import WIDE, rate_of


def lines_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the line items of all sales: ``occ``, ``product``, ``quantity``, ``amount``.

    A sale without any is one piece of its product. Partners of one occasion share its lines.
    """
    sales = rows.filter((pl.col("kind") == "sale") & (pl.col("seat") == 0))
    plain = sales.filter(pl.col("items").is_null()).select(
        "occ",
        product=pl.col("sale.product").cast(pl.String),
        quantity=pl.lit(1, dtype=pl.Int64),
        amount=pl.col("amount_minor"),
    )
    parts = pl.col("items").str.split_exact(":", 2)
    itemised = (
        sales.filter(pl.col("items").is_not_null())
        .select("occ", pl.col("items").str.split(";"))
        .explode("items")
        .select(
            "occ",
            product=parts.struct.field("field_0"),
            quantity=parts.struct.field("field_1").cast(pl.Int64),
            amount=parts.struct.field("field_2").cast(pl.Int64),
        )
    )
    return pl.concat([plain, itemised])


def facts_of(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the catalogue's facts about the line items of each occasion."""
    return (
        lines.group_by("occ")
        .agg(
            pl.len().cast(pl.Int64).alias("sale.items"),
            pl.col("quantity").sum().alias("sale.quantity"),
            pl.col("product").drop_nulls().unique().alias("sale.products"),
        )
        .with_columns(pl.when(pl.col("sale.products").list.len() > 0).then(pl.col("sale.products")))
    )


def sum_of(calculation: Calculation) -> pl.Expr:
    """Return what a calculation needs to know of the lines of each occasion."""
    if isinstance(calculation, PerProduct):
        return _by_product(calculation)
    return _of_products(calculation.products if isinstance(calculation, Percent) else [])


def _of_products(products: list[str]) -> pl.Expr:
    return pl.col("amount").filter(pl.col("product").is_in(products)).cast(WIDE).sum()


def _by_product(rule: PerProduct) -> pl.Expr:
    # Null where the sale has no piece of any product that is rated.
    rates = {each.product: each for each in rule.rates}
    rated = pl.col("product").is_in(list(rates))
    amount = _each(rates, "amount_minor").cast(WIDE) * pl.col("quantity").cast(WIDE)
    for points in sorted({each.basis_points for each in rates.values()} - {0}):
        named = [key for key, each in rates.items() if each.basis_points == points]
        part = rate_of(pl.col("amount"), points)
        amount = amount + pl.when(pl.col("product").is_in(named)).then(part).otherwise(0)
    pieces = pl.col("quantity").filter(rated).sum()
    return pl.when(pieces > 0).then(amount.filter(rated).sum())


def _each(rates: dict[str, ProductRate], name: str) -> pl.Expr:
    values = {key: getattr(each, name) for key, each in rates.items()}
    return pl.col("product").replace_strict(values, default=0, return_dtype=pl.Int64)
