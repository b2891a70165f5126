"""Both streams onto the bus: what is put there, and what happens to what is not."""

import json
from typing import Any

import pytest

import notify.publish
import notify.retry
from introducer import ledger, payout, streams
from introducer.adjustment import Adjustment
from introducer.clients import client
from introducer.ledger import Balance, Kind, Posting
from introducer.payout import Batch
from introducer.tables import adjustments, payouts, store
from introducer.tables.store import Table, Transaction
from tests.support import life
from tests.support.life import NOW, from_stream, raw_items, submit

pytestmark = pytest.mark.usefixtures("aws", "calls", "retry_url")
NOTHING = {"batchItemFailures": []}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A bus, and every call that puts something on it."""
    monkeypatch.setenv("BUS_NAME", "bus")
    return life.new_bus("bus")


@pytest.fixture
def retry_url(monkeypatch: pytest.MonkeyPatch) -> str:
    """The retry queue."""
    url = life.new_queue("publish-retry")
    monkeypatch.setenv("PUBLISH_RETRY_URL", url)
    return url


def _publish(*images: dict[str, Any]) -> None:
    assert NOTHING == notify.publish.handler(from_stream(images), None)


def _submitted(count: int) -> list[dict[str, Any]]:
    for number in range(count):
        submit(f"r{number}", lead_key=f"own-{number}")
    return [image for number in range(count) for image in raw_items(f"REFERRAL#r{number}")]


def _refusing(monkeypatch: pytest.MonkeyPatch, *refused: int) -> None:
    """Let the bus refuse entries, by their place in the call."""

    class Bus:
        def put_events(self, *, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
            answers = [
                {"ErrorCode": "ThrottlingException"} if place in refused else {"EventId": "e"}
                for place in range(len(Entries))
            ]
            return {"FailedEntryCount": len(refused), "Entries": answers}

    monkeypatch.setattr(notify.publish, "client", lambda _service: Bus())


def test_an_event_is_put_on_the_bus_without_its_keys(calls: list[dict[str, Any]]) -> None:
    """The whole entry: type, source, and the event as it is stored."""
    _publish(*_submitted(1))
    ((entry,),) = (call["Entries"] for call in calls)
    assert {
        "id": "REFERRAL#r0#1",
        "type": "ReferralSubmitted",
        "entity": "REFERRAL#r0",
        "seq": 1,
        "program": "acme",
        "at": NOW,
        "actor": "public",
        "data": {"channel": "form", "lead": "lead-r0"},
        "cause": "",
    } == json.loads(entry.pop("Detail"))
    assert {
        "EventBusName": "bus",
        "Source": "introducer.core",
        "DetailType": "ReferralSubmitted",
    } == entry


def test_a_journal_is_its_own_event(calls: list[dict[str, Any]]) -> None:
    """Its kind is the type, its legs and references are the detail."""
    posting = Posting(
        id="reward:r1:plan:won:s1:pia",
        kind=Kind.REWARD_EARNED,
        program="acme",
        partner="pia",
        currency="EUR",
        amount_minor=2_500,
        at=NOW,
        refs={"referral": "r1", "sale": "s1"},
    )
    (journal,) = ledger.post(Balance(partner="pia", currency="EUR"), [posting], NOW).journals
    image = {
        **store.attributes(journal),
        **store.attributes({"pk": f"JOURNAL#{journal.id}", "sk": "JOURNAL", "gsi1sk": "1"}),
    }
    _publish(image)
    ((entry,),) = (call["Entries"] for call in calls)
    detail = json.loads(entry["Detail"])
    assert ("introducer.ledger", "RewardEarned") == (entry["Source"], entry["DetailType"])
    assert ({"expense": -2_500, "pending": 2_500}, 2_500, "pia") == (
        detail["legs"],
        detail["amount_minor"],
        detail["partner"],
    )
    assert not {"pk", "sk", "gsi1sk"} & detail.keys()


def test_a_batchs_event_comes_from_the_ledger(calls: list[dict[str, Any]]) -> None:
    """Batches live in the Ledger table, so their events carry its source."""
    batch = Batch(
        id="b1",
        program="acme",
        program_version=1,
        region="eu",
        currency="EUR",
        method="sepa",
        period="2026-11-22",
        run=1,
        status="created",
        version=1,
        started_by="schedule",
        created_at=NOW,
        updated_at=NOW,
    )
    payouts.create_batch(batch)
    _publish(*raw_items(batch.entity, table=Table.LEDGER))
    ((entry,),) = (call["Entries"] for call in calls)
    assert ("introducer.ledger", "BatchPrepared") == (entry["Source"], entry["DetailType"])
    assert payout.prepared(batch).id == json.loads(entry["Detail"])["id"]


def test_an_adjustments_event_comes_from_the_ledger(calls: list[dict[str, Any]]) -> None:
    """Likewise; why it is made is in the journal alone."""
    new = Adjustment(
        id="a1",
        program="acme",
        holder="pia",
        kind="credit",
        currency="EUR",
        amount_minor=5,
        reason="Goodwill",
        status="proposed",
        version=1,
        proposed_by="user:finn",
        created_at=NOW,
    )
    writes = Transaction()
    adjustments.propose(writes, new)
    writes.commit()
    _publish(*raw_items(new.entity, table=Table.LEDGER))
    ((entry,),) = (call["Entries"] for call in calls)
    assert ("introducer.ledger", "AdjustmentProposed") == (entry["Source"], entry["DetailType"])
    assert "Goodwill" not in entry["Detail"]


def test_ten_events_are_one_call(calls: list[dict[str, Any]]) -> None:
    """The bus takes ten entries at once; twelve events are two calls, in order."""
    _publish(*_submitted(12))
    assert [10, 2] == [len(call["Entries"]) for call in calls]
    ids = [json.loads(entry["Detail"])["id"] for call in calls for entry in call["Entries"]]
    assert [f"REFERRAL#r{number}#1" for number in range(12)] == ids


def test_an_event_that_comes_twice_is_published_twice(calls: list[dict[str, Any]]) -> None:
    """No marker is kept: whoever listens has its own guard."""
    (image,) = _submitted(1)
    _publish(image, image)
    assert 2 == len(calls[0]["Entries"])


def test_what_the_bus_refuses_is_parked_alone(
    retry_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of 200 may hold refused entries: each is looked at."""
    images = _submitted(3)
    _refusing(monkeypatch, 1)
    _publish(*images)
    (delivery,) = life.from_queue(retry_url)["Records"]
    assert {
        "pk": "REFERRAL#r1",
        "sk": "EVENT#000001",
        "type": "ReferralSubmitted",
        "reason": "PutEvents ThrottlingException",
        "item": images[1],
    } == json.loads(delivery["body"])


def test_a_call_that_fails_parks_its_ten(
    calls: list[dict[str, Any]], retry_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other calls of the batch are made, and the retry publishes what is missing."""
    images = _submitted(12)
    real = client("events")
    attempts = iter([TimeoutError(), None])

    class Bus:
        def put_events(self, **arguments: Any) -> Any:
            failure = next(attempts, None)
            if failure:
                raise failure
            return real.put_events(**arguments)

    monkeypatch.setattr(notify.publish, "client", lambda _service: Bus())
    _publish(*images)
    assert [2] == [len(call["Entries"]) for call in calls]
    parked = life.from_queue(retry_url)
    assert 10 == len(parked["Records"])
    assert NOTHING == notify.retry.handler(parked, None)
    ids = {json.loads(entry["Detail"])["id"] for call in calls for entry in call["Entries"]}
    assert {f"REFERRAL#r{number}#1" for number in range(12)} == ids


def test_an_item_that_is_neither_event_nor_journal_is_parked(
    calls: list[dict[str, Any]], retry_url: str
) -> None:
    """It blocks nobody: the events around it are published."""
    images = _submitted(2)
    (state,) = raw_items("REFERRAL#r0", prefix="STATE")
    _publish(images[0], state, images[1])
    assert [2] == [len(call["Entries"]) for call in calls]
    (delivery,) = life.from_queue(retry_url)["Records"]
    body = json.loads(delivery["body"])
    assert ("REFERRAL#r0", "STATE") == (body["pk"], body["sk"])
    assert body["reason"].startswith("KeyError at publish.py:")
    assert {"batchItemFailures": [{"itemIdentifier": delivery["messageId"]}]} == (
        notify.retry.handler({"Records": [delivery]}, None)
    )


def test_when_bus_and_queue_are_down_the_batch_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Raising is the only way left not to lose the events."""
    images = _submitted(1)
    _refusing(monkeypatch, 0)

    class Queue:
        def send_message_batch(self, **_: Any) -> Any:
            raise TimeoutError

    monkeypatch.setattr(streams, "client", lambda _service: Queue())
    with pytest.raises(TimeoutError):
        notify.publish.handler(from_stream(images), None)


def test_a_replay_publishes_the_same_again(calls: list[dict[str, Any]]) -> None:
    """The same stream gives the same entries, byte for byte."""
    images = _submitted(3)
    _publish(*images)
    _publish(*images)
    assert calls[0] == calls[1]
