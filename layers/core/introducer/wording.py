"""Amounts, rates, dates and lists as a language writes them, from the words it has for them.

A language is a module of :mod:`introducer.words`: plain data, no rules. Sentences with
values in them are made here and in :mod:`introducer.explain`; a name or a number in them is
put in as it is and never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from types import ModuleType

from introducer import calendar, clock, money
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.words import de, en

LANGUAGES: dict[str, ModuleType] = {"en": en, "de": de}
_FALLBACK = "en"
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_HUNDREDTH = 100
_GROUP = 3


class Language:
    """One language: its words, and how it writes values."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._words = LANGUAGES[code]

    def say(self, key: str, **values: object) -> str:
        """Return the sentence or phrase called *key* with *values* in it.

        Raises:
            KeyError: There is no such phrase, or it needs a value that is not given.
        """
        phrase: str = self._words.WORDS[key]
        return phrase.format_map(values)

    def count(self, key: str, number: int) -> str:
        """Return so many of something: ``1 day``, ``30 days``."""
        return self.say(f"{key}.{'one' if number == 1 else 'other'}", n=self.number(number))

    def number(self, number: int) -> str:
        """Return a whole number with its thousands apart."""
        return f"{number:,}".replace(",", self._words.GROUP)

    def ratio(self, numerator: int, denominator: int) -> str:
        """Return a fraction as a decimal number without trailing zeros.

        Args:
            numerator: Of either sign.
            denominator: A power of ten.
        """
        whole, rest = divmod(abs(numerator), denominator)
        digits = f"{rest:0{len(str(denominator)) - 1}}".rstrip("0") if rest else ""
        sign = "-" if numerator < 0 else ""
        return sign + self.number(whole) + (self._words.DECIMAL + digits if digits else "")

    def rate(self, basis_points: int) -> str:
        """Return basis points as a percentage."""
        percent: str = self._words.PERCENT
        return self.ratio(basis_points, _HUNDREDTH) + percent

    def amount(self, amount_minor: int, unit: str) -> str:
        """Return an amount in what the books keep it in: a currency, points, ``EUR.credit``."""
        currency, _, kind = unit.partition(".")
        if currency == money.POINTS:
            return self.count("points", amount_minor)
        written = f"{self.figure(amount_minor, currency)} {currency}".strip()
        return self.say(f"type.{kind}", amount=written) if self._has(f"type.{kind}") else written

    def figure(self, amount_minor: int, currency: str) -> str:
        """Return an amount without its currency; whole units where the code is no currency."""
        try:
            written = money.decimal_text(amount_minor, currency)
        except InvalidInputError:
            return self.number(amount_minor)
        major, _, minor = written.lstrip("-").partition(".")
        text = self.number(int(major)) + (self._words.DECIMAL + minor if minor else "")
        return f"{'-' if amount_minor < 0 else ''}{text}"

    def phrase(self, key: str, otherwise: str, **values: object) -> str:
        """Return the phrase called *key* with *values* in it, *otherwise* when there is none."""
        return self.say(key, **values) if self._has(key) else otherwise

    def typed(self, amount: str, kind: str) -> str:
        """Return the words for an *amount* with the type of reward it is given as."""
        return self.say(f"type.{kind}", amount=amount) if self._has(f"type.{kind}") else amount

    def date(self, at: Instant, time_zone: str, *, last: bool = False) -> str:
        """Return the day of *at* in *time_zone*, and the time of day unless it is midnight.

        Args:
            at: When.
            time_zone: The program's.
            last: *at* ends a period that does not hold it: midnight means the day before.
        """
        local = clock.moment(at).astimezone(calendar.zone(time_zone))
        time = f"{local:%H:%M}"
        if last and time == "00:00":
            local -= timedelta(days=1)
        day: str = self._words.DATE.format(
            day=local.day, month=self._words.MONTHS[local.month - 1], year=local.year
        )
        return day if time == "00:00" else f"{day}, {time}"

    def one_of(self, texts: Iterable[str], joint: str = "or") -> str:
        """Return *texts* as a list in words: ``a, b or c``."""
        *most, last = texts
        return self.say(joint, first=", ".join(most), last=last) if most else last

    def quoted(self, text: str) -> str:
        """Return *text* in the language's quotation marks."""
        return self.say("quoted", text=text)

    def name(self, text: str) -> str:
        """Return somebody's name for a thing in quotation marks; an id loses its underscores."""
        return self.quoted(plain(text))

    def value(self, text: str) -> str:
        """Return a value of a fact in words."""
        words: dict[str, str] = self._words.VALUES
        return words.get(text) or plain(text)

    def fact(self, name: str) -> str | None:
        """Return what a fact of the catalogue is called, None when it has no words."""
        words: dict[str, str] = self._words.FACTS
        return words.get(name)

    def counted(self, name: str) -> str | None:
        """Return the sentence for a number of something, with ``{n}`` in it, or None."""
        words: dict[str, str] = self._words.COUNTED
        return words.get(name)

    def _has(self, key: str) -> bool:
        return key in self._words.WORDS


@cache
def language(locale: str) -> Language:
    """Return the language that comes closest to *locale*: English when there is none."""
    code = locale.partition("-")[0].lower()
    return Language(code if code in LANGUAGES else _FALLBACK)


def plain(text: str) -> str:
    """Return an id without its underscores; anything else as it is."""
    return text.replace("_", " ") if _KEY.fullmatch(text) else text


def capital(text: str) -> str:
    """Return *text* with a capital at its beginning."""
    return text[:1].upper() + text[1:]
