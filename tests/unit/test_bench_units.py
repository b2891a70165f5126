"""Request units are those that DynamoDB would bill."""

from __future__ import annotations

from typing import Any

import pytest

from bench import units
from infra import template

KEYS = {
    "KeySchema": [
        {"AttributeName": "sk", "KeyType": "RANGE"},
        {"AttributeName": "pk", "KeyType": "HASH"},
    ]
}


def _index(name: str, projection: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": f"{name}pk", "KeyType": "HASH"},
            {"AttributeName": f"{name}sk", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": projection},
    }


BARE = units.table(KEYS)
INDEXED = units.table(
    {**KEYS, "GlobalSecondaryIndexes": [_index("gsi1", "ALL"), _index("gsi2", "KEYS_ONLY")]}
)


def _item(size: int = 200, **attributes: str) -> units.Item:
    """Return an item of *size* bytes with these attributes."""
    item: units.Item = {name: {"S": value} for name, value in {"pk": "p", "sk": "s"}.items()}
    item |= {name: {"S": value} for name, value in attributes.items()}
    return item | {"fill": {"S": "x" * (size - units.item_bytes(item) - len("fill"))}}


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (6, {"S": "grüße"[:4]}),
        (2, {"N": "7"}),
        (4, {"N": "-1234"}),
        (2, {"N": "100000"}),
        (4, {"N": "12.3456"}),
        (3, {"B": b"abc"}),
        (1, {"BOOL": True}),
        (1, {"NULL": True}),
        (3, {"M": {}}),
        (3 + 1 + 1 + 2, {"M": {"a": {"S": "bc"}}}),
        (3 + 1 + 1 + 1 + 2, {"L": [{"S": "a"}, {"N": "5"}]}),
        (3, {"SS": ["a", "bc"]}),
    ],
)
def test_value_sizes_follow_the_developer_guide(expected: int, value: dict[str, Any]) -> None:
    """Each kind of value has its own size; a name adds its bytes."""
    assert expected == units.item_bytes({"n": value}) - 1


@pytest.mark.parametrize(("expected", "size"), [(1, 30), (1, 1024), (2, 1025), (3, 3000)])
def test_put_costs_a_unit_for_each_begun_kilobyte(expected: int, size: int) -> None:
    """A first write is sized on the new item; a transaction doubles it."""
    assert {"table": expected} == units.write_units(BARE, None, _item(size))
    assert {"table": 2 * expected} == units.write_units(BARE, None, _item(size), transactional=True)


def test_write_is_sized_on_the_larger_image() -> None:
    """Shrinking or deleting an item costs what it held; a check what it would cost to write."""
    large, small = _item(3000), _item(100)
    assert {"table": 3} == units.write_units(BARE, large, small)
    assert {"table": 6} == units.write_units(BARE, large, None, transactional=True)
    assert {"table": 6} == units.write_units(BARE, large, large, transactional=True)
    assert {"table": 2} == units.write_units(BARE, None, None, transactional=True)


def test_index_costs_what_changes_in_it() -> None:
    """Nothing without its keys or a change; one to add, rewrite or remove; two to move."""
    keys = {"gsi1pk": "a", "gsi1sk": "1", "gsi2pk": "b", "gsi2sk": "1"}
    plain, listed = _item(), _item(**keys)
    moved = _item(**{**keys, "gsi1sk": "2", "gsi2sk": "2"})
    rewritten = {**listed, "status": {"S": "won"}}
    assert {"table": 1} == units.write_units(INDEXED, None, plain)
    assert {"table": 1, "gsi1": 1, "gsi2": 1} == units.write_units(INDEXED, None, listed)
    assert {"table": 1, "gsi1": 1, "gsi2": 1} == units.write_units(INDEXED, listed, None)
    assert {"table": 1, "gsi1": 1, "gsi2": 1} == units.write_units(INDEXED, listed, plain)
    assert {"table": 1, "gsi1": 2, "gsi2": 2} == units.write_units(INDEXED, listed, moved)
    assert {"table": 1} == units.write_units(INDEXED, listed, listed)
    # Only the whole index sees an attribute that is no key.
    assert {"table": 1, "gsi1": 1} == units.write_units(INDEXED, listed, rewritten)


def test_transaction_doubles_the_table_and_no_index() -> None:
    """Indexes are written once, after the commit, and sized on what they store."""
    listed = _item(2500, gsi1pk="a", gsi1sk="1", gsi2pk="b", gsi2sk="1")
    moved = _item(2500, gsi1pk="a", gsi1sk="2", gsi2pk="b", gsi2sk="2")
    assert {"table": 6, "gsi1": 3, "gsi2": 1} == units.write_units(
        INDEXED, None, listed, transactional=True
    )
    assert {"table": 6, "gsi1": 6, "gsi2": 2} == units.write_units(
        INDEXED, listed, moved, transactional=True
    )


def test_read_costs_a_unit_for_each_begun_four_kilobytes() -> None:
    """Half when eventually consistent, twice in a transaction, the least for a missing item."""
    assert 1.0 == units.read_units([0], consistent=True)
    assert 0.5 == units.read_units([4096], consistent=False)
    assert 2.0 == units.read_units([4097], consistent=True)
    assert 2.0 == units.read_units([100], consistent=True, transactional=True)


def test_query_adds_up_before_rounding_and_a_batch_after() -> None:
    """Ten small items are one unit to a query, ten to a batch."""
    sizes = [300] * 10
    assert 1.0 == units.read_units(sizes, consistent=True, together=True)
    assert 0.5 == units.read_units([], consistent=False, together=True)
    assert 10.0 == units.read_units(sizes, consistent=True)


def test_template_tables_are_understood() -> None:
    """The Ledger's first index carries journals whole, every other index keys only."""
    declared = template.resources(template.load(), "AWS::DynamoDB::Table")
    tables = {name: units.table(properties) for name, properties in declared.items()}
    whole = {
        (name, each.name) for name, one in tables.items() for each in one.indexes if each.whole
    }
    assert {("LedgerTable", "gsi1")} == whole
    assert ("pk", "sk") == tables["CoreTable"].keys
    assert ("gsi3pk", "gsi3sk") == tables["CoreTable"].indexes[2].keys
