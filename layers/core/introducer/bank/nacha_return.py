"""What comes back of an ACH file: returns (R01 …) and notifications of change (C01 …).

The file has the shape of the one we sent: 94 characters a record, 5 for a batch, 6 for an
entry, 7 for its addenda. An addenda 99 tells why an entry comes back, a 98 what is to be
changed in the next one; what it is to be changed to is an account number and not read.

Source: Nacha Operating Rules, appendix four; the fields are those of achkit and moov-io/ach.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

import msgspec

from introducer import ids
from introducer.bank import document

_WIDTH = 94
_CODE = re.compile(r"[RC][0-9]{2}")


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that came back, or of which something is to be changed.

    Attributes:
        key: The same whenever the bank repeats it.
        reference: The payout's: the individual identification number.
        trace: Of the entry we sent.
        code: ``R03``, ``C01`` …
        amount_minor: US cents; 0 with a change.
        on: ``YYYY-MM-DD``, empty when the file does not say.
    """

    key: str
    kind: Literal["return", "change"]
    reference: str
    trace: str
    code: str
    amount_minor: int
    on: str


def looks_like(content: bytes) -> bool:
    """Return whether *content* begins as an ACH file does."""
    return content[:3] == b"101" and content[:_WIDTH].isascii()


def read(content: bytes) -> tuple[Return, ...]:
    """Return what the file *content* says, in its order.

    Raises:
        InvalidInputError: Not such a file, or an entry in it does not say why it came.
    """
    if len(content) > document.MAX_BYTES:
        document.refuse("longer than a bank file may be", "bank_file_too_large")
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        document.refuse("not ASCII")
    found: list[Return] = []
    same: Counter[str] = Counter()
    on, entry = "", ""
    total_minor = 0
    for raw in lines:
        line = raw.ljust(_WIDTH)
        if len(raw) > _WIDTH:
            document.refuse("a record is longer than 94 characters")
        if line[0] == "5":
            on = _day(line[69:75])
        elif line[0] == "6":
            if entry:
                document.refuse("an entry does not say why it came back")
            entry = line
            total_minor += _digits(line[29:39])
        elif line[0] == "7":
            if not entry:
                document.refuse("an addenda without an entry")
            each = _return(entry, line, on)
            count = same[each.key]
            same[each.key] += 1
            key = ids.derived_id(each.key, str(count)) if count else each.key
            found.append(msgspec.structs.replace(each, key=key))
            entry = ""
        elif line[0] == "9" and line.strip("9").strip():
            _agree(line, total_minor)
    if entry:
        document.refuse("an entry does not say why it came back")
    return tuple(found)


def _return(entry: str, addenda: str, on: str) -> Return:
    kind, code = addenda[1:3], addenda[3:6]
    if kind not in {"98", "99"} or not _CODE.fullmatch(code):
        document.refuse("an addenda is neither a return nor a change")
    reference, trace = entry[39:54].strip(), addenda[6:21].strip()
    amount_minor = _digits(entry[29:39])
    return Return(
        key=ids.derived_id("nacha", reference, trace, code, str(amount_minor), on),
        kind="return" if kind == "99" else "change",
        reference=reference,
        trace=trace,
        code=code,
        amount_minor=amount_minor,
        on=on,
    )


def _agree(control: str, total_minor: int) -> None:
    """Refuse a file whose control record names another sum than its entries have."""
    if _digits(control[31:43]) + _digits(control[43:55]) != total_minor:
        document.refuse("the control total is not the sum of the entries")


def _digits(field: str) -> int:
    if not field.isdigit():
        document.refuse("an amount is not a number")
    return int(field)


def _day(field: str) -> str:
    if not field.strip():
        return ""
    if not field.isdigit():
        document.refuse("a date is not YYMMDD")
    return f"20{field[:2]}-{field[2:4]}-{field[4:]}"
