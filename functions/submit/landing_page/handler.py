"""``GET`` and ``POST /p/{slug}``: a partner's landing page, rendered here, without a script.

Its address is the code of a usable link. Codes nobody has, switched-off and expired ones give
the same page after the same work. Reading a page stores nothing; the form goes through the
machinery of the API (:mod:`submit.exchange`), so it is sent once however often it is sent.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from introducer import (
    clock,
    startup,  # noqa: F401  (before our own chain of imports)
)
from introducer.clock import Instant
from submit import exchange, inputs
from submit.exchange import Arrival, Reply
from submit.inputs import FORM
from submit.landing_page import language, view, words
from submit.landing_page.visit import ROUTE, Visit, find
from submit.problem import MediaTypeError, Problem, RequestError

Event = Mapping[str, Any]


def handler(event: Event, context: object) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload format 2.0)."""
    del context
    http = event["requestContext"].get("http") or {}
    request_id = str(event["requestContext"].get("requestId", ""))
    method = str(http.get("method", "GET"))
    headers = _headers(event)
    locale = _locale(event, headers)
    asked = _Asked(event, headers, locale, clock.now())
    made = exchange.answered(
        method, ROUTE, request_id, asked.post if method == "POST" else asked.get, asked.refuse
    )
    return {"statusCode": made.status, "headers": made.headers, "body": made.body}


class _Asked:
    """One request, before it is known whether there is such a page."""

    def __init__(self, event: Event, headers: Mapping[str, str], locale: str, now: Instant) -> None:
        self._event = event
        self._headers = headers
        self._locale = locale
        self._now = now
        self._visit: Visit | None = None

    def get(self) -> Reply:
        """Return the page."""
        visit = self._find(b"")
        return visit.show() if visit else view.not_found(self._locale)

    def post(self) -> Reply:
        """Take the form."""
        raw = _body(self._event)
        kind = inputs.media_type(self._headers.get("content-type", ""), raw, forms=True)
        if kind != FORM:
            raise MediaTypeError("unsupported_media_type", "send a form")
        visit = self._find(raw)
        if visit is None:
            return view.not_found(self._locale)
        self._visit = visit
        arrival = Arrival(
            path={"slug": _slug(self._event).lower()},
            headers=self._headers,
            context=self._event["requestContext"],
            query={},
            raw=raw,
            now=self._now,
            request_id=str(self._event["requestContext"].get("requestId", "")),
        )
        return exchange.reply(visit.endpoint(), visit.take, arrival)

    def refuse(self, problem: Problem) -> Reply:
        """Tell what went wrong: beside the form where there is one."""
        if self._visit is None:
            return view.broken(self._locale, problem)
        return self._visit.refuse(problem)

    def _find(self, raw: bytes) -> Visit | None:
        place = find(_slug(self._event), self._now)
        query = str(self._event.get("rawQueryString") or "")
        # What is too long is refused, and not shown again either.
        shown = raw if len(raw) <= exchange.BODY_LIMIT_BYTES else b""
        return Visit(place, self._headers, query, shown, self._now) if place else None


def _slug(event: Event) -> str:
    return str((event.get("pathParameters") or {}).get("slug") or "")


def _headers(event: Event) -> dict[str, str]:
    """Return the headers, names in lower case; this format keeps cookies apart."""
    headers = {str(name).lower(): str(value) for name, value in event.get("headers", {}).items()}
    cookies = event.get("cookies") or ()
    return {**headers, "cookie": "; ".join(cookies)} if cookies else headers


def _locale(event: Event, headers: Mapping[str, str]) -> str:
    """Return the language of pages that belong to no program."""
    asked = dict(inputs.query_pairs(str(event.get("rawQueryString") or ""))).get("lang", "")
    header = headers.get("accept-language", "")
    return language.choose(words.WORDS, asked, header, words.FALLBACK)


def _body(event: Event) -> bytes:
    body = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as failure:
        raise RequestError("malformed_body", "the body cannot be decoded") from failure
