"""Cursors: where a list goes on, sealed so that only its own reader can use it.

A cursor is base64 of the place and a MAC over it, the caller, the route and the
filters. One that was changed, or that belongs to another list, is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

from introducer import keyring
from submit.problem import RequestError

_MAC_BYTES = 16


def seal(place: dict[str, Any] | None, reader: str) -> str:
    """Return the cursor of *place*, empty when there is no more.

    Args:
        place: What the next page needs, plain JSON values.
        reader: Caller, route and filters, in one text.
    """
    if place is None:
        return ""
    body = msgspec.json.encode(place)
    return base64.urlsafe_b64encode(_mac(body, reader) + body).decode().rstrip("=")


def unseal(cursor: str, reader: str) -> dict[str, Any] | None:
    """Return the place *cursor* stands for, None for the beginning.

    Raises:
        RequestError: It was changed, or given to somebody else or for another list.
    """
    if not cursor:
        return None
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as failure:
        raise _invalid() from failure
    mac, body = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(body, reader)):
        raise _invalid()
    return msgspec.json.decode(body, type=dict[str, Any])


def _mac(body: bytes, reader: str) -> bytes:
    text = b"cursor\x00" + reader.encode() + b"\x00" + body
    return hmac.new(keyring.secret(keyring.IDEMPOTENCY), text, hashlib.sha256).digest()[:_MAC_BYTES]


def _invalid() -> RequestError:
    return RequestError("invalid_cursor", "begin the list again without a cursor", field="cursor")
