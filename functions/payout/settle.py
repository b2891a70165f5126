"""What the bank says becomes what the books say: files in the bucket's ``inbox/``.

A ``pain.002`` tells what the bank took or refused, a ``camt.054`` what it booked. Each
statement has a key that is the same in every file that repeats it, and is taken in once,
in one transaction with the journal it causes. What cannot be matched is listed and raises
a metric; it is never dropped, and tried again whenever the books are reconciled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, ids, metric, payout
from introducer.bank import camt054, pain002
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.ledger import Balance
from introducer.payout import Payout, PayoutStatus
from introducer.tables import ledger, payouts
from introducer.tables.ledger import Entry
from introducer.tables.payouts import Booking
from introducer.tables.store import Transaction
from payout import files, members
from payout.edge import logger

_BACK = frozenset({"returned", "cancelled", "skipped"})
_STATUS: dict[str, PayoutStatus] = {"paid": "paid", "returned": "returned", "rejected": "returned"}


def handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001
    """Take in every file named in the notification.

    Raises:
        InvalidInputError: A file cannot be read; nothing of it was taken in.
    """
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        content = files.read(key)
        if content is None:
            message = "the file named in the notification is gone"
            raise NotFoundError(message, key=key)
        take_file(content, key, now=clock.now())


def take_file(content: bytes, key: str, *, now: Instant) -> None:
    """Take in everything that one file of the bank says."""
    read = _reports if b"pain.002" in content[:1000] else _bookings
    taken = list(read(content, key, now))
    for booking in taken:
        take(booking, now=now)
    for batch in sorted({batch for booking in taken for batch in _batches(booking)}):
        members.settle_if_done(batch, now=now)
    logger.info("bank file taken in", extra={"key": key, "statements": len(taken)})


def take(booking: Booking, *, now: Instant) -> None:
    """Take in one statement of the bank; nothing happens the second time."""
    before = payouts.find_booking(booking.key)
    if before is not None and before.status == "matched":
        return
    if booking.problem:
        _list(booking, before, booking.problem)
    elif booking.fact == "noted":
        known = not booking.batch or payouts.find_batch(booking.batch) is not None
        _list(booking, before, "" if known else "unknown_batch")
    elif booking.reference:
        _take_one(booking, before, now)
    else:
        _take_all(booking, before, now)


def retry_unmatched(*, now: Instant) -> int:
    """Try again what could not be matched; return how much still cannot."""
    for booking in payouts.unmatched():
        cleared = msgspec.structs.replace(booking, status="matched", problem="")
        if booking.problem not in {"unknown_status", "duplicate"}:
            take(cleared, now=now)
        for batch in _batches(booking):
            members.settle_if_done(batch, now=now)
    return len(payouts.unmatched())


def _take_one(booking: Booking, before: Booking | None, now: Instant) -> None:
    """Move the one payout a statement is about."""
    found = payouts.find(booking.reference)
    problem = _problem(found, booking)
    if found is None or problem:
        _list(booking, before, problem)
        return
    if _is_late_debit(found, booking):
        _take_late_debit(found, booking, before, now)
        return
    status = _STATUS[booking.fact]

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (payout and booking decide)
        seen = payouts.find_booking(booking.key)
        current = payouts.find(booking.reference)
        if current is None or (seen and seen.status == "matched") or _problem(current, booking):
            return []
        at = f"{booking.booked_on}T00:00:00.000Z" if booking.booked_on else ""
        after, posting = payout.move(
            current, status, now=now, at=at, reason=booking.reason, booking=booking.key
        )
        matched = msgspec.structs.replace(booking, batch=current.batch)

        def write(writes: Transaction) -> None:
            payouts.change(writes, current, after)
            payouts.book(writes, matched, seen)

        return [Entry(postings=(posting,), write=write, writes=2)]

    ledger.post_all(found.partner, found.currency, plan, now=now)
    if payouts.find_booking(booking.key) is None:  # another statement got in first
        _list(booking, before, _problem(payouts.find(booking.reference), booking) or "contested")


def _take_all(booking: Booking, before: Booking | None, now: Instant) -> None:
    """Move every payout of the batch that a statement is about, if the sum is theirs."""
    members_now = payouts.of_batch(booking.batch) if booking.batch else []
    parts = []
    for each in members_now:
        part = msgspec.structs.replace(
            booking,
            key=ids.derived_id(booking.key, each.reference),
            reference=each.reference,
            amount_minor=each.amount_minor,
            currency=each.currency,
        )
        if each.status == "in_transit" or payouts.find_booking(part.key) is not None:
            parts.append(part)
    if not parts:
        # The same refusal told on two levels of one report: the money is back already.
        told = booking.fact == "rejected" and bool(members_now)
        back = told and all(each.status in _BACK for each in members_now)
        _list(booking, before, "" if back else "nothing_in_transit")
        return
    if booking.fact != "rejected" and (
        sum(part.amount_minor for part in parts) != booking.amount_minor
        or {part.currency for part in parts} != {booking.currency}
    ):
        _list(booking, before, "amount_differs")
        return
    for part in parts:
        take(part, now=now)
    _list(booking, before, "")


def _problem(found: Payout | None, booking: Booking) -> str:
    """Return why *booking* cannot move the payout, empty when it can."""
    if found is None:
        return "unknown_reference"
    named = booking.fact != "rejected"  # a refusal names no amount
    if named and (booking.amount_minor, booking.currency) != (found.amount_minor, found.currency):
        return "amount_differs"
    if _is_late_debit(found, booking):
        return ""
    allowed = {"in_transit", "paid"} if booking.fact == "returned" else {"in_transit"}
    return "" if found.status in allowed else f"payout_is_{found.status}"


def _is_late_debit(found: Payout, booking: Booking) -> bool:
    """Return whether the debit is told after the return of the same money."""
    came_back = found.status == "returned" and bool(found.returned_on)
    return booking.fact == "paid" and came_back and not found.booked_on


def _take_late_debit(found: Payout, booking: Booking, before: Booking | None, now: Instant) -> None:
    after = msgspec.structs.replace(
        found, booked_on=booking.booked_on, version=found.version + 1, updated_at=now
    )
    writes = Transaction()
    payouts.change(writes, found, after)
    payouts.book(writes, msgspec.structs.replace(booking, batch=found.batch), before)
    writes.commit()


def _list(booking: Booking, before: Booking | None, problem: str) -> None:
    """Store what became of a statement that moves no money by itself."""
    status = "unmatched" if problem else "matched"
    if before is not None and (before.status, before.problem) == (status, problem):
        return
    outcome = msgspec.structs.replace(booking, status=status, problem=problem)
    writes = Transaction()
    payouts.book(writes, outcome, before)
    try:
        writes.commit()
    except StaleError:
        return  # the same statement was taken in this moment
    if problem:
        metric.count("SettlementUnmatched")
        logger.warning("unmatched", extra={"booking": booking.key, "problem": problem})


def _batches(booking: Booking) -> Iterator[str]:
    if booking.batch:
        yield booking.batch
    elif booking.reference and (found := payouts.find(booking.reference)):
        yield found.batch


def _reports(content: bytes, file: str, now: Instant) -> Iterator[Booking]:
    """Yield what a ``pain.002`` says, as statements."""
    facts = {"rejected": "rejected", "duplicate": "noted", "unknown": "noted"}
    for report in pain002.read(content):
        verdict = report.verdict
        yield Booking(
            key=ids.derived_id(
                "pain002",
                report.report_id,
                report.level,
                report.message_id,
                report.payment_id,
                report.end_to_end_id,
                report.status,
            ),
            fact=facts.get(verdict, "noted"),
            status="matched",
            at=now,
            file=file,
            reference=report.end_to_end_id,
            batch=report.message_id or report.payment_id,
            reason=report.reasons[0] if report.reasons else report.status,
            # Neither says that nothing was or will be paid: a person must ask the bank.
            problem={"unknown": "unknown_status", "duplicate": "duplicate"}.get(verdict, ""),
        )


def _bookings(content: bytes, file: str, now: Instant) -> Iterator[Booking]:
    """Yield what a ``camt.054`` says, as statements."""
    for booked in camt054.read(content):
        fact = "paid" if booked.direction == "debit" else "noted"
        yield Booking(
            key=booked.key,
            fact="returned" if booked.returned else fact,
            status="matched",
            at=now,
            file=file,
            amount_minor=booked.amount_minor,
            currency=booked.currency,
            direction=booked.direction,
            booked_on=booked.booked_on,
            reference=booked.end_to_end_id,
            # Money that came in for another reason is noted and belongs to no batch of ours.
            batch=(booked.payment_id or booked.message_id)
            if booked.returned or fact == "paid"
            else "",
            reason=booked.return_reason,
        )
