"""DynamoDB's expression language: conditions, key conditions and updates, as PynamoDB writes them.

An expression is parsed once and becomes a function of the item and the values; names are put
in while it is parsed. What no code of ours writes is refused loudly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache

from tests.simulation.values import (
    ExpressionError,
    Item,
    Step,
    Value,
    Values,
    added,
    at,
    begins,
    compare,
    contains,
    is_kind,
    number,
    put,
    remove,
    size,
    subtract,
)

Operand = Callable[[Item, Values], Value | None]
Test = Callable[[Item, Values], bool]
Change = Callable[[Item, Item, Values], None]
"""Changes the second item by what the first, as it was, and the values say."""

_TOKEN = re.compile(r"\s*(<>|<=|>=|[#:]?[A-Za-z_][A-Za-z0-9_]*|[#:][0-9]+|[0-9]+|[=<>(),.+\-\[\]])")
_COMPARED = ("=", "<>", "<", "<=", ">", ">=")
_TESTS = ("attribute_exists", "attribute_not_exists", "begins_with", "contains", "attribute_type")
_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


class KeyRange:
    """What a key condition asks for: one partition, and a range of its sort keys."""

    __slots__ = ("hash", "high", "low", "prefix")

    def __init__(self, partition: str) -> None:
        self.hash = partition
        self.low: str | None = None
        self.high: str | None = None
        self.prefix = ""

    def holds(self, sort: str) -> bool:
        """Return whether a sort key lies in the range."""
        return (
            sort.startswith(self.prefix)
            and (self.low is None or sort >= self.low)
            and (self.high is None or sort <= self.high)
        )


def condition(text: str, names: Mapping[str, str] | None) -> Test:
    """Return the test that a condition expression is."""
    return _condition(text, _frozen(names))


def update(text: str, names: Mapping[str, str] | None) -> Change:
    """Return the change that an update expression is."""
    return _update(text, _frozen(names))


def key_range(text: str, names: Mapping[str, str] | None, values: Values, hashed: str) -> KeyRange:
    """Return what a key condition asks for; *hashed* is the name of the partition key."""
    parts = _key_parts(text, _frozen(names))
    partition = next((part for part in parts if part[0] == hashed), None)
    if partition is None or partition[1] != "=":
        message = "a query names one partition"
        raise ExpressionError(message)
    found = KeyRange(values[partition[2][0]]["S"])
    for name, operator, placeholders in parts:
        if name == hashed:
            continue
        first = values[placeholders[0]]["S"]
        match operator:
            case "begins_with":
                found.prefix = first
            case "BETWEEN":
                found.low, found.high = first, values[placeholders[1]]["S"]
            case "=":
                found.low = found.high = first
            case ">=":
                found.low = first
            case "<=":
                found.high = first
            case other:
                raise ExpressionError(other)
    return found


def _frozen(names: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(names.items())) if names else ()


@lru_cache(maxsize=4096)
def _condition(text: str, names: tuple[tuple[str, str], ...]) -> Test:
    parser = _Parser(text, dict(names))
    test = parser.either()
    parser.end()
    return test


@lru_cache(maxsize=4096)
def _update(text: str, names: tuple[tuple[str, str], ...]) -> Change:
    return _Parser(text, dict(names)).changes()


@lru_cache(maxsize=4096)
def _key_parts(
    text: str, names: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return _Parser(text, dict(names)).key_parts()


class _Parser:
    """Reads one expression from left to right."""

    def __init__(self, text: str, names: dict[str, str]) -> None:
        self._tokens = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise ExpressionError(text[at:])
            self._tokens.append(found.group(1))
            at = found.end()
        self._names = names
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token.upper() != wanted):
            message = f"expected {wanted or 'more'}, found {token!r}"
            raise ExpressionError(message)
        self._at += 1
        return token

    def end(self) -> None:
        if self.peek():
            raise ExpressionError(self.peek())

    # ---- conditions

    def either(self) -> Test:
        left = self.both()
        while self.peek().upper() == "OR":
            self.take()
            left = _or(left, self.both())
        return left

    def both(self) -> Test:
        left = self.negated()
        while self.peek().upper() == "AND":
            self.take()
            left = _and(left, self.negated())
        return left

    def negated(self) -> Test:
        if self.peek().upper() == "NOT":
            self.take()
            inner = self.negated()
            return lambda item, values: not inner(item, values)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        if self.peek() in _TESTS:
            return self.function()
        return self.comparison()

    def comparison(self) -> Test:
        left = self.operand()
        operator = self.take().upper()
        if operator == "BETWEEN":
            low = self.operand()
            self.take("AND")
            high = self.operand()
            return lambda item, values: (
                compare(">=", left(item, values), low(item, values))
                and compare("<=", left(item, values), high(item, values))
            )
        if operator == "IN":
            choices = self.arguments()
            return lambda item, values: any(
                compare("=", left(item, values), each(item, values)) for each in choices
            )
        if operator not in _COMPARED:
            raise ExpressionError(operator)
        right = self.operand()
        return lambda item, values: compare(operator, left(item, values), right(item, values))

    def function(self) -> Test:
        name = self.take()
        arguments = self.arguments()
        of = arguments[0]
        if name == "attribute_exists":
            return lambda item, values: of(item, values) is not None
        if name == "attribute_not_exists":
            return lambda item, values: of(item, values) is None
        given = arguments[1]
        tests = {
            "begins_with": begins,
            "contains": contains,
            "attribute_type": is_kind,
        }
        test = tests[name]
        return lambda item, values: test(of(item, values), given(item, values))

    def arguments(self) -> list[Operand]:
        self.take("(")
        found = [self.operand()]
        while self.peek() == ",":
            self.take()
            found.append(self.operand())
        self.take(")")
        return found

    def operand(self) -> Operand:
        token = self.peek()
        if token.startswith(":"):
            self.take()
            return lambda _item, values: values[token]
        if token == "size":
            self.take()
            (of,) = self.arguments()
            return lambda item, values: size(of(item, values))
        if token in {"if_not_exists", "list_append"}:
            self.take()
            first, second = self.arguments()
            return _or_else(first, second) if token == "if_not_exists" else _joined(first, second)
        path = self.path()
        if len(path) == 1:
            name = path[0]
            return lambda item, _values: item.get(name)
        return lambda item, _values: at(item, path)

    def path(self) -> tuple[Step, ...]:
        steps: list[Step] = [self.name()]
        while self.peek() in {".", "["}:
            if self.take() == ".":
                steps.append(self.name())
            else:
                steps.append(int(self.take()))
                self.take("]")
        return tuple(steps)

    def name(self) -> str:
        token = self.take()
        return self._names[token] if token.startswith("#") else token

    # ---- keys

    def key_parts(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        found: list[tuple[str, str, tuple[str, ...]]] = []
        depth = 0
        while self.peek():
            token = self.peek()
            if token in "()":
                depth += 1 if token == "(" else -1
                self.take()
            elif token.upper() == "AND":
                self.take()
            elif token == "begins_with":
                self.take()
                self.take("(")
                name = self.name()
                self.take(",")
                found.append((name, token, (self.take(),)))
                self.take(")")
            else:
                name, operator = self.name(), self.take().upper()
                first = self.take()
                more: tuple[str, ...] = ()
                if operator == "BETWEEN":
                    self.take("AND")
                    more = (self.take(),)
                found.append((name, operator, (first, *more)))
        return tuple(found)

    # ---- updates

    def changes(self) -> Change:
        found: list[Change] = []
        while self.peek():
            clause = self.take().upper()
            if clause not in _CLAUSES:
                raise ExpressionError(clause)
            found.append(self.change(clause))
            while self.peek() == ",":
                self.take()
                found.append(self.change(clause))

        def change(before: Item, after: Item, values: Values) -> None:
            for each in found:
                each(before, after, values)

        return change

    def change(self, clause: str) -> Change:
        path = self.path()
        match clause:
            case "SET":
                self.take("=")
                return _setting(path, self.sum())
            case "REMOVE":
                return lambda _before, after, _values: remove(after, path)
            case "ADD":
                value = self.operand()
                return lambda before, after, values: put(
                    after, path, added(at(before, path), value(before, values))
                )
        value = self.operand()
        return lambda before, after, values: subtract(after, path, value(before, values))

    def sum(self) -> Operand:
        left = self.operand()
        if self.peek() not in {"+", "-"}:
            return left
        sign = 1 if self.take() == "+" else -1
        right = self.operand()

        def total(item: Item, values: Values) -> Value | None:
            one, other = left(item, values), right(item, values)
            if one is None or other is None or "N" not in one or "N" not in other:
                message = "an operand of the sum is no number"
                raise ExpressionError(message)
            return {"N": number(Decimal(one["N"]) + sign * Decimal(other["N"]))}

        return total


def _and(left: Test, right: Test) -> Test:
    return lambda item, values: left(item, values) and right(item, values)


def _or(left: Test, right: Test) -> Test:
    return lambda item, values: left(item, values) or right(item, values)


def _or_else(first: Operand, second: Operand) -> Operand:
    def either(item: Item, values: Values) -> Value | None:
        found = first(item, values)
        return second(item, values) if found is None else found

    return either


def _joined(first: Operand, second: Operand) -> Operand:
    def joined(item: Item, values: Values) -> Value | None:
        one, other = first(item, values), second(item, values)
        if one is None or other is None or "L" not in one or "L" not in other:
            message = "only lists are appended"
            raise ExpressionError(message)
        return {"L": [*one["L"], *other["L"]]}

    return joined


def _setting(path: tuple[Step, ...], value: Operand) -> Change:
    def change(before: Item, after: Item, values: Values) -> None:
        found = value(before, values)
        if found is None:
            message = "the operand of the update is missing"
            raise ExpressionError(message)
        put(after, path, found)

    return change
