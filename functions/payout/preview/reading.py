"""Reading past facts: a CSV of unknown origin in pieces, or the parts that live data are kept in.

The CSV is read by the standard library, which alone tells a short row from one that ends in empty
cells. Nothing in a file can make the reader fail otherwise than with findings.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from payout.preview.cells import typed
from payout.preview.layout import ALIASES, REQUIRED, TYPES, BadDataError, Findings, Shape

CHUNK_ROWS = 50_000
MAX_CELL_BYTES = 20_000
_HEADER = 1


def read_csv(
    path: Path, shapes: dict[str, Shape], zone: str, findings: Findings
) -> Iterator[pl.DataFrame]:
    """Yield the typed rows of a CSV file (UTF-8, comma, header) in pieces.

    Raises:
        BadDataError: The header, the encoding or the quoting cannot be read at all.
    """
    csv.field_size_limit(MAX_CELL_BYTES)
    seen = False
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        (header,) = _some(reader, 1, _HEADER, findings) or [[]]
        names = _header(header, shapes, findings)
        number = _HEADER + 1
        while rows := _some(reader, CHUNK_ROWS, number, findings):
            texts = _texts(rows, names, number, findings)
            number += len(rows)
            seen = seen or len(texts) > 0
            yield typed(texts, shapes, zone, findings)
    if not seen and not findings.total:
        findings.add(_HEADER, "", "there are no rows", "write a row for each referral won")


def read_parts(
    paths: Iterable[Path], shapes: dict[str, Shape], zone: str, findings: Findings
) -> Iterator[pl.DataFrame]:
    """Yield the rows of Parquet parts that :func:`payout.preview.table.rows_of` made.

    What the programs at hand do not declare (an answer of an older version) is left out.
    """
    begin = _HEADER + 1
    for path in paths:
        part = pl.read_parquet(path)
        part = part.select(
            [name for name, kind in part.schema.items() if _fits(kind, shapes.get(name))]
        )
        part = part.with_row_index("row", begin)
        begin += len(part)
        yield typed(part, shapes, zone, findings)


def _fits(kind: pl.DataType, shape: Shape | None) -> bool:
    return shape is not None and kind in {TYPES[shape], pl.String()}


def _some(
    reader: Iterator[list[str]], most: int, number: int, findings: Findings
) -> list[list[str]]:
    """Return the next rows; *number* is that of the first of them."""
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, most))
    except UnicodeDecodeError as failure:
        findings.add(number + len(rows), "", "this is not UTF-8", "save the file as CSV UTF-8")
        raise BadDataError(findings) from failure
    except csv.Error as failure:
        problem = f"this row cannot be read: {failure}"
        findings.add(number + len(rows), "", problem, "check its quotes")
        raise BadDataError(findings) from failure
    return rows


def _texts(rows: list[list[str]], names: list[str], first: int, findings: Findings) -> pl.DataFrame:
    """Return rows of texts as columns, those of another width left out as findings."""
    width = len(names)
    numbers: Sequence[int] = range(first, first + len(rows))
    if set(map(len, rows)) != {width}:
        kept = []
        for number, row in zip(numbers, rows, strict=True):
            if len(row) == width:
                kept.append((number, row))
            elif row:  # an empty line is nothing
                problem = f"this row has {len(row)} cells and the header {width}"
                findings.add(number, "", problem, "check its commas and quotes")
        numbers, rows = [number for number, _ in kept], [row for _, row in kept]
    columns = zip(*rows, strict=True) if rows else [()] * width
    return pl.DataFrame(
        [
            pl.Series("row", numbers, dtype=pl.UInt32),
            *(
                pl.Series(name, column, dtype=pl.String).replace("", None)
                for name, column in zip(names, columns, strict=True)
            ),
        ]
    )


def _header(cells: list[str], shapes: dict[str, Shape], findings: Findings) -> list[str]:
    names = [ALIASES.get(cell, cell) for cell in cells]
    for name in sorted(name for name, times in Counter(names).items() if times > 1):
        findings.add(_HEADER, name[:80], "this column is there twice", "keep one of them")
    for cell, name in zip(cells, names, strict=True):
        if name not in shapes:
            findings.add(_HEADER, cell[:80], "unknown column", "remove it, or mend its name")
    for name in REQUIRED:
        if name not in names:
            findings.add(_HEADER, name, "this column is missing", "add it")
    if not {"at", "won_at"} & set(names):
        findings.add(_HEADER, "won_at", "there is no time", "add the column at or won_at")
    if findings.total:
        raise BadDataError(findings)
    return names
