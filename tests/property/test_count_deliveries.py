"""Counters are exact for every way a stream may hand its records over."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from introducer.errors import UncertainError
from introducer.tables import rollups
from introducer.tables.store import Transaction
from route import count
from tests.support.stream import click_record

pytestmark = pytest.mark.usefixtures("aws")

examples = itertools.count()

kinds = st.lists(
    st.sampled_from(["link1", "link2", "link3", "bot", "bad", "removed"]), min_size=1, max_size=25
)
deliveries = st.lists(
    st.tuples(
        st.integers(1, 12),  # how many records
        st.sampled_from(["done", "reply lost", "crash before", "crash after"]),
        st.integers(1, 3),  # at which write it crashes
        st.randoms(use_true_random=False),  # their order within the batch
    ),
    max_size=12,
)


class Stream:
    """A shard as Lambda reads it: from the checkpoint on, which moves only after success."""

    def __init__(self, kinds_of_record: list[str]) -> None:
        self.example = next(examples)
        self.records = [self._record(n, kind) for n, kind in enumerate(kinds_of_record)]
        self.checkpoint = 0
        self.starts = [0]

    def deliver(self, length: int, outcome: str, at_write: int, order: random.Random) -> None:
        """Hand over the next *length* records, and remember them as done unless told otherwise."""
        batch = self.records[self.checkpoint : self.checkpoint + length]
        if not batch:
            return
        order.shuffle(batch)
        try:
            with mock.patch.object(Transaction, "commit", _commit(outcome, at_write)):
                count.handler({"Records": batch}, None)
        except UncertainError:
            return
        if outcome != "reply lost":
            self.checkpoint += len(batch)
            self.starts.append(self.checkpoint)

    def _record(self, number: int, kind: str) -> dict[str, Any]:
        program = f"program{self.example}"
        match kind:
            case "bot":
                record = click_record(number, program=program, uncounted="bot")
            case "bad":
                record = click_record(number, program=program, partner=None)
            case "removed":
                record = {**click_record(number, program=program), "eventName": "REMOVE"}
            case _:
                record = click_record(number, program=program, link=kind, partner=kind[-1])
        return {**record, "eventID": f"{self.example}-{number}"}

    def counted(self) -> dict[str, int]:
        """Return what the counters say: the program's total, and each link and partner."""
        program = f"program{self.example}"
        names = [{}, *({"link": f"link{n}"} for n in "123"), *({"partner": n} for n in "123")]
        return {
            " ".join(name.values()) or "all": sum(
                day.clicks for day in rollups.days(program, "2026-11-22", "2026-11-22", **name)
            )
            for name in names
        }


@pytest.fixture(autouse=True)
def _queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(count, "_park", lambda _record, _reason: None)
    yield


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kinds, deliveries, st.data())
def test_counters_are_exact_however_the_stream_is_cut(
    kinds_of_record: list[str], steps: list[Any], data: st.DataObject
) -> None:
    """Re-delivery, re-cutting, shuffled batches, crashes and a replay: each click counts once."""
    stream = Stream(kinds_of_record)
    links = [kind for kind in kinds_of_record if kind.startswith("link")]
    expected = Counter(links) + Counter(kind[-1] for kind in links)
    for step in steps:
        stream.deliver(*step)
    while stream.checkpoint < len(stream.records):
        stream.deliver(data.draw(st.integers(1, 25)), "done", 1, random.Random(1))
    stream.checkpoint = data.draw(st.sampled_from(stream.starts))
    while stream.checkpoint < len(stream.records):
        stream.deliver(data.draw(st.integers(1, 25)), "done", 1, random.Random(2))
    names = ["link1", "link2", "link3", "1", "2", "3"]
    assert {"all": len(links), **{n: expected[n] for n in names}} == stream.counted()


def _commit(outcome: str, at_write: int) -> Any:
    original, calls = Transaction.commit, itertools.count(1)

    def commit(self: Transaction) -> None:
        crashes = outcome.startswith("crash") and next(calls) == at_write
        if crashes and outcome == "crash before":
            raise UncertainError("the store did not answer")
        original(self)
        if crashes:
            raise UncertainError("the store did not answer")

    return commit
