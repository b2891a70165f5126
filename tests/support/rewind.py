"""Putting a store back to how it was, so that the same thing can be done again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from introducer.clients import client
from introducer.settings import setting
from introducer.tables.store import Table

_TABLES = (Table.CORE, Table.LEDGER, Table.PEOPLE)


def point() -> Callable[[], None]:
    """Return what puts tables and bucket back to where they are now.

    Putting items back is quicker than making them again, and keeps the connections open.
    """
    before = {table: _raw(table) for table in _TABLES}

    def put_back() -> None:
        for table in _TABLES:
            _write(table, [{"DeleteRequest": {"Key": _key(item)}} for item in _raw(table)])
            _write(table, [{"PutRequest": {"Item": item}} for item in before[table]])
        for key in files():
            client("s3").delete_object(Bucket=setting("BANK_BUCKET"), Key=key)

    return put_back


def files() -> list[str]:
    """Return the keys of everything in the bank's bucket."""
    listed = client("s3").list_objects_v2(Bucket=setting("BANK_BUCKET"))
    return [each["Key"] for each in listed.get("Contents", [])]


def _raw(table: Table) -> list[dict[str, Any]]:
    return client("dynamodb").scan(TableName=setting(table), ConsistentRead=True)["Items"]


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("pk", "sk")}


def _write(table: Table, requests: list[dict[str, Any]]) -> None:
    for begin in range(0, len(requests), 25):
        chunk = {setting(table): requests[begin : begin + 25]}
        assert not client("dynamodb").batch_write_item(RequestItems=chunk)["UnprocessedItems"]
