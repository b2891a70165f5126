"""Print cards: codes that people read from paper and type, and the batches they are made in.

A code has nine characters, shown in three groups: ``7KM 2P9 XWQ``. The first is one of 2 to 9,
by which a card is known from a code of another kind; the alphabet has 31 characters, a prime,
and none that looks like another. The last is a check: the characters' places in the alphabet,
each times its position from 1 to 9, add up to a multiple of 31. As 31 is prime and all
positions differ, one wrong character always shows, and so do any two that changed places.
"""

from __future__ import annotations

import secrets

import msgspec

from introducer.clock import Instant
from introducer.event import Event

ALPHABET = "0123456789abcdefghjkmnpqrstvwxy"
"""Without i, l, o, u and z, which are read as 1, 1, 0, v and 2."""
LENGTH = 9
MOST = 100
"""Cards in one batch."""
_FIRST = "23456789"
_GROUP = 3
_READ_AS = str.maketrans("ilouz", "110v2", " -\u2010\u2011\u2013\t")


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cards that were made together; each is a link of its own with the channel ``card``."""

    id: str
    program: str
    partner: str
    created_at: Instant
    codes: list[str]
    destination: str = ""
    """Where its cards lead; empty for the page of each."""
    campaign: str = ""
    expires_at: Instant = ""
    clicks_days: int = 90
    version: int = 1

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"CARDS#{self.id}"


def made(batch: Batch, *, actor: str) -> Event:
    """Return the first event of a batch."""
    return Event(
        type="CardsMade",
        entity=batch.entity,
        seq=batch.version,
        program=batch.program,
        at=batch.created_at,
        actor=actor,
        data={"partner": batch.partner, "count": len(batch.codes)},
    )


def new_code() -> str:
    """Return a random code, one of 8 x 31^7 (38 bits)."""
    rest = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 2))
    return with_check(secrets.choice(_FIRST) + rest)


def with_check(text: str) -> str:
    """Return the first eight characters of a code with their check character."""
    # The check's own position is 9: what is missing to a multiple of 31, divided by 9 there.
    missing = -_sum(text) * pow(LENGTH, -1, len(ALPHABET)) % len(ALPHABET)
    return text + ALPHABET[missing]


def looks_like(text: str) -> bool:
    """Return whether *text* is meant to be the code of a card, right or wrong."""
    return might_be(text) and read(text)[0] in _FIRST


def might_be(text: str) -> bool:
    """Return whether *text* has as many letters and digits as a card's code.

    So have words; one that is no code at all may be a card's whose first character is wrong.
    """
    code = read(text)
    return len(code) == LENGTH and code.isascii() and code.isalnum()


def is_right(code: str) -> bool:
    """Return whether *code*, as :func:`read` returns it, has the check character it should."""
    return (
        len(code) == LENGTH
        and code[0] in _FIRST
        and set(code) <= set(ALPHABET)
        and _sum(code) % len(ALPHABET) == 0
    )


def read(text: str) -> str:
    """Return a code as it was typed in the way it is stored.

    Case, spaces and hyphens do not matter; what looks like another character is that one.
    """
    return text.lower().translate(_READ_AS)


def shown(code: str) -> str:
    """Return *code* as it is printed: ``7KM 2P9 XWQ``."""
    groups = [code[at : at + _GROUP] for at in range(0, len(code), _GROUP)]
    return " ".join(groups).upper()


def _sum(code: str) -> int:
    return sum(at * ALPHABET.index(each) for at, each in enumerate(code, 1))
