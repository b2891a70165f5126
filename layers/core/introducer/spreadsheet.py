"""Cells that a spreadsheet program shows and does not run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_STARTS = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  (full-width forms run too)


def neutral(text: str) -> str:
    """Return *text* so that no spreadsheet program takes it for a formula.

    A cell that starts with ``= + - @``, a tab, a line break or a full-width form of those gets
    an apostrophe in front, which programs take for "this is text" (OWASP, CSV injection).
    """
    return f"'{text}" if text and text[0] in _STARTS else text


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Return *rows* as CSV (RFC 4180), every cell neutral, each line ended with CR LF."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return out.getvalue()
