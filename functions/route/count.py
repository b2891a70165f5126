"""The Clicks stream in, counters out: per program, link and partner and day.

This mapping has bisecting and partial failure switched off, because the markers that keep
counters exact rely on whole batches: a batch is counted, or it comes again from the same
record on. So one bad record must not fail it. What cannot be read is put aside here.
"""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger

from introducer import clock
from introducer.clients import client
from introducer.settings import setting
from introducer.tables import rollups
from introducer.tables.rollups import Click

logger = Logger()

Record = dict[str, Any]


def handler(event: dict[str, Any], context: object) -> None:
    """Count one batch of the Clicks stream.

    Raises:
        IntroducerError: It could not be counted; the stream hands it over again.
        BotoCoreError: A bad record could not be put aside; likewise.
    """
    del context
    clicks: list[Click] = []
    for record in sorted(event["Records"], key=_order):
        if record.get("eventName") != "INSERT":
            continue  # our own TTL deletes, should the filter ever let them through
        try:
            click = click_of(record)
        except (KeyError, TypeError, ValueError) as fault:
            _park(record, f"{type(fault).__name__}: {fault}")
        else:
            clicks += [click] if click else []
    counted = rollups.add(clicks, clock.now())
    logger.info("clicks counted", extra={"records": len(event["Records"]), "counted": counted})


def click_of(record: Record) -> Click | None:
    """Return the click a stream record brings, or None when it is one not to be counted.

    Raises:
        KeyError: An attribute is missing.
        TypeError: Something is not built as a stream record is.
        ValueError: An attribute is empty, or its time is none.
    """
    image = record["dynamodb"]["NewImage"]
    if "uncounted" in image:
        return None
    values = {name: image[name]["S"] for name in ("program", "partner", "link", "at")}
    empty = [name for name, value in values.items() if not value]
    if empty:
        message = f"empty: {', '.join(empty)}"
        raise ValueError(message)
    at = clock.parse(values.pop("at"))
    return Click(event=record["eventID"], day=clock.day(at), **values)


def _park(record: Record, reason: str) -> None:
    """Put a record aside: what is wrong and where to look, not what is in it."""
    logger.error("click put aside", extra={"event_id": record.get("eventID"), "reason": reason})
    body = {
        "reason": reason,
        "event_id": record.get("eventID"),
        "keys": record.get("dynamodb", {}).get("Keys"),
    }
    client("sqs").send_message(QueueUrl=setting("COUNT_DEAD_URL"), MessageBody=json.dumps(body))


def _order(record: Record) -> tuple[int, str]:
    # Sequence numbers are long decimal text without leading zeros: shorter is earlier.
    number = str(record.get("dynamodb", {}).get("SequenceNumber", ""))
    return len(number), number
