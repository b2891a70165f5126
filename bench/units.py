"""Request units by DynamoDB's rules, from the items themselves.

The embedded AWS does not report the units of transactions as AWS does, so they are computed.
The rules are those of the developer guide ("Read and write operations", "Item sizes and
formats"), and for what it leaves open (an index inside a transaction, the larger of two
images) those that the project ``paritysuite/dynamodb-conformance`` measured on AWS:

* A write costs 1 unit for each begun KB of the larger of the item before and after;
  in a transaction twice that. A condition check costs what a write of the item would.
* An index costs what the write changes in it: nothing when its entry stays as it is, 1 unit
  for each begun KB when one is added, removed or rewritten, the sum of both when it moves to
  another key. A transaction does not double it: indexes follow after the commit.
* A read costs 1 unit for each begun 4 KB, half when eventually consistent, twice in a
  transaction. A query adds up what it read first; what is not there costs the smallest read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

Item = dict[str, dict[str, Any]]

WRITE_BYTES = 1024
READ_BYTES = 4096


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """A secondary index: its keys, and whether it carries the whole item."""

    name: str
    keys: tuple[str, ...]
    whole: bool


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table as the template declares it."""

    keys: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    def key(self, item: Item) -> Item:
        """Return the primary key of *item*."""
        return {name: item[name] for name in self.keys}


def table(properties: dict[str, Any]) -> Table:
    """Return the table that the template's *properties* declare."""
    return Table(
        keys=_names(properties["KeySchema"]),
        indexes=tuple(
            Index(
                name=each["IndexName"],
                keys=_names(each["KeySchema"]),
                whole=each["Projection"]["ProjectionType"] == "ALL",
            )
            for each in properties.get("GlobalSecondaryIndexes", ())
        ),
    )


def write_units(
    schema: Table, before: Item | None, after: Item | None, *, transactional: bool = False
) -> dict[str, int]:
    """Return what a write costs, by index; the table itself is ``table``.

    Args:
        schema: Where it happens.
        before: The item as it was; None when there was none.
        after: The item as it is; None when it was deleted, *before* for a condition check.
        transactional: Whether it is part of a transaction.
    """
    largest = max(item_bytes(image) for image in (before or {}, after or {}))
    units = {"table": _begun(largest, WRITE_BYTES) * (2 if transactional else 1)}
    for index in schema.indexes:
        cost = _index_units(index, entry(schema, index, before), entry(schema, index, after))
        if cost:
            units[index.name] = cost
    return units


def entry(schema: Table, index: Index, item: Item | None) -> Item | None:
    """Return what *index* stores of *item*; None when it lacks a key of the index."""
    if item is None or any(name not in item for name in index.keys):
        return None
    if index.whole:
        return item
    return {name: item[name] for name in (*schema.keys, *index.keys)}


def read_units(
    sizes: Iterable[int], *, consistent: bool, together: bool = False, transactional: bool = False
) -> float:
    """Return what reading items of these *sizes* costs; 0 stands for one that is not there.

    Args:
        sizes: In bytes.
        consistent: Strongly consistent.
        together: One query, whose items are added up before rounding.
        transactional: Part of a transaction.
    """
    parts = [sum(sizes)] if together else list(sizes)
    weight = 2.0 if transactional else 1.0 if consistent else 0.5
    return sum(_begun(size, READ_BYTES) for size in parts) * weight


def item_bytes(item: Item) -> int:
    """Return the size of an item: names and values, UTF-8."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":  # a byte for two significant digits, one for the exponent, one for the sign
            digits = inner.lstrip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1 + inner.startswith("-")
        case "B":
            return len(inner)
        case "M":
            return 3 + sum(
                1 + len(name.encode()) + _value_bytes(part) for name, part in inner.items()
            )
        case "L":
            return 3 + sum(1 + _value_bytes(part) for part in inner)
        case "SS":
            return sum(len(part.encode()) for part in inner)
    return 1  # BOOL and NULL


def _index_units(index: Index, before: Item | None, after: Item | None) -> int:
    if before == after:
        return 0
    sizes = [_begun(item_bytes(each), WRITE_BYTES) for each in (before, after) if each is not None]
    moved = (
        before is not None
        and after is not None
        and any(before[name] != after[name] for name in index.keys)
    )
    return sum(sizes) if moved else max(sizes)


def _begun(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))


def _names(key_schema: list[dict[str, str]]) -> tuple[str, ...]:
    ordered = sorted(key_schema, key=lambda each: each["KeyType"] != "HASH")
    return tuple(each["AttributeName"] for each in ordered)
