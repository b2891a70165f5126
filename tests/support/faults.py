"""Faults between the code and AWS: crashes after a write, and answers that never arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session
from pynamodb.exceptions import PynamoDBException

from introducer.errors import UncertainError

_READS = ("Get", "BatchGet", "Query", "Scan", "List", "Head", "Describe")
_KMS = ("Decrypt", "GenerateDataKey")


class Crash(BaseException):
    """The process ends here. Not an ``Exception``: no code of ours may survive it."""


def is_write(operation: str) -> bool:
    """Return whether an AWS call may change what is stored."""
    return not operation.startswith(_READS) and operation not in _KMS


@contextmanager
def counted_writes() -> Iterator[list[str]]:
    """Collect the name of every AWS call made inside that writes."""
    calls: list[str] = []
    real = BaseClient._make_api_call

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if is_write(operation):
            calls.append(operation)
        return real(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", call):
        yield calls


@contextmanager
def crash_after(writes: int) -> Iterator[None]:
    """Crash as soon as *writes* calls have written; with 0 before the first of them.

    Between two writes nothing stored changes and a crash forgets everything else, so a
    crash anywhere between them is this crash.
    """
    real = BaseClient._make_api_call
    made = 0

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        nonlocal made
        if made == writes:
            raise Crash(operation)
        answer = real(self, operation, parameters)
        made += is_write(operation)
        return answer

    with patch.object(BaseClient, "_make_api_call", call):
        yield


@contextmanager
def lost_reply_to(write: int, *, times: int = 1) -> Iterator[None]:
    """Lose the answer to the writing call *write* (from 0), and to its first repetitions.

    AWS does each time what it is told; the SDK hears nothing and repeats *times* - 1 times.
    """
    call_real, send_real = BaseClient._make_api_call, URLLib3Session.send
    made = -1
    left = times

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        nonlocal made
        made += is_write(operation)
        return call_real(self, operation, parameters)

    def send(self: URLLib3Session, request: Any) -> Any:
        nonlocal left
        answer = send_real(self, request)
        if made == write and left:
            left -= 1
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    with (
        patch.object(BaseClient, "_make_api_call", call),
        patch.object(URLLib3Session, "send", send),
    ):
        yield


def persist(walk: Callable[[], None]) -> None:
    """Walk until it works, as queue, schedule and state machine do."""
    for _ in range(3):
        try:
            walk()
        except (UncertainError, ReadTimeoutError, PynamoDBException):
            continue
        return
    message = "the walk did not come to its end"
    raise AssertionError(message)
