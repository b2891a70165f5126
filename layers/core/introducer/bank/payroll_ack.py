"""What payroll did with a list of ours: its acknowledgement, a CSV file.

One line a payment, under a line of column names: ``reference`` and ``status``, and where
there is something to say ``date`` and ``reason``. Other columns are passed over, so the list
itself with a status added will do. Commas, semicolons and tabs are understood, because
spreadsheet programs write any of them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal, NoReturn

import msgspec

from introducer import ids
from introducer.bank import document
from introducer.errors import InvalidInputError

Status = Literal["paid", "rejected", "returned"]

MAX_LINES = 100_000

_STATUSES: dict[str, Status] = {"paid": "paid", "rejected": "rejected", "returned": "returned"}
_REFERENCE = re.compile(r"[A-Z0-9]{1,15}")
_REASON_CHARACTERS = 140
_CELL_CHARACTERS = 1000


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one payment.

    Attributes:
        key: The same for the same statement in every file that repeats it.
        reference: The payout's.
        status: ``paid`` with the wages, ``rejected`` (never paid), or ``returned``: paid, and
            the money came back.
        on: The day it happened, ``YYYY-MM-DD``, empty when not told.
        reason: In payroll's words, at most 140 characters.
    """

    key: str
    reference: str
    status: Status
    on: str = ""
    reason: str = ""


def recognise(content: bytes) -> bool:
    """Return whether *content* starts as an acknowledgement does: with its column names."""
    first = content[:_CELL_CHARACTERS].removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    names = re.split(rb'["\s]*[,;\t]["\s]*', first[0].strip(b' "').lower()) if first else []
    return {b"reference", b"status"} <= set(names)


def read(content: bytes) -> tuple[Acknowledgement, ...]:
    """Return every acknowledgement in the file *content*, in its order.

    Lines whose status is empty say nothing yet and are left out.

    Raises:
        InvalidInputError: ``bank_file_too_large`` or ``bank_file_malformed``, with the line;
            then nothing of the file is used.
    """
    if len(content) > document.MAX_BYTES:
        document.refuse("longer than an acknowledgement may be", "bank_file_too_large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        document.refuse("not UTF-8")
    found: dict[str, Acknowledgement] = {}
    for number, row in _rows(text):
        for told in _acknowledgement(number, row):
            same = found.setdefault(told.reference, told)
            if same.status != told.status:
                _refuse(number, "contradicts a line before it")
    return tuple(found.values())


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each line's number and its cells by column name."""
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if not {"reference", "status"} <= set(names) or len(names) != len(set(names)):
            _refuse(1, "the columns reference and status are needed, each once")
        for cells in reader:
            if reader.line_num > MAX_LINES + 1:
                document.refuse("more lines than a list has", "bank_file_too_large")
            if len(cells) > len(names) or any(len(each) > _CELL_CHARACTERS for each in cells):
                _refuse(reader.line_num, "more or longer cells than columns can hold")
            yield reader.line_num, dict(zip(names, map(str.strip, cells), strict=False))
    except csv.Error:
        _refuse(reader.line_num, "not CSV")


def _acknowledgement(number: int, row: Mapping[str, str]) -> Iterator[Acknowledgement]:
    reference, word = row.get("reference", ""), row.get("status", "").lower()
    if not word:
        return
    status = _STATUSES.get(word)
    if status is None:
        _refuse(number, "the status is none of paid, rejected and returned")
    if not _REFERENCE.fullmatch(reference):
        _refuse(number, "not one of our references")
    on = row.get("date", "")
    if on and not _is_date(on):
        _refuse(number, "the date is not written as YYYY-MM-DD")
    yield Acknowledgement(
        key=ids.derived_id("payroll", reference, status),
        reference=reference,
        status=status,
        on=on,
        reason=" ".join(row.get("reason", "").split())[:_REASON_CHARACTERS],
    )


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refuse(number: int, message: str) -> NoReturn:
    raise InvalidInputError(f"file.lines[{number}]", message, code="bank_file_malformed")
