"""Faults between the code and AWS: crashes around a call, and answers that never arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session


class Crash(BaseException):
    """The process ends here. Not an ``Exception``: no code of ours may survive it."""


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """Collect the name of every AWS call made inside."""
    calls: list[str] = []
    real = BaseClient._make_api_call

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        calls.append(operation)
        return real(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", call):
        yield calls


@contextmanager
def crash_at(number: int, *, after: bool) -> Iterator[None]:
    """Crash before the AWS call *number* (from 0), or after it was done."""
    real = BaseClient._make_api_call
    made = 0

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        nonlocal made
        made += 1
        if made - 1 != number:
            return real(self, operation, parameters)
        if after:
            real(self, operation, parameters)
        raise Crash(operation)

    with patch.object(BaseClient, "_make_api_call", call):
        yield


@contextmanager
def lost_reply_at(number: int, *, times: int = 1) -> Iterator[None]:
    """Lose the answers to *times* requests from *number* (from 0) on; AWS does what they say."""
    real = URLLib3Session.send
    made = 0

    def send(self: URLLib3Session, request: Any) -> Any:
        nonlocal made
        made += 1
        answer = real(self, request)
        if number <= made - 1 < number + times:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    with patch.object(URLLib3Session, "send", send):
        yield
