"""The characters a bank carries: the SEPA Latin set and the way into it.

Names and texts outside the set are converted, never refused: a partner is paid under
the nearest name a bank can print. Source of the set and of the rule "no counterpart
becomes a full stop": EPC217-08, best practices for an extended character set.
"""

# ruff: noqa: RUF001 - look-alike characters are what this module is about
from __future__ import annotations

import string
import unicodedata

ALLOWED = frozenset(string.ascii_letters + string.digits + "/-?:().,'+ ")

_SIGNS = {
    **dict.fromkeys("‐‑‒–—―−_~", "-"),
    **dict.fromkeys('‘’‚‛“”„«»‹›`´ʹʼ"', "'"),
    **dict.fromkeys("[{<", "("),
    **dict.fromkeys("]}>", ")"),
    **dict.fromkeys("|\\⁄", "/"),
    "&": "+",
    ";": ",",
    "€": "E",
    "@": "(at)",
}
# Letters that Unicode does not take apart into a base letter and a mark.
_LATIN = {
    "ß": "ss",
    "ẞ": "SS",
    "ı": "i",
    **dict(zip("ÆŒØĐÐÞŁĦŦŊ", "AE OE O D D TH L H T N".split(), strict=True)),
    **dict(zip("æœøđðþłħŧŋ", "ae oe o d d th l h t n".split(), strict=True)),
}
_GREEK = dict(
    zip(
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        "A V G D E Z I TH I K L M N X O P R S T Y F CH PS O".split(),
        strict=True,
    )
)
_CYRILLIC = dict(
    zip(
        "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЬЮЯЁЫЭІЇЄҐЈЉЊЋЂЏЅЃЌ",
        "A B V G D E ZH Z I Y K L M N O P R S T U F H TS CH SH SHT A Y YU YA "
        "E Y E I I E G J LJ NJ C DJ DZ DZ G K".split(),
        strict=True,
    )
)
_UPPER = {**_GREEK, **_CYRILLIC}
_TABLE = {
    **_SIGNS,
    **_LATIN,
    **_UPPER,
    **{letter.lower(): latin.lower() for letter, latin in _UPPER.items()},
    "ς": "s",
}
_DROPPED = frozenset({"Mn", "Me", "Cf"})  # accents on their own, invisible marks


def convert(value: str, limit: int) -> str:
    """Return *value* in the SEPA Latin set, at most *limit* characters.

    Accents go, Greek and Cyrillic letters are written in Latin ones, white space of any
    kind and length becomes one space, and what has no counterpart becomes a full stop.
    The answer may be empty.
    """
    converted = value
    if not ALLOWED.issuperset(value):  # most names are inside the set already
        composed = unicodedata.normalize("NFC", value)
        converted = "".join(map(_character, composed))
    return " ".join(converted.split())[:limit].rstrip()


def is_readable(converted: str) -> bool:
    """Return whether a *converted* text still says something: a letter or a digit is left."""
    return any(character.isalnum() for character in converted)


def _character(character: str) -> str:
    if character in ALLOWED:
        return character
    if character in _TABLE:
        return _TABLE[character]
    if character.isspace() or unicodedata.category(character) == "Cc":
        return " "
    if unicodedata.category(character) in _DROPPED:
        return ""
    parts = unicodedata.normalize("NFKD", character)
    return "." if parts == character else "".join(map(_character, parts))
