"""The page as HTML: templates that escape everything, one style sheet, no script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from introducer.document.intake import PageText
from introducer.tables.people import Greeting
from submit.exchange import Reply
from submit.landing_page import words
from submit.landing_page.form import CONSENT, Control
from submit.problem import Problem

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "page.css").read_text()
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_NOT_FOUND = 404

HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
}
"""Nothing is fetched from anywhere, nothing runs, nobody frames it or hears where one came from."""


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """The same page in another language."""

    locale: str
    name: str
    address: str


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around the form and the thanks alike."""

    locale: str
    company: str
    greeting: Greeting | None
    others: list[Other]
    privacy_url: str


class FormPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form: its controls, what it carries unseen, and what is wrong."""

    text: PageText
    controls: list[Control]
    hidden: list[tuple[str, str]]
    trap: str
    consent: str
    agreed: bool
    consent_error: str
    general: str

    def errors(self) -> list[tuple[str, str]]:
        """Return the ids of the controls that are wrong, with what is."""
        found = [(each.id, each.error) for each in self.controls if each.error]
        consent = [(CONSENT.replace(".", "-"), self.consent_error)] if self.consent_error else []
        return found + consent


def form(frame: Frame, page: FormPage, *, status: int, code: str) -> Reply:
    """Return the form."""
    html = _render("form.html", frame.locale, frame=frame, page=page, consent_name=CONSENT)
    return Reply(status=status, body=html, headers=_headers(frame.locale), code=code)


def thanks(frame: Frame, text: PageText) -> Reply:
    """Return the page that thanks."""
    html = _render("thanks.html", frame.locale, frame=frame, text=text)
    return Reply(status=200, body=html, headers=_headers(frame.locale))


def not_found(locale: str) -> Reply:
    """Return the page for every address that leads nowhere, whyever."""
    html = _render("message.html", locale, title="not_found", text="not_found_text", quote="")
    return Reply(status=_NOT_FOUND, body=html, headers=_headers(locale), code="not_found")


def broken(locale: str, problem: Problem) -> Reply:
    """Return the page for what went wrong before there was anything to show."""
    quote = problem.request_id
    html = _render("message.html", locale, title="broken", text="broken_text", quote=quote)
    return Reply(status=problem.status, body=html, headers=_headers(locale), code=problem.code)


def _headers(locale: str) -> dict[str, str]:
    return {**HEADERS, "content-language": locale}


def _render(template: str, locale: str, **values: Any) -> str:  # noqa: ANN401  (for the template)
    language = words.spoken(locale)
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            locale=locale,
            language=language,
            foreign=language != locale[:2],
            own=words.WORDS[language],
            style=_STYLE,
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
