"""The retry queue of both streams: records that did not reach the bus are tried again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from introducer import streams
from introducer.streams import Answer
from notify.publish import work


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Take a batch of parked records; those that fail again stay in the queue."""
    return streams.from_queue(event, work)
