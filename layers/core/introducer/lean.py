"""A small signed client for DynamoDB's JSON protocol, for the one function that must be cheap.

A call through botocore costs about a millisecond of processor time and a quarter of a
second at start-up; this costs a tenth of both. It is the only place where we write what
a library has. Its signatures are tested against botocore's, request by request.

Signing follows the "Signature Version 4" specification of AWS; the wire format is
``DynamoDB_20120810`` over JSON 1.0. Credentials are read from the variables that Lambda
sets once for a process, so this is not for functions with SnapStart, which get theirs
from a local endpoint instead.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import select
import ssl
import threading
import time
from functools import cache
from urllib.parse import urlsplit

from introducer.settings import setting

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` alone would be a third of this module's start-up
    from collections.abc import Mapping
    from typing import Any

_CONTENT_TYPE = "application/x-amz-json-1.0"
_SERVICE = "dynamodb"
_OK = 200


class CallError(Exception):
    """DynamoDB answered, with an error; ``code`` is its name, such as ``ThrottlingException``."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class NoAnswerError(Exception):
    """No usable answer came: not reachable, too slow, or cut off. It may have been done."""


class Credentials:
    """An access key, and the token that goes with a temporary one."""

    __slots__ = ("access_key", "secret_key", "token")

    def __init__(self, access_key: str, secret_key: str, token: str = "") -> None:
        self.access_key = access_key
        self.secret_key = secret_key
        self.token = token


class Signer:
    """Signs POSTs to ``/`` of one host, for one region and one set of credentials."""

    def __init__(self, host: str, region: str, credentials: Credentials) -> None:
        self._host = host
        self._region = region
        self._credentials = credentials
        self._key_of_day = ("", b"")

    def headers(self, body: bytes, target: str, stamp: str) -> dict[str, str]:
        """Return the headers of a signed request.

        Args:
            body: The request's JSON.
            target: Value of ``X-Amz-Target``.
            stamp: The time, ``20261122T111700Z``.
        """
        headers = {
            "content-type": _CONTENT_TYPE,
            "host": self._host,
            "x-amz-date": stamp,
            "x-amz-target": target,
        }
        if self._credentials.token:
            headers["x-amz-security-token"] = self._credentials.token
        names = sorted(headers)
        signed = ";".join(names)
        lines = "".join([f"{name}:{headers[name]}\n" for name in names])
        canonical = f"POST\n/\n\n{lines}\n{signed}\n{_sha256(body)}"
        day = stamp[:8]
        scope = f"{day}/{self._region}/{_SERVICE}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(canonical.encode())}"
        signature = hmac.digest(self._key(day), text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        return headers

    def _key(self, day: str) -> bytes:
        known, key = self._key_of_day
        if known != day:
            key = f"AWS4{self._credentials.secret_key}".encode()
            for part in (day, self._region, _SERVICE, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key_of_day = (day, key)
        return key


class Client:
    """Calls DynamoDB in one region, over one kept-alive connection per thread."""

    def __init__(self, endpoint: str, region: str, credentials: Credentials) -> None:
        parts = urlsplit(endpoint)
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._signer = Signer(parts.netloc, region, credentials)
        self._local = threading.local()

    def call(
        self, operation: str, request: Mapping[str, object], *, timeout_s: float, repeatable: bool
    ) -> dict[str, Any]:
        """Return DynamoDB's answer to *operation*.

        Args:
            operation: Such as ``PutItem``.
            request: Its parameters, as DynamoDB JSON.
            timeout_s: Seconds for all of it: connecting, sending, waiting.
            repeatable: Doing it twice is doing it once. Only then is a request sent again
                that met a connection which the other side had closed meanwhile.

        Raises:
            CallError: DynamoDB refused.
            NoAnswerError: Nothing came back in time.
        """
        deadline = time.monotonic() + timeout_s
        body = json.dumps(request, separators=(",", ":")).encode()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = self._signer.headers(body, f"DynamoDB_20120810.{operation}", stamp)
        try:
            status, answer = self._exchange(body, headers, deadline, repeatable=repeatable)
            document: dict[str, Any] = json.loads(answer)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            message = f"{operation}: {failure!r}"
            raise NoAnswerError(message) from failure
        if status != _OK:
            raise CallError(status, str(document.get("__type", "")).rpartition("#")[2])
        return document

    def _exchange(
        self, body: bytes, headers: dict[str, str], deadline: float, *, repeatable: bool
    ) -> tuple[int, bytes]:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None and _is_closed(connection):
            connection.close()
        elif connection is not None:
            try:
                return self._send(connection, body, headers, deadline)
            except ConnectionError:  # http.client's RemoteDisconnected is one too
                # The other side closed it meanwhile. Whether it read us first, nobody knows.
                if not repeatable:
                    raise
        return self._send(self._connect(), body, headers, deadline)

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, context=_tls())
        return http.client.HTTPConnection(self._host)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        body: bytes,
        headers: dict[str, str],
        deadline: float,
    ) -> tuple[int, bytes]:
        self._local.connection = None  # back only once it is fit for the next request
        try:
            _allow(connection, deadline)
            if connection.sock is None:
                connection.connect()
                _allow(connection, deadline)
            # Head and body in one segment and one system call; `request` makes it two.
            lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
            head = f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
            connection.send(head.encode("latin-1") + body)
            _allow(connection, deadline)
            response = http.client.HTTPResponse(connection.sock, method="POST")
            response.begin()
            answer = response.read()
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            self._local.connection = connection
        return response.status, answer


@cache
def client() -> Client:
    """Return the process's client, set up from the environment on first use."""
    region = setting("AWS_REGION")
    credentials = Credentials(
        setting("AWS_ACCESS_KEY_ID"),
        setting("AWS_SECRET_ACCESS_KEY"),
        os.environ.get("AWS_SESSION_TOKEN", ""),
    )
    return Client(endpoint(region), region, credentials)


@cache
def _tls() -> ssl.SSLContext:
    # Reading certificates is the dearest part of a start; a function that is never
    # asked for a link never pays it. AWS_CA_BUNDLE may name a file with the few that matter.
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)


def endpoint(region: str) -> str:
    """Return where DynamoDB is: as the environment names it, or the region's own."""
    named = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return named or f"https://{_SERVICE}.{region}.{suffix}"


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    # Nothing is expected on an idle connection, so "something to read" is its end.
    sock = connection.sock
    return sock is None or bool(select.select([sock], [], [], 0)[0])


def _allow(connection: http.client.HTTPConnection, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        message = "out of time"
        raise TimeoutError(message)
    connection.timeout = left
    if connection.sock is not None:
        connection.sock.settimeout(left)


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
