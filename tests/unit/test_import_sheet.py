"""CSV as people's programs write it: what it means, and what of it cannot be meant."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import spreadsheet
from submit.imports import sheet
from submit.imports.sheet import Columns, FileFaultError, Row

COLUMNS = Columns(known=("name", "email", "note"), needed=("name",), families=("answers.",))


def rows(text: str | bytes) -> list[Row]:
    """Return the rows of a file."""
    return sheet.rows_of(text.encode() if isinstance(text, str) else text, COLUMNS)


def cells(text: str | bytes) -> list[dict[str, str]]:
    """Return the cells of each row."""
    return [row.cells for row in rows(text)]


def fault(raw: bytes) -> tuple[str, list[dict[str, str]]]:
    """Return why a file is refused as a whole, and where."""
    with pytest.raises(FileFaultError) as caught:
        sheet.rows_of(raw, COLUMNS)
    return caught.value.code, caught.value.findings[1:]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_rows_are_the_same_however_they_are_separated(delimiter: str, end: str, mark: str) -> None:
    """Comma, semicolon or tab, any line end, with or without the mark of UTF-8."""
    lines = [["Name", " EMAIL ", "Answers.Budget"], ["Jürgen", "j@x.example", "high"]]
    text = mark + end.join(delimiter.join(line) for line in lines) + end
    assert [{"name": "Jürgen", "email": "j@x.example", "answers.budget": "high"}] == cells(text)


def test_rows_are_numbered_as_a_spreadsheet_does() -> None:
    """The header is 1; empty lines count and are no rows; a cell may have several lines."""
    text = 'name,note\nA,"one\r\ntwo, ""three"""\n\n , \nB,\n'
    assert [(2, {"name": "A", "note": 'one\ntwo, "three"'}), (5, {"name": "B"})] == [
        (row.number, row.cells) for row in rows(text)
    ]


def test_row_of_another_shape_says_so_and_the_next_goes_on() -> None:
    """Too many cells, too few, too long, of control characters; separators behind are nothing."""
    long = "x" * (sheet.MOST_CELL_CHARACTERS + 1)
    text = f"name,email,\nA,b,c,d\nA\nA,{long}\nA,b\x00c\nA,b,,,\n"
    assert [
        (2, "too_many_cells", ""),
        (3, "too_few_cells", ""),
        (4, "cell_too_long", "email"),
        (5, "control_character", "email"),
        (6, "", ""),
    ] == [(row.number, row.code, row.field) for row in rows(text)]


def test_quotation_mark_that_never_closes_swallows_one_row_not_the_file_silently() -> None:
    """Whatever stands behind it becomes one cell, and that is told."""
    behind = "B,b@x.example\n" * 200
    (row,) = rows(f'name,email\nA,"open\n{behind}')
    assert (2, "cell_too_long", "email") == (row.number, row.code, row.field)
    assert "quotation mark" in row.message


@pytest.mark.parametrize(
    ("raw", "code", "places"),
    [
        (b" \n ", "empty_file", []),
        (b"name,email\n", "empty_file", []),
        ("name\nJürgen".encode("latin-1"), "not_utf8", []),
        ("name\nJürgen".encode("utf-16"), "not_utf8", []),
        ("name\nJoe".encode("utf-16-be"), "not_utf8", []),
        (b"PK\x03\x04", "not_csv", []),
        (b"\xd0\xcf\x11\xe0old workbook", "not_csv", []),
        (b"Lena;lena@x.example\n", "no_header", []),
        (b"name,shoe,email,hat\nA,1,2,3", "unknown_column", [{"column": "2"}, {"column": "4"}]),
        (b"name,,email\nA,1,2", "unknown_column", [{"column": "2"}]),
        (b"name,Name\nA,B", "duplicate_column", [{"column": "2"}]),
        (b"email\nA", "missing_column", []),
    ],
)
def test_file_as_a_whole_is_refused_and_never_quoted(
    raw: bytes, code: str, places: list[dict[str, str]]
) -> None:
    """Of the header only places are told: it may be somebody's data."""
    assert (code, places) == fault(raw)


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_fault(raw: bytes) -> None:
    """Nothing that is sent breaks the reader."""
    found: list[object] = []
    try:
        found += [row.number > 1 for row in sheet.rows_of(b"name,email\n" + raw, COLUMNS)]
    except FileFaultError as failure:
        found.append(failure.code)
    assert {True, "empty_file", "not_utf8"} >= set(found)


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=4), max_size=5))
def test_written_cells_are_read_back_and_none_is_a_formula(table: list[list[str]]) -> None:
    """Quotes, separators and line breaks survive; whatever could run has an apostrophe."""
    text = spreadsheet.lines(table)
    read = list(csv.reader(io.StringIO(text, newline="")))
    wanted = [[spreadsheet.neutral(cell) for cell in row] for row in table]
    assert [row for row in wanted if row != [""]] == [row for row in read if row != [""]]
    starts = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001
    assert not any(cell.startswith(starts) for row in read for cell in row)


@pytest.mark.parametrize("start", list("=+-@\t\r＝＋－＠"))  # noqa: RUF001
def test_formula_gets_an_apostrophe(start: str) -> None:
    """The list is that of spreadsheet programs, full-width forms included."""
    assert f"'{start}1" == spreadsheet.neutral(f"{start}1")
    assert f"a{start}" == spreadsheet.neutral(f"a{start}")
