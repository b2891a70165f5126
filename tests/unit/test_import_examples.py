"""The example of each kind of file, and the table of columns people read."""

from __future__ import annotations

import re

import pytest

from infra.template import ROOT
from introducer.imports import KINDS as NAMES
from submit.imports import rows, sheet, words
from submit.imports.kinds import KINDS
from submit.imports.rows import Context
from submit.imports.sheet import Row

EXAMPLES = ROOT / "infra/examples"


class Unread(Context):
    """What rows are read in, without a store."""

    def __init__(self) -> None:
        """Hold a job that stands for no empty cell."""
        self.job = _Job()  # type: ignore[assignment]


class _Job:
    defaults: dict[str, str] = {}  # noqa: RUF012  (nobody changes it)


def rows_of(kind: str) -> list[Row]:
    """Return the rows of a kind's example."""
    return sheet.rows_of((EXAMPLES / f"{kind}.csv").read_bytes(), KINDS[kind].columns)  # type: ignore[index]


def test_every_kind_has_an_act_and_an_example() -> None:
    """What the API takes is what the worker can do, and what somebody can look at."""
    assert set(NAMES) == set(KINDS)
    assert set(NAMES) == {file.stem for file in EXAMPLES.glob("*.csv")}


@pytest.mark.parametrize("kind", NAMES)
def test_example_can_be_read(kind: str) -> None:
    """Every row of it has the shape its kind asks for."""
    found = rows_of(kind)
    assert [] == [row for row in found if row.code]
    shape = KINDS[kind].shape  # type: ignore[index]
    read = [rows.read(Unread(), KINDS[kind], row) for row in found]  # type: ignore[index]
    assert {shape} == {type(each) for each in read}


@pytest.mark.parametrize("kind", NAMES)
def test_documented_columns_are_those_of_the_code(kind: str) -> None:
    """Each kind's row of the table names every column, and the needed ones in bold."""
    text = (ROOT / "docs/imports.md").read_text()
    (line,) = re.findall(rf"^\| `{kind}` \| (.*?) \|", text, re.MULTILINE)
    if kind == "employees":
        (line,) = [line + re.findall(r"^\| `invitations` \| (.*?) \|", text, re.MULTILINE)[0]]
    columns = KINDS[kind].columns  # type: ignore[index]
    named = set(re.findall(r"[a-z_]+", line))
    optional = {"amount_minor"}  # told of above the table, with amount
    assert set() == set(columns.known) - named - optional
    assert set() == {name for name in columns.needed if f"**{name}**" not in line}


@pytest.mark.parametrize("kind", NAMES)
def test_every_column_says_what_it_must_be(kind: str) -> None:
    """Nobody is told only that a cell cannot be understood."""
    said = {name: words.wanted(name) for name in KINDS[kind].columns.known}  # type: ignore[index]
    assert [] == [name for name, what in said.items() if what == words.wanted("nothing")]
