"""PDF documents: the same bytes again, every page of them, hostile text drawn as text."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
from pypdf import PdfReader

from infra.template import ROOT
from introducer.statement import Column, Paper, Row
from submit import paper

NAMES = "Łukasz Müller Ελένη Παπαδοπούλου Кирилл Иванов"
HOSTILE = "{page} {nb} \\) Tj ET (x) /URI <b>**bold**</b> [a](https://evil.example) %s {0}"


def document(**changes: Any) -> Paper:
    """Return a small document."""
    plain: dict[str, Any] = {
        "title": "Account statement",
        "program": "Acme",
        "facts": [("Account of", NAMES)],
        "columns": [Column("Day", 1), Column("Booking", 3), Column("Paid", 1, figures=True)],
        "rows": [
            Row(("2026-11-01", "Reward earned", "-1,234.50")),
            Row(("", "Sum", "0.00"), strong=True),
        ],
        "notes": ["Amounts are in EUR."],
        "page": "Page {page} of {pages}",
        "language": "en",
        "at": "2026-11-22T11:17:00.000Z",
    }
    return Paper(**(plain | changes))


def read(drawn: bytes) -> list[str]:
    """Return the text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(drawn)).pages]


def test_same_document_gives_the_same_bytes() -> None:
    """Its date is its own, and nothing else in it depends on when it was drawn."""
    drawn = paper.draw(document())
    assert drawn == paper.draw(document())
    assert "D:20261122111700" in str(PdfReader(io.BytesIO(drawn)).metadata)


def test_names_of_latin_greek_and_cyrillic_are_printed() -> None:
    """And can be searched for and copied."""
    (page,) = read(paper.draw(document()))
    for text in (*NAMES.split(), "-1,234.50", "Amounts are in EUR.", "Page 1 of 1"):
        assert text in page


def test_character_without_a_glyph_is_a_box() -> None:
    """Something is there, and nobody mistakes it for another name."""
    (page,) = read(paper.draw(document(facts=[("Account of", "山田 Pia")])))
    assert "□□ Pia" in page


def test_hostile_text_is_drawn_and_means_nothing() -> None:
    """No link, no markup, no page number where somebody else asks for one."""
    rows = [Row((HOSTILE, HOSTILE, HOSTILE))]
    drawn = paper.draw(document(program=HOSTILE, facts=[(HOSTILE, HOSTILE)], rows=rows))
    reader = PdfReader(io.BytesIO(drawn))
    assert [] == [page["/Annots"] for page in reader.pages if "/Annots" in page]
    text = "".join(read(drawn))
    for part in ("{nb}", "{page}", "<b>**bold**</b>", "[a](https://evil.example)"):
        assert part in text


@pytest.mark.parametrize("text", ["word " * 400, "x" * 3_000, "a\x00b\u202ec\ud7ff\n\n\n" * 50])
def test_long_text_is_cut_in_a_cell_and_broken_elsewhere(text: str) -> None:
    """No row is higher than a page, whatever somebody gave as a reason."""
    rows = [Row(("2026-11-01", text, "1.00"))] * 3
    pages = read(paper.draw(document(rows=rows, facts=[("Account of", text)], notes=[text])))
    assert 1 <= len(pages) <= 4


def test_long_list_repeats_its_titles_and_counts_its_pages() -> None:
    """Every row is on some page, in order."""
    rows = [Row((f"row-{n:04}", "Reward earned", f"{n}.00")) for n in range(300)]
    pages = read(paper.draw(document(rows=rows)))
    found = [word for page in pages for word in page.split() if word.startswith("row-")]
    assert [f"row-{n:04}" for n in range(300)] == found
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Booking" in page


def test_document_is_drawn_without_the_libraries_for_pictures() -> None:
    """They are not in the layer: what it holds is all it takes."""
    code = (
        "import sys\n"
        "for name in ('PIL', 'defusedxml'): sys.modules[name] = None\n"
        f"sys.path[:0] = [{str(ROOT)!r} + part for part in "
        "('/layers/core', '/layers/documents', '/functions')]\n"
        "from introducer.statement import Column, Paper, Row\n"
        "from submit import paper\n"
        "made = Paper(title='T', program='P', facts=[], columns=[Column('c', 1)], "
        "rows=[Row(('a',))], notes=[], page='{page}', language='en', at='')\n"
        "assert paper.draw(made).startswith(b'%PDF')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
