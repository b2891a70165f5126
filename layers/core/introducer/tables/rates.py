"""Exchange rates in the Ledger table.

``RATE#{program}#{from}#{to}`` / time is one rate, never changed: who entered it and when is in
it, so it is its own event. ``RATES#{program}`` / ``{from}#{to}`` is the newest of each pair.
"""

from __future__ import annotations

import msgspec
from pynamodb.expressions.operand import Path

from introducer import rates
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import AlreadyExistsError, StaleError
from introducer.rates import Quote
from introducer.tables import store
from introducer.tables.store import Item, Page, Table, Transaction


class Rate(msgspec.Struct, frozen=True, kw_only=True, rename={"base": "from"}):
    """One rate as finance entered it. ``base`` is stored, and told, as ``from``.

    ``jumped`` tells that nobody but who entered it vouches for its being far off the rate before.
    """

    program: str
    base: str
    to: str
    rate: str
    source: str
    at: Instant
    entered_at: Instant
    entered_by: str
    jumped: bool = False

    @property
    def quote(self) -> Quote:
        """Return what a payout stores of it."""
        return Quote(rate=self.rate, source=self.source, at=self.at)


def add(writes: Transaction, new: Rate, newest: Rate | None) -> None:
    """Add a rate; it becomes the newest of its pair when it is later than *newest*.

    The transaction fails with :class:`AlreadyExistsError` when there is one of that time, and
    with :class:`StaleError` when a newer one came meanwhile.
    """
    writes.put(
        Table.LEDGER,
        f"RATE#{new.program}#{new.base}#{new.to}",
        new.at,
        new,
        condition=store.absent(),
        error=AlreadyExistsError("there is a rate of that time; a correction is of a later one"),
    )
    if newest and newest.at >= new.at:
        return
    writes.put(
        Table.LEDGER,
        f"RATES#{new.program}",
        f"{new.base}#{new.to}",
        new,
        condition=Path("at") == newest.at if newest else store.absent(),
        error=StaleError("somebody else entered a rate of this pair first"),
    )


def newest(program: str, base: str, to: str) -> Rate | None:
    """Return the newest rate of a pair, None when there is none."""
    stored = store.get(Table.LEDGER, f"RATES#{program}", f"{base}#{to}")
    return store.load(Rate, stored) if stored else None


def usable(program: str, rule: PayoutRule, now: Instant) -> Rate:
    """Return the rate that *rule*, one with ``pays_in``, pays by at *now*.

    Raises:
        MissingRateError: There is none of the pair, it is older than the rule allows, or it is
            of a time to come.
    """
    base, to = rule.currency.partition(".")[0], rule.pays_in or ""
    found = newest(program, base, to)
    names = {"program": program, "from": base, "to": to}
    rates.require_fresh(found.quote if found else None, now, rule.rate_max_age_hours, **names)
    assert found is not None  # noqa: S101  (what is fresh is there)
    return found


def at(program: str, base: str, to: str, when: Instant) -> Rate | None:
    """Return the rate of a pair of exactly that time, None when there is none."""
    stored = store.get(Table.LEDGER, f"RATE#{program}#{base}#{to}", when)
    return store.load(Rate, stored) if stored else None


def list_newest(program: str, *, limit: int, start: Item | None = None) -> tuple[list[Rate], Page]:
    """Return one page of a program's newest rates by pair, and the page for its cursor."""
    page = store.query(Table.LEDGER, f"RATES#{program}", limit=limit, start=start, consistent=True)
    return [store.load(Rate, stored) for stored in page.items], page
