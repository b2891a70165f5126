"""Payment orders to a bank of the United States: the NACHA file, ACH credits.

:func:`write` is a function of its input and of nothing else, so the file of a stored batch
can be written again at any time and is the same, byte for byte.

Rules from outside (Nacha Operating Rules, appendix three): records of 94 ASCII characters,
blocks of ten records filled with nines, amounts of ten digits, totals of twelve, and a hash,
the sum of the receiving banks' first eight digits modulo 10^10. Credits to people are
``PPD`` entries, credits to companies ``CCD``, each in a batch of its own.

Errors name the place (``payments[3].routing``) and never quote a value: it is personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from introducer import ids
from introducer.bank import account, latin, reserve_days
from introducer.clock import Instant
from introducer.document.payout import Originator
from introducer.errors import InvalidInputError

CURRENCY = "USD"
MAX_ENTRIES = 100_000
MAX_ENTRY_MINOR = 10**10 - 1
"""The amount of an entry has ten digits: 99,999,999.99 USD."""
MAX_FILE_MINOR = 10**12 - 1
"""The totals of a batch and of a file have twelve."""

_LINE = 94
_BLOCK = 10
_NAME_CHARACTERS = 22
_CREDITS_ONLY = "220"
_DESCRIPTION = "PAYOUT"
_MODIFIERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CODES = {"checking": "22", "savings": "32"}
_NEW_YORK = ZoneInfo("America/New_York")

_BATCH = re.compile(r"[A-Za-z0-9]{1,20}")
_REFERENCE = re.compile(r"[A-Z0-9]{1,15}")
_COMPANY_ID = re.compile(r"[0-9A-Z]{10}")
_ROUTING = re.compile(r"[0-9]{9}")
_ACCOUNT = re.compile(r"[0-9]{4,17}")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One credit to one payee.

    Attributes:
        reference: 1 to 15 characters A-Z 0-9, unique in the file: the identification number,
            which every return repeats.
        amount_minor: Positive, in cents.
        routing: ABA number of the payee's bank, nine digits.
        account: 4 to 17 digits.
        account_type: ``checking`` or ``savings``.
        company: Whether the account is a company's.
    """

    reference: str
    amount_minor: int
    name: str
    routing: str
    account: str
    account_type: str
    company: bool = False


class AchFile(msgspec.Struct, frozen=True, kw_only=True):
    """One payment file: one originator, one day.

    Attributes:
        batch: The batch id, 1 to 20 letters and digits; the header's discretionary data.
        requested_date: The day the bank is to pay, ``YYYY-MM-DD``.
        entries: At least one.
    """

    batch: str
    created_at: Instant
    requested_date: str
    originator: Originator
    entries: tuple[Entry, ...]

    @property
    def sum_minor(self) -> int:
        """The sum of the entries, never a number somebody handed in."""
        return sum(entry.amount_minor for entry in self.entries)


def check(file: AchFile) -> None:
    """Refuse what a bank would refuse, while nothing has been sent.

    Raises:
        InvalidInputError: ``invalid_payment``, with the path of the first such value.
    """
    for field, message in _findings(file):
        raise InvalidInputError(field, message, code="invalid_payment")


def write(file: AchFile) -> bytes:
    """Return *file* as the ASCII bytes of a NACHA file, a line feed after each record.

    Raises:
        InvalidInputError: As :func:`check`.
    """
    check(file)
    people = [entry for entry in file.entries if not entry.company]
    companies = [entry for entry in file.entries if entry.company]
    kinds = [each for each in (("PPD", people), ("CCD", companies)) if each[1]]
    records = [_file_header(file)]
    sequence = 0
    for number, (kind, entries) in enumerate(kinds, start=1):
        records.append(_batch_header(file, kind, number))
        for entry in entries:
            sequence += 1
            records.append(_detail(file, entry, sequence))
        records.append(_batch_control(file, entries, number))
    blocks = -(-(len(records) + 1) // _BLOCK)
    sums = f"{len(file.entries):08}{_sums(file.entries)}"
    records.append(_line(f"9{len(kinds):06}{blocks:06}{sums}"))
    records += ["9" * _LINE] * (blocks * _BLOCK - len(records))
    return ("\n".join(records) + "\n").encode("ascii")


def amounts_in(content: bytes, currency: str) -> dict[str, int]:
    """Return the amount in cents by reference; nothing when *currency* is not USD.

    The file is our own writer's, byte for byte, so its exact form is known; anything else
    finds nothing and shows as a difference.
    """
    if currency != CURRENCY:
        return {}
    lines = content.decode("ascii", errors="replace").split("\n")
    details = [line for line in lines if line[:1] == "6" and line[29:39].isdecimal()]
    return {line[39:54].rstrip(): int(line[29:39]) for line in details}


def effective_date(created_at: Instant, requested_date: str) -> date:
    """Return the day on which payees are to have the money.

    The requested day, but at the soonest the day after the file is made (it is no same-day
    file), and always one on which the Federal Reserve is open.
    """
    soonest = _local(created_at).date() + timedelta(days=1)
    return reserve_days.on_or_after(max(date.fromisoformat(requested_date), soonest))


def is_routing(value: str) -> bool:
    """Return whether *value* is nine digits of which the last checks the others."""
    if not _ROUTING.fullmatch(value):
        return False
    weighted = sum(int(digit) * (3, 7, 1)[place % 3] for place, digit in enumerate(value))
    return weighted % 10 == 0


def _file_header(file: AchFile) -> str:
    originator, at = file.originator, _local(file.created_at)
    # A bank tells two files of one originator and minute apart by the modifier alone.
    modifier = _MODIFIERS[ids.shard(file.batch, len(_MODIFIERS))]
    bank, name = _text(originator.bank, 23), _text(originator.name, 23)
    return _line(
        f"101 {originator.routing}{originator.company_id}{at:%y%m%d%H%M}{modifier}"
        f"0{_LINE}{_BLOCK}1{bank}{name}"
    )


def _batch_header(file: AchFile, kind: str, number: int) -> str:
    originator = file.originator
    paid_on = effective_date(file.created_at, file.requested_date)
    requested = date.fromisoformat(file.requested_date)
    return _line(
        f"5{_CREDITS_ONLY}{_text(originator.name, 16)}{file.batch:20}{originator.company_id}"
        f"{kind}{_DESCRIPTION:10}{requested:%y%m%d}{paid_on:%y%m%d}   1"
        f"{originator.routing[:8]}{number:07}"
    )


def _detail(file: AchFile, entry: Entry, sequence: int) -> str:
    return _line(
        f"6{_CODES[entry.account_type]}{entry.routing}{entry.account:17}"
        f"{entry.amount_minor:010}{entry.reference:15}{_text(entry.name, _NAME_CHARACTERS)}"
        f"  0{file.originator.routing[:8]}{sequence:07}"
    )


def _batch_control(file: AchFile, entries: Sequence[Entry], number: int) -> str:
    originator = file.originator
    return _line(
        f"8{_CREDITS_ONLY}{len(entries):06}{_sums(entries)}{originator.company_id}"
        f"{'':25}{originator.routing[:8]}{number:07}"
    )


def _sums(entries: Sequence[Entry]) -> str:
    """Return the hash and the totals, debits first, as every control record has them."""
    hashed = sum(int(entry.routing[:8]) for entry in entries) % 10**10
    return f"{hashed:010}{0:012}{sum(entry.amount_minor for entry in entries):012}"


def _text(value: str, width: int) -> str:
    return f"{latin.convert(value, width).upper():{width}}"


def _line(record: str) -> str:
    line = f"{record:{_LINE}}"
    assert len(line) == _LINE  # noqa: S101  (every value was checked against its field)
    return line


def _local(instant: Instant) -> datetime:
    """Return *instant* on the clock that the ACH operators keep."""
    return datetime.fromisoformat(instant).astimezone(_NEW_YORK)


def _findings(file: AchFile) -> Iterator[tuple[str, str]]:
    yield from _header_findings(file)
    if not 0 < len(file.entries) <= MAX_ENTRIES:
        yield "payments", f"1 to {MAX_ENTRIES}"
    seen: set[str] = set()
    for index, entry in enumerate(file.entries):
        for field, message in _entry_findings(entry):
            yield f"payments[{index}].{field}", message
        if entry.reference in seen:
            yield f"payments[{index}].reference", "used twice in this file"
        seen.add(entry.reference)
    if file.sum_minor > MAX_FILE_MINOR:
        yield "payments", "the sum has more digits than a file can carry"


def _header_findings(file: AchFile) -> Iterator[tuple[str, str]]:
    originator = file.originator
    if not _BATCH.fullmatch(file.batch):
        yield "batch", "1 to 20 letters and digits"
    try:
        effective_date(file.created_at, file.requested_date)
    except ValueError:
        yield "requested_date", "created or requested at a time that is none"
    for field, value in (("name", originator.name), ("bank", originator.bank)):
        if not latin.is_readable(latin.convert(value, 16)):
            yield f"originator.{field}", "has no letter that a bank can carry"
    if not _COMPANY_ID.fullmatch(originator.company_id):
        yield "originator.company_id", "ten characters A-Z 0-9"
    if not is_routing(originator.routing):
        yield "originator.routing", "not a routing number, or its check digit is wrong"


def _entry_findings(entry: Entry) -> Iterator[tuple[str, str]]:
    if not _REFERENCE.fullmatch(entry.reference):
        yield "reference", "1 to 15 characters A-Z 0-9"
    if not 0 < entry.amount_minor <= MAX_ENTRY_MINOR:
        yield "amount_minor", "not above zero, or more than one entry may carry"
    if not latin.is_readable(latin.convert(entry.name, _NAME_CHARACTERS)):
        yield "name", "has no letter that a bank can carry"
    if not is_routing(entry.routing):
        yield "routing", "not a routing number, or its check digit is wrong"
    if not _ACCOUNT.fullmatch(entry.account):
        yield "account", "4 to 17 digits"
    if entry.account_type not in account.ACCOUNT_TYPES:
        yield "account_type", "checking or savings"
