"""What a holder's accounts held at a moment, and what was booked in a period.

Booking times rise with the numbers of the journals, so a moment is a number: everything up
to it was booked before. A month's closing balance is stored; it bounds the search, and the
accounts after a number are the nearest closing, or the present balance, less what was
booked since.
"""

from __future__ import annotations

from collections.abc import Iterable

from introducer.clock import Instant
from introducer.ledger import ACCOUNTS, Balance, Journal
from introducer.tables import ledger

Accounts = dict[str, int]
"""What each of :data:`introducer.ledger.ACCOUNTS` holds or changes by, in minor units."""
_PAGE = 500


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


def after(now: Balance, number: int) -> Accounts:
    """Return what the accounts of *now*, the present balance, held after journal *number*.

    Raises:
        ContentionError: The index of journals has not caught up yet.
    """
    if number == now.version:
        return now.accounts
    if number == 0:
        return dict.fromkeys(ACCOUNTS, 0)
    later = (each for each in ledger.closings(now.partner, now.currency) if each.version >= number)
    nearest = next(later, now)
    since = booked(now.partner, now.currency, number + 1, nearest.version)
    return less(nearest.accounts, since)


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


def less(accounts: Accounts, journals: Iterable[Journal]) -> Accounts:
    """Return *accounts* as they were before *journals*."""
    before = dict(accounts)
    for journal in journals:
        for name in ACCOUNTS:
            before[name] -= journal.legs.get(name, 0)
    return before
