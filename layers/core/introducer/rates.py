"""Exchange rates for what is sent in another currency than the books': text, never a float.

A rate tells how much of the one currency is given for 1 of the other, both in major units:
``EUR`` to ``USD`` at ``1.0875``. It is kept as the text that finance gave, and an amount is
converted once, by the product's one rounding rule (:func:`introducer.money.fraction`).
"""

from __future__ import annotations

import re

import msgspec

from introducer import clock, money
from introducer.clock import Instant
from introducer.errors import InvalidInputError, MissingRateError

RATE = r"^[0-9]{1,9}(\.[0-9]{1,12})?$(?!\n)"
_RATE = re.compile(RATE)
_JUMP_PERCENT = 20


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit of a currency is worth in another: ``rate``, who said so, and when."""

    rate: str
    source: str
    at: Instant


def ratio(rate: str) -> tuple[int, int]:
    """Return *rate* as a fraction of whole numbers: ``1.0875`` is ``(10875, 10000)``.

    Raises:
        InvalidInputError: It is no decimal number above zero of up to 9 and 12 digits.
    """
    if not _RATE.fullmatch(rate):
        raise InvalidInputError("rate", "not a decimal number", code="invalid_rate")
    whole, _, digits = rate.partition(".")
    numerator = int(whole + digits)
    if not numerator:
        raise InvalidInputError("rate", "a rate is above zero", code="invalid_rate")
    return numerator, 10 ** len(digits)


def convert(amount_minor: int, currency: str, to: str, rate: str) -> int:
    """Return *amount_minor* of *currency* in minor units of *to*, rounded once.

    A small amount can come to nothing; nothing is what it then is.

    Raises:
        InvalidInputError: *rate* is no rate, or one of the two is no currency in circulation.
    """
    numerator, denominator = ratio(rate)
    return money.fraction(
        amount_minor,
        numerator * 10 ** money.exponent(to),
        denominator * 10 ** money.exponent(currency),
    )


def require_fresh(quote: Quote | None, now: Instant, max_age_hours: int, **data: str) -> Quote:
    """Return *quote* when it may be paid by at *now*.

    Args:
        quote: The newest one known; None for none.
        now: The present instant.
        max_age_hours: An older one does not count.
        data: What the error should tell besides.

    Raises:
        MissingRateError: There is none, it is too old, or it is not of now yet; ``why`` in its
            data is ``missing``, ``stale`` or ``future``.
    """
    if quote is None:
        message, why = "there is no exchange rate", "missing"
    elif quote.at > now:
        message, why = "the exchange rate is of a time to come", "future"
    elif clock.plus(quote.at, seconds=max_age_hours * 3600) < now:
        message, why = "the exchange rate is too old", "stale"
    else:
        return quote
    raise MissingRateError(message, why=why, **data)


def jumps(before: str, after: str) -> bool:
    """Return whether *after* is more than a fifth above or below *before*: a slip, more likely."""
    old, new = ratio(before), ratio(after)
    was, becomes = old[0] * new[1], new[0] * old[1]
    return 100 * abs(becomes - was) > _JUMP_PERCENT * was
