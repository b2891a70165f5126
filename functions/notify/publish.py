"""Both streams onto the bus: every event and every journal, as it is stored.

Nothing is marked as published. A record that comes twice is published twice, and
whoever listens has its own guard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from introducer import streams
from introducer.clients import client
from introducer.settings import setting
from introducer.streams import Answer, Batch, Record
from introducer.tables import store

_ENTRIES_PER_CALL = 10
_OF_LEDGER = ("BATCH#", "ADJUSTMENT#")
"""What the entities of the Ledger table are called."""
_KEYS = frozenset(
    {"pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "gsi3pk", "gsi3sk"},
)


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Take a batch of new events or journals from a stream."""
    return streams.from_stream(event, work, retry_url=setting("PUBLISH_RETRY_URL"))


def work(batch: Batch) -> None:
    """Put every record on the bus, ten a call; one that the bus refuses has failed."""
    entries = batch.each(entry)
    positions = list(entries)
    for begin in range(0, len(positions), _ENTRIES_PER_CALL):
        chunk = positions[begin : begin + _ENTRIES_PER_CALL]
        with batch.attempt(chunk):
            answer = client("events").put_events(Entries=[entries[place] for place in chunk])
            for place, result in zip(chunk, answer["Entries"], strict=True):
                if "ErrorCode" in result:
                    batch.failed[place] = f"PutEvents {result['ErrorCode']}"


def entry(record: Record) -> dict[str, str]:
    """Return the bus entry for the raw attributes of an event or a journal.

    A journal is its own event: its kind is the type.

    Raises:
        KeyError: The item is neither.
    """
    item = store.item(record)
    detail = {key: value for key, value in item.items() if key not in _KEYS}
    is_journal = item["pk"].startswith("JOURNAL#")
    if is_journal:
        kind, source = item["kind"], "introducer.ledger"
    else:
        kind = item["type"]
        source = "introducer.ledger" if item["entity"].startswith(_OF_LEDGER) else "introducer.core"
    return {
        "EventBusName": setting("BUS_NAME"),
        "Source": source,
        "DetailType": kind,
        "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
    }
