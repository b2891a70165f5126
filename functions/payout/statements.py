"""From files to bookings: which format a file has, and what it says in settlement's words.

A file is known by how it begins, never by its name. One that nobody knows is refused whole:
it stays in the bucket, and the failed run raises the alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from introducer import ids
from introducer.bank import (
    bai2,
    camt053,
    camt054,
    nacha_return,
    pacs004,
    pain002,
    payroll_ack,
)
from introducer.bank.camt053 import Statement
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.rails import answers, reply
from introducer.settlement import Booking, Fact

_HEAD = 1000
_PAYROLL: dict[str, Fact] = {"paid": "paid", "rejected": "rejected", "returned": "returned"}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one file says."""

    kind: str
    bookings: tuple[Booking, ...]
    statements: tuple[Statement, ...] = ()


class Format(msgspec.Struct, frozen=True):
    """A format: its name, how it is known, and how it is read."""

    name: str
    fits: Callable[[bytes], bool]
    read: Callable[[bytes, Booking], Told]


def read(content: bytes, file: str, now: Instant) -> Told:
    """Return what the file *content* says.

    Args:
        content: The file.
        file: Its key in the bucket.
        now: When it is taken in.

    Raises:
        InvalidInputError: ``bank_file_unexpected`` for a format nobody knows, or what the
            reader of the format refuses.
    """
    for each in FORMATS:
        if each.fits(content):
            blank = Booking(key="", fact="noted", status="matched", at=now, file=file)
            return each.read(content, msgspec.structs.replace(blank, kind=each.name))
    raise InvalidInputError("file", "no format that is known", code="bank_file_unexpected")


def _iso(name: str) -> Callable[[bytes], bool]:
    return lambda content: name.encode() in content[:_HEAD]


def _status_report(content: bytes, blank: Booking) -> Told:
    facts: dict[str, Fact] = {"rejected": "rejected"}
    # Neither says that nothing was or will be paid: a person must ask the bank.
    doubts = {"unknown": "unknown_status", "duplicate": "duplicate"}
    return Told(
        kind=blank.kind,
        bookings=tuple(
            msgspec.structs.replace(
                blank,
                key=ids.derived_id(
                    "pain002",
                    report.report_id,
                    report.level,
                    report.message_id,
                    report.payment_id,
                    report.end_to_end_id,
                    report.status,
                ),
                fact=facts.get(report.verdict, "noted"),
                reference=report.end_to_end_id,
                batch=report.message_id or report.payment_id,
                reason=next(filter(None, map(reply.as_code, (*report.reasons, report.status))), ""),
                problem=doubts.get(report.verdict, ""),
            )
            for report in pain002.read(content)
        ),
    )


def _notification(content: bytes, blank: Booking) -> Told:
    return Told(kind=blank.kind, bookings=tuple(_booked(camt054.read(content), blank)))


def _return(content: bytes, blank: Booking) -> Told:
    return Told(kind=blank.kind, bookings=tuple(_booked(pacs004.read(content), blank)))


def _statement(content: bytes, blank: Booking) -> Told:
    return _stated(camt053.read(content), blank)


def _bai2(content: bytes, blank: Booking) -> Told:
    return _stated(bai2.read(content), blank)


def _stated(found: Sequence[Statement], blank: Booking) -> Told:
    booked = tuple(booking for each in found for booking in _booked(each.bookings, blank))
    return Told(kind=blank.kind, bookings=booked, statements=tuple(found))


def _booked(found: Sequence[camt054.Booking], blank: Booking) -> Iterator[Booking]:
    """Yield what was booked on an account."""
    for booked in found:
        yield msgspec.structs.replace(
            blank,
            key=booked.key,
            currency=booked.currency,
            direction=booked.direction,
            booked_on=booked.booked_on,
            reference=booked.end_to_end_id,
            reason=reply.as_code(booked.return_reason),
            instructed_minor=booked.instructed_minor,
            instructed_currency=booked.instructed_currency,
            **_parts(booked),
        )


def _parts(booked: camt054.Booking) -> dict[str, object]:
    """Return the fact, whose it is, and the amount apart from what the bank keeps of it."""
    amount_minor, fee_minor = booked.amount_minor, booked.charges_minor
    batch = booked.payment_id or booked.message_id
    if booked.direction == "debit" and booked.charge and not booked.end_to_end_id:
        parts: dict[str, object] = {"fact": "fee", "amount_minor": 0, "batch": batch}
        fee_minor = amount_minor
    elif booked.returned:
        parts = {"fact": "returned", "amount_minor": amount_minor + fee_minor, "batch": batch}
    elif booked.direction == "debit":
        parts = {"fact": "paid", "amount_minor": amount_minor - fee_minor, "batch": batch}
    else:
        # Money that came in for another reason is noted and belongs to no batch of ours.
        parts = {"fact": "noted", "amount_minor": amount_minor}
        fee_minor = 0
    return parts | {"fee_minor": fee_minor, "fee_currency": booked.currency if fee_minor else ""}


def _ach(content: bytes, blank: Booking) -> Told:
    """Return what came back of an ACH file; a change is noted for the next one."""
    return Told(
        kind=blank.kind,
        bookings=tuple(
            msgspec.structs.replace(
                blank,
                key=each.key,
                fact="returned" if each.kind == "return" else "noted",
                amount_minor=each.amount_minor,
                currency="USD",
                direction="credit" if each.kind == "return" else "",
                booked_on=each.on,
                reference=each.reference,
                reason=each.code,
            )
            for each in nacha_return.read(content)
        ),
    )


def _payroll(content: bytes, blank: Booking) -> Told:
    """Return what payroll says; it names no amounts, so what was ordered is meant."""
    return Told(
        kind=blank.kind,
        bookings=tuple(
            msgspec.structs.replace(
                blank,
                key=each.key,
                fact=_PAYROLL[each.status],
                reference=each.reference,
                booked_on=each.on,
                reason=reply.as_code(each.reason),
            )
            for each in payroll_ack.read(content)
        ),
    )


def _provider(content: bytes, blank: Booking) -> Told:
    return Told(kind=blank.kind, bookings=tuple(answers.read(content, blank)))


FORMATS = (
    Format("provider", answers.fits, _provider),  # first: what it quotes may look like another
    Format("pain.002", _iso("pain.002"), _status_report),
    Format("camt.054", _iso("camt.054"), _notification),
    Format("camt.053", _iso("camt.053"), _statement),
    Format("pacs.004", _iso("pacs.004"), _return),
    Format("bai2", bai2.looks_like, _bai2),
    Format("nacha", nacha_return.looks_like, _ach),
    Format("payroll", payroll_ack.recognise, _payroll),
)
"""Every format that is taken in, asked in this order."""
