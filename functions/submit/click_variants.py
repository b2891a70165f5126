"""Which of a link's destinations a visitor gets: the one they got before, else one by weight.

The cookie ``introducer_variants`` remembers it as ``{code}.{place}``, joined by ``~``, the
last ten links. Without it the visitor hash decides, so it is the same all day; the link's
code goes in as well, so that one visitor is not always first.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import accumulate

from introducer import clickid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

COOKIE = "introducer_variants"
_KEPT = 10
_COOKIE_LIMIT = 400
_DIGITS = 2
_SEPARATOR = "~"
_CHOICE_BYTES = 6


def chosen(code: str, weights: list[int], visitor: str, cookies: Iterable[str]) -> int:
    """Return the place of the visitor's destination, -1 when there is no choice.

    Args:
        code: The link's code.
        weights: Each destination's part of the visitors; empty without a choice.
        visitor: The visitor hash.
        cookies: The request's cookies, ``name=value``.
    """
    if not weights:
        return -1
    place = remembered(cookies).get(code, -1)
    if place in range(len(weights)):
        return place
    text = f"{code}\n{visitor}".encode()
    digest = blake2b(text, digest_size=_CHOICE_BYTES, person=b"variant").digest()
    point = int.from_bytes(digest, "big") % sum(weights)
    return next(place for place, upto in enumerate(accumulate(weights)) if point < upto)


def remembered(cookies: Iterable[str]) -> dict[str, int]:
    """Return what the cookie says, oldest first; whatever else is in it is dropped."""
    for cookie in cookies:
        name, _, value = cookie.partition("=")
        if name == COOKIE and len(value) <= _COOKIE_LIMIT:
            pairs = [part.rpartition(".") for part in value.split(_SEPARATOR)]
            return {
                code: int(place)
                for code, _, place in pairs
                if clickid.is_code(code)
                and place.isascii()
                and place.isdecimal()
                and len(place) <= _DIGITS
            }
    return {}


def cookie_value(cookies: Iterable[str], code: str, place: int) -> str:
    """Return the cookie's value from now on: this link last, ten at most."""
    kept = {**remembered(cookies)}
    kept.pop(code, None)
    kept[code] = place
    return _SEPARATOR.join([f"{each}.{at}" for each, at in kept.items()][-_KEPT:])
