"""A CSV file, as people's programs write it, to rows: strict about what it cannot mean.

Comma, semicolon or tab; UTF-8 with or without its mark; cells in quotation marks may hold
line breaks. What is wrong with the file as a whole raises :class:`FileFaultError`; what is
wrong with a row is said of that row, and the others go on.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence

import msgspec

from introducer.errors import IntroducerError
from introducer.imports import MOST_ROWS, UPLOAD_LIMIT_BYTES, Finding

MOST_CELL_CHARACTERS = 2_000
_DELIMITERS = ",;\t"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and its like, xls
_LINE_BREAKS = frozenset("\t\n\r")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns a kind of file has.

    Attributes:
        known: Their names, in the order of the documentation.
        needed: Those that must be in the header.
        families: Beginnings of further names, such as ``answers.``.
    """

    known: tuple[str, ...]
    needed: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Return whether *name*, folded, is one of them."""
        return name in self.known or any(
            name.startswith(each) and len(name) > len(each) for each in self.families
        )


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row: its number as a spreadsheet counts, the header being 1, and its cells.

    Empty cells are left out. ``code`` says what is wrong with its shape, if anything is.
    """

    number: int
    cells: dict[str, str] = {}
    code: str = ""
    message: str = ""
    field: str = ""


class FileFaultError(IntroducerError):
    """The file as a whole cannot be read. ``findings`` quote nothing from it."""

    def __init__(self, code: str, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.findings = [{"problem": message}, *findings]


def rows_of(raw: bytes, columns: Columns) -> list[Row]:
    """Return the rows of a file, those that are empty left out.

    Raises:
        FileFaultError: ``empty_file``, ``not_csv``, ``not_utf8``, ``no_header``,
            ``unknown_column``, ``duplicate_column``, ``missing_column``, ``too_many_rows``.
    """
    text = _text(raw)
    csv.field_size_limit(UPLOAD_LIMIT_BYTES)
    records = _records(text, _delimiter(text, columns))
    names = _header(next(records, []), columns)
    found: list[Row] = []
    for number, cells in enumerate(records, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(found) == MOST_ROWS:
            message = f"a file may have {MOST_ROWS} rows; cut it into several"
            raise FileFaultError("too_many_rows", message)
        found.append(_row(number, names, cells))
    if not found:
        raise FileFaultError("empty_file", "there is no row below the header")
    return found


def _text(raw: bytes) -> str:
    if not raw.strip():
        raise FileFaultError("empty_file", "the file is empty")
    if raw.startswith(_WORKBOOKS):
        message = "this is a workbook; save it as CSV in UTF-8"
        raise FileFaultError("not_csv", message)
    utf16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if raw.startswith(utf16) or b"\x00" in raw.partition(b"\n")[0]:
        raise FileFaultError("not_utf8", "this is UTF-16 text; save it as CSV in UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = raw.count(b"\n", 0, failure.start) + 1
        message = f"line {line} is not UTF-8; the file looks like Latin-1 or Windows-1252"
        raise FileFaultError("not_utf8", f"{message}; save it as CSV in UTF-8") from failure


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    # Lines are found by the csv reader: line breaks in cells are kept as they are.
    return iter(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _delimiter(text: str, columns: Columns) -> str:
    def known(delimiter: str) -> int:
        header = next(_records(text, delimiter), [])
        return sum(columns.has(_fold(name)) for name in header)

    best = max(_DELIMITERS, key=known)
    if not known(best):
        message = f"the first line names none of the columns {', '.join(columns.known)}"
        raise FileFaultError("no_header", message)
    return best


def _fold(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _header(cells: list[str], columns: Columns) -> list[str]:
    """Return the columns' names; their places are told, never what stands there."""
    names = [_fold(cell) for cell in cells]
    while names and not names[-1]:  # spreadsheets leave separators behind
        names.pop()
    strange = [place for place, name in enumerate(names, 1) if not columns.has(name)]
    if strange:
        message = f"there are columns of other names than {', '.join(columns.known)}"
        raise FileFaultError("unknown_column", message, [{"column": str(at)} for at in strange])
    twice = [place for place, name in enumerate(names, 1) if name in names[: place - 1]]
    if twice:
        places = [{"column": str(at)} for at in twice]
        raise FileFaultError("duplicate_column", "a column is there twice", places)
    missing = [name for name in columns.needed if name not in names]
    if missing:
        raise FileFaultError("missing_column", f"columns are missing: {', '.join(missing)}")
    return names


def _row(number: int, names: Sequence[str], cells: list[str]) -> Row:
    while len(cells) > len(names) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(names):
        more = len(cells) > len(names)
        code = "too_many_cells" if more else "too_few_cells"
        message = f"{len(cells)} cells under {len(names)} columns; is a separator in a cell?"
        return Row(number=number, code=code, message=message)
    kept = {}
    for name, cell in zip(names, cells, strict=True):
        if len(cell) > MOST_CELL_CHARACTERS:
            message = (
                f"longer than {MOST_CELL_CHARACTERS} characters; is a quotation mark not closed?"
            )
            return Row(number=number, code="cell_too_long", message=message, field=name)
        if any(each < " " and each not in _LINE_BREAKS for each in cell):
            message = "holds characters that cannot be shown"
            return Row(number=number, code="control_character", message=message, field=name)
        if text := cell.strip():
            kept[name] = text.replace("\r\n", "\n")
    return Row(number=number, cells=kept)
