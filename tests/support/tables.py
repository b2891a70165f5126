"""Tables made from ``template.yaml``, so that no test has a second idea of a schema."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from infra import template
from introducer.clients import client
from introducer.tables import store

_PASSED_ON = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def create(dynamodb: Any, *, suffix: str = "") -> dict[str, str]:
    """Make every table of the template.

    Args:
        dynamodb: A client of the store they are made in.
        suffix: Ends their names, to keep the tables of one test from those of another.

    Returns:
        The environment that a function gets: ``{"CORE_TABLE": name, …}``.
    """
    environment = {}
    for logical_id, properties in _tables().items():
        request = {key: properties[key] for key in _PASSED_ON if key in properties}
        if "StreamSpecification" in properties:
            request["StreamSpecification"] = {
                "StreamEnabled": True,
                **properties["StreamSpecification"],
            }
        name = f"{logical_id}{suffix}"
        dynamodb.create_table(TableName=name, **request)
        environment[f"{logical_id.removesuffix('Table').upper()}_TABLE"] = name
    return environment


def schemas() -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Return the environment that a function gets, and the tables' properties by name."""
    names = {f"{each.removesuffix('Table').upper()}_TABLE": each for each in _tables()}
    return names, _tables()


@cache
def _tables() -> dict[str, dict[str, Any]]:
    # Reading the template takes a second; every test with a store asks.
    return template.resources(template.load(), "AWS::DynamoDB::Table")


def everything() -> list[dict[str, Any]]:
    """Return every item of the Core, People and Ledger tables but the keys, in a stable order."""
    found: list[dict[str, Any]] = []
    for name in ("CORE_TABLE", "PEOPLE_TABLE", "LEDGER_TABLE"):
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=os.environ[name])
        found += [store.item(raw) for page in pages for raw in page["Items"]]
    kept = [item for item in found if not item["pk"].startswith("KEY#")]
    return sorted(kept, key=lambda item: (item["pk"], item["sk"]))
