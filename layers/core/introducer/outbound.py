"""Calls to addresses that a customer gave us: only to the public internet, one hop, in good time.

The name is resolved once and every address it has must be public; the connection goes to the
address that was looked at, so a name that answers differently the second time leads nowhere
else. Only https on port 443, no redirects followed, a limit on time and size.
``OUTBOUND_NETWORKS`` (a template's parameter, empty in the cloud) opens networks that would be
refused, with any port and plain http: a laptop's providers run on its own loopback.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import threading
from email.message import Message
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from introducer.errors import InvalidInputError
from introducer.rails.rail import Request

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

TIMEOUT_S = 20
ANSWER_LIMIT_BYTES = 65_536
_HTTPS_PORT = 443
_LONGEST_URL = 2_000
_LONGEST_WAIT_S = 86_400
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_PATH = re.compile(r"[!-~]*")
_NOT_PUBLIC: Networks = tuple(
    ip_network(each)
    for each in (
        # What Python calls global, and what nevertheless leads inside or into a tunnel.
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


class NoAnswerError(Exception):
    """No answer came: what was asked may have been done or not."""


class NotReachedError(NoAnswerError):
    """Nobody was there to be asked: nothing was sent."""


class RefusedAddressError(Exception):
    """The name leads where we do not call; nothing was sent."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a URL leads, taken apart."""

    secure: bool
    host: str
    port: int
    path: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. ``retry_after_s`` is 0 where nothing was said."""

    status: int
    body: bytes
    retry_after_s: int = 0


def opened() -> Networks:
    """Return the networks that this deployment opens."""
    return _parsed(os.environ.get("OUTBOUND_NETWORKS", ""))


def target(url: str, networks: Networks) -> Target:
    """Return where *url* leads, without resolving anything.

    Raises:
        InvalidInputError: It is no URL we would call: not https on port 443 (unless its host is
            an address in *networks*), with a login or a fragment, or with odd characters.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as failure:
        raise _refused("is not a URL") from failure
    if len(url) > _LONGEST_URL or not _PATH.fullmatch(url) or "\\" in url:
        raise _refused("has characters that no URL has")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused("carries no login and no fragment")
    literal = _address(host)
    if literal is None and (not _HOST.fullmatch(host) or "." not in host or _numeric(host)):
        raise _refused("names no public host")
    local = literal is not None and _within(literal, networks)
    if literal is not None and not local and not is_public(literal):
        raise _refused("names no public host")
    if parts.scheme not in ({"https", "http"} if local else {"https"}):
        raise _refused("begins with https://")
    secure = parts.scheme == "https"
    if not local and port not in {None, _HTTPS_PORT}:
        raise _refused("uses port 443")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        secure=secure,
        host=host,
        port=port or (_HTTPS_PORT if secure else http.client.HTTP_PORT),
        path=path,
    )


def is_public(address: Address) -> bool:
    """Return whether *address* is one that anybody on the internet may call."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not _within(address, _NOT_PUBLIC)


def checked_address(host: str, port: int, networks: Networks) -> str:
    """Resolve *host* once and return the address to connect to.

    Raises:
        RefusedAddressError: One of its addresses is neither public nor in *networks*.
        NotReachedError: It has none at the moment.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        message = "the name does not resolve"
        raise NotReachedError(message) from failure
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        message = "the name does not resolve"
        raise NotReachedError(message)
    # One bad address among good ones is a name that was made for it.
    if not all(is_public(each) or _within(each, networks) for each in addresses):
        message = "the name leads to an address that is not public"
        raise RefusedAddressError(message)
    return str(addresses[0])


def call(request: Request, *, networks: Networks, timeout_s: float = TIMEOUT_S) -> Reply:
    """Send *request* and return what came back, whatever its status.

    Raises:
        InvalidInputError: Its URL is none we would call.
        RefusedAddressError: The name leads inside; nothing was sent.
        NotReachedError: No line came about; nothing was sent.
        NoAnswerError: No whole answer came in time, so it may have been done.
    """
    to = target(request.url, networks)
    line = _Line(to, checked_address(to.host, to.port, networks), timeout_s)
    # A peer that drips one byte at a time never runs into a time-out of one read.
    alarm = threading.Timer(timeout_s, line.hang_up)
    alarm.start()
    try:
        _reach(line)
        line.request(request.method, to.path, body=request.body, headers=dict(request.headers))
        answer = line.getresponse()
        body = answer.read(ANSWER_LIMIT_BYTES)
        line.check()  # what was read may end where we hung up
    except (OSError, http.client.HTTPException, ValueError) as failure:
        message = f"no answer: {type(failure).__name__}"
        raise NoAnswerError(message) from failure
    finally:
        alarm.cancel()
        line.close()
    return Reply(status=answer.status, body=body, retry_after_s=_seconds(answer.headers))


class _Line(http.client.HTTPConnection):
    """A connection to one address that was looked at, whatever the name says by now."""

    def __init__(self, to: Target, address: str, timeout_s: float) -> None:
        super().__init__(to.host, to.port, timeout=timeout_s)
        self._checked = address
        self._secure = to.secure
        self.default_port = _HTTPS_PORT if to.secure else http.client.HTTP_PORT
        self._over = False

    def connect(self) -> None:
        """Connect to the checked address; the certificate must be the name's."""
        self.sock = socket.create_connection((self._checked, self.port), self.timeout)
        if self._secure:
            # In two steps: while hands are shaken, the line can be hung up too.
            line = _tls().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = line
            self.check()
            line.do_handshake()
        self.check()

    def check(self) -> None:
        """Raise :class:`TimeoutError` when the call's time is over."""
        if self._over:
            message = "the call took too long"
            raise TimeoutError(message)

    def hang_up(self) -> None:
        """End the call from another thread, whatever it is doing."""
        # First: a line that takes the place of this one now is looked at after this is said.
        self._over = True
        if self.sock is not None:
            try:
                # Not the TLS line's own: that would go on in the clear.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
            except OSError:
                return


def _reach(line: _Line) -> None:
    try:
        line.connect()
    except (OSError, ValueError) as failure:
        message = f"not reached: {type(failure).__name__}"
        raise NotReachedError(message) from failure


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@cache
def _parsed(text: str) -> Networks:
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _numeric(host: str) -> bool:
    """Return whether some resolver would take *host* for an address: ``127.1``, ``0x7f.1``."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")


def _within(address: Address, networks: Networks) -> bool:
    return any(address.version == each.version and address in each for each in networks)


def _seconds(headers: Message) -> int:
    told = str(headers.get("retry-after", "")).strip()
    return min(int(told), _LONGEST_WAIT_S) if told.isascii() and told.isdigit() else 0


def _refused(why: str) -> InvalidInputError:
    return InvalidInputError("url", why, code="invalid_url")
