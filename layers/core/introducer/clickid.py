"""Click ids: what a link hands its visitor so that a later conversion finds its click.

An id reads ``{code}.{kid}{24 characters}``. The 24 are base64 of 18 bytes: the hour
(3, hours since 1970), the visitor hash (6) and a MAC (9). It is a pure function of
link, hour, visitor and key, so that a repeat within the hour is the same id, and it
proves itself: a conversion is credited even when the stored click was lost or is gone.

The keys ("salts") are items; :func:`new_salt` says what is in them. The one that signs is
replaced every month and outlives what it signed. The one of the visitor hash lives a day and
is then gone: nobody can be followed from one day to the next, or found again by trying addresses.

Standard library only, nothing heavy: the click function imports this.
"""

from __future__ import annotations

import base64
import binascii
import time
from hashlib import blake2b
from hmac import compare_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COOKIE = "introducer_clicks"
"""The first-party cookie with the visitor's last ids, oldest first."""
COOKIE_IDS = 10
PARAMETER = "introducer_click"
"""The query parameter that carries the id to the landing page."""

SALT_PK = "SALT#click"
SALT_SK = "CURRENT"
"""Sort key of the salt in use; a retired one moves to its ``kid``."""
VISITOR_PK = "SALT#visitor"
"""The key of visitor hashes: replaced every day and kept nowhere afterwards."""

_KIDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CODE_LENGTHS = range(3, 23)
_CODE_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_CODE_CHARACTERS = _CODE_FIRST | frozenset("-_")
_TAIL_CHARACTERS = _CODE_CHARACTERS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TAIL_LENGTH = 25
_LONGEST = 48
_SEPARATOR = "~"
_HOUR_BYTES, _VISITOR_BYTES, _MAC_BYTES = 3, 6, 9
_SECRET_BYTES = 32
_BLAKE2_KEY_BYTES = 64  # the longest key BLAKE2b takes (RFC 7693)
_HOUR_S = 3600


class Key:
    """One salt, ready for use: its one-character id and its secret bytes."""

    __slots__ = ("kid", "secret")

    def __init__(self, kid: str, secret: bytes) -> None:
        if len(kid) != 1 or kid not in _KIDS:
            message = f"a key id is one of {_KIDS}"
            raise ValueError(message)
        if len(secret) < _SECRET_BYTES:
            message = f"a salt has at least {_SECRET_BYTES} bytes"
            raise ValueError(message)
        self.kid = kid
        self.secret = secret[:_BLAKE2_KEY_BYTES]


class ClickId:
    """What a genuine click id says: link code, hour since 1970, visitor hash (8 characters)."""

    __slots__ = ("code", "hour", "visitor")

    def __init__(self, code: str, hour: int, visitor: str) -> None:
        self.code = code
        self.hour = hour
        self.visitor = visitor

    @property
    def at(self) -> str:
        """The beginning of the click's hour as an instant, ``2026-11-22T11:00:00.000Z``."""
        return instant(self.hour * _HOUR_S)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClickId) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return f"ClickId(code={self.code!r}, hour={self.hour}, visitor={self.visitor!r})"

    def _parts(self) -> tuple[str, int, str]:
        return self.code, self.hour, self.visitor


def make(code: str, hour: int, visitor: str, key: Key) -> str:
    """Return the click id of *code* in *hour* for *visitor*, 29 to 48 URL-safe characters.

    Args:
        code: The link's code; :func:`is_code` holds.
        hour: Hours since 1970, from :func:`hour_of`.
        visitor: The hash from :func:`visitor`.
        key: The salt in use.
    """
    body = hour.to_bytes(_HOUR_BYTES, "big") + base64.urlsafe_b64decode(visitor)
    text = base64.urlsafe_b64encode(body + _mac(code, body, key)).decode()
    return f"{code}.{key.kid}{text}"


def read(click_id: str, keys: Mapping[str, Key]) -> ClickId | None:
    """Return what *click_id* says, or None when it is malformed or not ours.

    Any text may be asked about: its length and shape are looked at before anything is
    computed, and the MAC is compared in constant time.

    Args:
        click_id: The text that claims to be a click id.
        keys: The salts that still count, by key id; :func:`keys_of` makes them.
    """
    if not looks_right(click_id):
        return None
    code, _, tail = click_id.partition(".")
    key = keys.get(tail[0])
    if key is None:
        return None
    raw = base64.urlsafe_b64decode(tail[1:])
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not compare_digest(mac, _mac(code, body, key)):
        return None
    visitor_hash = base64.urlsafe_b64encode(body[_HOUR_BYTES:]).decode()
    return ClickId(code, int.from_bytes(body[:_HOUR_BYTES], "big"), visitor_hash)


def looks_right(click_id: str) -> bool:
    """Tell whether *click_id* has the shape of one; says nothing about who made it."""
    if len(click_id) > _LONGEST:
        return False
    code, _, tail = click_id.partition(".")
    return len(tail) == _TAIL_LENGTH and is_code(code) and _TAIL_CHARACTERS.issuperset(tail)


def is_code(text: str) -> bool:
    """Tell whether *text* can be a link code: 3 to 22 of ``a-z 0-9 - _``, not led by a sign.

    Whoever takes a code from outside folds its upper case first: people type them.
    """
    # Sets instead of a pattern: compiling one costs more than all clicks of a cold start.
    return (
        len(text) in _CODE_LENGTHS and text[0] in _CODE_FIRST and _CODE_CHARACTERS.issuperset(text)
    )


def visitor(key: Key, day: str, address: str, agent: str) -> str:
    """Return the visitor hash, 8 characters: the same all *day* for one address and browser.

    Args:
        key: The salt in use.
        day: UTC calendar day, ``YYYY-MM-DD``.
        address: The visitor's network address; it is stored nowhere.
        agent: The User-Agent header.
    """
    text = f"{day}\n{address}\n{agent}".encode("utf-8", "replace")
    digest = blake2b(text, key=key.secret, digest_size=_VISITOR_BYTES, person=b"visitor")
    return base64.urlsafe_b64encode(digest.digest()).decode()


def hour_of(seconds: float) -> int:
    """Return the hours since 1970 of a time in seconds since 1970."""
    return int(seconds // _HOUR_S)


def instant(seconds: float) -> str:
    """Return a time in seconds since 1970 as ``2026-11-22T11:17:00.000Z``.

    The same text as ``introducer.clock`` writes, without importing ``datetime``.
    """
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03}Z"


def split_cookie(value: str) -> list[str]:
    """Return the ids in a cookie value, oldest first; whatever else is in there is dropped."""
    if len(value) > COOKIE_IDS * (_LONGEST + 1) * 2:
        return []
    return [part for part in value.split(_SEPARATOR) if looks_right(part)][-COOKIE_IDS:]


def join_cookie(ids: Iterable[str], newest: str) -> str:
    """Return the cookie value after another click: *newest* last, each id once, ten at most."""
    kept = [click_id for click_id in ids if click_id != newest]
    return _SEPARATOR.join([*kept, newest][-COOKIE_IDS:])


def new_salt(secret: bytes, since: str, expires: str, *, after: str = "") -> dict[str, str]:
    """Return the attributes of a new salt item, without its keys.

    Args:
        secret: At least 32 random bytes.
        since: Instant from which it signs.
        expires: Instant until which ids made with it are accepted.
        after: ``kid`` of the salt it replaces.

    Raises:
        ValueError: The secret is too short, or it expires before it begins.
    """
    if expires <= since:
        message = "a salt expires after it begins"
        raise ValueError(message)
    kid = _KIDS[(_KIDS.index(after) + 1) % len(_KIDS)] if after else _KIDS[0]
    key = Key(kid, secret)
    text = base64.b64encode(key.secret).decode()
    return {"kid": kid, "secret": text, "since": since, "expires": expires}


def key_of(salt: Mapping[str, object]) -> Key:
    """Return the key in a salt item's plain attributes.

    Raises:
        ValueError: The item is not a salt.
    """
    secret = salt.get("secret")
    try:
        raw = secret if isinstance(secret, bytes) else base64.b64decode(str(secret), validate=True)
    except binascii.Error as failure:
        message = "a salt's secret is base64"
        raise ValueError(message) from failure
    return Key(str(salt.get("kid", "")), raw)


def keys_of(salts: Iterable[Mapping[str, object]], now: str) -> dict[str, Key]:
    """Return the keys that count at *now*, by key id.

    The salt in use (sort key ``CURRENT``) counts even past its end: clicks made while
    nobody replaced it are still somebody's earnings. A retired one ends when it says.
    """
    counting = (
        salt for salt in salts if salt.get("sk") == SALT_SK or str(salt.get("expires", "")) > now
    )
    return {key.kid: key for key in map(key_of, counting)}


def _mac(code: str, body: bytes, key: Key) -> bytes:
    text = code.encode() + b"." + body
    return blake2b(text, key=key.secret, digest_size=_MAC_BYTES, person=b"click").digest()
