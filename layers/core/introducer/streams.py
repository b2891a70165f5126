"""The shared entry of stream and queue handlers: no record's failure blocks another.

A handler gives :func:`from_stream` or :func:`from_queue` its work on a :class:`Batch`.
What raises is noted against its record. A stream's failures are parked on a retry
queue, because a stream can only hold everybody back or give the record up; a queue's
failures stay in the queue, which counts attempts and moves poison to the dead queue.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from introducer.clients import client
from introducer.errors import IntroducerError, UncertainError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

T = TypeVar("T")
Delivery = Mapping[str, Any]
"""A record as Lambda hands it over, with the envelope of its stream or queue."""
Record = dict[str, Any]
"""What a handler works on: a new item's raw attributes, or a message's body."""
Answer = dict[str, list[dict[str, str]]]

_SQS_BATCH = 10
_REASONS_LOGGED = 5


class Batch:
    """The records of one invocation, and why some of them failed.

    ``failed`` maps a record's position to its reason: the error's class and place,
    never the data it was about.
    """

    def __init__(self, deliveries: Sequence[Delivery], read: Callable[[Delivery], Record]) -> None:
        """Hold *deliveries*; *read* opens one, when its turn comes."""
        self.deliveries = deliveries
        self.failed: dict[int, str] = {}
        self._read = read

    def each(self, record_handler: Callable[[Record], T]) -> dict[int, T]:
        """Return what *record_handler* made of each record it did not raise on, by position."""
        made: dict[int, T] = {}
        for position, delivery in enumerate(self.deliveries):
            with self.attempt([position]):
                made[position] = record_handler(self._read(delivery))
        return made

    @contextmanager
    def attempt(self, positions: Iterable[int]) -> Iterator[None]:
        """Note what is raised inside as the failure of the records at *positions*, and go on."""
        try:
            yield
        except Exception as failure:  # noqa: BLE001  (the one place: it parks whatever it was)
            self.failed.update(dict.fromkeys(positions, reason(failure)))


Work = Callable[[Batch], object]


def from_stream(event: Mapping[str, Any], work: Work, *, retry_url: str) -> Answer:
    """Do *work* on the new items of a table's stream, parking what failed.

    Returns:
        That nothing failed, since whatever did is safe on the queue.

    Raises:
        UncertainError: Not even the queue took the failures; Lambda delivers again.
    """
    batch = Batch(event["Records"], _new_image)
    work(batch)
    _park(batch, retry_url)
    _log(batch)
    return {"batchItemFailures": []}


def from_queue(
    event: Mapping[str, Any], work: Work, *, read: Callable[[Delivery], Record] | None = None
) -> Answer:
    """Do *work* on the messages of a queue and return which of them stay in it.

    Args:
        event: From SQS, with ``ReportBatchItemFailures``.
        work: What to do.
        read: Takes the record out of a message; by default one that was parked.
    """
    batch = Batch(event["Records"], read or _parked_item)
    work(batch)
    _log(batch)
    return {
        "batchItemFailures": [
            {"itemIdentifier": batch.deliveries[position]["messageId"]}
            for position in sorted(batch.failed)
        ]
    }


def bus_detail(delivery: Delivery) -> Record:
    """Return the event that a queue behind the bus holds in *delivery*."""
    detail: Record = json.loads(delivery["body"])["detail"]
    return detail


def reason(failure: Exception) -> str:
    """Return what *failure* is, without a word of the data it was about.

    Only our own errors are quoted: their messages are fixed texts.
    """
    name = type(failure).__name__
    if isinstance(failure, IntroducerError):
        return f"{name}: {failure.message}"
    answer = getattr(failure, "response", None)  # botocore's errors have one, or None
    code = answer.get("Error", {}).get("Code", "") if isinstance(answer, dict) else ""
    frame = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{name} {code} at {PurePath(frame.filename).name}:{frame.lineno}".replace("  ", " ")


@cache
def _logger() -> Logger:
    from aws_lambda_powertools import Logger

    return Logger()


def _new_image(delivery: Delivery) -> Record:
    image: Record = delivery["dynamodb"]["NewImage"]
    return image


def _parked_item(delivery: Delivery) -> Record:
    item: Record = json.loads(delivery["body"])["item"]
    return item


def _park(batch: Batch, retry_url: str) -> None:
    positions = sorted(batch.failed)
    for begin in range(0, len(positions), _SQS_BATCH):
        entries = [
            {
                "Id": str(position),
                "MessageBody": _message(batch.deliveries[position], batch.failed[position]),
            }
            for position in positions[begin : begin + _SQS_BATCH]
        ]
        answer = client("sqs").send_message_batch(QueueUrl=retry_url, Entries=entries)
        if answer.get("Failed"):
            message = "the retry queue did not take every failed record"
            raise UncertainError(message, count=len(answer["Failed"]))


def _message(delivery: Delivery, why: str) -> str:
    """Return a failed record as a message: what it is, why it failed and the item itself.

    Only events and journals come this way, and they hold ids, codes and numbers.
    """
    change = delivery.get("dynamodb", {})
    item = change.get("NewImage", {})
    keys = change.get("Keys", {})
    kind = item.get("type") or item.get("kind") or {}
    message = {
        "pk": keys.get("pk", {}).get("S", ""),
        "sk": keys.get("sk", {}).get("S", ""),
        "type": kind.get("S", ""),
        "reason": why,
        "item": item,
    }
    return json.dumps(message, separators=(",", ":"))


def _log(batch: Batch) -> None:
    counts = {"records": len(batch.deliveries), "failed": len(batch.failed)}
    if batch.failed:
        reasons = sorted(set(batch.failed.values()))[:_REASONS_LOGGED]
        _logger().warning("records failed", extra={**counts, "reasons": reasons})
    else:
        _logger().info("records handled", extra=counts)
