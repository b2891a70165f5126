"""How DynamoDB keeps items: partitions in order, indexes, and what is still on its way."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import deque
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from bench import units
from tests.simulation.expressions import KeyRange
from tests.simulation.values import Item

MOST_BYTES = 400 * 1024

Key = tuple[str, str]


class Write(NamedTuple):
    """One item before and after a call; both the same for a condition that was only checked."""

    table: str
    key: Key
    before: Item | None
    after: Item | None


class Lag(NamedTuple):
    """How often, and how many calls, indexes and reads are behind; short pages of so many items."""

    share: float = 0.0
    most: int = 0
    short_page: int = 0


NO_LAG = Lag()


class Stored(NamedTuple):
    """An item and its size in bytes."""

    item: Item
    size: int


class Partition:
    """Items under one partition key, in order."""

    __slots__ = ("items", "order")

    def __init__(self) -> None:
        self.items: dict[Any, Stored] = {}
        self.order: list[Any] = []

    def put(self, sort: Any, stored: Stored | None) -> None:
        """Store an item, or remove it."""
        if stored is None:
            if self.items.pop(sort, None) is not None:
                del self.order[bisect_left(self.order, sort)]
            return
        if sort not in self.items:
            insort(self.order, sort)
        self.items[sort] = stored


class Index:
    """A secondary index: sparse, and as late as it is told to be."""

    def __init__(self, schema: units.Index) -> None:
        self.schema = schema
        self.partitions: dict[str, Partition] = {}

    def apply(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Take in one change."""
        hashed, ranged = self.schema.keys
        for image in (before, after):
            if image is None or hashed not in image or ranged not in image:
                continue
            partition = self.partitions.setdefault(image[hashed]["S"], Partition())
            stored = None
            if image is after:
                entry = self.entry(image)
                stored = Stored(entry, units.item_bytes(entry))
            partition.put((image[ranged]["S"], *key), stored)

    def range(self, wanted: KeyRange) -> list[tuple[tuple[str, str, str], Stored]]:
        """Return what lies in a range, in order, with its place."""
        partition = self.partitions.get(wanted.hash)
        if partition is None:
            return []
        low = wanted.low if wanted.low is not None else wanted.prefix
        found = []
        for place in partition.order[bisect_left(partition.order, (low,)) :]:
            if not wanted.holds(place[0]):
                break
            found.append((place, partition.items[place]))
        return found

    def entry(self, image: Item) -> Item:
        """Return what the index holds of an item."""
        if self.schema.whole:
            return image
        names = ("pk", "sk", *self.schema.keys)
        return {name: image[name] for name in names if name in image}


class Table:
    """A table with its indexes and its stream."""

    def __init__(self, name: str, schema: units.Table, *, streamed: bool, ttl: str) -> None:
        self.name = name
        self.schema = schema
        self.streamed = streamed
        self.ttl = ttl
        self.partitions: dict[str, Partition] = {}
        self.indexes = {each.name: Index(each) for each in schema.indexes}
        self.waiting: list[tuple[int, int, Write]] = []
        self._sequence = 0
        self.next_at: dict[Key, int] = {}
        self.past: dict[str, dict[str, deque[tuple[int, Stored | None]]]] = {}
        self.stream: deque[Write] = deque()

    def key(self, attributes: Item) -> Key:
        """Return the primary key in *attributes*."""
        names = self.schema.keys
        parts = [attributes.get(name, {}).get("S", "") for name in names]
        if not all(parts):
            raise refused("ValidationException", "The provided key element does not match")
        return parts[0], (parts[1] if len(parts) > 1 else "")

    def index(self, write: Write, now: int, late: int) -> None:
        """Let the indexes know of a change *late* calls after *now*, in an item's own order."""
        due = max(now + late, self.next_at.get(write.key, 0))
        if due == now and write.key not in self.next_at:
            for index in self.indexes.values():
                index.apply(write.key, write.before, write.after)
            return
        self.next_at[write.key] = due
        self._sequence += 1
        heapq.heappush(self.waiting, (due, self._sequence, write))

    def catch_up(self, now: int | None) -> None:
        """Take in what is due by *now*; None for everything."""
        while self.waiting and (now is None or self.waiting[0][0] <= now):
            due, _, write = heapq.heappop(self.waiting)
            for index in self.indexes.values():
                index.apply(write.key, write.before, write.after)
            later = any(each[2].key == write.key for each in self.waiting)
            if self.next_at.get(write.key) == due and not later:
                del self.next_at[write.key]

    def find(self, key: Key) -> Stored | None:
        """Return an item as it is."""
        partition = self.partitions.get(key[0])
        return partition.items.get(key[1]) if partition else None


def refused(code: str, message: str, operation: str = "", **more: Any) -> ClientError:
    """Return the error that botocore makes of a refusal."""
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)


def place_of(table: Table, index: Index | None, start: Item) -> tuple[str, str, str]:
    """Return where in the order of a table or index the key *start* lies."""
    pk, sk = table.key(start)
    return (start[index.schema.keys[1]]["S"] if index else sk, pk, sk)


def require_valid(table: Table, item: Item) -> None:
    """Refuse an item that is too large, or has an empty key of an index."""
    if units.item_bytes(item) > MOST_BYTES:
        raise refused("ValidationException", "Item size has exceeded the maximum allowed size")
    for index in table.schema.indexes:
        for name in index.keys:
            if name in item and not item[name].get("S"):
                raise refused("ValidationException", f"an index key is empty: {name}")


def reason_of(write: Write, request: dict[str, Any], *, holds: bool) -> dict[str, Any]:
    """Return why a write of a cancelled transaction was, or was not, to blame."""
    if holds:
        return {"Code": "None"}
    reason = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and write.before:
        return {**reason, "Item": write.before}
    return reason
