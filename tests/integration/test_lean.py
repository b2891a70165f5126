"""The small client on real sockets: kept, closed, slow and broken connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from introducer.lean import CallError, Client, Credentials, NoAnswerError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + b'{"answer": 1}'
Script = Callable[[socket.socket], None]


class Peer:
    """A server that plays one script per connection, in turn, and keeps what it was sent."""

    def __init__(self) -> None:
        self.scripts: list[list[Script]] = []
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self.scripts or self._listener.fileno() >= 0:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            for script in self.scripts.pop(0):
                if script is not close:
                    self.requests.append(connection.recv(65536))
                script(connection)
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def answer(raw: bytes) -> Script:
    """Read a request, then send *raw*."""
    return lambda connection: connection.sendall(raw)


def close(connection: socket.socket) -> None:
    """Close without reading."""
    connection.close()


def vanish(connection: socket.socket) -> None:
    """Read a request, then close without an answer."""
    connection.close()


def sleep(_: socket.socket) -> None:
    """Read a request and keep silent."""
    time.sleep(1)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A scripted server."""
    server = Peer()
    yield server
    server.close()


def call(client: Client, *, repeatable: bool = True, timeout_s: float = 0.5) -> object:
    """Make one call."""
    return client.call("PutItem", {"a": "ü"}, timeout_s=timeout_s, repeatable=repeatable)


def client_of(peer: Peer) -> Client:
    """Return a client of *peer*."""
    return Client(peer.endpoint, "eu-west-1", Credentials("key", "secret", "token"))


def test_connection_is_kept_for_the_next_call(peer: Peer) -> None:
    """Two calls, one connection, each a well-formed signed request."""
    peer.scripts = [[answer(OK), answer(OK)]]
    client = client_of(peer)
    assert [call(client), call(client)] == [{"answer": 1}] * 2
    head, _, body = peer.requests[1].decode().partition("\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert body == '{"a":"\\u00fc"}'
    assert sorted(lines) == [
        "authorization",
        "content-length",
        "content-type",
        "host",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-target",
    ]
    assert lines["x-amz-target"] == "DynamoDB_20120810.PutItem"


def test_connection_closed_while_idle_is_replaced(peer: Peer) -> None:
    """Seen before anything is sent, so it is safe for any call."""
    peer.scripts = [[answer(OK)], [answer(OK)]]
    client = client_of(peer)
    call(client)
    time.sleep(0.1)
    assert call(client, repeatable=False) == {"answer": 1}
    assert len(peer.requests) == 2


def test_connection_closed_at_the_request_is_tried_once_more_if_repeatable(peer: Peer) -> None:
    """The request may have been read, so only what may be done twice is sent twice."""
    peer.scripts = [[answer(OK), vanish], [answer(OK)]]
    client = client_of(peer)
    call(client)
    assert call(client) == {"answer": 1}
    assert len(peer.requests) == 3


def test_connection_closed_at_the_request_is_no_answer_otherwise(peer: Peer) -> None:
    """One attempt, and the caller learns that nobody knows."""
    peer.scripts = [[answer(OK), vanish], [answer(OK)]]
    client = client_of(peer)
    call(client)
    with pytest.raises(NoAnswerError, match="RemoteDisconnected"):
        call(client, repeatable=False)
    assert len(peer.requests) == 2


def test_new_connection_that_is_cut_is_not_tried_again(peer: Peer) -> None:
    """A second failure is a failure."""
    peer.scripts = [[vanish], [answer(OK)]]
    with pytest.raises(NoAnswerError):
        call(client_of(peer))
    assert len(peer.requests) == 1


def test_slow_answer_ends_at_the_deadline_and_is_not_taken_for_the_next(peer: Peer) -> None:
    """The late answer's connection is dropped; the next call has one of its own."""
    peer.scripts = [[sleep], [answer(OK)]]
    client = client_of(peer)
    began = time.monotonic()
    with pytest.raises(NoAnswerError, match="timed out"):
        call(client, timeout_s=0.2)
    assert 0.15 < time.monotonic() - began < 0.6
    assert call(client, timeout_s=3) == {"answer": 1}


def test_nobody_there_is_no_answer() -> None:
    """A refused connection is told apart from a refusal."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", "eu-west-1", Credentials("k", "s"))
    with pytest.raises(NoAnswerError, match="Connection refused"):
        call(client)


def test_refusal_carries_dynamodbs_name_for_it(peer: Peer) -> None:
    """The connection stays good after an error."""
    body = b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "x"}'
    refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    peer.scripts = [[answer(refusal), answer(OK)]]
    client = client_of(peer)
    with pytest.raises(CallError) as refused:
        call(client)
    assert (refused.value.status, refused.value.code) == (400, "ThrottlingException")
    assert call(client) == {"answer": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<a>",
        b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"nonsense\r\n\r\n",
    ],
)
def test_answer_that_is_none_of_dynamodbs_is_no_answer(peer: Peer, raw: bytes) -> None:
    """Proxies, cut bodies and noise are not mistaken for success or refusal."""
    peer.scripts = [[answer(raw)]]
    with pytest.raises(NoAnswerError):
        call(client_of(peer))


def test_threads_have_connections_of_their_own(peer: Peer) -> None:
    """Two threads never write into one stream."""
    peer.scripts = [[answer(OK)], [answer(OK)]]
    client = client_of(peer)
    call(client)
    thread = threading.Thread(target=call, args=(client,))
    thread.start()
    thread.join(5)
    assert len(peer.requests) == 2
