"""Comparing amounts of different currencies, by the program's own rates or not at all."""

from __future__ import annotations

from decimal import Decimal

from introducer import money
from introducer.document.policy import Exchange
from introducer.errors import MissingRateError


class Rates:
    """The exchange rates of a program version."""

    def __init__(self, exchange: Exchange, home: str) -> None:
        self._home = home
        self._ratios: dict[tuple[str, str], tuple[int, int]] = {}
        for each in exchange.rates if exchange.policy == "fixed" else ():
            numerator, denominator = Decimal(each.rate).as_integer_ratio()
            if numerator:
                self._ratios.setdefault((each.to, each.base), (denominator, numerator))
        for each in exchange.rates if exchange.policy == "fixed" else ():
            self._ratios[each.base, each.to] = Decimal(each.rate).as_integer_ratio()

    def has(self, base: str, to: str) -> bool:
        """Return whether amounts in *base* can be told in *to*."""
        return base == to or (base, to) in self._ratios

    def convert(self, amount_minor: int, base: str, to: str = "") -> int:
        """Return *amount_minor* of *base* in *to*, or the program's own currency; rounded once.

        Raises:
            MissingRateError: The program has no rate for the two.
        """
        to = to or self._home
        if base == to:
            return amount_minor
        return money.fraction(amount_minor, *self.minor_ratio(base, to))

    def cost(self, amount_minor: int, base: str, to: str) -> int:
        """Return what *amount_minor* uses up of a limit in *to*, rounded up.

        Raises:
            MissingRateError: The program has no rate for the two.
        """
        numerator, denominator = self.minor_ratio(base, to)
        return -(-amount_minor * numerator // denominator)

    def room(self, left_minor: int, base: str, to: str) -> int:
        """Return the most in *base* whose :meth:`cost` is not above *left_minor* of *to*.

        Raises:
            MissingRateError: The program has no rate for the two.
        """
        numerator, denominator = self.minor_ratio(base, to)
        return left_minor * denominator // numerator

    def minor_ratio(self, base: str, to: str) -> tuple[int, int]:
        """Return what minor units of *base* are multiplied and divided by, to be told in *to*.

        Raises:
            MissingRateError: The program has no rate for the two.
        """
        if base == to:
            return 1, 1
        if (base, to) not in self._ratios:
            message = f"the program has no rate from {base} to {to}"
            raise MissingRateError(message, base=base, to=to)
        numerator, denominator = self._ratios[base, to]
        return (
            numerator * 10 ** money.exponent(to),
            denominator * 10 ** money.exponent(base),
        )
