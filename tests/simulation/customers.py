"""Customers who buy, want their money back and leave; and what should be earned by that.

Amounts are such that every part of them is a whole number of cents: what should be earned is
then plain multiplication, and owes nothing to the product's own arithmetic.
"""

from __future__ import annotations

import random
from datetime import timedelta

from introducer import clock
from tests.simulation.books import Books, Violation
from tests.support import money

_UNIT_MINOR = 4_000
"""A quarter of ten per cent of it, in tenths, is whole."""
_PARTNERS = ("pia", "quin", "rob", "sue", "tom")
_MOST_REFERRALS = 12
_LASTS = timedelta(days=180)


class Sold:
    """One sale as the customer knows it."""

    def __init__(self, units: int, at: str) -> None:
        self.units = units
        self.left = units
        self.at = at


class Customers:
    """Acts on referrals through the product's own commands, one at a time.

    Args:
        rng: Who does what.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._sales: dict[str, list[Sold]] = {}
        self._shares: dict[str, dict[str, int]] = {}
        self._left: dict[str, str] = {}
        self._refunds = 0

    def begin(self, now: str) -> None:
        """Enrol the partners and sell something."""
        for name in _PARTNERS:
            money.enrol(name, email_key=f"key-{name}")
        for _ in range(3):
            self._first_sale(now)

    def act(self, now: str) -> None:
        """Let one customer do one thing."""
        loyal = [name for name in self._sales if name not in self._left and self._owns(name)]
        choice = self._rng.random()
        if not loyal or (choice < 0.35 and len(self._sales) < _MOST_REFERRALS):
            if len(self._sales) < _MOST_REFERRALS:
                self._first_sale(now)
        elif choice < 0.7:
            self._sell_more(self._rng.choice(loyal), now)
        elif choice < 0.9:
            self._refund(self._rng.choice(loyal))
        else:
            name = self._rng.choice(loyal)
            self._left[name] = now
            money.churn(name, now)

    def check(self, books: Books, now: str) -> None:
        """Compare what was earned and kept with what should be."""
        expected: dict[str, int] = {}
        for name, sales in self._sales.items():
            for sale in sales:
                for partner, basis_points in self._shares[name].items():
                    earned = self._earned_minor(name, sale, basis_points)
                    expected[partner] = expected.get(partner, 0) + earned
        for partner, should_be in expected.items():
            chain = books.chains.get((partner, "EUR"))
            is_now = chain.earned - chain.reversed if chain else 0
            if is_now != should_be:
                raise Violation(f"{partner} keeps {is_now} and should keep {should_be} at {now}")

    def _earned_minor(self, name: str, sale: Sold, basis_points: int) -> int:
        whole_minor = sale.left * _UNIT_MINOR * basis_points // 10_000 // 10
        now_minor = whole_minor // 4
        left = self._left.get(name)
        if left and left < clock.instant(clock.moment(sale.at) + _LASTS):
            return now_minor
        return whole_minor

    def _owns(self, name: str) -> bool:
        return any(sale.left for sale in self._sales[name])

    def _first_sale(self, now: str) -> None:
        name = f"r{len(self._sales) + 1}"
        one, other = self._rng.sample(_PARTNERS, 2)
        shares = self._rng.choice([{one: 10_000}, {one: 6_000, other: 4_000}])
        units = self._rng.randint(1, 50)
        self._shares[name] = shares
        self._sales[name] = [Sold(units, now)]
        amount_minor = units * _UNIT_MINOR
        money.sell(name, amount_minor, shares=shares, at=now, lead_key=f"lead-of-{name}")

    def _sell_more(self, name: str, now: str) -> None:
        sales, units = self._sales[name], self._rng.randint(1, 50)
        sales.append(Sold(units, now))
        money.sell_more(name, f"s{len(sales)}", units * _UNIT_MINOR, at=now)

    def _refund(self, name: str) -> None:
        sales = self._sales[name]
        number = self._rng.choice([place for place, sale in enumerate(sales) if sale.left])
        units = self._rng.randint(1, sales[number].left)
        sales[number].left -= units
        self._refunds += 1
        money.refund(name, f"f{self._refunds}", units * _UNIT_MINOR, sale=f"s{number + 1}")
