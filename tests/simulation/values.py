"""Attribute values as DynamoDB compares, adds up, and finds them by their path."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]
Values = Mapping[str, Value]
Step = str | int


class ExpressionError(Exception):
    """The expression is not one that DynamoDB, or this parser, understands."""


def compare(operator: str, left: Value | None, right: Value | None) -> bool:
    """Return whether *operator* holds of two values; an absent one is unequal to everything."""
    if left is None or right is None:
        return operator == "<>"
    ((kind, one),), ((other_kind, other),) = left.items(), right.items()
    if operator in {"=", "<>"}:
        return same(left, right) is (operator == "=")
    if kind != other_kind or kind not in {"S", "N", "B"}:
        return False
    if kind == "N":
        one, other = Decimal(one), Decimal(other)
    result = {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}
    return bool(result[operator])


def same(left: Value, right: Value) -> bool:
    """Return whether two values are equal, of one kind."""
    ((kind, one),), ((other_kind, other),) = left.items(), right.items()
    if kind != other_kind:
        return False
    match kind:
        case "N":
            return Decimal(one) == Decimal(other)
        case "M":
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case "L":
            return len(one) == len(other) and all(map(same, one, other))
        case "SS" | "NS" | "BS":
            return set(one) == set(other)
    return bool(one == other)


def begins(value: Value | None, start: Value | None) -> bool:
    """Return whether *value* begins with *start*."""
    if value is None or start is None or value.keys() != start.keys():
        return False
    ((_, one),), ((_, other),) = value.items(), start.items()
    return bool(one.startswith(other))


def contains(value: Value | None, part: Value | None) -> bool:
    """Return whether *part* is in a text, a list or a set."""
    if value is None or part is None:
        return False
    ((kind, inner),), ((part_kind, sought),) = value.items(), part.items()
    if kind == "L":
        return any(same(each, part) for each in inner)
    if kind in {"SS", "NS", "BS"}:
        return part_kind == kind[0] and sought in inner
    return kind == part_kind and kind in {"S", "B"} and sought in inner


def is_kind(value: Value | None, kind: Value | None) -> bool:
    """Return whether *value* is of that *kind*."""
    return value is not None and kind is not None and next(iter(value)) == kind["S"]


def size(value: Value | None) -> Value | None:
    """Return the size of *value* as a number; None of nothing."""
    if value is None:
        return None
    ((kind, inner),) = value.items()
    return {"N": str(len(inner.encode() if kind == "S" else inner))}


def at(item: Item, path: tuple[Step, ...]) -> Value | None:
    """Return what lies at *path*, None when nothing does."""
    found: Any = item.get(path[0])
    for step in path[1:]:
        if found is None:
            return None
        if isinstance(step, int):
            inner = found.get("L", ())
            found = inner[step] if step < len(inner) else None
        else:
            found = found.get("M", {}).get(step)
    return found


def put(item: Item, path: tuple[Step, ...], value: Value) -> None:
    """Put *value* in its place; what lies on the way is copied, since images are shared."""
    if len(path) == 1:
        item[path[0]] = value
        return
    inner: Any = _copied(item, path)
    last = path[-1]
    if isinstance(last, int) and last >= len(inner):
        inner.append(value)
    else:
        inner[last] = value


def remove(item: Item, path: tuple[Step, ...]) -> None:
    """Take away what lies at *path*."""
    if len(path) == 1:
        item.pop(path[0], None)
        return
    inner: Any = _copied(item, path)
    if isinstance(inner, dict):
        inner.pop(path[-1], None)
    elif path[-1] < len(inner):
        del inner[path[-1]]


def _copied(item: Item, path: tuple[Step, ...]) -> Any:
    """Return the map or list that holds the last step, with everything above it copied."""
    holder: Any = item
    for step in path[:-1]:
        if isinstance(holder, dict) and step not in holder:
            message = "the document path provided in the update expression is invalid"
            raise ExpressionError(message)
        ((kind, inner),) = holder[step].items()
        if kind not in {"M", "L"}:
            message = "the document path provided in the update expression is invalid"
            raise ExpressionError(message)
        fresh = dict(inner) if kind == "M" else list(inner)
        holder[step] = {kind: fresh}
        holder = fresh
    return holder


def added(before: Value | None, value: Value | None) -> Value:
    """Return *before* with *value* added: a number, or members of a set."""
    if value is None:
        message = "nothing to add"
        raise ExpressionError(message)
    ((kind, more),) = value.items()
    if before is None:
        return value
    if kind not in before or kind not in {"N", "SS", "NS", "BS"}:
        message = "ADD takes numbers and sets of the same kind"
        raise ExpressionError(message)
    if kind == "N":
        return {"N": number(Decimal(before["N"]) + Decimal(more))}
    return {kind: sorted({*before[kind], *more})}


def subtract(item: Item, path: tuple[Step, ...], value: Value | None) -> None:
    """Take the members in *value* out of the set at *path*."""
    before = at(item, path)
    if before is None or value is None:
        return
    ((kind, less),) = value.items()
    left = [each for each in before[kind] if each not in set(less)]
    if left:
        put(item, path, {kind: left})
    else:
        remove(item, path)


def number(value: Decimal) -> str:
    """Return *value* as DynamoDB writes numbers."""
    return format(value.normalize(), "f") if value else "0"
