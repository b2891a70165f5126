"""What is compared with the outside: a batch with its file and with what was said of it.

And the statements of an account with each other. :mod:`payout.reconcile` asks and reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby

import msgspec

from introducer import clock, paying, payout, settlement
from introducer.bank.camt053 import Statement
from introducer.clock import Instant
from introducer.payout import Batch, Payout
from introducer.rails.registry import file_rail
from introducer.settlement import Booking
from introducer.tables import ledger as books
from introducer.tables import payouts, statements
from payout import files, settle

SILENT_DAYS = 3
"""A bank says what it thinks of a file within a day or two; after this many it is asked."""
OPEN_DAYS = 10
"""By then every payment of a file has been booked, refused or returned."""

Difference = dict[str, str | int]


def of_batch(batch: Batch, now: Instant) -> Iterator[Difference]:
    """Yield where a batch, its payouts, its file and what was said about it disagree.

    What follows from statements and is not there yet, because a run died, is made good first.
    """
    members = payouts.of_batch(batch.id)
    told = payouts.bookings_of(batch.id)
    counted = [each for each in told if each.status == "matched" and not each.same_as]
    for booking in counted:
        if booking.fee_minor or booking.exchange_minor:
            settle.follow_up(booking, now=now)
    for each in members:
        settle.refuse_payee(each, now=now)
    if batch.file:
        yield from _file(batch, members)
    if batch.file or batch.method in paying.CALLS:
        yield from _money(members, counted)
    yield from _costs(batch, counted, now)
    yield from _silence(batch, members, told, now)
    if batch.status == "cancelled" and any(each.status == "created" for each in members):
        yield {"kind": "cancelled_batch_holds_money"}
    if batch.status == "settled" and any(each.status not in payout.DONE for each in members):
        yield {"kind": "settled_with_open_payouts"}


def of_statements(since: str) -> Iterator[Difference]:
    """Yield where the statements of an account, from the day *since* on, do not join.

    Each starts with what the one before ended with, is numbered next, and its entries make
    up the difference of its balances. Accounts are named by their last four characters.
    """
    found = sorted(
        statements.since(since), key=lambda each: (each.account, each.day, each.number, each.page)
    )
    for account, theirs in groupby(found, key=lambda each: each.account):
        before: Statement | None = None
        for _, pages in groupby(theirs, key=lambda each: (each.day, each.number)):
            whole = _joined(list(pages))
            where: Difference = {"account": account[-4:], "day": whole.day, "number": whole.number}
            yield from ({**each, **where} for each in _statement(before, whole))
            before = whole


def _joined(pages: list[Statement]) -> Statement:
    """Return one statement made of its pages."""
    complete = pages[-1].last and [each.page for each in pages] == list(range(1, len(pages) + 1))
    return msgspec.structs.replace(
        pages[0],
        closing_minor=pages[-1].closing_minor,
        moved_minor=sum(each.moved_minor for each in pages),
        last=complete,
    )


def _statement(before: Statement | None, whole: Statement) -> Iterator[Difference]:
    if not whole.last:
        yield {"kind": "statement_lacks_pages"}
    elif whole.opening_minor is not None and whole.closing_minor is not None:
        missing = whole.closing_minor - whole.opening_minor - whole.moved_minor
        if missing:
            yield {"kind": "statement_lacks_entries", "missing_minor": missing}
    if before is None:
        return
    new_year = whole.number == 1 and whole.day[:4] > before.day[:4]
    if whole.number and before.number and whole.number != before.number + 1 and not new_year:
        yield {"kind": "statement_missing", "expected": before.number + 1}
    known = before.closing_minor is not None and whole.opening_minor is not None
    if known and before.closing_minor != whole.opening_minor:
        yield {"kind": "statement_opening_differs"}


def _file(batch: Batch, members: Sequence[Payout]) -> Iterator[Difference]:
    """Yield where the file is not what the books say was sent."""
    content, currency = files.read(batch.file) or b"", batch.sent_currency or batch.currency
    ordered = file_rail(batch.method).amounts_in(content, currency)
    if ordered != {each.reference: each.ordered[0] for each in members if _was_sent(each)}:
        yield {"kind": "file_is_not_payouts"}
    if (batch.file_count, batch.file_total_minor) != (len(ordered), sum(ordered.values())):
        yield {"kind": "file_is_not_batch"}


def _money(members: Sequence[Payout], counted: Sequence[Booking]) -> Iterator[Difference]:
    """Yield where what was paid and returned is not what was told of it."""
    sent = {each.reference: each for each in members if _was_sent(each)}
    debits = {reference: each.ordered[0] for reference, each in sent.items() if each.booked_on}
    if debits != _told("paid", sent, counted):
        yield {"kind": "debits_are_not_payouts"}
    back = {reference: each.ordered[0] for reference, each in sent.items() if each.returned_on}
    if back != _told("returned", sent, counted):
        yield {"kind": "returns_are_not_payouts"}


def _told(fact: str, sent: dict[str, Payout], counted: Sequence[Booking]) -> dict[str, int]:
    """Return what was told by reference, in the currency that was sent."""
    found = {}
    for booking in counted:
        if booking.fact == fact and booking.reference:
            ordered = sent.get(booking.reference)
            agrees = ordered is not None and not _differs(booking, ordered)
            found[booking.reference] = (
                ordered.ordered[0] if ordered and agrees else booking.amount_minor
            )
    return found


def _differs(booking: Booking, ordered: Payout) -> bool:
    books_hold = (ordered.amount_minor, ordered.currency)
    again = settlement.compared(booking, ordered.ordered, books_hold)
    return bool(again.problem) or again.exchange_minor != booking.exchange_minor


def _costs(batch: Batch, counted: Sequence[Booking], now: Instant) -> Iterator[Difference]:
    """Yield where fees and exchange are not what the statements charge."""
    expected = {
        posting.id: posting.amount_minor
        for booking in counted
        for posting in settlement.costs(booking, batch, now)
    }
    holder = f"batch.{batch.id}"
    booked = {
        each.id: each.amount_minor
        for balance in books.balances(holder)
        for each in books.journals(holder, balance.currency, first=1, last=balance.version)
    }
    if expected != booked:
        yield {
            "kind": "costs_are_not_bookings",
            "ledger_minor": sum(booked.values()),
            "explained_minor": sum(expected.values()),
        }


def _silence(
    batch: Batch, members: Sequence[Payout], told: Sequence[Booking], now: Instant
) -> Iterator[Difference]:
    """Yield that nobody answered for a batch, or for some of its payments."""
    if batch.status != "in_transit" or not batch.submitted_at:
        return
    waiting = [each for each in members if each.status == "in_transit"]
    if not told and batch.submitted_at < _days_before(now, SILENT_DAYS):
        yield {"kind": "bank_is_silent", "count": len(waiting)}
    elif waiting and batch.submitted_at < _days_before(now, OPEN_DAYS):
        yield {"kind": "payments_unanswered", "count": len(waiting)}


def _was_sent(each: Payout) -> bool:
    return each.status in {"in_transit", "paid", "returned"}


def _days_before(now: Instant, days: int) -> Instant:
    return clock.instant(clock.moment(now) - timedelta(days=days))
