"""What a holder's accounts held at a moment, and what was booked in a period.

Booking times rise with the numbers of the journals, so a moment is a number: everything up
to it was booked before. A month's closing balance is stored; it bounds the search, and the
accounts after a number are the closing before it with what was booked since, or the closing
behind it, or the present balance, less what was booked between.
"""

from __future__ import annotations

from collections.abc import Iterable

from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.ledger import ACCOUNTS, Balance, Journal
from introducer.tables import ledger

Accounts = dict[str, int]
"""What each of :data:`introducer.ledger.ACCOUNTS` holds or changes by, in minor units."""
_PAGE = 500
MOST_BESIDE = 10_000
"""So many journals are read to get from a known balance to a moment: a request has seconds."""


def booked_before(now: Balance, at: Instant) -> int:
    """Return how many journals of *now*, the present balance, were booked before *at*.

    Raises:
        ContentionError: The index of journals has not caught up yet.
    """
    low, high = 0, now.version
    if not high or now.posted_at < at:
        return high
    for closed in ledger.closings(now.partner, now.currency):
        if closed.posted_at < at:
            low = max(low, closed.version)
        else:
            high = min(high, closed.version - 1)
    while low < high:
        middle = (low + high + 1) // 2
        (journal,) = ledger.journals(now.partner, now.currency, first=middle, last=middle)
        low, high = (middle, high) if journal.posted_at < at else (low, middle - 1)
    return low


def after(now: Balance, number: int, *, field: str = "from") -> Accounts:
    """Return what the accounts of *now*, the present balance, held after journal *number*.

    Args:
        now: The present balance.
        number: Of the last journal that counts; 0 for none.
        field: What the caller names the moment, for the error.

    Raises:
        InvalidInputError: ``period_too_busy``: too much lies between it and a known balance.
        ContentionError: The index of journals has not caught up yet.
    """
    before, behind = _around(now, number)
    if number - before.version < behind.version - number:
        return _forward(before, number, field)
    return _back(behind, number, field)


def ends(now: Balance, first: int, last: int) -> tuple[Accounts, Accounts]:
    """Return the accounts of *now* before journal *first* and after *last*, apart from each other.

    The opening goes forward from the closing before it, the closing back from the one behind
    it: with the journals between, either proves the other.

    Raises:
        InvalidInputError: ``period_too_busy``: too much lies between an end and that closing.
        ContentionError: The index of journals has not caught up yet.
    """
    before, _ = _around(now, first - 1)
    _, behind = _around(now, last)
    return _forward(before, first - 1, "from"), _back(behind, last, "to")


def at(now: Balance, moment: Instant) -> Accounts:
    """Return what the accounts of *now* held just before *moment*."""
    return after(now, booked_before(now, moment))


def booked(holder: str, currency: str, first: int, last: int) -> list[Journal]:
    """Return the journals *first* to *last*, in order; none when *last* is before *first*."""
    found: list[Journal] = []
    for begin in range(first, last + 1, _PAGE):
        end = min(last, begin + _PAGE - 1)
        found += ledger.journals(holder, currency, first=begin, last=end)
    return found


def _around(now: Balance, number: int) -> tuple[Balance, Balance]:
    """Return the nearest known balances before and behind journal *number*, or at it."""
    closings = ledger.closings(now.partner, now.currency)
    nothing = Balance(partner=now.partner, currency=now.currency)
    before = [nothing, *(each for each in [*closings, now] if each.version <= number)]
    behind = [each for each in [nothing, *closings] if each.version >= number]
    return before[-1], next(iter(behind), now)


def _forward(known: Balance, number: int, field: str) -> Accounts:
    """Return the accounts after journal *number* from a balance *known* before it."""
    _require_few(number - known.version, field)
    accounts = dict(known.accounts)
    for journal in booked(known.partner, known.currency, known.version + 1, number):
        for name in ACCOUNTS:
            accounts[name] += journal.legs.get(name, 0)
    return accounts


def _back(known: Balance, number: int, field: str) -> Accounts:
    """Return the accounts after journal *number* from a balance *known* behind it."""
    _require_few(known.version - number, field)
    since = booked(known.partner, known.currency, number + 1, known.version)
    return less(known.accounts, since)


def _require_few(journals: int, field: str) -> None:
    if journals > MOST_BESIDE:
        message = f"more than {MOST_BESIDE} bookings lie between it and the turn of a month"
        raise InvalidInputError(field, f"{message}; take whole months", code="period_too_busy")


def less(accounts: Accounts, journals: Iterable[Journal]) -> Accounts:
    """Return *accounts* as they were before *journals*."""
    before = dict(accounts)
    for journal in journals:
        for name in ACCOUNTS:
            before[name] -= journal.legs.get(name, 0)
    return before
