"""Contradictions: tests of one fact that cannot hold together.

Only what is certain is found: tests that stand side by side in ``all``, directly or in
further ``all``. Each fact is followed as the values and the numbers its tests leave to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from introducer.check.finding import Finding
from introducer.document.condition import Condition

_MOST = 10**18


class _Left(NamedTuple):
    """What the tests of one fact leave to it."""

    chosen: frozenset[object] | None = None
    excluded: frozenset[object] = frozenset()
    low: int = -_MOST
    high: int = _MOST
    missing: bool | None = None


def findings(path: str, condition: Condition) -> Iterator[Finding]:
    """Yield every group of tests in *condition* at *path* that can never hold together."""
    if condition.all is not None:
        yield from _together(path, condition.all)
    inner = [
        *((f"{path}.any[{index}]", each) for index, each in enumerate(condition.any or ())),
        *((f"{path}.{place}", each) for place, each in _not_all(condition)),
    ]
    if condition.not_ is not None:
        inner.append((f"{path}.not", condition.not_))
    for at, each in inner:
        yield from findings(at, each)


def span(test: Condition) -> tuple[int, int]:
    """Return the least and the most that a number can be which *test* lets pass."""
    value = test.value
    if isinstance(value, list):
        numbers = [each for each in value if isinstance(each, int)]
        if test.op in {"between", "in"} and len(numbers) == len(value):
            return min(numbers), max(numbers)
        return -_MOST, _MOST
    if not isinstance(value, int) or isinstance(value, bool):
        return -_MOST, _MOST
    spans = {
        "eq": (value, value),
        "gt": (value + 1, _MOST),
        "gte": (value, _MOST),
        "lt": (-_MOST, value - 1),
        "lte": (-_MOST, value),
    }
    return spans.get(test.op or "", (-_MOST, _MOST))


def _not_all(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Yield what stands in *condition*'s ``all``, and in ``all`` within it, but is none itself."""
    for index, each in enumerate(condition.all or ()):
        if each.all is None:
            yield f"all[{index}]", each
        else:
            yield from ((f"all[{index}].{place}", inner) for place, inner in _not_all(each))


def _together(path: str, conditions: list[Condition]) -> Iterator[Finding]:
    left: dict[str, _Left] = {}
    for test in _flat(conditions):
        name = test.field or ""
        left[name] = _narrowed(left.get(name, _Left()), test)
    for name, each in left.items():
        if _is_empty(each):
            problem = f"no {name} can meet all its tests together"
            yield Finding(path, problem, "take one of them out, or use any")


def _flat(conditions: list[Condition]) -> Iterator[Condition]:
    for each in conditions:
        if each.all is not None:
            yield from _flat(each.all)
        elif each.field is not None:
            yield each


def _narrowed(left: _Left, test: Condition) -> _Left:
    value = test.value
    values = frozenset[object](value if isinstance(value, list) else [value])
    low, high = span(test)
    left = left._replace(low=max(left.low, low), high=min(left.high, high))
    match test.op:
        case "exists":
            # Known and missing at once is as impossible as missing with any other test.
            asked = value is False
            clash = left.missing is not None and left.missing is not asked
            return _impossible(left) if clash else left._replace(missing=asked)
        case "eq" | "in":
            chosen = values if left.chosen is None else left.chosen & values
            return _known(left._replace(chosen=chosen))
        case "ne" | "not_in":
            return _known(left._replace(excluded=left.excluded | values))
        case _:
            return _known(left)


def _known(left: _Left) -> _Left:
    return _impossible(left) if left.missing else left._replace(missing=False)


def _impossible(left: _Left) -> _Left:
    return left._replace(low=_MOST, high=-_MOST)


def _is_empty(left: _Left) -> bool:
    if left.low > left.high:
        return True
    if left.chosen is None:
        return False
    return not any(
        value not in left.excluded
        and (not isinstance(value, int) or left.low <= value <= left.high)
        for value in left.chosen
    )
