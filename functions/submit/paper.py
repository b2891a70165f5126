"""Documents as PDF: A4 across, one table over as many pages as it takes.

The same document gives the same bytes: its own date is the file's, and nothing else that
changes is in it. Texts are drawn, never interpreted; what no glyph is known for shows as a box.
"""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from introducer import clock
from introducer.statement import Column, Paper, Row

if TYPE_CHECKING:
    from fpdf import FPDF

MEDIA = "application/pdf"
_FAMILY = "DejaVu"
_MARGIN_MM = 12
_TEXT_PT, _HEAD_PT, _SMALL_PT = 8.0, 15.0, 7.0
_LINE_MM = 4.0
_GREY, _BLACK, _BAND = (105, 105, 105), (20, 20, 20), (240, 243, 246)
_MOST_LINES = 6
"""Lines of one cell; what is longer is cut, so that no row is higher than a page."""
_PAGES = "\u2058\u205b\u2058\u205b"
"""Stands for the number of pages until it is known; no text may hold it."""
_UNKNOWN = "\u25a1"


def draw(paper: Paper) -> bytes:
    """Return *paper* as a PDF."""
    pdf = _blank(paper)
    paper = _shown(pdf, paper)
    pdf.add_page()
    _head(pdf, paper)
    _facts(pdf, paper)
    _table(pdf, paper)
    _notes(pdf, paper)
    return bytes(pdf.output())


def _blank(paper: Paper) -> FPDF:
    kind = _kind()
    pdf: FPDF = kind(orientation="landscape", unit="mm", format="A4")
    pdf.foot = paper.page  # type: ignore[attr-defined]
    pdf.set_margin(_MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM + 6)
    pdf.set_creation_date(clock.moment(paper.at or clock.EPOCH))
    pdf.set_title(f"{paper.title} ({paper.program})")
    pdf.set_lang(paper.language)
    pdf.set_producer("Introducer")
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font(_FAMILY, style, _typefaces() / name)
    pdf.alias_nb_pages(_PAGES)
    pdf.set_font(_FAMILY, size=_TEXT_PT)
    return pdf


def _shown(pdf: FPDF, paper: Paper) -> Paper:
    """Return *paper* with a box for every character that the typeface has no glyph for."""
    known = pdf.fonts[_FAMILY.lower()].cmap  # type: ignore[union-attr]

    def shown(text: str) -> str:
        if text.isascii() and text.isprintable():
            return text
        plain = " ".join(text.replace(_PAGES, "").split())
        return "".join(each if ord(each) in known else _UNKNOWN for each in plain)

    return msgspec.structs.replace(
        paper,
        title=shown(paper.title),
        program=shown(paper.program),
        facts=[(shown(label), shown(text)) for label, text in paper.facts],
        rows=[Row(tuple(map(shown, each.cells)), each.strong) for each in paper.rows],
        notes=[shown(each) for each in paper.notes],
    )


@cache
def _kind() -> type[FPDF]:
    """Return the class of our documents; its library, needed here alone, loads in 200 ms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses libraries for pictures, and there are none
        from fpdf import FPDF

    class Document(FPDF):
        foot = ""

        def footer(self) -> None:
            self.set_y(-_MARGIN_MM)
            self.set_font(_FAMILY, size=_SMALL_PT)
            self.set_text_color(*_GREY)
            text = self.foot.format(page=self.page_no(), pages=_PAGES)
            self.cell(w=0, text=text, align="R")

    return Document


def _typefaces() -> Path:
    import typefaces  # in the layer of documents, as the library

    return Path(typefaces.__file__ or "").parent


def _head(pdf: FPDF, paper: Paper) -> None:
    pdf.set_text_color(*_GREY)
    pdf.set_font(_FAMILY, size=_TEXT_PT + 1)
    pdf.multi_cell(w=0, h=5, text=paper.program, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_text_color(*_BLACK)
    pdf.set_font(_FAMILY, style="B", size=_HEAD_PT)
    pdf.multi_cell(w=0, h=8, text=paper.title, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)


def _facts(pdf: FPDF, paper: Paper) -> None:
    for label, text in paper.facts:
        pdf.set_font(_FAMILY, size=_TEXT_PT)
        pdf.set_text_color(*_GREY)
        pdf.cell(w=60, h=_LINE_MM + 1, text=label)
        pdf.set_text_color(*_BLACK)
        pdf.multi_cell(w=0, h=_LINE_MM + 1, text=text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)


def _table(pdf: FPDF, paper: Paper) -> None:
    share = pdf.epw / sum(each.width for each in paper.columns)
    widths = [share * each.width for each in paper.columns]
    _titles(pdf, paper.columns, widths)
    for row in paper.rows:
        pdf.set_font(_FAMILY, style="B" if row.strong else "", size=_TEXT_PT)
        cells = [_lines(pdf, text, width) for text, width in zip(row.cells, widths, strict=True)]
        height = _LINE_MM * max(len(each) for each in cells) + 1.6
        if pdf.will_page_break(height):
            pdf.add_page()
            _titles(pdf, paper.columns, widths)
            pdf.set_font(_FAMILY, style="B" if row.strong else "", size=_TEXT_PT)
        _row(pdf, paper.columns, widths, cells, height, row)
    pdf.ln(4)


def _titles(pdf: FPDF, columns: list[Column], widths: list[float]) -> None:
    pdf.set_font(_FAMILY, style="B", size=_SMALL_PT)
    pdf.set_text_color(*_GREY)
    cells = [_lines(pdf, each.title, width) for each, width in zip(columns, widths, strict=True)]
    height = _LINE_MM * max(len(each) for each in cells) + 1.6
    _row(pdf, columns, widths, cells, height, Row(()))
    pdf.set_text_color(*_BLACK)


def _row(
    pdf: FPDF,
    columns: list[Column],
    widths: list[float],
    cells: list[list[str]],
    height: float,
    row: Row,
) -> None:
    x, y = pdf.l_margin, pdf.get_y()
    if row.strong:
        pdf.set_fill_color(*_BAND)
        pdf.rect(x, y, pdf.epw, height, style="F")
    for column, width, lines in zip(columns, widths, cells, strict=True):
        for number, line in enumerate(lines):
            pdf.set_xy(x, y + 0.8 + number * _LINE_MM)
            pdf.cell(w=width, h=_LINE_MM, text=line, align="R" if column.figures else "L")
        x += width
    pdf.set_draw_color(*_BAND)
    pdf.line(pdf.l_margin, y + height, pdf.l_margin + pdf.epw, y + height)
    pdf.set_xy(pdf.l_margin, y + height)


def _lines(pdf: FPDF, text: str, width: float) -> list[str]:
    """Return *text* in lines that fit *width*; a word that is longer is broken."""
    if not text:
        return [""]
    if pdf.get_string_width(text) <= width - 2 * pdf.c_margin:
        return [text]  # nearly every cell, and ten times as fast
    found = cast(
        "list[str]",
        pdf.multi_cell(w=width, h=_LINE_MM, text=text, align="L", dry_run=True, output="LINES"),
    )
    return found if len(found) <= _MOST_LINES else [*found[: _MOST_LINES - 1], "…"]


def _notes(pdf: FPDF, paper: Paper) -> None:
    pdf.set_font(_FAMILY, size=_TEXT_PT)
    pdf.set_text_color(*_GREY)
    for note in paper.notes:
        pdf.multi_cell(w=0, h=_LINE_MM, text=note, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(1)
