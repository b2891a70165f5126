"""Whether a payee's name is on a list of people and companies that nobody may pay.

The list is whatever finance uploads: CSV with ``id``, ``name``, ``aliases`` (separated by
``;``) and ``country``, which every published list can be brought into. Names are compared word
by word, in any order, with spelling differences allowed for; what is found is looked at by a
person. So the threshold rather finds too much than too little.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

import msgspec

from introducer.errors import InvalidInputError

THRESHOLD = 85
"""Of 100; from here on a name is a hit."""
MOST_ENTRIES = 50_000
_COLUMNS = ("id", "name", "aliases", "country")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_WORD = re.compile(r"\w+")
_SAME_WORD = 0.8
"""From which likeness on two words may be one that is spelled differently."""
_ONE_WORD = 80
"""What one word alone is worth of a longer name: too little for a hit."""
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
_TELLING = 6
"""So long a word is a whole name on the list: a company is found by it within another name."""
_TITLES = frozenset(
    "mr mrs ms dr prof sir dame herr frau mag ing sheikh hajji "
    "ltd limited llc llp inc corp corporation company co plc gmbh ag kg ug ohg se sa sarl sas srl "
    "spa bv nv oy ab as aps ooo oao pjsc the and und et".split()
)
"""Words that tell nobody apart; left out unless nothing else is left."""


class Listed(msgspec.Struct, frozen=True):
    """An entry of the list: whom it names, under which names."""

    id: str
    names: tuple[str, ...]
    country: str = ""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that a name is like, and how much, of 100."""

    id: str
    score: int
    country: str = ""


def parse(text: str) -> list[Listed]:
    """Return the entries of a list in CSV.

    Raises:
        InvalidInputError: ``invalid_list``: it is no such CSV; the message names the line.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    found: dict[str, Listed] = {}
    try:
        if tuple(rows.fieldnames or ()) != _COLUMNS:
            raise _refused(1, f"the columns are {','.join(_COLUMNS)}")
        for row in rows:
            entry = _entry(row, rows.line_num)
            if entry.id in found:
                raise _refused(rows.line_num, "this id was there before")
            found[entry.id] = entry
            if len(found) > MOST_ENTRIES:
                raise _refused(rows.line_num, f"more than {MOST_ENTRIES} entries")
    except csv.Error as failure:
        raise _refused(rows.reader.line_num, "not CSV") from failure
    if not found:
        raise _refused(1, "an empty list would clear everybody")
    return list(found.values())


def digest(text: str) -> str:
    """Return what tells a list from every other: 20 characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in their plain form: no accents, case, titles or legal forms."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    found = _WORD.findall(bare.replace("'", "").replace("’", ""))  # noqa: RUF001  (as people type)
    return tuple(word for word in found if word not in _TITLES) or tuple(found)


def likeness(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how much two names, as :func:`words`, are one: 0 to 100.

    The shorter name's words are looked for in the longer one, each weighing its letters; words
    that are written as one elsewhere (``al rashid``, ``alrashid``) count as written.
    """
    if not one or not other:
        return 0
    short, long = sorted((tuple(one), tuple(other)), key=lambda each: (len(each), each))
    if _same("".join(sorted(short)), "".join(sorted(long))) == 1 or "".join(short) == "".join(long):
        return 100
    # Where one has more words, they may be written as one in the other.
    joined = _same("".join(short), "".join(long)) if len(short) < len(long) else 0.0
    left, got, weight = list(long), 0.0, 0
    for word in sorted(short, key=lambda each: (-len(each), each)):
        best = max(left, key=lambda each, word=word: _same(word, each), default="")  # type: ignore[misc]
        alike = _same(word, best) if best else 0.0
        weight += len(word)
        if alike >= _SAME_WORD:
            left.remove(best)
            got += alike * len(word)
    score = round(100 * max(got / weight, joined))
    if len(short) == 1 < len(long):
        return max(min(score, _ONE_WORD), round(100 * joined))
    return score


class Index:
    """A list made ready to compare many names with: only entries that share a word are looked at.

    A word is shared when most of its three-letter parts are, so a mistyped one is found too.
    """

    def __init__(self, entries: Iterable[Listed]) -> None:
        self._names: list[tuple[Listed, tuple[str, ...]]] = []
        self._by_part: dict[str, set[str]] = defaultdict(set)
        self._by_word: dict[str, set[int]] = defaultdict(set)
        for entry in entries:
            for name in entry.names:
                told = words(name)
                for word in _with_joined(told):
                    self._by_word[word].add(len(self._names))
                    for part in _parts(word):
                        self._by_part[part].add(word)
                self._names.append((entry, told))

    def hits(self, names: Iterable[str], *, threshold: int = THRESHOLD) -> list[Hit]:
        """Return the entries that one of *names* is like, best first."""
        best: dict[str, Hit] = {}
        for told in {words(name) for name in names if name}:
            for number in self._near(told):
                entry, listed = self._names[number]
                score = likeness(told, listed)
                if len(listed) == 1 and len(listed[0]) >= _TELLING and listed[0] in told:
                    score = 100
                if score >= threshold and (entry.id not in best or score > best[entry.id].score):
                    best[entry.id] = Hit(id=entry.id, score=score, country=entry.country)
        return sorted(best.values(), key=lambda hit: (-hit.score, hit.id))

    def _near(self, told: tuple[str, ...]) -> set[int]:
        found: set[int] = set()
        for word in _with_joined(told):
            parts = _parts(word)
            shared: dict[str, int] = defaultdict(int)
            for part in parts:
                for known in self._by_part.get(part, ()):
                    shared[known] += 1
            for known, count in shared.items():
                if known == word or 3 * count >= len(parts):
                    found |= self._by_word[known]
        return found


def _entry(row: dict[str, str], line: int) -> Listed:
    values = [row.get(column) for column in _COLUMNS]
    if None in row or None in values:
        raise _refused(line, "it has another number of cells than the first")
    entry_id, name, aliases, country = (str(value).strip() for value in values)
    if not _ID.fullmatch(entry_id):
        raise _refused(line, "the id is missing or has other signs than letters and digits")
    names = tuple(each for each in (name, *aliases.split(";")) if words(each))
    if not words(name):
        raise _refused(line, "the name is missing")
    return Listed(entry_id, names, country[:2].upper())


def _refused(line: int, message: str) -> InvalidInputError:
    return InvalidInputError("csv", f"line {line}: {message}", code="invalid_list")


def _with_joined(told: Sequence[str]) -> set[str]:
    return {*told, *(first + second for first, second in pairwise(told))}


def _parts(word: str) -> set[str]:
    padded = f" {word} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)} or {padded}


@lru_cache(maxsize=100_000)
def _same(one: str, other: str) -> float:
    """Return how much two words are one, 0 to 1."""
    if one == other:
        return 1.0
    if not one or not other or min(len(one), len(other)) * 2 < max(len(one), len(other)):
        return 0.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
