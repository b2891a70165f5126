"""Landing pages: a program that has one, and requests for it as the HTTP API hands them on."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from introducer.link import Link
from introducer.tables import links, partners, programs
from introducer.tables.people import Greeting
from introducer.tables.store import Transaction
from submit.landing_page.handler import handler
from tests.support import life

CODE = "piacode1"
BROWSER = {"accept": "text/html", "accept-language": "en", "user-agent": "Firefox"}
FORM = "application/x-www-form-urlencoded"
TEXTS: dict[str, Any] = {
    "en": {
        "headline": "Faster internet for your company",
        "intro": "Tell us how to reach you.\nWe answer within a day.",
        "button": "Send",
        "thanks": "We will be in touch within a day.",
        "privacy_url": "https://www.acme.example/privacy",
        "labels": {"products.fibre": "Fibre to the desk", "answers.when.this_year": "This year"},
    },
    "de": {
        "headline": "Schnelleres Internet für Ihr Unternehmen",
        "intro": "Sagen Sie uns, wie wir Sie erreichen.",
        "button": "Absenden",
        "thanks": "Wir melden uns innerhalb eines Tages.",
        "labels": {"answers.sites": "Wie viele Standorte?", "products.fibre": "Glasfaser"},
    },
}
CONSENT = {
    "version": "2026-11",
    "texts": {"en": "I agree that Acme contacts me.", "de": "Acme darf sich bei mir melden."},
}
QUESTIONS: dict[str, Any] = {
    "sites": {"text": "How many sites?", "type": "number"},
    "decides": {"text": "Do you decide?", "type": "flag", "required": True},
    "when": {
        "text": "When does your contract end?",
        "type": "choice",
        "options": ["this_year", "later"],
    },
}
PAGE: dict[str, Any] = {
    "texts": TEXTS,
    "asks": ["phone", "company", "product", "note", "size", "industry"],
    "industries": ["health", "retail"],
    "metadata": ["contract", "urgent"],
}


PROGRAM: dict[str, Any] = {
    "questions": QUESTIONS,
    "fields": {"contract": {"type": "text"}, "urgent": {"type": "flag"}},
    "intake": {"consent": CONSENT, "page": PAGE},
}


def program(**changes: Any) -> None:
    """Store a program with a landing page in two languages.

    *changes* are of the page, of the intake (``consent``, ``channels``) or of the ``audiences``.
    """
    intake = {name: changes.pop(name) for name in ("consent", "channels") if name in changes}
    whole = {name: changes.pop(name) for name in ("audiences",) if name in changes}
    intake = {"consent": CONSENT, "page": PAGE | changes} | intake
    life.publish(**(PROGRAM | whole | {"intake": intake}))
    programs.ensure_click_salt(life.NOW)


def link(code: str = CODE, partner: str = "pia", **overrides: Any) -> Link:
    """Store a link."""
    values = {
        "code": code,
        "program": life.PROGRAM,
        "partner": partner,
        "destination": "https://www.acme.example/start",
        "created_at": life.NOW,
    }
    made = Link(**(values | overrides))
    writes = Transaction()
    links.add(writes, made, actor="user:1")
    writes.commit()
    return made


def greet(partner: str = "pia", **said: Any) -> None:
    """Let a partner say something on their pages."""
    values = {"display_name": "Pia Partner", "set_at": life.NOW, "show": True}
    found = partners.find_partner(partner)
    assert found is not None
    writes = Transaction()
    partners.set_greeting(writes, found, Greeting(**(values | said)), actor="user:1")
    writes.commit()


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> Form:
        """Return the form in the page."""
        parser = Form()
        parser.feed(self.body.replace("\r\n", "\n"))  # as browsers read it
        return parser

    def location(self) -> tuple[int, str]:
        """Return the status and where it sends the browser."""
        return self.status, self.headers.get("location", "")


class Form(HTMLParser):
    """The fields of a form with their values, and the errors told beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self.errors: list[str] = []
        self.language = ""
        self.text = ""
        self._select = ""
        self._area = ""
        self._in_summary = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Note a field."""
        has = {name: value or "" for name, value in attrs}
        name = has.get("name", "")
        if tag == "html":
            self.language = has["lang"]
        elif tag == "input" and has.get("type") in {"radio", "checkbox"}:
            self.options.setdefault(name, []).append(has["value"])
            if "checked" in has:
                self.fields[name] = has["value"]
        elif tag == "input":
            self.fields[name] = has.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option":
            self.options.setdefault(self._select, []).append(has["value"])
            if "selected" in has:
                self.fields[self._select] = has["value"]
        elif tag == "textarea":
            self._area, self.fields[name] = name, ""
        elif tag == "a" and has.get("href", "").startswith("#"):
            self.errors.append(has["href"][1:])

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a text field, whose first line feed means nothing."""
        if tag == "textarea":
            self.fields[self._area] = self.fields[self._area].removeprefix("\n")
            self._area = ""

    def handle_data(self, data: str) -> None:
        """Note what stands in the page."""
        if self._area:
            self.fields[self._area] += data
        self.text += data


def get(slug: str = CODE, query: str = "", **headers: str) -> Page:
    """Request a page as a browser does; *headers* have underscores for hyphens."""
    return call("GET", slug, query, headers=headers)


def send(
    fields: Mapping[str, str] | Sequence[tuple[str, str]],
    slug: str = CODE,
    *,
    cookies: Sequence[str] = (),
    **headers: str,
) -> Page:
    """Send a form as a browser does, spaces, line breaks and all."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    body = urlencode([(name, value.replace("\n", "\r\n")) for name, value in pairs])
    return call("POST", slug, body=body, cookies=cookies, headers=headers)


def call(
    method: str,
    slug: str,
    query: str = "",
    *,
    body: str | bytes = "",
    cookies: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Page:
    """Call the function with a payload of format 2.0."""
    sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    raw = body if isinstance(body, bytes) else body.encode()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} /p/{{slug}}",
        "rawPath": f"/p/{slug}",
        "rawQueryString": query,
        "headers": BROWSER | ({"content-type": FORM} if method == "POST" else {}) | sent,
        "requestContext": {
            "requestId": "req-1",
            "http": {"method": method, "path": f"/p/{slug}", "sourceIp": "203.0.113.7"},
        },
        "pathParameters": {"slug": slug},
        "isBase64Encoded": method == "POST",
    }
    if method == "POST":
        event["body"] = base64.b64encode(raw).decode()
    if cookies:
        event["cookies"] = list(cookies)
    made = handler(json.loads(json.dumps(event)), None)
    return Page(status=made["statusCode"], headers=made["headers"], body=made["body"])
