"""The Clicks stream in, counters out: per program, link, partner and day, and by value.

What the redirect took for a person is looked at once more here, where a look costs nobody
time: a click from a network that is rented to servers, or within moments of a mail that
carried the link, was most likely a program. Such a count is taken back and the click says why.

This mapping has bisecting and partial failure switched off, because the markers that keep
counters exact rely on whole batches: a batch is counted, or it comes again from the same
record on. So one bad record must not fail it. What cannot be read is put aside here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aws_lambda_powertools import Logger

from introducer import clock, networks
from introducer.clients import client
from introducer.clock import Instant
from introducer.settings import setting
from introducer.tables import clicked, rollups
from introducer.tables.rollups import Click

MAILED = frozenset({"ask", "email"})
"""The channels of links that we send by mail."""
SCAN_S = 2
"""Who follows a link so soon after its mail went out has not read it."""

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
    mails = _Mails(event["Records"])
    for record in sorted(event["Records"], key=_order):
        if record.get("eventName") != "INSERT":
            continue  # our own TTL deletes, should the filter ever let them through
        try:
            click = click_of(record)
            reason = mails.judge(record, click) if click.counted else ""
        except (KeyError, TypeError, ValueError) as fault:
            _park(record, f"{type(fault).__name__}: {fault}")
            continue
        if reason:
            clicked.set_aside(record["dynamodb"]["Keys"]["pk"]["S"], reason)
            click = msgspec.structs.replace(click, counted=False)
        clicks.append(click)
    counted = rollups.add(clicks, clock.now())
    logger.info("clicks counted", extra={"records": len(event["Records"]), "counted": counted})


def click_of(record: Record) -> Click:
    """Return the click a stream record brings.

    Raises:
        KeyError: An attribute is missing.
        TypeError: Something is not built as a stream record is.
        ValueError: An attribute is empty, or its time is none.
    """
    image = record["dynamodb"]["NewImage"]
    values = {name: image[name]["S"] for name in ("program", "partner", "link", "at")}
    empty = [name for name, value in values.items() if not value]
    if empty:
        message = f"empty: {', '.join(empty)}"
        raise ValueError(message)
    at = clock.parse(values.pop("at"))
    said = {name: _text(image, name) for name in ("campaign", "channel", "asset", "country")}
    if not said["country"] and "net" in image:
        said["country"] = networks.country(_text(image, "net"))
    return Click(
        event=record["eventID"],
        day=clock.day(at),
        counted="uncounted" not in image,
        **values,
        **said,
    )


class _Mails:
    """When the links of a batch were last mailed, read once and only where it matters."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._sent: dict[str, Instant] | None = None

    def judge(self, record: Record, click: Click) -> str:
        """Return why *click* was no person's, or nothing.

        Raises:
            ValueError: Its network is none.
        """
        image = record["dynamodb"]["NewImage"]
        if networks.host(_text(image, "net") or "0.0.0.0/32"):
            return "data_centre"
        if click.channel not in MAILED:
            return ""
        sent = self._times().get(click.link, "")
        at = _text(image, "at")
        return "after_mail" if sent and sent <= at < clock.plus(sent, seconds=SCAN_S) else ""

    def _times(self) -> dict[str, Instant]:
        if self._sent is None:
            images = [record.get("dynamodb", {}).get("NewImage", {}) for record in self._records]
            codes = {_text(each, "link") for each in images if _text(each, "channel") in MAILED}
            self._sent = rollups.mailed_at(sorted(codes - {""}))
        return self._sent


def _text(image: Mapping[str, Any], name: str) -> str:
    return str(image.get(name, {}).get("S", ""))


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
