"""Conditions as column expressions, with the meaning of :mod:`introducer.condition`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from introducer.document.condition import Condition


class Fact(NamedTuple):
    """Where a fact stands in the table, and of which type it is."""

    column: str
    type: pl.DataType


Facts = Mapping[str, Fact]
"""The facts there are, by their name in the catalogue. Any other is known of nobody."""


def holds(condition: Condition | None, facts: Facts) -> pl.Expr:
    """Return where *condition* holds: true or false, never null.

    A test of a fact that is missing does not hold, ``ne`` and ``not_in`` included.
    """
    if condition is None:
        return pl.lit(value=True)
    if condition.all is not None:
        return pl.all_horizontal(*(holds(each, facts) for each in condition.all))
    if condition.any is not None:
        return pl.any_horizontal(*(holds(each, facts) for each in condition.any))
    if condition.not_ is not None:
        return ~holds(condition.not_, facts)
    return _test(condition, facts)


def _test(condition: Condition, facts: Facts) -> pl.Expr:
    name, value = condition.field or "", condition.value
    fact = facts.get(name)
    if condition.op == "exists":
        if fact is None:
            return pl.lit(value=not value)
        column = pl.col(fact.column)
        return column.is_not_null() if value else column.is_null()
    if fact is None:
        return pl.lit(value=False)
    return _comparison(pl.col(fact.column), condition, fact.type).fill_null(value=False)


def _comparison(known: pl.Expr, condition: Condition, kind: pl.DataType) -> pl.Expr:
    value = condition.value
    match condition.op:
        case "in":
            return known.is_in(_of_type(value, kind))
        case "not_in":
            return ~known.is_in(_of_type(value, kind))
        case "contains":
            return known.list.contains(value)
        case "contains_any":
            return pl.any_horizontal(*(known.list.contains(each) for each in _many(value)))
        case "between":
            low, high = _many(value)
            return (known >= low) & (known <= high)
        case "starts_with":
            return known.cast(pl.String).str.starts_with(str(value))
        case "ends_with":
            return known.cast(pl.String).str.ends_with(str(value))
        case _:
            return _order(known, condition)


def _order(known: pl.Expr, condition: Condition) -> pl.Expr:
    value = condition.value
    match condition.op:
        case "ne":
            return known != value
        case "gt":
            return known > value
        case "gte":
            return known >= value
        case "lt":
            return known < value
        case "lte":
            return known <= value
        case _:
            return known == value


def _of_type(value: object, kind: pl.DataType) -> list[str | int]:
    """Return the values of a list that a fact of this type may equal at all."""
    wanted = int if kind.is_integer() else str
    return [each for each in _many(value) if isinstance(each, wanted)]


def _many(value: object) -> list[str | int]:
    # Publishing refuses a single value where a list belongs.
    return value if isinstance(value, list) else []
