"""Conditions made runnable: compiled once per version to plain functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from introducer.document.condition import Condition

Facts = Mapping[str, Any]
Test = Callable[[Facts], bool]


def always(_: Facts) -> bool:
    """Hold, whatever the facts."""
    return True


def compile_condition(condition: Condition | None) -> Test:
    """Return the function that says whether *condition* holds for given facts.

    A test of a fact that is missing does not hold; so ``not`` of it does.

    Args:
        condition: As published; its names and types were checked. None always holds.
    """
    if condition is None:
        return always
    if condition.all is not None:
        return _all([compile_condition(each) for each in condition.all])
    if condition.any is not None:
        return _any([compile_condition(each) for each in condition.any])
    if condition.not_ is not None:
        inner = compile_condition(condition.not_)
        return lambda facts: not inner(facts)
    return _test(condition)


def fields(condition: Condition | None) -> set[str]:
    """Return the names of all facts that *condition* asks about."""
    if condition is None:
        return set()
    inner = [*(condition.all or ()), *(condition.any or ())]
    inner += [condition.not_] if condition.not_ else []
    own = {condition.field} if condition.field else set()
    return own.union(*(fields(each) for each in inner))


def _all(tests: list[Test]) -> Test:
    def holds(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110  (a generator takes twice as long)
            if not test(facts):
                return False
        return True

    return holds


def _any(tests: list[Test]) -> Test:
    def holds(facts: Facts) -> bool:
        return any(test(facts) for test in tests)

    return holds


def _test(condition: Condition) -> Test:
    name, value = condition.field or "", condition.value
    if condition.op == "exists":
        return lambda facts: (facts.get(name) is not None) is bool(value)
    compare = _comparison(condition.op or "eq", value)

    def holds(facts: Facts) -> bool:
        known = facts.get(name)
        return known is not None and compare(known)

    return holds


def _comparison(op: str, value: Any) -> Callable[[Any], bool]:  # noqa: ANN401  (typed by the catalogue)
    match op:
        case "in" | "not_in":
            chosen = frozenset(value)
            return chosen.__contains__ if op == "in" else _not_in(chosen)
        case "contains":
            return lambda known: value in known
        case "contains_any":
            wanted = frozenset(value)
            return lambda known: not wanted.isdisjoint(known)
        case "between":
            low, high = value
            return lambda known: bool(low <= known <= high)
        case "starts_with":
            return lambda known: bool(known.startswith(value))
        case "ends_with":
            return lambda known: bool(known.endswith(value))
        case _:
            return _order(op, value)


def _not_in(chosen: frozenset[Any]) -> Callable[[Any], bool]:
    return lambda known: known not in chosen


def _order(op: str, value: Any) -> Callable[[Any], bool]:  # noqa: ANN401
    comparisons: dict[str, Callable[[Any], bool]] = {
        "eq": lambda known: bool(known == value),
        "ne": lambda known: bool(known != value),
        "gt": lambda known: bool(known > value),
        "gte": lambda known: bool(known >= value),
        "lt": lambda known: bool(known < value),
        "lte": lambda known: bool(known <= value),
    }
    return comparisons[op]
