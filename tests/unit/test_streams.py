"""The shared entry of stream and queue handlers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from introducer import streams
from introducer.errors import NotFoundError, UncertainError
from introducer.streams import Batch, Record
from tests.support.life import from_bus, from_stream

URL = "https://queue.example/retry"


class FakeQueue:
    """Takes messages, or refuses those it is told to."""

    def __init__(self, refused: set[str] | None = None) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.refused = refused or set()

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        """Answer as SQS does: refused entries are listed, nothing is raised."""
        assert QueueUrl == URL
        self.calls.append(Entries)
        return {"Failed": [{"Id": each["Id"]} for each in Entries if each["Id"] in self.refused]}

    @property
    def bodies(self) -> list[Any]:
        """Return every message's body, decoded."""
        return [json.loads(entry["MessageBody"]) for call in self.calls for entry in call]


class FakeLogger:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, message: str, *, extra: dict[str, Any]) -> None:
        """Log at level INFO."""
        self.lines.append(("info", message, extra))

    def warning(self, message: str, *, extra: dict[str, Any]) -> None:
        """Log at level WARNING."""
        self.lines.append(("warning", message, extra))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    """A retry queue in memory."""
    fake = FakeQueue()
    monkeypatch.setattr(streams, "client", lambda _service: fake)
    return fake


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> FakeLogger:
    """The log lines."""
    fake = FakeLogger()
    monkeypatch.setattr(streams, "_logger", lambda: fake)
    return fake


def _image(number: int, **more: Any) -> Record:
    image = {
        "pk": {"S": f"REFERRAL#{number}"},
        "sk": {"S": "EVENT#000001"},
        "type": {"S": "ReferralSubmitted"},
    }
    return image | more


def _each(handle: Callable[[Record], object]) -> Callable[[Batch], object]:
    return lambda batch: batch.each(handle)


def _failing(*numbers: int) -> Callable[[Record], str]:
    def handle(record: Record) -> str:
        pk: str = record["pk"]["S"]
        if int(pk.removeprefix("REFERRAL#")) in numbers:
            message = "no such referral"
            raise NotFoundError(message)
        return pk

    return handle


def test_from_stream_parks_what_failed_and_blocks_nobody(queue: FakeQueue) -> None:
    """The records around the failing one are handled, and the message says what it is and why."""
    handled: list[str] = []
    handle = _failing(2)
    event = from_stream([_image(1), _image(2), _image(3)])
    answer = streams.from_stream(
        event, _each(lambda record: handled.append(handle(record))), retry_url=URL
    )
    assert {"batchItemFailures": []} == answer
    assert ["REFERRAL#1", "REFERRAL#3"] == handled
    assert [
        {
            "pk": "REFERRAL#2",
            "sk": "EVENT#000001",
            "type": "ReferralSubmitted",
            "reason": "NotFoundError: no such referral",
            "item": _image(2),
        }
    ] == queue.bodies


def test_from_stream_without_a_failure_leaves_the_queue_alone(queue: FakeQueue) -> None:
    """Parking costs nothing when all went well."""
    streams.from_stream(from_stream([_image(1)]), _each(_failing()), retry_url=URL)
    assert [] == queue.calls


def test_from_stream_parks_ten_a_call(queue: FakeQueue) -> None:
    """SQS takes ten messages at once; twenty-three failures are three calls."""
    event = from_stream([_image(number) for number in range(23)])
    streams.from_stream(event, _each(_failing(*range(23))), retry_url=URL)
    assert [10, 10, 3] == [len(call) for call in queue.calls]
    assert [f"REFERRAL#{number}" for number in range(23)] == [body["pk"] for body in queue.bodies]


def test_from_stream_parks_a_record_it_cannot_open(queue: FakeQueue) -> None:
    """A record without an image is a failure of its own, not of the batch."""
    event = from_stream([_image(1), _image(2)])
    del event["Records"][0]["dynamodb"]["NewImage"]
    handled: list[Record] = []
    streams.from_stream(event, _each(handled.append), retry_url=URL)
    assert [_image(2)] == handled
    (body,) = queue.bodies
    assert ("REFERRAL#1", {}, "") == (body["pk"], body["item"], body["type"])
    assert body["reason"].startswith("KeyError at streams.py:")


def test_from_stream_raises_when_the_queue_refuses(queue: FakeQueue) -> None:
    """What could neither be done nor parked must come again."""
    queue.refused = {"1"}
    event = from_stream([_image(0), _image(1)])
    with pytest.raises(UncertainError) as raised:
        streams.from_stream(event, _each(_failing(0, 1)), retry_url=URL)
    assert {"count": 1} == raised.value.data


def test_from_stream_raises_when_the_queue_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda then delivers the batch again; nothing is given up silently."""

    def down(_service: str) -> Any:
        raise ConnectionError

    monkeypatch.setattr(streams, "client", down)
    with pytest.raises(ConnectionError):
        streams.from_stream(from_stream([_image(1)]), _each(_failing(1)), retry_url=URL)


def test_a_parked_message_comes_back_as_the_same_record(queue: FakeQueue) -> None:
    """The retry queue's consumer sees exactly what the stream's saw."""
    images = [_image(1, data={"M": {"amount_minor": {"N": "5"}}}), _image(2)]
    streams.from_stream(from_stream(images), _each(_failing(1, 2)), retry_url=URL)
    deliveries = [
        {"messageId": str(number), "body": entry["MessageBody"]}
        for number, entry in enumerate(queue.calls[0])
    ]
    seen: list[Record] = []
    answer = streams.from_queue({"Records": deliveries}, _each(seen.append))
    assert images == seen
    assert {"batchItemFailures": []} == answer


def test_from_queue_answers_with_what_failed() -> None:
    """Poison stays in the queue, which counts its attempts; the others leave."""
    event = {
        "Records": [
            {"messageId": f"m{number}", "body": json.dumps({"item": _image(number)})}
            for number in range(4)
        ]
    }
    answer = streams.from_queue(event, _each(_failing(3, 1)))
    assert {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}]} == answer


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", "null"])
def test_from_queue_keeps_a_message_it_cannot_open(body: str) -> None:
    """Whatever somebody put there by hand, it fails alone."""
    event = {
        "Records": [
            {"messageId": "bad", "body": body},
            {"messageId": "good", "body": json.dumps({"item": _image(1)})},
        ]
    }
    assert {"batchItemFailures": [{"itemIdentifier": "bad"}]} == streams.from_queue(
        event, _each(_failing())
    )


def test_bus_detail_is_the_event() -> None:
    """A queue behind the bus holds the event inside the bus's own envelope."""
    seen: list[Record] = []
    event = from_bus({"type": "ReferralWon", "id": "REFERRAL#1#5"})
    streams.from_queue(event, _each(seen.append), read=streams.bus_detail)
    assert [{"type": "ReferralWon", "id": "REFERRAL#1#5"}] == seen


def test_attempt_may_fail_several_records_at_once() -> None:
    """A call for ten records that raises has failed ten records."""
    batch = Batch([{}, {}, {}], dict)
    with batch.attempt([0, 2]):
        raise TimeoutError
    assert {0, 2} == batch.failed.keys()


def test_a_reason_tells_nothing_of_the_data() -> None:
    """A foreign error may quote what it failed on, so only its class and place are kept."""

    def handle(record: Record) -> None:
        message = f"pia@partners.example does not like {record}"
        raise ValueError(message)

    batch = Batch([_image(1)], dict)
    batch.each(handle)
    (reason,) = batch.failed.values()
    assert reason.startswith("ValueError at test_streams.py:")
    assert "pia" not in reason


def test_a_reason_names_the_services_own_code() -> None:
    """What AWS answered is a code, and helps to find the cause."""
    from botocore.exceptions import ClientError

    answer: Any = {"Error": {"Code": "ThrottlingException", "Message": "for pia@partners.example"}}

    def handle(_record: Record) -> None:
        raise ClientError(answer, "PutEvents")

    batch = Batch([_image(1)], dict)
    batch.each(handle)
    (reason,) = batch.failed.values()
    assert reason.startswith("ClientError ThrottlingException at test_streams.py:")


def test_a_reason_of_a_timeout_needs_no_answer() -> None:
    """When a service did not answer, the error has no code to name."""
    from botocore.exceptions import ReadTimeoutError

    def handle(_record: Record) -> None:
        raise ReadTimeoutError(endpoint_url="https://example.com")

    batch = Batch([_image(1)], dict)
    batch.each(handle)
    (reason,) = batch.failed.values()
    assert reason.startswith("ReadTimeoutError at test_streams.py:")


def test_one_line_is_logged_for_each_invocation(queue: FakeQueue, logged: FakeLogger) -> None:
    """Counts and reasons, each once, and no record."""
    streams.from_stream(from_stream([_image(1)]), _each(_failing()), retry_url=URL)
    event = from_stream([_image(number) for number in (1, 2, 3)])
    streams.from_stream(event, _each(_failing(2, 3)), retry_url=URL)
    assert len(queue.bodies) == 2
    assert [
        ("info", "records handled", {"records": 1, "failed": 0}),
        (
            "warning",
            "records failed",
            {"records": 3, "failed": 2, "reasons": ["NotFoundError: no such referral"]},
        ),
    ] == logged.lines
