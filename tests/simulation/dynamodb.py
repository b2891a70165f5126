"""DynamoDB in memory, behaving as DynamoDB does: tables, indexes that lag, transactions, streams.

Items are kept as attribute values and never changed in place, so answers share them. What is
random (how late an index is, how stale a read) comes from the generator that is given; without
one nothing is late. Only what the product asks of DynamoDB is here, and it is checked against
an engine by ``tests/integration/test_simulation_store.py``.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from bench import units
from tests.simulation import expressions
from tests.simulation.storage import (
    NO_LAG,
    Index,
    Key,
    Lag,
    Partition,
    Stored,
    Table,
    Write,
    place_of,
    reason_of,
    refused,
    require_valid,
)
from tests.simulation.values import ExpressionError, Item

PAGE_BYTES = 1024 * 1024
MOST_WRITES = 100
MOST_KEYS = 100
_REMEMBERED = 400
"""For how many calls the store knows how an item was; a stale read is never older."""
_TOKENS = 100

Params = dict[str, Any]


class DynamoDB:
    """The service: :meth:`call` takes an operation and its parameters as botocore does.

    Args:
        tables: Properties of the template, by deployed name.
        rng: Where lateness comes from.
        lag: How late things may be.
    """

    def __init__(
        self, tables: dict[str, dict[str, Any]], rng: random.Random, lag: Lag = NO_LAG
    ) -> None:
        self.tables = {
            name: Table(
                name,
                units.table(each),
                streamed="StreamSpecification" in each,
                ttl=each.get("TimeToLiveSpecification", {}).get("AttributeName", ""),
            )
            for name, each in tables.items()
        }
        self.lag = lag
        self.calls = 0
        self.fresh = False
        """Whether every read of a table sees what is, whatever the lag."""
        self.watchers: list[Callable[[list[Write]], None]] = []
        """Called with what a call has changed, after it did."""
        self.readers: list[Callable[[str, list[int], bool], None]] = []
        """Called with operation, sizes and consistency of what a call has read."""
        self._rng = rng
        self._tokens: dict[str, list[Params]] = {}
        self._log: deque[tuple[int, Table, Key]] = deque()
        self._operations: dict[str, Callable[[Params], Params]] = {
            "GetItem": self._get,
            "PutItem": partial(self._write_one, "Put"),
            "UpdateItem": partial(self._write_one, "Update"),
            "DeleteItem": partial(self._write_one, "Delete"),
            "Query": self._query,
            "Scan": self._scan,
            "BatchGetItem": self._batch_get,
            "TransactWriteItems": self._transact,
        }

    def call(self, operation: str, params: Params) -> Params:
        """Do one operation.

        Raises:
            ClientError: As DynamoDB refuses it.
        """
        self.calls += 1
        self._forget()
        try:
            return self._operations[operation](params)
        except ExpressionError as error:
            raise refused("ValidationException", str(error), operation) from error
        except ClientError as error:
            error.operation_name = operation
            raise

    def settle(self) -> None:
        """Let every index catch up, and every read see what is."""
        for table in self.tables.values():
            table.catch_up(None)
            table.past.clear()
        self._log.clear()

    def expire(self, table: str, now_s: int) -> int:
        """Remove what has expired until *now_s*; when, if ever, is the caller's choice."""
        found = self.tables[table]
        gone = [
            key
            for key, stored in self.everything(table)
            if int(stored.get(found.ttl, {}).get("N", now_s)) < now_s
        ]
        for key in gone:
            self._commit([Write(table, key, self._current(found, key), None)])
        return len(gone)

    def everything(self, table: str) -> Iterator[tuple[Key, Item]]:
        """Yield every item of a table."""
        for pk, partition in list(self.tables[table].partitions.items()):
            for sk in list(partition.order):
                yield (pk, sk), partition.items[sk].item

    def replace(self, table: str, items: list[Item]) -> None:
        """Let *items* be all there is in a table, nobody having watched."""
        found = self.tables[table]
        found.partitions, found.waiting, found.next_at, found.past = {}, [], {}, {}
        found.stream.clear()
        for index in found.indexes.values():
            index.partitions = {}
        for item in items:
            write = Write(table, found.key(item), None, item)
            partition = found.partitions.setdefault(write.key[0], Partition())
            partition.put(write.key[1], Stored(item, units.item_bytes(item)))
            for index in found.indexes.values():
                index.apply(write.key, None, item)

    # ---- reads

    def _get(self, params: Params) -> Params:
        table = self._table(params)
        key = table.key(params["Key"])
        consistent = params.get("ConsistentRead", False)
        found = self._seen(table, key, self._as_of(consistent=consistent))
        self._tell_read("GetItem", [found.size if found else 0], consistent=consistent)
        return {"Item": found.item} if found else {}

    def _batch_get(self, params: Params) -> Params:
        wanted = params["RequestItems"]
        if sum(len(each["Keys"]) for each in wanted.values()) > MOST_KEYS:
            raise refused("ValidationException", "Too many items requested for the BatchGetItem")
        responses: dict[str, list[Item]] = {}
        for name, request in wanted.items():
            table = self.tables[name]
            keys = [table.key(each) for each in request["Keys"]]
            if len(set(keys)) != len(keys):
                raise refused(
                    "ValidationException", "Provided list of item keys contains duplicates"
                )
            consistent = request.get("ConsistentRead", False)
            at = self._as_of(consistent=consistent)
            found = [self._seen(table, key, at) for key in keys]
            self._tell_read(
                "BatchGetItem", [each.size if each else 0 for each in found], consistent=consistent
            )
            responses[name] = [each.item for each in found if each]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _query(self, params: Params) -> Params:
        table = self._table(params)
        name = params.get("IndexName")
        consistent = params.get("ConsistentRead", False)
        if name and consistent:
            raise refused("ValidationException", "Consistent reads are not supported on indexes")
        if name:
            table.catch_up(self.calls)
            index = table.indexes[name]
            hashed = index.schema.keys[0]
        else:
            hashed = table.schema.keys[0]
        wanted = expressions.key_range(
            params["KeyConditionExpression"],
            params.get("ExpressionAttributeNames"),
            params["ExpressionAttributeValues"],
            hashed,
        )
        if name:
            found = index.range(wanted)
        else:
            at = self._as_of(consistent=consistent)
            found = self._in_table(table, wanted, at)
        answer = self._page(table, index if name else None, found, params)
        self._tell_read("Query", answer.pop("sizes"), consistent=consistent)
        return answer

    def _scan(self, params: Params) -> Params:
        table = self._table(params)
        found = [item for _, item in self.everything(table.name)]
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _in_table(
        self, table: Table, wanted: expressions.KeyRange, at: int | None
    ) -> list[tuple[tuple[str, str, str], Stored]]:
        partition = table.partitions.get(wanted.hash)
        order = partition.order if partition else []
        low = wanted.low if wanted.low is not None else wanted.prefix
        keys: list[str] = []
        for sk in order[bisect_left(order, low) :]:
            if not wanted.holds(sk):
                break
            keys.append(sk)
        if at is not None:
            past = table.past.get(wanted.hash, {})
            keys = sorted({*keys, *(sk for sk in past if wanted.holds(sk))})
        seen = [(sk, self._seen(table, (wanted.hash, sk), at)) for sk in keys]
        return [((sk, wanted.hash, sk), stored) for sk, stored in seen if stored]

    def _page(
        self,
        table: Table,
        index: Index | None,
        found: list[tuple[tuple[str, str, str], Stored]],
        params: Params,
    ) -> Params:
        if not params.get("ScanIndexForward", True):
            found.reverse()
        start = params.get("ExclusiveStartKey")
        if start:
            place = place_of(table, index, start)
            places = [each for each, _ in found]
            if params.get("ScanIndexForward", True):
                found = found[bisect_right(places, place) :]
            else:
                found = [each for each in found if each[0] < place]
        limit = params.get("Limit") or len(found) + 1
        if self.lag.short_page and self._rng.random() < self.lag.share:
            limit = min(limit, self._rng.randint(1, self.lag.short_page))
        items: list[Item] = []
        sizes: list[int] = []
        last: Item | None = None
        total = 0
        for _, stored in found:
            items.append(stored.item)
            sizes.append(stored.size)
            total += stored.size
            if len(items) == limit or total > PAGE_BYTES:
                names = (*table.schema.keys, *(index.schema.keys if index else ()))
                last = {name: stored.item[name] for name in names}
                break
        answer = {"Items": items, "Count": len(items), "ScannedCount": len(items), "sizes": sizes}
        return answer if last is None else answer | {"LastEvaluatedKey": last}

    def _as_of(self, *, consistent: bool) -> int | None:
        """Return the call a read sees the store at, None for as it is."""
        if consistent or self.fresh or not self.lag.share or self._rng.random() >= self.lag.share:
            return None
        return self.calls - self._rng.randint(1, self.lag.most)

    def _seen(self, table: Table, key: Key, at: int | None) -> Stored | None:
        if at is not None:
            for changed, before in table.past.get(key[0], {}).get(key[1], ()):
                if changed > at:
                    return before
        return table.find(key)

    def _tell_read(self, operation: str, sizes: list[int], *, consistent: bool) -> None:
        for reader in self.readers:
            reader(operation, sizes, consistent)

    # ---- writes

    def _write_one(self, action: str, params: Params) -> Params:
        write, holds = self._plan(action, params)
        if not holds:
            more = {}
            if params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and write.before:
                more = {"Item": write.before}
            message = "The conditional request failed"
            raise refused("ConditionalCheckFailedException", message, **more)
        self._commit([write])
        match params.get("ReturnValues", "NONE"):
            case "ALL_OLD":
                return {"Attributes": write.before} if write.before else {}
            case "ALL_NEW":
                return {"Attributes": write.after}
        return {}

    def _transact(self, params: Params) -> Params:
        actions = [next(iter(each.items())) for each in params["TransactItems"]]
        if not 0 < len(actions) <= MOST_WRITES:
            raise refused("ValidationException", "Member must have length between 1 and 100")
        token = params.get("ClientRequestToken", "")
        if token and token in self._tokens:
            if self._tokens[token] != params["TransactItems"]:
                raise refused("IdempotentParameterMismatchException", "another request's token")
            return {}
        planned = [self._plan(action, request) for action, request in actions]
        places = {(write.table, write.key) for write, _ in planned}
        if len(places) < len(planned):
            message = "Transaction request cannot include multiple operations on one item"
            raise refused("ValidationException", message)
        if not all(holds for _, holds in planned):
            reasons = [
                reason_of(write, request, holds=holds)
                for (write, holds), (_, request) in zip(planned, actions, strict=True)
            ]
            codes = ", ".join(each["Code"] for each in reasons)
            raise refused(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons [{codes}]",
                CancellationReasons=reasons,
            )
        self._commit([write for write, _ in planned])
        if token:
            self._tokens[token] = params["TransactItems"]
            if len(self._tokens) > _TOKENS:
                del self._tokens[next(iter(self._tokens))]
        return {}

    def _plan(self, action: str, request: Params) -> tuple[Write, bool]:
        """Return what a write would change, and whether its condition holds."""
        table = self._table(request)
        key = table.key(request["Item"] if action == "Put" else request["Key"])
        before = self._current(table, key)
        names = request.get("ExpressionAttributeNames")
        values = request.get("ExpressionAttributeValues") or {}
        text = request.get("ConditionExpression")
        holds = not text or expressions.condition(text, names)(before or {}, values)
        after: Item | None = None
        if action == "Put":
            after = request["Item"]
        elif action == "ConditionCheck":
            after = before
        elif action == "Update":
            after = dict(before or request["Key"])
            if holds:
                change = expressions.update(request["UpdateExpression"], names)
                change(before or request["Key"], after, values)
        if after is not None and after is not before:
            require_valid(table, after)
        return Write(table.name, key, before, after), holds

    def _commit(self, writes: list[Write]) -> None:
        changed = [write for write in writes if write.before is not write.after]
        for write in changed:
            self._store(self.tables[write.table], write)
        for watcher in self.watchers:
            watcher(writes)

    def _store(self, table: Table, write: Write) -> None:
        (pk, sk), after = write.key, write.after
        partition = table.partitions.get(pk)
        if partition is None:
            partition = table.partitions[pk] = Partition()
        if self.lag.share:
            past = table.past.setdefault(pk, {}).setdefault(sk, deque())
            past.append((self.calls, partition.items.get(sk)))
            self._log.append((self.calls, table, write.key))
        partition.put(sk, Stored(after, units.item_bytes(after)) if after is not None else None)
        if table.streamed:
            table.stream.append(write)
        if table.indexes:
            self._index(table, write)

    def _index(self, table: Table, write: Write) -> None:
        late = 0
        if self.lag.share and self._rng.random() < self.lag.share:
            late = self._rng.randint(1, self.lag.most)
        table.index(write, self.calls, late)

    def _forget(self) -> None:
        while self._log and self._log[0][0] < self.calls - _REMEMBERED:
            _, table, (pk, sk) = self._log.popleft()
            past = table.past.get(pk, {})
            if sk in past:
                past[sk].popleft()
                if not past[sk]:
                    del past[sk]
                if not past:
                    del table.past[pk]

    def _current(self, table: Table, key: Key) -> Item | None:
        found = table.find(key)
        return found.item if found else None

    def _table(self, params: Params) -> Table:
        found = self.tables.get(params["TableName"])
        if found is None:
            raise refused("ResourceNotFoundException", "Requested resource not found")
        return found
