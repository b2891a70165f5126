"""The store in a dictionary, for volume: the real code of tables with nothing behind it.

Gets, puts and transactions with their conditions; no index, no stream, no fault. What these
must bear is tested on real engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from pynamodb.expressions.condition import Condition

from introducer.errors import IntroducerError
from introducer.tables import store
from introducer.tables.codec import decode
from introducer.tables.store import Page, Table, Transaction

Key = tuple[str, str, str]
Items = dict[Key, dict[str, Any]]


def install(monkeypatch: pytest.MonkeyPatch) -> Items:
    """Put the dictionary in the store's place; return it."""
    items: Items = {}
    adds: dict[int, list[tuple[Key, dict[str, Any], Condition | None, Any]]] = {}

    def get(table: Table, pk: str, sk: str, **_: Any) -> dict[str, Any] | None:
        return items.get((table, pk, sk))

    def query(table: Table, pk: str, *, prefix: str = "", **_: Any) -> Page:
        keys = sorted(key for key in items if key[:2] == (table, pk) and key[2].startswith(prefix))
        return Page(items=[items[key] for key in keys])

    def write(key: Key, body: dict[str, Any], condition: Any, error: Any) -> None:
        if condition is not None and not holds(condition, items.get(key, {})):
            error.existing = items.get(key)
            raise error
        items[key] = body

    def put(
        table: Table,
        pk: str,
        sk: str,
        value: Any,
        *,
        condition: Condition | None = None,
        error: IntroducerError | None = None,
    ) -> None:
        write((table, pk, sk), _body(pk, sk, value), condition, error)

    def add(writes: Transaction, table: Table, pk: str, sk: str, value: Any, **how: Any) -> None:
        body = _body(pk, sk, value) | (how.get("index") or {})
        adds.setdefault(id(writes), []).append(
            ((table, pk, sk), body, how.get("condition"), how.get("error"))
        )

    def commit(writes: Transaction) -> None:
        planned = adds.pop(id(writes), [])
        for key, _, condition, error in planned:
            if condition is not None and not holds(condition, items.get(key, {})):
                error.existing = items.get(key)
                raise error
        items.update({key: body for key, body, _, _ in planned})

    def length(writes: Transaction) -> int:
        return len(adds.get(id(writes), []))

    for name, fake in {"get": get, "put": put, "query": query, "query_all": _all(query)}.items():
        monkeypatch.setattr(store, name, fake)
    for name, fake in {"put": add, "commit": commit, "__len__": length}.items():
        monkeypatch.setattr(Transaction, name, fake)
    return items


def holds(condition: Any, item: Mapping[str, Any]) -> bool:
    """Return whether a condition holds of a stored item; an empty one is none."""
    values = condition.values
    match condition.operator:
        case "AND":
            return all(holds(each, item) for each in values)
        case "OR":
            return any(holds(each, item) for each in values)
        case "attribute_not_exists":
            return _name(values[0]) not in item
        case "=":
            return bool(item.get(_name(values[0])) == _value(values[1]))
        case "<=":
            return _name(values[0]) in item and bool(item[_name(values[0])] <= _value(values[1]))
        case other:
            raise NotImplementedError(other)


def _all(query: Any) -> Any:
    def query_all(table: Table, pk: str, **options: Any) -> Iterable[dict[str, Any]]:
        return iter(query(table, pk, **options).items)

    return query_all


def _body(pk: str, sk: str, value: Any) -> dict[str, Any]:
    return {"pk": pk, "sk": sk, **store.item(store.attributes(value))}


def _name(path: Any) -> str:
    return str(path.path[0] if isinstance(path.path, list) else path.path)


def _value(value: Any) -> Any:
    return decode(value.value)
