"""The meter knows what calls write, and the world hands on what the template lets through."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bench import units
from bench.meter import Invocation, Meter
from bench.world import matches
from infra import template

TABLE = units.Table(
    keys=("pk", "sk"),
    indexes=(units.Index(name="gsi1", keys=("gsi1pk", "gsi1sk"), whole=False),),
)
CLIENT: Any = SimpleNamespace(
    meta=SimpleNamespace(service_model=SimpleNamespace(service_name="dynamodb"))
)


def _item(status: str, **keys: str) -> units.Item:
    plain = {"pk": "p", "sk": "s", "status": status, **keys}
    return {name: {"S": value} for name, value in plain.items()}


def _call(meter: Meter, operation: str, params: dict[str, Any], answer: Any) -> Invocation:
    """Return the invocation of a function that makes one call; an exception is raised by it."""

    def reply(*_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return meter.invoke("F", "step", lambda: meter._record(CLIENT, operation, params, reply))[0]


def test_meter_remembers_items_between_calls() -> None:
    """A second write is billed on what the first one left: here an index entry that moves."""
    meter = Meter({"t": TABLE})
    listed = _item("won", gsi1pk="a", gsi1sk="1")
    moved = _item("lost", gsi1pk="a", gsi1sk="2")
    first = _call(meter, "PutItem", {"TableName": "t", "Item": listed}, {})
    parts = [{"Put": {"TableName": "t", "Item": moved}}]
    second = _call(meter, "TransactWriteItems", {"TransactItems": parts}, {})
    assert (2, 1) == (first.calls[0].write_units, first.calls[0].index_units)
    assert (4, 2) == (second.calls[0].write_units, second.calls[0].index_units)
    assert {("t", "p", "s"): moved} == meter.items


def test_refused_write_is_billed_and_changes_nothing() -> None:
    """A condition that fails costs a write of what is there."""
    meter = Meter({"t": TABLE})
    stored = _item("won", gsi1pk="a", gsi1sk="1")
    _call(meter, "PutItem", {"TableName": "t", "Item": stored}, {})
    refusal = ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
    with pytest.raises(ClientError):
        _call(meter, "PutItem", {"TableName": "t", "Item": _item("lost")}, refusal)
    refused = meter.invocations[-1].calls[0]
    assert (1, 0) == (refused.write_units, refused.index_units)
    assert {("t", "p", "s"): stored} == meter.items


def test_reads_are_counted_from_the_answer() -> None:
    """A batch rounds each item and counts the one that is missing."""
    meter = Meter({"t": TABLE})
    key = {"pk": {"S": "p"}, "sk": {"S": "s"}}
    wanted = {"RequestItems": {"t": {"Keys": [key, key], "ConsistentRead": True}}}
    batch = _call(meter, "BatchGetItem", wanted, {"Responses": {"t": [_item("won")]}})
    query = _call(meter, "Query", {"TableName": "t"}, {"Items": [_item("won")] * 5})
    assert 2.0 == batch.calls[0].read_units
    assert 0.5 == query.calls[0].read_units


@pytest.mark.parametrize(
    ("expected", "name", "key", "kind"),
    [
        (True, "INSERT", "EVENT#000001", "ReferralSubmitted"),
        (False, "INSERT", "EVENT#000004", "ReferralAccepted"),
        (False, "INSERT", "STATE", "ReferralSubmitted"),
        (False, "MODIFY", "EVENT#000001", "ReferralSubmitted"),
    ],
)
def test_template_filters_decide_what_route_gets(
    expected: bool,  # noqa: FBT001
    name: str,
    key: str,
    kind: str,
) -> None:
    """Prefixes and lists in the template's filter mean what they mean to Lambda."""
    mapping = template.load()["Resources"]["RouteFromCore"]["Properties"]
    pattern = json.loads(mapping["FilterCriteria"]["Filters"][0]["Pattern"])
    image = {"sk": {"S": key}, "type": {"S": kind}}
    assert expected is matches(pattern, {"eventName": name, "dynamodb": {"NewImage": image}})


@pytest.mark.parametrize(
    ("expected", "kind", "data"),
    [
        (True, "ReferralWon", {}),
        (True, "ReferralAccepted", {"earns": 1}),
        (False, "ReferralAccepted", {}),
        (False, "ReferralRejected", {"earns": 1}),
    ],
)
def test_template_rule_decides_what_earn_gets(
    expected: bool,  # noqa: FBT001
    kind: str,
    data: dict[str, int],
) -> None:
    """An ``$or`` in the bus's rule is met by any of its patterns."""
    rule = template.load()["Resources"]["EarnRule"]["Properties"]["EventPattern"]
    message = {"source": "introducer.core", "detail-type": kind, "detail": {"data": data}}
    assert expected is matches(rule, message)
