"""What banks and providers say becomes what the books say: files in the bucket's ``inbox/``.

:func:`take` is the one way in, for lines of files and for answers of providers. Each statement
has a key that is the same wherever it is repeated, and is taken in once, in one transaction
with the journal it causes. A statement of another kind about the same fact confirms it. What
cannot be matched is listed and raises a metric; it is never dropped, and tried again whenever
the books are reconciled.

What a payment cost (fees, exchange) is booked after it, on the batch's own balance, and what a
return says of the payee's account is written after it too, in another table. Both follow from
what is stored, have ids of their own and are made sure of again: when a file is repeated, and
by every reconciliation. So a run that dies in between leaves nothing undone for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, ids, metric, payout, settlement
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.ledger import Balance, Posting
from introducer.payout import Batch, Payout
from introducer.settlement import Booking
from introducer.tables import ledger, partners, payouts
from introducer.tables import statements as accounts
from introducer.tables.ledger import Entry
from introducer.tables.store import Transaction
from payout import files, members, repeats, statements, withholding
from payout.edge import logger

_BACK = frozenset({"returned", "cancelled", "skipped"})
_DOUBTS = frozenset({"unknown_status", "duplicate"})
"""Only a person can say what these mean."""
_ATTEMPTS = 5


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
    """Take in everything that one file says.

    Raises:
        InvalidInputError: It cannot be read; nothing of it was taken in.
    """
    told = statements.read(content, key, now)
    for statement in told.statements:
        accounts.keep(statement)
    for booking in told.bookings:
        take(booking, now=now)
    for batch in sorted({batch for booking in told.bookings for batch in _batches(booking)}):
        members.settle_if_done(batch, now=now)
    done = {"key": key, "kind": told.kind, "statements": len(told.bookings)}
    logger.info("bank file taken in", extra=done)


def take(booking: Booking, *, now: Instant) -> None:
    """Take in one statement; nothing happens the second time."""
    before = payouts.find_booking(booking.key)
    after = before
    if before is None or before.status == "unmatched":
        after = _taken(booking, before, now)
    if after is not None:
        follow_up(after, now=now)


def retry_unmatched(*, now: Instant) -> int:
    """Try again what could not be matched; return how much still cannot."""
    for booking in payouts.unmatched():
        cleared = msgspec.structs.replace(booking, status="matched", problem="")
        if booking.problem not in _DOUBTS:
            take(cleared, now=now)
        for batch in _batches(booking):
            members.settle_if_done(batch, now=now)
    return len(payouts.unmatched())


def follow_up(booking: Booking, *, now: Instant) -> None:
    """Make sure of what follows from a matched statement: its costs, and a payee to be told."""
    if booking.status != "matched" or booking.same_as:
        return
    if booking.fee_minor or booking.exchange_minor:
        batch = _batch_of(booking)
        for posting in settlement.costs(booking, batch, now) if batch else ():
            _book_cost(posting, now)
    if settlement.STATUS_OF.get(booking.fact) == "returned" and booking.reference:
        returned = payouts.find(booking.reference)
        if returned is not None:
            refuse_payee(returned, now=now)


def refuse_payee(returned: Payout, *, now: Instant) -> None:
    """Note on the partner that nothing can be paid to the account that sent money back.

    Partners and books are in two tables, so this is no part of the journal's transaction. It
    follows from the payout alone and may be asked at any time: an account that was given
    after the payment was sent is another one, and stays clear.
    """
    about_payee = returned.status == "returned" and returned.reason in settlement.PAYEE_REASONS
    if not about_payee or "." in returned.partner:
        return
    sent = ledger.journal(f"payout:{returned.reference}:submitted")
    for _ in range(_ATTEMPTS):
        partner = partners.find_partner(returned.partner)
        if partner is None or partner.payee_problem or not partner.payee_set_at:
            return
        if sent is None or partner.payee_set_at > sent.posted_at:
            return
        after, event = settlement.payee_refused(
            partner, reason=returned.reason, payout=returned.reference, now=now
        )
        writes = Transaction()
        partners.save(writes, partner, after, event)
        try:
            writes.commit()
        except StaleError:
            continue  # somebody changed the partner in this moment: look again
        return


def _taken(booking: Booking, before: Booking | None, now: Instant) -> Booking | None:
    """Take in a statement that is new or waits; return it as it is stored now."""
    if booking.problem in _DOUBTS:
        return _list(booking, before, booking.problem)
    if booking.fact == "noted":
        known = not booking.batch or _batch_of(booking) is not None
        return _list(booking, before, "" if known else "unknown_batch")
    if booking.fact == "fee":
        return _take_fee(booking, before)
    if booking.reference:
        return _take_one(booking, before, now)
    return _take_all(booking, before, now)


def _take_fee(booking: Booking, before: Booking | None) -> Booking | None:
    """List a charge of its own: the batch it names bears it, once however many kinds tell it."""
    if _batch_of(booking) is None:
        return _list(booking, before, "unassigned_fee")
    first = repeats.whole_told(booking)
    if first is not None:
        return repeats.confirm(first, _placed(booking), before)
    return _list(booking, before, "")


def _take_one(booking: Booking, before: Booking | None, now: Instant) -> Booking | None:
    """Move the one payout a statement is about."""
    found = payouts.find(booking.reference)
    judged = settlement.judge(found, booking)
    if found is not None and judged.problem.startswith("payout_is_"):
        first = repeats.first_told(found, judged)
        if first is not None:
            return repeats.confirm(first, judged, before)
    if found is None or judged.problem:
        return _list(booking, before, judged.problem)
    planned: list[Booking] = []

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (payout and booking decide)
        planned.clear()
        seen = payouts.find_booking(booking.key)
        current = payouts.find(booking.reference)
        matched = settlement.judge(current, booking)
        if current is None or (seen and seen.status != "unmatched") or matched.problem:
            return []
        planned.append(msgspec.structs.replace(matched, status="matched"))
        # The return may have been taken in since: the debit of it comes late then.
        late = settlement.is_late_debit(current, matched)
        return [(_late_debit if late else _entry)(current, planned[0], seen, now)]

    ledger.post_all(found.partner, found.currency, plan, now=now)
    if planned:
        return planned[0]
    stored = payouts.find_booking(booking.key)
    if stored is None:  # another statement got in first
        again = settlement.judge(payouts.find(booking.reference), booking)
        return _list(booking, before, again.problem or "contested")
    return stored


def _entry(current: Payout, matched: Booking, seen: Booking | None, now: Instant) -> Entry:
    """Return the move of a payout with its journal, the statement and the year's tax total."""
    status = settlement.STATUS_OF[matched.fact]
    at = ""  # what was refused never moved, on whatever day it was refused
    if matched.fact != "rejected":
        at = f"{matched.booked_on}T00:00:00.000Z" if matched.booked_on else now
    after, posting = payout.move(
        current, status, now=now, at=at, reason=matched.reason, booking=matched.key
    )

    def write(writes: Transaction) -> None:
        payouts.change(writes, current, after)
        payouts.book(writes, matched, seen)
        if status == "paid":
            withholding.paid(writes, after, posting.at)
        else:
            withholding.returned(writes, after, posting.at)

    return Entry(postings=(posting,), write=write, writes=3)


def _late_debit(current: Payout, matched: Booking, seen: Booking | None, now: Instant) -> Entry:
    """Return the note that a payout whose money came back was debited, which books nothing."""
    after = msgspec.structs.replace(
        current,
        booked_on=matched.booked_on or clock.day(now),
        version=current.version + 1,
        updated_at=now,
    )

    def write(writes: Transaction) -> None:
        payouts.change(writes, current, after)
        payouts.book(writes, matched, seen)

    return Entry(postings=(), write=write, writes=2)


def _take_all(booking: Booking, before: Booking | None, now: Instant) -> Booking | None:
    """Move every payout of the batch that a statement is about, if the sum is theirs."""
    batch = _batch_of(booking)
    members_now = payouts.of_batch(booking.batch) if batch else []
    parts = [(each, _part(booking, each)) for each in members_now]
    open_parts = [
        part
        for each, part in parts
        if each.status == "in_transit"
        or settlement.is_late_debit(each, part)
        or payouts.find_booking(part.key) is not None
    ] or [part for each, part in parts if repeats.first_told(each, part) is not None]
    if batch is None or not open_parts:
        # The same refusal told on two levels of one report: the money is back already.
        told = booking.fact == "rejected" and bool(members_now)
        back = told and all(each.status in _BACK for each in members_now)
        return _list(booking, before, "" if back else "nothing_in_transit")
    whole = _sum_judged(booking, batch, members_now, open_parts)
    if whole.problem:
        return _list(booking, before, whole.problem)
    for part in open_parts:
        take(part, now=now)
    first = repeats.whole_told(whole)
    return _list(msgspec.structs.replace(whole, same_as=first.key if first else ""), before, "")


def _part(booking: Booking, each: Payout) -> Booking:
    """Return what a statement about a whole batch says of one payout of it."""
    amount_minor, currency = each.ordered
    return msgspec.structs.replace(
        booking,
        key=ids.derived_id(booking.key, each.reference),
        reference=each.reference,
        amount_minor=amount_minor,
        currency=currency,
        fee_minor=0,
        fee_currency="",
    )


def _sum_judged(
    booking: Booking, batch: Batch, members_now: Sequence[Payout], parts: Sequence[Booking]
) -> Booking:
    """Return a statement about a whole batch with its problem and what the exchange cost."""
    if booking.fact == "rejected":
        return booking
    theirs = {part.reference for part in parts}
    ordered = [each for each in members_now if each.reference in theirs]
    sent = (sum(each.ordered[0] for each in ordered), batch.sent_currency or batch.currency)
    books = (sum(each.amount_minor for each in ordered), batch.currency)
    return settlement.compared(booking, sent, books)


def _book_cost(posting: Posting, now: Instant) -> None:
    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (its id decides)
        if ledger.journal(posting.id) is not None:
            return []
        return [Entry(postings=(posting,), writes=0)]

    ledger.post_all(posting.partner, posting.currency, plan, now=now)


def _list(booking: Booking, before: Booking | None, problem: str) -> Booking | None:
    """Store what became of a statement that moves no money by itself, and return it."""
    status = "unmatched" if problem else "matched"
    if before is not None and (before.status, before.problem) == (status, problem):
        return before
    outcome = msgspec.structs.replace(_placed(booking), status=status, problem=problem)
    writes = Transaction()
    payouts.book(writes, outcome, before)
    try:
        writes.commit()
    except StaleError:
        return None  # the same statement was taken in this moment, by who follows it up
    if problem:
        metric.count("SettlementUnmatched")
        logger.warning("unmatched", extra={"booking": booking.key, "problem": problem})
    return outcome


def _placed(booking: Booking) -> Booking:
    """Return a statement with the batch and program it is about, as far as these are known.

    One about a payout that its provider was never asked for stays where it came from.
    """
    found = payouts.find(booking.reference) if booking.reference else None
    if found is not None and settlement.may_speak_of(booking, found):
        return msgspec.structs.replace(booking, batch=found.batch, program=found.program)
    batch = _batch_of(booking)
    return msgspec.structs.replace(booking, program=batch.program) if batch else booking


def _batch_of(booking: Booking) -> Batch | None:
    """Return the batch a statement names; a provider names those of its own program only."""
    batch = payouts.find_batch(booking.batch) if booking.batch else None
    if batch is not None and booking.provider and batch.program != booking.program:
        return None
    return batch


def _batches(booking: Booking) -> Iterator[str]:
    if booking.batch:
        yield booking.batch
    elif booking.reference and (found := payouts.find(booking.reference)):
        yield found.batch
