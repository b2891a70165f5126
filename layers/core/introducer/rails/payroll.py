"""Payroll as a rail: a list for whoever runs the payroll of employees and sales people.

No account is needed, payroll knows theirs. Nothing answers by itself either: the same people
put an acknowledgement into the bank's folder (:mod:`introducer.bank.payroll_ack`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date

from introducer import money, spreadsheet
from introducer.bank.order import MAX_TRANSFERS
from introducer.errors import InvalidInputError
from introducer.rails.rail import Order, Payment

COLUMNS = (
    "holder",
    "reference",
    "amount",
    "currency",
    "period",
    "pay_date",
    "wage_type",
    "description",
    "batch",
)
"""Of the list. ``amount`` is in major units, ``period`` is the month, ``YYYY-MM``."""
WAGE_TYPE = "referral reward"
"""What payroll books it as, and taxes it by: this is gross, nothing was withheld for it."""

_REFERENCE = re.compile(r"[A-Z0-9]{1,15}")


class PayrollExport:
    """A CSV file (RFC 4180, UTF-8) in which no cell is a formula."""

    extension = "csv"
    media = "text/csv; charset=utf-8"
    most_minor = money.MAX_MINOR

    def check(self, order: Order) -> None:
        """Refuse what payroll could not book; see :meth:`FileRail.check`."""
        for field, message in _findings(order):
            raise InvalidInputError(field, message, code="invalid_payment")

    def write(self, order: Order) -> bytes:
        """Return the list, one line a payment; see :meth:`FileRail.write`."""
        self.check(order)
        rows = (_row(order, payment) for payment in order.payments)
        return spreadsheet.lines([COLUMNS, *rows]).encode()

    def amounts_in(self, content: bytes, currency: str) -> dict[str, int]:
        """Return the amount by reference that a file orders in *currency*."""
        digits = money.exponent(currency)
        return {
            row["reference"]: _minor(row["amount"], digits)
            for row in csv.DictReader(io.StringIO(content.decode(), newline=""))
            if row["currency"] == currency
        }


def _row(order: Order, payment: Payment) -> tuple[str, ...]:
    return (
        payment.holder,
        payment.reference,
        money.decimal_text(payment.amount_minor, payment.currency),
        payment.currency,
        order.requested_date[:7],
        order.requested_date,
        WAGE_TYPE,
        # A line break inside a cell is allowed and read wrongly by many.
        " ".join(payment.text.split()),
        order.batch,
    )


def _minor(decimal: str, digits: int) -> int:
    major, _, minor = decimal.partition(".")
    return int(major + minor.ljust(digits, "0"))


def _findings(order: Order) -> Iterator[tuple[str, str]]:
    if order.currency == money.POINTS:
        yield "currency", "points are not paid by payroll"
    money.exponent(order.currency)
    if not _is_date(order.requested_date):
        yield "requested_date", "not a date"
    if not 0 < len(order.payments) <= MAX_TRANSFERS:
        yield "payments", f"1 to {MAX_TRANSFERS}"
    seen: set[str] = set()
    for index, payment in enumerate(order.payments):
        for field, message in _payment_findings(order, payment):
            yield f"payments[{index}].{field}", message
        if payment.reference in seen:
            yield f"payments[{index}].reference", "used twice in this file"
        seen.add(payment.reference)


def _payment_findings(order: Order, payment: Payment) -> Iterator[tuple[str, str]]:
    if not payment.holder:
        yield "holder", "payroll must know whom to pay"
    if not _REFERENCE.fullmatch(payment.reference):
        yield "reference", "1 to 15 characters A-Z 0-9"
    if payment.currency != order.currency:
        yield "currency", "not the file's currency"
    if not 0 < payment.amount_minor <= money.MAX_MINOR:
        yield "amount_minor", "not above zero, or more than one payment may carry"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
