"""One small HTTP front for everything that is measured in requests a second, and its callers.

The front is a thread for each connection in the process of what it serves, HTTP/1.1 kept
alive; whatever the baseline's own server would cost or save is left out. What takes one
request at a time gets a process for each connection instead, as Lambda would give it one.
Standard library only: the baseline runs it in an environment of its own.
"""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

CONNECTIONS = 10
WARM_S = 1.0
MEASURED_S = 4.0
_START_S = 60
_ROOT = Path(__file__).resolve().parent.parent


class Request(NamedTuple):
    """What came in; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What goes out."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Rate(NamedTuple):
    """How fast it went, and how many were answered in all, warming up included."""

    per_second: float
    answered: int


Respond = Callable[[Request], Answer]
Asked = Callable[[int], bytes]
"""Return the bytes of the n-th request."""


def serve(respond: Respond, *, threads: bool = True) -> None:
    """Answer on a free port, whose number is printed, until standard input ends.

    Args:
        respond: What is served.
        threads: Whether it can answer several requests at a time; if not, each connection
            has a process of its own.
    """

    class Connection(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while request := _read(self.rfile):
                self.wfile.write(_written(respond(request)))

    kind = socketserver.ThreadingTCPServer if threads else socketserver.TCPServer

    class Server(kind):  # type: ignore[misc, valid-type]
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Connection) as server:
        print(server.server_address[1], flush=True)
        for _ in range(0 if threads else CONNECTIONS - 1):
            if not os.fork():  # the port and standard input are shared
                break
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        os._exit(0)  # a connection may still be open


@contextmanager
def served(
    subject: str, environment: dict[str, str], *, python: str = sys.executable
) -> Iterator[int]:
    """Yield the port on which ``bench.served`` serves *subject*, in a process of its own."""
    process = subprocess.Popen(  # noqa: S603  (ourselves)
        [python, "-m", "bench.served", subject],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.strip().isdigit():
            message = f"{subject} did not start: {line!r}"
            raise RuntimeError(message)
        # What it logs shall not fill the pipe and stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield int(line)
    finally:
        process.stdin.close()
        process.wait(_START_S)


def rate(port: int, asked: Asked, *, status: int) -> Rate:
    """Return how many requests are answered with *status* on ten connections.

    Args:
        port: Where the front listens.
        asked: The requests; each number is used once.
        status: What every answer must have.

    Raises:
        RuntimeError: One was answered otherwise.
    """
    callers = [_Caller(port, asked, number, status) for number in range(CONNECTIONS)]
    for caller in callers:
        caller.start()
    time.sleep(WARM_S)
    before, began = sum(caller.answered for caller in callers), time.perf_counter()
    time.sleep(MEASURED_S)
    after, ended = sum(caller.answered for caller in callers), time.perf_counter()
    for caller in callers:
        caller.over = True
    for caller in callers:
        caller.join()
    faults = [caller.fault for caller in callers if caller.fault]
    if faults:
        raise RuntimeError(faults[0])
    answered = sum(caller.answered for caller in callers)
    return Rate((after - before) / (ended - began), answered)


class _Caller(threading.Thread):
    """One connection that asks, waits for the answer, and asks again."""

    def __init__(self, port: int, asked: Asked, number: int, status: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._asked = asked
        self._number = number
        self._status = f"HTTP/1.1 {status} ".encode()
        self.answered = 0
        self.over = False
        self.fault = ""

    def run(self) -> None:
        """Ask until told to stop, or answered wrongly."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = connection.makefile("rb")
            while not self.over:
                connection.sendall(self._asked(self.answered * CONNECTIONS + self._number))
                line = answers.readline()
                length = 0
                while (header := answers.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header[15:])
                body = answers.read(length)
                if not line.startswith(self._status):
                    self.fault = f"{line!r} {body[:500]!r}"
                    return
                self.answered += 1


def get(path: str, headers: dict[str, str]) -> bytes:
    """Return the bytes of a GET."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nhost: go.example.com\r\n{lines}\r\n".encode()


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of a POST."""
    given = {**headers, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {path} HTTP/1.1\r\nhost: go.example.com\r\n{lines}\r\n".encode() + body


def _read(stream: object) -> Request | None:
    line = stream.readline()  # type: ignore[attr-defined]
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (header := stream.readline()) not in (b"\r\n", b""):  # type: ignore[attr-defined]
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = stream.read(length) if length else b""  # type: ignore[attr-defined]
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, body)


def _written(answer: Answer) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    head = f"HTTP/1.1 {answer.status} .\r\n{lines}content-length: {len(answer.body)}\r\n\r\n"
    return head.encode("latin-1") + answer.body
