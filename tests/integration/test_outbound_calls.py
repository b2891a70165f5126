"""What comes back of a call, on real sockets: redirects, silence, drips, floods, wrong names."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from introducer import outbound
from introducer.outbound import NoAnswerError, NotReachedError, RefusedAddressError, Reply
from introducer.rails.rail import Request

LOOPBACK = (ip_network("127.0.0.0/8"),)
Talk = Callable[[socket.socket], None]


@contextmanager
def peer(talk: Talk) -> Iterator[int]:
    """Listen on the loopback, treat one caller as *talk* does; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65_536)
                try:
                    talk(line)
                except OSError:
                    return  # the caller hung up, as it should

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=5)


def call(port: int, *, timeout_s: float = 5, host: str = "127.0.0.1") -> Reply:
    """Send a small request to a port of the loopback."""
    request = Request(method="POST", url=f"http://{host}:{port}/x", headers={}, body=b"{}")
    return outbound.call(request, networks=LOOPBACK, timeout_s=timeout_s)


def certified(folder: Path) -> ssl.SSLContext:
    """Return the TLS of a server that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    file.write_bytes(key.private_bytes(pem, form, plain) + signed.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def saying(*parts: bytes) -> Talk:
    """Return a peer that sends *parts*."""

    def talk(line: socket.socket) -> None:
        for part in parts:
            line.sendall(part)

    return talk


def test_redirects_are_not_followed() -> None:
    """The answer is the answer; where it points is nobody's business."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with peer(saying(moved)) as port:
        assert Reply(status=302, body=b"") == call(port)


@pytest.mark.parametrize(
    ("told", "expected"), [("900", 900), ("-1", 0), ("soon", 0), ("9" * 9, 86_400)]
)
def test_retry_after_is_read_in_seconds(told: str, expected: int) -> None:
    """A day at most; anything else is as if nothing had been said."""
    busy = f"HTTP/1.1 429 Busy\r\nRetry-After: {told}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    with peer(saying(busy)) as port:
        assert Reply(status=429, body=b"{}", retry_after_s=expected) == call(port)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", b"nonsense\r\n\r\n"])
def test_silence_and_noise_are_no_answer(said: bytes) -> None:
    """What was asked may have been done."""
    with peer(saying(said)) as port, pytest.raises(NoAnswerError):
        call(port)


def test_dripping_peer_is_left_in_time() -> None:
    """One byte now and then keeps no line open."""

    def drip(line: socket.socket) -> None:
        for _ in range(100):
            line.sendall(b"H")
            time.sleep(0.05)

    began = time.monotonic()
    with peer(drip) as port, pytest.raises(NoAnswerError):
        call(port, timeout_s=0.3)
    assert time.monotonic() - began < 3


def test_peer_that_is_slow_to_shake_hands_is_left_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late to connect, late with its certificate, then one byte now and then: one limit for all."""
    context = certified(tmp_path)
    connect = socket.create_connection

    def late(*given: Any, **named: Any) -> socket.socket:
        time.sleep(0.3)
        return connect(*given, **named)

    def drip() -> None:
        line, _ = server.accept()
        time.sleep(0.3)  # the limit is over while hands are shaken
        try:
            with context.wrap_socket(line, server_side=True) as secure:
                secure.recv(65_536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nx: ")
                for _ in range(60):
                    time.sleep(0.05)
                    secure.sendall(b"a")
        except OSError:
            return

    monkeypatch.setattr(socket, "create_connection", late)
    monkeypatch.setattr(outbound, "_tls", ssl._create_unverified_context)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=drip, daemon=True)
        thread.start()
        request = Request(
            method="POST",
            url=f"https://127.0.0.1:{server.getsockname()[1]}/",
            headers={},
            body=b"{}",
        )
        began = time.monotonic()
        with pytest.raises(NotReachedError):
            outbound.call(request, networks=LOOPBACK, timeout_s=0.45)
        assert time.monotonic() - began < 1.5
        thread.join(timeout=5)


def test_time_that_is_over_after_the_handshake_ends_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However the line came about: nothing is sent on one that was hung up meanwhile."""
    sent: list[bytes] = []

    class Slow:
        def wrap_socket(self, plain: socket.socket, **_: object) -> socket.socket:
            time.sleep(0.3)
            return plain

    monkeypatch.setattr(outbound, "_tls", Slow)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                sent.append(line.recv(65_536))

        thread = Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        request = Request(method="POST", url=url, headers={}, body=b"{}")
        with pytest.raises(NotReachedError):
            outbound.call(request, networks=LOOPBACK, timeout_s=0.1)
        thread.join(timeout=5)
    assert [b""] == sent


def test_answer_that_ends_where_we_hung_up_is_none() -> None:
    """A part of a body is no answer, whatever its status said."""

    def talk(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
        line.recv(1)  # until the caller hangs up

    with peer(talk) as port, pytest.raises(NoAnswerError):
        call(port, timeout_s=0.3)


def test_flood_is_cut_off() -> None:
    """Answers are small."""
    flood = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 200_000
    with peer(saying(flood)) as port:
        assert outbound.ANSWER_LIMIT_BYTES == len(call(port).body)


def test_nobody_listening_is_no_answer() -> None:
    """A closed port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoAnswerError):
        call(port)


def test_name_that_changes_its_mind_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was looked at, without asking a second time."""
    answers = ["8.8.8.8", "127.0.0.1"]
    connected = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert "rebinding.example" == host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append((*address, timeout))
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    request = Request(method="POST", url="https://rebinding.example/", headers={}, body=b"")
    with pytest.raises(NoAnswerError):
        outbound.call(request, networks=(), timeout_s=1)
    assert [("8.8.8.8", 443, 1)] == connected
    assert ["127.0.0.1"] == answers
    with pytest.raises(RefusedAddressError):
        outbound.call(request, networks=(), timeout_s=1)
