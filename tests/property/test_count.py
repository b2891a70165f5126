"""Counters are exact for every way a stream may hand its records over.

The table is a dictionary here: hundreds of streams in a second. That the conditions mean
in DynamoDB what they mean here is what ``tests/integration/test_count.py`` shows.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from introducer import networks
from introducer.errors import AlreadyExistsError, UncertainError
from introducer.tables import clicked, rollups
from route import count
from tests.support.stream import click_record

kinds = st.lists(
    st.sampled_from([*["link1", "link2", "link3"] * 3, "bot", "bad", "removed"]),
    min_size=6,
    max_size=25,
)
deliveries = st.lists(
    st.tuples(
        st.integers(1, 12),  # how many records
        st.sampled_from(["done", "reply lost", "reply lost", "crash before", "crash after"]),
        st.integers(1, 3),  # at which write it crashes
        st.randoms(use_true_random=False),  # their order within the batch
    ),
    min_size=4,
    max_size=12,
)


class Table:
    """The Rollups table: markers that are put once, counters that are added to."""

    def __init__(self) -> None:
        self.markers: dict[str, Any] = {}
        self.counters: Counter[str] = Counter()
        self.crash: tuple[str, int] = ("done", 0)

    def transaction(self) -> Transaction:
        """Begin a transaction."""
        return Transaction(self)


class Transaction:
    """What :mod:`introducer.tables.rollups` asks of the real one, all or nothing."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.marker: tuple[str, Any, AlreadyExistsError]
        self.added: dict[str, int] = {}

    def put(self, _table: Any, pk: str, _sk: str, value: Any, **rest: Any) -> None:
        """Put the marker if it is absent."""
        self.marker = pk, value, rest["error"]

    def update(self, _table: Any, pk: str, _sk: str, actions: Any, **_: Any) -> None:
        """Add to a counter."""
        for path, number in (action.values for action in actions):
            self.added[f"{pk} {path}"] = int(number.value["N"])

    def commit(self) -> None:
        """Write, and crash before or after it if this is the write to crash at."""
        outcome, writes = self.table.crash
        self.table.crash = outcome, writes - 1
        if outcome == "crash before" and writes == 1:
            raise UncertainError("the store did not answer")
        pk, value, error = self.marker
        if pk in self.table.markers:
            error.existing = self.table.markers[pk]
            raise error
        self.table.markers[pk] = value
        self.table.counters.update(self.added)
        if outcome == "crash after" and writes == 1:
            raise UncertainError("the store did not answer")


class Stream:
    """A shard as Lambda reads it: from the checkpoint on, which moves only after success."""

    def __init__(self, kinds_of_record: list[str]) -> None:
        self.table = Table()
        self.records = [_record(n, kind) for n, kind in enumerate(kinds_of_record)]
        self.checkpoint = 0
        self.starts = [0]

    def deliver(self, length: int, outcome: str, at_write: int, order: random.Random) -> None:
        """Hand over the next *length* records, and remember them as done unless told otherwise."""
        batch = self.records[self.checkpoint : self.checkpoint + length]
        if not batch:
            return
        order.shuffle(batch)
        self.table.crash = outcome, at_write
        try:
            with (
                mock.patch.object(rollups, "Transaction", self.table.transaction),
                mock.patch.object(count, "_park"),
            ):
                count.handler({"Records": batch}, None)
        except UncertainError:
            return
        if outcome != "reply lost":
            self.checkpoint += len(batch)
            self.starts.append(self.checkpoint)


def _record(number: int, kind: str) -> dict[str, Any]:
    match kind:
        case "bot":
            return click_record(number, uncounted="bot")
        case "doubtful":
            return click_record(number, net="192.0.2.0/24")
        case "bad":
            return click_record(number, partner=None)
        case "removed":
            return {**click_record(number), "eventName": "REMOVE"}
    return click_record(number, link=kind, partner=kind[-1])


@settings(max_examples=300, deadline=None)
@given(kinds, deliveries, st.integers(3, 99), st.data())
def test_counters_are_exact_however_the_stream_is_cut(
    kinds_of_record: list[str], steps: list[Any], counters_limit: int, data: st.DataObject
) -> None:
    """Re-delivery, re-cutting, shuffled batches, crashes and a replay: each click counts once."""
    stream = Stream(kinds_of_record)
    order = random.Random(1)
    with mock.patch.object(rollups, "_COUNTERS_LIMIT", counters_limit):
        for step in steps:
            stream.deliver(*step)
        while stream.checkpoint < len(stream.records):
            stream.deliver(data.draw(st.integers(1, 25)), "done", 1, order)
        stream.checkpoint = data.draw(st.sampled_from(stream.starts))
        while stream.checkpoint < len(stream.records):
            stream.deliver(data.draw(st.integers(1, 25)), "done", 1, order)
    expected = Counter(_expected(kinds_of_record))
    assert expected == stream.table.counters


def _expected(kinds_of_record: list[str]) -> Any:
    for kind in kinds_of_record:
        if kind.startswith("link"):
            yield "PROGRAM#telecom#ALL clicks"
            yield f"PROGRAM#telecom#LINK#{kind} clicks"
            yield f"PROGRAM#telecom#PARTNER#{kind[-1]} clicks"
        if kind == "bot":
            yield "PROGRAM#telecom#ALL set_aside"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["link1", "doubtful"]), min_size=4, max_size=20), deliveries)
def test_a_verdict_that_changes_between_deliveries_counts_no_click_twice(
    kinds_of_record: list[str], steps: list[Any]
) -> None:
    """A click is counted or set aside, once, as it was judged when it was first written down."""
    stream = Stream(kinds_of_record)
    order = random.Random(2)
    with (
        mock.patch.object(networks, "host", side_effect=lambda _net: order.choice(["", "Servers"])),
        mock.patch.object(clicked, "set_aside"),
    ):
        for step in steps:
            stream.deliver(*step)
        while stream.checkpoint < len(stream.records):
            stream.deliver(5, "done", 1, order)
        stream.checkpoint = 0
        while stream.checkpoint < len(stream.records):
            stream.deliver(7, "done", 1, order)
    whole = [
        stream.table.counters[f"PROGRAM#telecom#ALL {name}"] for name in ("clicks", "set_aside")
    ]
    assert len(kinds_of_record) == sum(whole)
