"""Identifiers: random ones for entities, derived ones where a retry must meet itself."""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
_CODE_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # and nothing a reader could mistake


def new_id() -> str:
    """Return 20 random base32 characters (100 bits)."""
    return _text(secrets.randbits(100), 20)


def new_code() -> str:
    """Return a link code of 8 characters that a person can type (39 bits)."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))


def derived_id(*parts: str) -> str:
    """Return the 20-character id that the same *parts* always give."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return _text(int.from_bytes(digest[:13], "big") >> 4, 20)


def bank_reference(*parts: str) -> str:
    """Return the payment reference that the same *parts* always give.

    15 characters from A-Z and 0-9, the longest that every rail we write accepts.
    """
    return "P" + derived_id(*parts)[:14].upper()


def shard(key: str, count: int) -> int:
    """Return the shard, 0 to *count* - 1, that *key* always falls into."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % count


def _text(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        characters.append(_ALPHABET[rest])
    return "".join(reversed(characters))
