"""The same thing told again by another kind of message.

A bank notifies, states and returns: three kinds of message about one amount, not always with
the same reference of its own. Each kind may say it once; a second time is another movement.
"""

from __future__ import annotations

import msgspec

from introducer.payout import Payout
from introducer.settlement import STATUS_OF, Booking
from introducer.tables import ledger, payouts
from introducer.tables.store import Transaction

_MESSAGES = frozenset({"pacs.004", "nacha"})
"""Kinds that tell of a return without having booked it; the day they name may be another."""


def first_told(found: Payout, booking: Booking) -> Booking | None:
    """Return the statement of another kind that said this of a payout before, if there is one."""
    fact = STATUS_OF.get(booking.fact, "")
    if not booking.kind or not fact:
        return None
    posted = ledger.journal(f"payout:{found.reference}:{fact}")
    if posted is not None:
        candidates = [payouts.find_booking(posted.refs.get("booking", ""))]
    elif found.booked_on and fact == "paid":  # the debit was told after the return
        candidates = [*payouts.bookings_of(found.batch)]
    else:
        return None
    return next((each for each in candidates if each and _is_same(each, booking)), None)


def whole_told(booking: Booking) -> Booking | None:
    """Return the statement of another kind that said this of a whole batch before.

    So it does of a fee, which belongs to no payout.
    """
    return next(
        (
            each
            for each in payouts.bookings_of(booking.batch)
            if each.status == "matched" and not each.same_as and _is_same(each, booking)
        ),
        None,
    )


def confirm(first: Booking, booking: Booking, before: Booking | None) -> Booking:
    """Store a statement as the repetition, by another kind of message, of the *first* one.

    Raises:
        StaleError: Somebody else told or confirmed it in this moment.
    """
    repeated = msgspec.structs.replace(booking, status="matched", problem="", same_as=first.key)
    told = msgspec.structs.replace(first, told_by=f"{first.told_by}{booking.kind},")
    writes = Transaction()
    payouts.book(writes, told, first)
    payouts.book(writes, repeated, before)
    writes.commit()
    return repeated


def _is_same(first: Booking, booking: Booking) -> bool:
    same_day = first.booked_on == booking.booked_on
    return (
        (first.reference, first.fact) == (booking.reference, booking.fact)
        and _amounts(first) == _amounts(booking)
        and (same_day or not _MESSAGES.isdisjoint({first.kind, booking.kind}))
        and first.key != booking.key
        and bool(first.kind)
        and booking.kind != first.kind
        and booking.kind not in first.told_by.split(",")
    )


def _amounts(booking: Booking) -> tuple[int, str, int, str]:
    """Return what must be the same: of a fee the fee, which one kind may leave out elsewhere."""
    if booking.fact == "fee":
        return 0, "", booking.fee_minor, booking.fee_currency
    return booking.amount_minor, booking.currency, 0, ""
