"""What moved on an account at a bank in the United States: BAI2, cash management reporting.

Records are 01 (file), 02 (group), 03 (account), 16 (one amount), 88 (more of the record
before), 49, 98 and 99 (control totals of account, group and file). The totals are checked:
a file that contradicts itself is not used. Amounts are minor units without a point.

Source: BAI, Cash Management Balance Reporting Specifications, version 2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from introducer import money
from introducer.bank import camt054, document
from introducer.bank.camt053 import Statement
from introducer.bank.camt054 import Booking, Direction

_RECORD = re.compile(r"(01|02|03|16|49|88|98|99)(,|/)")
_AMOUNT = re.compile(r"[+-]?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{6}")
_OURS = re.compile(r"\bP[0-9A-Z]{14}\b")
_BATCH = re.compile(r"\b[0-9a-z]{20}\b")
_OPENING, _CLOSING = "010", "015"
_CREDITS, _DEBITS = range(100, 400), range(400, 700)
_CHARGES = range(690, 700)  # 698: miscellaneous fees; 694, 695: deposited items, service charges
_TEXT_FIELDS = {"0": 0, "1": 0, "2": 0, "Z": 0, "": 0, "V": 2, "S": 3}


class _Account(msgspec.Struct, kw_only=True):
    account: str
    currency: str
    day: str
    total: int = 0
    records: int = 1
    opening_minor: int | None = None
    closing_minor: int | None = None
    bookings: list[Booking] = []


def looks_like(content: bytes) -> bool:
    """Return whether *content* begins as such a file does."""
    return content.lstrip()[:3] == b"01,"


def read(content: bytes) -> tuple[Statement, ...]:
    """Return what the file *content* says of each account and day.

    Raises:
        InvalidInputError: Not such a file, or one that contradicts itself.
    """
    if len(content) > document.MAX_BYTES:
        document.refuse("longer than a bank file may be", "bank_file_too_large")
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        document.refuse("not ASCII")
    same: Counter[str] = Counter()
    return tuple(_statements(list(_records(text)), same))


def _records(text: str) -> Iterator[tuple[str, int]]:
    """Yield each record with what continues it, and how many records that was."""
    record, count = "", 0
    for raw in text.splitlines():
        line = raw.rstrip()
        if not line:
            continue
        if line[:3] == "88," and record:
            # More fields, or more of the text, of the record above.
            record, count = f"{record.removesuffix('/')},{line[3:]}", count + 1
        elif _RECORD.match(line):
            if record:
                yield record.removesuffix("/"), count
            record, count = line, 1
        elif record:
            record += line  # a line that a fixed width had cut
        else:
            document.refuse("no record of BAI2")
    if record:
        yield record.removesuffix("/"), count


def _statements(records: list[tuple[str, int]], same: Counter[str]) -> Iterator[Statement]:
    group_day = group_currency = ""
    group_total = group_records = group_accounts = 0
    file_total = file_records = file_groups = 0
    open_account: _Account | None = None
    if not records or records[0][0][:2] != "01" or records[-1][0][:2] != "99":
        document.refuse("a BAI2 file begins with 01 and ends with 99")
    for record, count in records:
        kind, fields = record[:2], record.split(",")
        if kind == "02":
            group_day, group_currency = _day(_field(fields, 4)), _field(fields, 6)
            group_total, group_records, group_accounts = 0, count, 0
        elif kind == "03":
            open_account = _account(fields, group_day, group_currency or "USD")
            open_account.records = count
        elif kind == "16":
            if open_account is None:
                document.refuse("an amount without an account")
            open_account.records += count
            open_account.total += _minor(_field(fields, 2))
            booking = _booking(record, open_account)
            if booking is not None:
                open_account.bookings.append(camt054.numbered(booking, same[booking.key]))
                same[booking.key] += 1
        elif kind == "49":
            if open_account is None:
                document.refuse("a control total without an account")
            _agree(fields, open_account.total, open_account.records + count)
            group_total += open_account.total
            group_records += open_account.records + count
            group_accounts += 1
            yield _statement(open_account)
            open_account = None
        elif kind == "98":
            _agree(
                [fields[0], _field(fields, 1), _field(fields, 3)], group_total, group_records + 1
            )
            _agree(["", "0", _field(fields, 2)], 0, group_accounts)
            file_total += group_total
            file_records += group_records + 1
            file_groups += 1
        elif kind == "99":
            _agree_all(fields, file_total, file_groups, file_records + 2)


def _account(fields: list[str], day: str, currency: str) -> _Account:
    found = _Account(
        account=_field(fields, 1)[:34], currency=_field(fields, 2) or currency, day=day
    )
    money.exponent(found.currency)
    at = 3
    while at < len(fields):
        kind, value = fields[at], _field(fields, at + 1)
        if value:
            amount_minor = _minor(value)
            found.total += amount_minor
            if kind == _OPENING:
                found.opening_minor = amount_minor
            elif kind == _CLOSING:
                found.closing_minor = amount_minor
        at += 4 + _funds(fields, at + 3)
    return found


def _booking(record: str, account: _Account) -> Booking | None:
    """Return the amount of a 16 record; None for a summary that moved nothing."""
    fields = record.split(",")
    code, amount_minor = _field(fields, 1), abs(_minor(_field(fields, 2)))
    number = int(code) if code.isdigit() else 0
    direction: Direction
    if number in _CREDITS:
        direction = "credit"
    elif number in _DEBITS:
        direction = "debit"
    else:
        return None
    rest = fields[4 + _funds(fields, 3) :]
    words = ",".join(rest)
    ours, batch = _OURS.search(words), _BATCH.search(words)
    reference = ours[0] if ours else ""
    bank_reference = _field(rest, 0)[:35] if not ours or _field(rest, 0) != reference else ""
    return Booking(
        key=camt054.booking_key(
            account=account.account,
            references=(bank_reference, "", reference),
            side=direction,
            value=f"{amount_minor} {account.currency} {account.day}",
        ),
        notification_id="",
        account=account.account,
        account_servicer_reference=bank_reference,
        message_id=batch[0] if batch else "",
        payment_id="",
        end_to_end_id=reference,
        amount_minor=amount_minor,
        currency=account.currency,
        direction=direction,
        booked_on=account.day,
        # No code says whose payment came back, but nobody else knows our reference.
        returned=direction == "credit" and bool(reference),
        charge=number in _CHARGES,
    )


def _statement(account: _Account) -> Statement:
    moved = sum(
        each.amount_minor if each.direction == "credit" else -each.amount_minor
        for each in account.bookings
    )
    return Statement(
        account=account.account,
        currency=account.currency,
        number=0,
        day=account.day,
        opening_minor=account.opening_minor,
        closing_minor=account.closing_minor,
        moved_minor=moved,
        bookings=tuple(account.bookings),
    )


def _agree(fields: list[str], total: int, records: int) -> None:
    if (_minor(_field(fields, 1)), _minor(_field(fields, 2))) != (total, records):
        document.refuse("a control total is not the sum of what it covers")


def _agree_all(fields: list[str], total: int, parts: int, records: int) -> None:
    """As :func:`_agree` of a group or the file, which also counts the parts it has."""
    _agree([fields[0], _field(fields, 1), _field(fields, 3)], total, records)
    if _minor(_field(fields, 2)) != parts:
        document.refuse("a control record counts other parts than there are")


def _field(fields: list[str], at: int) -> str:
    return fields[at].strip() if at < len(fields) else ""


def _funds(fields: list[str], at: int) -> int:
    """Return how many fields follow the type of funds at *at*: days, or amounts by day."""
    kind = _field(fields, at)
    if kind == "D":
        count = _field(fields, at + 1)
        return 1 + 2 * (int(count) if count.isdigit() else 0)
    return _TEXT_FIELDS.get(kind, 0)


def _minor(digits: str) -> int:
    if not _AMOUNT.fullmatch(digits):
        document.refuse("an amount is not a number")
    return int(digits)


def _day(digits: str) -> str:
    if not _DAY.fullmatch(digits):
        document.refuse("a date is not YYMMDD")
    return f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}"
