"""When a form was handed out and what it said, signed, so that both come back unchanged."""

from __future__ import annotations

import hashlib
import hmac

from introducer import clock, keyring
from introducer.clock import Instant

LONGEST_S = 86_400
"""A form that was open for longer is shown again before it counts."""
_MAC_CHARACTERS = 32


def make(now: Instant, *shown: str) -> str:
    """Return the stamp of a form handed out at *now*.

    Args:
        now: The present instant.
        shown: What it is bound to: whose page, the language, the version of the consent.
    """
    at = str(clock.epoch_s(now))
    return f"{at}.{_mac(at, *shown).decode()}"


def age_s(stamp: str, now: Instant, *shown: str) -> int | None:
    """Return how many seconds ago *stamp* was made, None when it is not ours or for another form.

    Args:
        stamp: As it came back.
        now: The present instant.
        shown: What it must be bound to.
    """
    at, _, mac = stamp.partition(".")
    if not (at.isascii() and at.isdigit() and hmac.compare_digest(mac.encode(), _mac(at, *shown))):
        return None
    return clock.epoch_s(now) - int(at)


def _mac(at: str, *shown: str) -> bytes:
    text = "\n".join((at, *shown)).encode("utf-8", "replace")
    digest = hmac.new(keyring.secret(keyring.PAGE), text, hashlib.sha256)
    return digest.hexdigest()[:_MAC_CHARACTERS].encode()
