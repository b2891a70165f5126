"""Amounts as people write them in files: whole units with decimals, or the smallest ones."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from introducer import money
from introducer.errors import InvalidInputError

Amount = Annotated[str, Meta(pattern=r"^([0-9]{1,15}(\.[0-9]{1,4})?)?$(?!\n)")]
"""No separators of thousands: whether a comma is one, nobody can know."""
AmountMinor = Annotated[int, Meta(ge=1, le=money.MAX_MINOR)] | None


def minor(text: str, given: int | None, currency: str) -> int:
    """Return an amount in the smallest units of *currency*, from either column.

    Raises:
        InvalidInputError: ``invalid_amount``: neither or both are there, it is nothing, or has
            more decimals than the currency; ``unknown_currency``.
    """
    digits = money.exponent(currency)
    if (given is None) == (not text):
        message = "one of amount and amount_minor must be there"
        raise InvalidInputError("amount", message, code="invalid_amount")
    if given is not None:
        return given
    whole, _, decimals = text.partition(".")
    if len(decimals) > digits:
        message = f"{currency} has {digits} decimals"
        raise InvalidInputError("amount", message, code="invalid_amount")
    found: int = int(whole) * 10**digits + int(decimals.ljust(digits, "0") or "0")
    if not 0 < found <= money.MAX_MINOR:
        message = "must be more than nothing and less than the limit"
        raise InvalidInputError("amount", message, code="invalid_amount")
    return found
