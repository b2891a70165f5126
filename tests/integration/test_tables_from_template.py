"""The tables that tests run on are the template's."""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest

from infra import template
from introducer.tables import store
from introducer.tables.store import Table

INDEXED = {
    name: sorted(index["IndexName"] for index in properties.get("GlobalSecondaryIndexes", []))
    for name, properties in template.resources(template.load(), "AWS::DynamoDB::Table").items()
}


@pytest.fixture(params=["aws", "engine"])
def endpoint(request: pytest.FixtureRequest) -> str | None:
    """Each of the two stores in turn."""
    found: str | None = request.getfixturevalue(request.param)
    return found


def described(endpoint: str | None, name: str) -> dict[str, Any]:
    """Return what the store says about the table of an environment variable."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=endpoint)
    table: dict[str, Any] = client.describe_table(TableName=os.environ[name])["Table"]
    return table


@pytest.mark.parametrize("table", sorted(INDEXED))
def test_table_has_the_indexes_of_the_template(endpoint: str | None, table: str) -> None:
    """Keys and indexes in the store are those in the template."""
    known = described(endpoint, f"{table.removesuffix('Table').upper()}_TABLE")
    assert INDEXED[table] == sorted(i["IndexName"] for i in known.get("GlobalSecondaryIndexes", []))


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("endpoint")
def test_tests_do_not_see_each_other(number: int) -> None:
    """What one test stores, the next one does not find."""
    del number
    assert store.get(Table.CORE, "PROGRAM#1", "HEAD") is None
    store.put(Table.CORE, "PROGRAM#1", "HEAD", {"id": "1"})
