"""The one door to DynamoDB.

Everything stored passes through three functions and one class here: ``get``,
``query`` and ``batch_get`` read, :class:`Transaction` writes. Values are turned
into attribute values by one small codec (integers stay integers, floats are
refused), so no second model of an item exists beside the domain's own struct.

PynamoDB supplies the connection, the retries and the condition language; its
``Path`` is what callers build conditions and updates with.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection.base import Connection, MetaTable
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from introducer.errors import ContentionError, IntroducerError, UncertainError
from introducer.settings import setting
from introducer.tables.codec import decode, encode

if TYPE_CHECKING:
    from introducer import lean

T = TypeVar("T")
Item = dict[str, Any]
Attributes = dict[str, dict[str, Any]]

_BUSY = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)
_ATTEMPTS = 5
_BATCH_GET_LIMIT = 100
_FAULT = 500  # from here on a status means: theirs, perhaps not the next time


class Table(StrEnum):
    """A table, named by the environment variable that holds its name."""

    CORE = "CORE_TABLE"
    PEOPLE = "PEOPLE_TABLE"
    LEDGER = "LEDGER_TABLE"
    ROLLUPS = "ROLLUPS_TABLE"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a query: decoded items and, when there is more, where to go on."""

    items: list[Item]
    next: Item | None = None


@cache
def connection() -> Connection:
    """Return the process's one connection; its botocore client is made on first use."""
    return Connection(
        connect_timeout_seconds=1,
        read_timeout_seconds=2,
        max_retry_attempts=3,
        max_pool_connections=10,
        region=setting("AWS_REGION"),
    )


def name(table: Table) -> str:
    """Return the deployed name of *table*, its key schema made known to PynamoDB."""
    deployed = setting(table)
    try:
        connection().add_meta_table(_schema(deployed))
    except ValueError:  # PynamoDB's word for "known already"
        return deployed
    return deployed


def attributes(value: msgspec.Struct | Mapping[str, object]) -> Attributes:
    """Return a struct or mapping as item attributes, absent values left out."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return {key: encode(inner) for key, inner in plain.items() if inner is not None}


def item(raw: Attributes) -> Item:
    """Return raw item attributes as a plain dictionary."""
    return {key: decode(value) for key, value in raw.items()}


def load(kind: type[T], stored: Item) -> T:
    """Return *stored* as the domain struct *kind*; keys the struct lacks are ignored."""
    return msgspec.convert(stored, kind)


def get(table: Table, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
    """Return one item or None. Costs one read unit per 4 KB, half when not consistent."""
    answer = connection().get_item(name(table), pk, sk, consistent_read=consistent)
    return item(answer["Item"]) if answer.get("Item") else None


def query(  # noqa: PLR0913  (what a query of DynamoDB is made of)
    table: Table,
    pk: str,
    *,
    prefix: str = "",
    between: tuple[str, str] | None = None,
    index: str = "",
    limit: int | None = None,
    start: Item | None = None,
    newest_first: bool = False,
    consistent: bool = False,
) -> Page:
    """Return one page of the items under *pk*.

    Args:
        table: Which table.
        pk: The partition key of the table or, with *index*, of the index.
        prefix: What the sort key begins with.
        between: Lowest and highest sort key, both included; instead of *prefix*.
        index: ``gsi1``, ``gsi2`` or ``gsi3``; empty for the table itself.
        limit: Most items to read.
        start: ``next`` of the page before.
        newest_first: Read the sort key downwards.
        consistent: Strongly consistent; not possible on an index.
    """
    sort_key = Path(f"{index}sk" if index else "sk")
    condition: Condition | None = None
    if between:
        condition = sort_key.between(*between)
    elif prefix:
        condition = sort_key.startswith(prefix)
    answer = connection().query(
        name(table),
        pk,
        range_key_condition=condition,
        index_name=index or None,
        limit=limit,
        exclusive_start_key=attributes(start) if start else None,
        scan_index_forward=not newest_first,
        consistent_read=consistent,
    )
    last = answer.get("LastEvaluatedKey")
    return Page(items=[item(raw) for raw in answer["Items"]], next=item(last) if last else None)


def query_all(table: Table, pk: str, **options: Any) -> Iterator[Item]:  # noqa: ANN401
    """Yield every item of :func:`query`, page after page."""
    page = query(table, pk, **options)
    yield from page.items
    while page.next:
        page = query(table, pk, **{**options, "start": page.next})
        yield from page.items


def read_partition(table: Table, pk: str) -> list[Item]:
    """Return every item under *pk*, eventually consistent, at a fifth of a query's processor time.

    For a job that reads a million partitions; it may be called in many threads at once. Not for
    functions with SnapStart, see :mod:`introducer.lean`.

    Raises:
        ContentionError: The store stayed busy.
        UncertainError: The store did not answer.
    """
    from introducer import lean  # no other reader needs it

    request: dict[str, Any] = {
        "TableName": name(table),
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
    }
    found: list[Item] = []
    while True:
        answer = _read_patiently(lean.client(), request)
        found += [item(raw) for raw in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _read_patiently(client: lean.Client, request: Mapping[str, object]) -> dict[str, Any]:
    from introducer import lean

    failure: Exception | None = None
    for attempt in range(_ATTEMPTS):
        try:
            return client.call("Query", request, timeout_s=5, repeatable=True)
        except lean.NoAnswerError as lost:
            failure = lost
        except lean.CallError as refused:
            if refused.code not in _BUSY and refused.status < _FAULT:
                raise
            failure = refused
        _pause(attempt)
    if isinstance(failure, lean.CallError):
        message = "the store stayed busy"
        raise ContentionError(message) from failure
    message = "the store did not answer"
    raise UncertainError(message) from failure


def batch_get(
    table: Table, keys: Sequence[tuple[str, str]], *, consistent: bool = False
) -> dict[tuple[str, str], Item]:
    """Return the items found under *keys* (pk, sk); eventually consistent unless asked.

    Raises:
        ContentionError: The store kept leaving keys unread.
    """
    found: dict[tuple[str, str], Item] = {}
    table_name = name(table)
    unique = list(dict.fromkeys(keys))
    for begin in range(0, len(unique), _BATCH_GET_LIMIT):
        chunk = unique[begin : begin + _BATCH_GET_LIMIT]
        wanted: dict[str, Any] = {
            table_name: {
                "Keys": [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in chunk],
                "ConsistentRead": consistent,
            }
        }
        for attempt in range(_ATTEMPTS):
            answer = connection().client._make_api_call(  # noqa: SLF001  (as PynamoDB calls it)
                "BatchGetItem", {"RequestItems": wanted}
            )
            for raw in answer["Responses"].get(table_name, []):
                found[raw["pk"]["S"], raw["sk"]["S"]] = item(raw)
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                break
            _pause(attempt)
        else:
            message = "the store left keys unread"
            raise ContentionError(message)
    return found


class Transaction:
    """All-or-nothing writes, each added together with the error its condition means.

    The write that loses raises *its* error, carrying the item that was found
    there as ``error.existing``. Conflicts with other transactions are retried
    here; each attempt is a new request with its own token.
    """

    def __init__(self) -> None:
        self._checks: list[_Write] = []
        self._deletes: list[_Write] = []
        self._puts: list[_Write] = []
        self._updates: list[_Write] = []

    def __len__(self) -> int:
        return len(self._in_order())

    def put(
        self,
        table: Table,
        pk: str,
        sk: str,
        value: msgspec.Struct | Mapping[str, object],
        *,
        index: Mapping[str, str] | None = None,
        condition: Condition | None = None,
        error: IntroducerError | None = None,
    ) -> Transaction:
        """Write *value* whole under its key.

        Args:
            table: Which table.
            pk: Partition key.
            sk: Sort key.
            value: The item.
            index: Index keys and other stored attributes the struct does not have.
            condition: What must hold; :func:`absent` for put-if-absent.
            error: Raised when the condition does not hold.
        """
        body = attributes(value) | attributes(index or {})
        self._puts.append(_Write(_request(table, pk, sk, "Item", condition, body=body), error))
        return self

    def update(
        self,
        table: Table,
        pk: str,
        sk: str,
        actions: Iterable[Action],
        *,
        condition: Condition,
        error: IntroducerError,
    ) -> Transaction:
        """Change attributes of an item. The condition is not optional: it may not exist."""
        request = _request(table, pk, sk, "Key", condition, actions=list(actions))
        self._updates.append(_Write(request, error))
        return self

    def check(
        self, table: Table, pk: str, sk: str, condition: Condition, error: IntroducerError
    ) -> Transaction:
        """Demand *condition* of an item that is not written."""
        self._checks.append(_Write(_request(table, pk, sk, "Key", condition), error))
        return self

    def delete(
        self, table: Table, pk: str, sk: str, *, condition: Condition, error: IntroducerError
    ) -> Transaction:
        """Remove an item."""
        self._deletes.append(_Write(_request(table, pk, sk, "Key", condition), error))
        return self

    def include(self, other: Transaction) -> Transaction:
        """Add everything that *other* would write; it is not to be committed by itself."""
        self._checks += other._checks
        self._deletes += other._deletes
        self._puts += other._puts
        self._updates += other._updates
        return self

    def commit(self) -> None:
        """Write everything, or nothing.

        Raises:
            IntroducerError: The error given with the first write whose condition failed.
            ContentionError: Other transactions kept touching the same items.
            UncertainError: No clear answer came; the write may have happened.
        """
        for attempt in range(_ATTEMPTS):
            try:
                connection().transact_write_items(
                    [write.request for write in self._checks],
                    [write.request for write in self._deletes],
                    [write.request for write in self._puts],
                    [write.request for write in self._updates],
                )
            except TransactWriteError as failure:
                self._raise_unless_busy(failure)
            else:
                return
            _pause(attempt)
        message = "other changes to the same items kept getting in first"
        raise ContentionError(message)

    def _raise_unless_busy(self, failure: TransactWriteError) -> None:
        for write, reason in zip(self._in_order(), failure.cancellation_reasons, strict=False):
            if reason is not None and reason.code == "ConditionalCheckFailed" and write.error:
                raw = reason.raw_item
                write.error.existing = item(raw) if raw else None
                raise write.error from failure
        codes = {reason.code for reason in failure.cancellation_reasons if reason is not None}
        if _code(failure) in _BUSY or (codes and codes <= _BUSY):
            return
        translate(failure)

    def _in_order(self) -> list[_Write]:
        # The order PynamoDB sends them in, hence the order of the cancellation reasons.
        return [*self._checks, *self._deletes, *self._puts, *self._updates]


def put(
    table: Table,
    pk: str,
    sk: str,
    value: msgspec.Struct | Mapping[str, object],
    *,
    condition: Condition | None = None,
    error: IntroducerError | None = None,
) -> None:
    """Write one item outside a transaction, at half its price.

    Only for writes without an event (claims, markers). A lost answer makes the
    SDK's own retry meet its first write, so *error* may mean "my own": read back.
    """
    try:
        connection().put_item(name(table), pk, sk, attributes(value), condition=condition)
    except PynamoDBException as failure:
        if _code(failure) == "ConditionalCheckFailedException" and error:
            raise error from failure
        translate(failure)


def translate(failure: PynamoDBException) -> None:
    """Raise what a failed call means: busy, uncertain, or the failure itself."""
    if _code(failure) in _BUSY:
        message = "the store is busy"
        raise ContentionError(message) from failure
    if isinstance(failure.cause, BotoCoreError):
        message = "the store did not answer"
        raise UncertainError(message) from failure
    raise failure


def _code(failure: PynamoDBException) -> str | None:
    # PynamoDB's own property breaks on a lost answer: its `response` is there, and None.
    return failure.cause_response_code if isinstance(failure.cause, ClientError) else None


def absent() -> Condition:
    """Return the condition of a put-if-absent."""
    return Path("pk").does_not_exist()


def at_version(version: int) -> Condition:
    """Return the condition that an item still has *version*."""
    return Path("version") == version


class _Write(msgspec.Struct, frozen=True):
    request: dict[str, Any]
    error: IntroducerError | None


def _request(
    table: Table,
    pk: str,
    sk: str,
    key: str,
    condition: Condition | None,
    *,
    body: Attributes | None = None,
    actions: Sequence[Action] | None = None,
) -> dict[str, Any]:
    return connection().get_operation_kwargs(
        name(table),
        pk,
        sk,
        key=key,
        attributes=body,
        actions=actions,
        condition=condition,
        return_values_on_condition_failure="ALL_OLD",
    )


def _schema(table_name: str) -> MetaTable:
    keys = {"": ("pk", "sk"), **{f"gsi{n}": (f"gsi{n}pk", f"gsi{n}sk") for n in (1, 2, 3)}}

    def key_schema(names: tuple[str, str]) -> list[dict[str, str]]:
        return [
            {"AttributeName": names[0], "KeyType": "HASH"},
            {"AttributeName": names[1], "KeyType": "RANGE"},
        ]

    return MetaTable(
        {
            "TableName": table_name,
            "KeySchema": key_schema(keys[""]),
            "AttributeDefinitions": [
                {"AttributeName": attribute, "AttributeType": "S"}
                for names in keys.values()
                for attribute in names
            ],
            "GlobalSecondaryIndexes": [
                {"IndexName": index, "KeySchema": key_schema(names)}
                for index, names in keys.items()
                if index
            ],
        }
    )


def _pause(attempt: int, sleep: Callable[[float], None] = time.sleep) -> None:
    sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  (jitter, not a secret)
