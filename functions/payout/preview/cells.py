"""From texts to typed columns: strictly, so that a bad cell is a finding and never a zero."""

from __future__ import annotations

import polars as pl

from introducer import money
from introducer.errors import InvalidInputError
from payout.preview.layout import KINDS, MAX_TEXT, NUMBERS_MAX, TIME, TYPES, Findings, Shape

_NUMBER = r"^-?[0-9]{1,16}$"
_MONEY = r"^[0-9]{1,13}(\.[0-9]{1,4})?$"
_ITEMS = r"^[^:;]{1,200}:[0-9]{1,7}:[0-9]{1,16}(;[^:;]{1,200}:[0-9]{1,7}:[0-9]{1,16})*$"
_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?Z$"
_REFUNDS = r"^[0-9TZ:.\-]{20,24}=[0-9]{1,16}(;[0-9TZ:.\-]{20,24}=[0-9]{1,16})*$"
_FIX = {
    "number": "write a whole number, such as 49900",
    "money": "write an amount not below zero, such as 499.00",
    "flag": "write true or false",
    "time": "write 2026-11-22T11:17:00Z, or a day such as 2026-11-22",
    "items": "write product:pieces:minor units, such as fibre:1:49900;voice:2:10000",
    "refunds": "write instant=minor units, such as 2026-11-22T11:17:00Z=1000",
}
_NOT_NEGATIVE = {
    "sale.amount_minor",
    "event.amount_minor",
    "refunded_minor",
    "sale.number",
    "partner.share",
}
INVOLVEMENTS = ("introduced", "assisted", "co_sold")


def typed(
    texts: pl.DataFrame, shapes: dict[str, Shape], zone: str, findings: Findings
) -> pl.DataFrame:
    """Return *texts* with each column as its shape says; empty cells are null.

    Columns that have their type already (live data) pass as they are.

    Args:
        texts: Columns of text, and ``row``.
        shapes: By column name.
        zone: The time zone in which a plain day begins.
        findings: Takes what is wrong; such a cell becomes null.
    """
    columns = [texts["row"]]
    for series in texts.iter_columns():
        if series.name == "row":
            continue
        shape = shapes[series.name]
        if series.dtype != pl.String or shape == "id":
            parsed = series.cast(TYPES[shape])
            bad = _too_long(series) if shape == "id" else None
        else:
            parsed, bad = _parse(series, shape, zone)
        if bad is not None and bad.any():
            findings.add(
                texts["row"].filter(bad).to_list(),
                series.name,
                f"this is not a {shape} that can be read",
                _FIX.get(shape, f"write at most {MAX_TEXT} characters"),
            )
        columns.append(parsed)
    table = pl.DataFrame(columns)
    _check_values(table, findings)
    return table


def _parse(series: pl.Series, shape: Shape, zone: str) -> tuple[pl.Series, pl.Series]:
    """Return the typed column and where a cell was not understood."""
    match shape:
        case "number":
            fits = series.str.contains(_NUMBER)
            parsed = series.set(~fits, None).cast(pl.Int64, strict=False)
            parsed = parsed.set(parsed.abs() > NUMBERS_MAX, None)
        case "flag":
            parsed = series.replace_strict({"true": True, "false": False}, default=None)
            parsed = parsed.cast(pl.Boolean)
        case "time":
            parsed = _times(series, zone)
        case "text":
            parsed = series.set(_too_long(series), None).cast(pl.Categorical)
        case _:
            pattern = {"money": _MONEY, "items": _ITEMS, "refunds": _REFUNDS}[shape]
            parsed = series.set(~series.str.contains(pattern), None)
            if shape == "refunds":
                parsed = parsed.set(~_dated(parsed), None)
    return parsed, series.is_not_null() & parsed.is_null()


def _times(series: pl.Series, zone: str) -> pl.Series:
    frame = pl.DataFrame({"text": series})
    exact = pl.col("text").str.contains(_INSTANT)
    instant = pl.col("text").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", strict=False, time_unit="ms")
    day = pl.col("text").str.to_datetime("%Y-%m-%d", strict=False, time_unit="ms")
    local = day.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return frame.select(
        pl.when(exact)
        .then(instant.dt.replace_time_zone("UTC"))
        .otherwise(local.dt.convert_time_zone("UTC"))
        .cast(TIME)
        .alias(series.name)
    ).to_series()


def _dated(refunds: pl.Series) -> pl.Series:
    """Return where every refund of a cell has a time that exists."""
    known = refunds.str.split(";").list.eval(
        pl.element()
        .str.replace("=.*", "")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", strict=False, time_unit="ms")
        .is_not_null()
    )
    return known.list.all()


def _too_long(series: pl.Series) -> pl.Series:
    return (series.str.len_bytes() > MAX_TEXT).fill_null(value=False)


def _check_values(table: pl.DataFrame, findings: Findings) -> None:
    """Find values of the right shape that mean nothing."""
    _check_currencies(table, findings)
    for name in sorted(_NOT_NEGATIVE & set(table.columns)):
        _report(
            table,
            pl.col(name) < 0,
            name,
            "a negative number",
            "leave refunds to refunded_minor",
            findings,
        )
    if "kind" in table.columns:
        bad = ~pl.col("kind").is_in(list(KINDS))
        _report(table, bad, "kind", "unknown kind", f"use one of {', '.join(KINDS)}", findings)
    if "partner.involvement" in table.columns:
        bad = ~pl.col("partner.involvement").is_in(list(INVOLVEMENTS))
        _report(
            table,
            bad,
            "partner.involvement",
            "unknown involvement",
            f"use one of {', '.join(INVOLVEMENTS)}",
            findings,
        )


def _check_currencies(table: pl.DataFrame, findings: Findings) -> None:
    for name in ("sale.currency", "event.currency"):
        if name not in table.columns:
            continue
        unknown = [code for code in currencies(table[name]) if not is_currency(code)]
        if unknown:
            bad = pl.col(name).is_in(unknown)
            _report(table, bad, name, "unknown currency", "use an ISO 4217 code", findings)


def currencies(codes: pl.Series) -> list[str]:
    """Return the different codes in a column, in order."""
    return sorted(codes.drop_nulls().unique().cast(pl.String).to_list())


def is_currency(code: str) -> bool:
    """Return whether *code* is an ISO 4217 currency in circulation."""
    try:
        money.exponent(code)
    except InvalidInputError:
        return False
    return code != money.POINTS


def _report(
    table: pl.DataFrame, bad: pl.Expr, column: str, problem: str, fix: str, findings: Findings
) -> None:
    rows = table.filter(bad.fill_null(value=False))["row"].to_list()
    findings.add(rows, column, problem, fix)
