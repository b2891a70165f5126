"""Counts what the functions really ask of AWS, call by call, and what each call costs in units.

It stands in for the one method through which botocore and PynamoDB make every call. What
was written it remembers, so that it knows the item before every write; that work is taken
off the CPU time of the function that is being measured.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from bench import units
from bench.units import Item, Table

_SINGLE = {"PutItem": "Put", "DeleteItem": "Delete"}


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One item that a call changed."""

    table: str
    before: Item | None
    after: Item | None


class Call(msgspec.Struct, kw_only=True):
    """One call of an AWS service."""

    service: str
    operation: str
    params: dict[str, Any]
    write_units: int = 0
    index_units: int = 0
    """The part of ``write_units`` that indexes cost."""
    read_units: float = 0.0
    writes: list[Write] = []


class Invocation(msgspec.Struct, kw_only=True):
    """One run of a function: what it used and what it called.

    ``weight`` says for how many runs it stands; below zero it is taken off.
    """

    function: str
    step: str
    weight: float = 1.0
    cpu_s: float = 0.0
    log_bytes: int = 0
    log_lines: int = 0
    calls: list[Call] = []


class Meter:
    """Records the invocations of functions that run in this process.

    Args:
        tables: By deployed name; empty, and written through this meter alone.
    """

    def __init__(self, tables: dict[str, Table]) -> None:
        self.invocations: list[Invocation] = []
        self.items: dict[tuple[str, ...], Item] = {}
        """Every item as it was last written, by table and key."""
        self._log = _Counter()
        self._tables = tables
        self._current: Invocation | None = None
        self._own_cpu_s = 0.0

    @contextmanager
    def attached(self) -> Iterator[None]:
        """See every call, and every line that is logged, inside."""
        original: Callable[..., Any] = BaseClient._make_api_call
        stdout, sys.stdout = sys.stdout, self._log

        def make_api_call(client: Any, operation: str, params: dict[str, Any]) -> Any:  # noqa: ANN401
            if self._current is None:
                return original(client, operation, params)
            return self._record(client, operation, params, original)

        BaseClient._make_api_call = make_api_call
        try:
            yield
        finally:
            BaseClient._make_api_call = original
            sys.stdout = stdout

    def invoke(self, function: str, step: str, run: Callable[[], Any]) -> tuple[Invocation, Any]:
        """Run a function once; return what it used and what it answered."""
        self._current = invocation = Invocation(function=function, step=step)
        self._own_cpu_s = 0.0
        self._log.reset()
        began = time.process_time()
        try:
            answer = run()
        finally:
            invocation.cpu_s = time.process_time() - began - self._own_cpu_s
            invocation.log_bytes, invocation.log_lines = self._log.bytes, self._log.lines
            self.invocations.append(invocation)
            self._current = None
        return invocation, answer

    def _record(
        self,
        client: Any,  # noqa: ANN401
        operation: str,
        params: dict[str, Any],
        original: Callable[..., Any],
    ) -> Any:  # noqa: ANN401
        assert self._current is not None
        service = client.meta.service_model.service_name
        call = Call(service=service, operation=operation, params=params)
        self._current.calls.append(call)
        if service != "dynamodb":
            return original(client, operation, params)
        try:
            answer = original(client, operation, params)
        except ClientError:
            with self._own_time():  # a refused write is billed like one that changes nothing
                self._add_writes(call, refused=True)
            raise
        with self._own_time():
            self._add_writes(call, refused=False)
            call.read_units = _reads(operation, params, answer)
        return answer

    def _add_writes(self, call: Call, *, refused: bool) -> None:
        for kind, request in _writes(call.operation, call.params):
            name = request["TableName"]
            key = self._tables[name].key(request["Item"] if kind == "Put" else request["Key"])
            place = (name, *(next(iter(value.values())) for value in key.values()))
            before = self.items.get(place)
            after = before
            if not refused and kind == "Put":
                after = self.items[place] = request["Item"]
            elif not refused and kind == "Delete":
                self.items.pop(place, None)
                after = None
            cost = units.write_units(
                self._tables[name],
                before,
                after,
                transactional=call.operation == "TransactWriteItems",
            )
            call.write_units += sum(cost.values())
            call.index_units += sum(cost.values()) - cost["table"]
            call.writes.append(Write(table=name, before=before, after=after))

    @contextmanager
    def _own_time(self) -> Iterator[None]:
        began = time.process_time()
        yield
        self._own_cpu_s += time.process_time() - began


def _writes(operation: str, params: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and request of every write in a call."""
    if operation in _SINGLE:
        return [(_SINGLE[operation], params)]
    if operation == "TransactWriteItems":
        parts = [next(iter(each.items())) for each in params["TransactItems"]]
        assert "Update" not in dict(parts), "what an update leaves behind is not known here"
        return parts
    assert operation in {"GetItem", "Query", "BatchGetItem"}, operation
    return []


def _reads(operation: str, params: dict[str, Any], answer: dict[str, Any]) -> float:
    consistent = bool(params.get("ConsistentRead"))
    if operation == "GetItem":
        return units.read_units([units.item_bytes(answer.get("Item", {}))], consistent=consistent)
    if operation == "Query":
        sizes = [units.item_bytes(item) for item in answer["Items"]]
        return units.read_units(sizes, consistent=consistent, together=True)
    if operation != "BatchGetItem":
        return 0.0
    total = 0.0
    for table, wanted in params["RequestItems"].items():
        found = [units.item_bytes(item) for item in answer["Responses"].get(table, [])]
        missing = [0] * (len(wanted["Keys"]) - len(found))
        total += units.read_units([*found, *missing], consistent=bool(wanted.get("ConsistentRead")))
    return total


class _Counter(io.TextIOBase):
    """Takes what is logged and keeps only how much it was."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.bytes = self.lines = 0

    def write(self, text: str) -> int:
        """Count *text*."""
        self.bytes += len(text.encode())
        self.lines += text.count("\n")
        return len(text)
