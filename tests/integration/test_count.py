"""The Clicks stream becomes counters, each click once, whatever the stream does."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from introducer.errors import IntroducerError, UncertainError
from introducer.tables import rollups, store
from introducer.tables.rollups import Day
from introducer.tables.store import Table, Transaction
from route import count
from tests.support.stream import click_record

pytestmark = pytest.mark.usefixtures("aws")

PARTNER = "0123456789abcdefghjk"
TODAY = "2026-11-22"


@pytest.fixture
def dead(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The queue for clicks that cannot be counted; called, it gives what is in it."""
    del aws
    sqs = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="count-dead")["QueueUrl"]
    monkeypatch.setenv("COUNT_DEAD_URL", url)

    def messages() -> list[dict[str, Any]]:
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in received]

    return messages


def deliver(*records: dict[str, Any]) -> None:
    """Hand *records* over as one batch."""
    assert count.handler({"Records": list(records)}, None) is None


def clicks(first: int, last: int, **overrides: Any) -> list[dict[str, Any]]:
    """Return the records numbered from *first* to *last*, both included."""
    return [click_record(number, **overrides) for number in range(first, last + 1)]


def total(**of: str) -> int:
    """Return what is counted of the program, or of one link or partner."""
    return sum(day.clicks for day in rollups.days("telecom", "2026-01-01", "2026-12-31", **of))


def test_batch_is_counted_by_program_link_partner_and_day() -> None:
    """One batch with two links, two partners and two days: every counter, and nothing else."""
    deliver(
        *clicks(1, 3),
        *clicks(4, 5, link="other"),
        *clicks(6, 9, at="2026-11-23T00:00:00.000Z", partner="second"),
    )
    today, tomorrow = Day(day=TODAY, clicks=5), Day(day="2026-11-23", clicks=4)
    between = ("telecom", "2026-11-01", "2026-11-30")
    assert list(rollups.days(*between)) == [today, tomorrow]
    assert list(rollups.days(*between, link="abcdefgh")) == [Day(day=TODAY, clicks=3), tomorrow]
    assert list(rollups.days(*between, link="other")) == [Day(day=TODAY, clicks=2)]
    assert list(rollups.days(*between, partner=PARTNER)) == [today]
    assert list(rollups.days(*between, partner="second")) == [tomorrow]
    assert list(rollups.days("telecom", TODAY, TODAY)) == [today]
    assert list(rollups.days("another", "2026-11-01", "2026-11-30")) == []


def test_batch_costs_one_write_for_each_counter_and_one_for_its_marker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand clicks on one link are four writes and no read."""
    calls = _calls(monkeypatch)
    deliver(*clicks(1, 1000))
    assert [(name, len(request["TransactItems"])) for name, request in calls] == [
        ("TransactWriteItems", 4)
    ]
    assert total() == 1000


def test_batch_delivered_again_counts_nothing() -> None:
    """The reply was lost, the stream begins again at the same record."""
    for _ in range(3):
        deliver(*clicks(1, 10))
    assert (total(), total(link="abcdefgh"), total(partner=PARTNER)) == (10, 10, 10)


def test_batch_delivered_again_and_longer_counts_what_follows() -> None:
    """Meanwhile more records arrived."""
    deliver(*clicks(1, 10))
    deliver(*clicks(1, 15))
    deliver(*clicks(1, 22))
    deliver(*clicks(23, 25))
    assert total() == 25


def test_batch_delivered_again_and_shorter_leaves_word_for_the_next() -> None:
    """The next batch begins in the middle of what was counted, twice over."""
    deliver(*clicks(1, 10))
    deliver(*clicks(1, 3))
    deliver(*clicks(4, 7))
    deliver(*clicks(8, 20))
    assert total() == 20


def test_whole_stream_replayed_with_other_cuts_counts_nothing() -> None:
    """From any place where a batch once began, everything is recognised."""
    for first, last in ((1, 10), (1, 3), (4, 12), (13, 13), (14, 30)):
        deliver(*clicks(first, last))
    for size in (30, 7, 1):
        for first in range(1, 31, size):
            deliver(*clicks(first, min(first + size - 1, 30)))
    deliver(*clicks(4, 30))
    assert total() == 30


def test_batch_with_hundreds_of_links_is_counted_in_parts() -> None:
    """More counters than a transaction holds: several, each with its own marker."""
    many = [
        click_record(number, link=f"link{number % 70}", partner=f"partner{number % 40}")
        for number in range(140)
    ]
    deliver(*many)
    deliver(*many)
    deliver(*many[:90])
    deliver(*many[90:])
    assert total() == 140
    assert [total(link=f"link{n}") for n in range(70)] == [2] * 70
    assert sum(total(partner=f"partner{n}") for n in range(40)) == 140


def test_crash_between_two_parts_is_made_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part stays counted; the batch comes again and only the rest is added."""
    many = [click_record(number, link=f"link{number}") for number in range(110)]
    commit, commits = Transaction.commit, []

    def failing(self: Transaction) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise UncertainError("the store did not answer")
        commit(self)

    monkeypatch.setattr(Transaction, "commit", failing)
    with pytest.raises(UncertainError):
        deliver(*many)
    assert total() == 97
    deliver(*many)
    assert total() == 110


def test_lost_reply_of_the_transaction_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written, we never heard: the batch comes again and finds its marker."""
    commit = Transaction.commit

    def deaf(self: Transaction) -> None:
        commit(self)
        raise UncertainError("the store did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "commit", deaf)
        with pytest.raises(UncertainError):
            deliver(*clicks(1, 10))
    deliver(*clicks(1, 12))
    assert total() == 12


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"partner": None}, "KeyError: 'partner'"),
        ({"program": ""}, "ValueError: empty: program"),
        ({"at": "yesterday"}, "ValueError: Invalid isoformat string: 'yesterday'"),
        ({"at": "2026-11-22T11:17:00"}, "ValueError: a naive datetime is not an instant"),
    ],
)
def test_bad_record_is_put_aside_and_blocks_nobody(
    overrides: dict[str, Any], reason: str, dead: Any
) -> None:
    """The others of its batch are counted; the queue says which and why, not what was in it."""
    deliver(click_record(1), click_record(2, **overrides), click_record(3))
    assert total() == 2
    assert dead() == [
        {
            "reason": reason,
            "event_id": f"{2:032x}",
            "keys": {"pk": {"S": f"abcdefgh.A{2:024}"}},
        }
    ]


def test_record_without_an_image_is_put_aside(dead: Any) -> None:
    """Even a record that is hardly one does not fail the batch."""
    deliver({"eventName": "INSERT", "eventID": "x"}, click_record(3))
    assert total() == 1
    assert dead() == [{"reason": "KeyError: 'dynamodb'", "event_id": "x", "keys": None}]


def test_bad_record_that_cannot_be_put_aside_brings_the_batch_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is counted, so nothing is lost or counted twice."""
    monkeypatch.setenv("COUNT_DEAD_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/none")
    with pytest.raises(Exception, match=r"NonExistentQueue|does not exist"):
        deliver(click_record(1), click_record(2, at=None))
    assert total() == 0


def test_records_that_are_no_counted_clicks_are_passed_over() -> None:
    """Uncounted clicks, changes and removals add nothing."""
    removed = {**click_record(2), "eventName": "REMOVE"}
    deliver(click_record(1, uncounted="bot"), removed, {**click_record(3), "eventName": "MODIFY"})
    deliver()
    assert total() == 0


def test_damaged_counter_stops_the_count() -> None:
    """A counter below zero is somebody's mistake, not something to add to."""
    deliver(click_record(1))
    store.put(Table.ROLLUPS, "PROGRAM#telecom#ALL", f"DAY#{TODAY}", {"clicks": -5})
    with pytest.raises(IntroducerError, match="below zero"):
        deliver(click_record(2))


def test_marker_names_its_events_and_ends_after_three_days() -> None:
    """What is stored beside the counters: eight bytes an event, and when it may go."""
    rollups.add([_click("a"), _click("b")], "2026-11-22T11:17:00.000Z")
    first = rollups._short("a")
    marker = store.get(Table.ROLLUPS, f"BATCH#{first.hex()}", "BATCH")
    assert marker == {
        "pk": f"BATCH#{first.hex()}",
        "sk": "BATCH",
        "events": first + rollups._short("b"),
        "expires": 1_795_605_420,
    }


def _click(event: str) -> rollups.Click:
    return rollups.Click(event=event, program="telecom", partner="p", link="abc", day=TODAY)


def _calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    botocore_client = store.connection().client
    calls: list[tuple[str, Any]] = []
    original = botocore_client._make_api_call

    def recording(operation: str, request: Any) -> Any:
        calls.append((operation, request))
        return original(operation, request)

    monkeypatch.setattr(botocore_client, "_make_api_call", recording)
    return calls
