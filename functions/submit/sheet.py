"""The printable sheet of a batch of cards: one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from introducer import card, clock
from introducer.clock import Instant
from submit import qr
from submit.own_links import url_of

if TYPE_CHECKING:
    from jinja2 import Template

MEDIA = "text/html; charset=utf-8"
_FOLDER = Path(__file__).parent / "sheets"
_PER_PAGE = 10
_WORDS = {
    "en": {
        "by": "Recommended by",
        "how": "Scan, or type this code",
        "until": "Valid until",
        "sheet": "Print cards",
    },
    "de": {
        "by": "Empfohlen von",
        "how": "Scannen oder Code eingeben",
        "until": "Gültig bis",
        "sheet": "Karten zum Drucken",
    },
}


def render(
    codes: Sequence[str], *, program: str, partner: str, expires_at: Instant, locale: str
) -> str:
    """Return the sheet, ten cards a page.

    Args:
        codes: Of the cards, in order.
        program: Its name, as partners know it.
        partner: The name of who recommends; empty to leave it out.
        expires_at: From when the cards count no more; empty for never.
        locale: The language of the few words on a card.
    """
    drawn = [
        {
            "shown": card.shown(code),
            "url": url_of(code).partition("://")[2],
            "qr": qr.inline(url_of(code)),
        }
        for code in codes
    ]
    return _template().render(
        pages=[drawn[at : at + _PER_PAGE] for at in range(0, len(drawn), _PER_PAGE)],
        program=program,
        partner=partner,
        until=clock.day(clock.plus(expires_at, seconds=-1)) if expires_at else "",
        words=_WORDS.get(locale[:2], _WORDS["en"]),
        lang=locale[:2] if locale[:2] in _WORDS else "en",
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 40 ms, only for sheets

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("cards.html")
