"""``GET /r/{code}``: send a visitor on to where a partner's link points, and record the click.

The cheapest thing we run, because it runs most: standard library and a small signed
client only. A warm click reads nothing and writes one item of about 200 bytes. The
visitor is sent on whatever happens to that write; a click that could not be recorded is
counted as lost, and its id still proves it to a later conversion.

Bots, link previews, prefetches and HEAD are sent on too; what is recorded of them says why
it is not counted. Only a prefetch carries an id, since a person may yet see the page. An
unknown, a suspended and an expired code give the same answer after the same work; only a
suspended link that names a fallback leads there, unrecorded.

The cookie with the last ten ids is readable by the landing page's own script. It is no
secret: the newest id is in the page's address anyway, and nobody can make one up.
"""

from __future__ import annotations

import json
import os
import time
from functools import cache

from introducer import agents, clickid, lean
from introducer.landing import passed
from introducer.settings import setting
from submit import click_variants
from submit.click_item import click_item
from submit.click_links import Links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from introducer.landing import Pairs
    from submit.click_links import Link, Store

WRITE_TIMEOUT_S = 0.3
"""What recording may cost the visitor."""

_COOKIE_S = 90 * 86_400
_COOKIE_LIMIT = 1200
_REPEATED = "repeated"
_WITH_ID = ("person", "prefetch")
"""Who carries an id on: a prefetched page may be shown later without another request."""

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload format 2.0)."""
    del context
    return service().answer(event)


@cache
def service() -> Clicks:
    """Return the process's click service, set up from the environment on first use."""
    return Clicks(
        lean.client(),
        setting("CORE_TABLE"),
        setting("CLICKS_TABLE"),
        cookie_domain=os.environ.get("COOKIE_DOMAIN", ""),
        debug=os.environ.get("LOG_LEVEL", "").upper() == "DEBUG",
    )


class Clicks:
    """Answers clicks and records them."""

    def __init__(
        self,
        store: Store,
        core_table: str,
        clicks_table: str,
        *,
        cookie_domain: str = "",
        debug: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Set up with nothing read yet.

        Args:
            store: Where links are read and clicks written.
            core_table: Name of the Core table.
            clicks_table: Name of the Clicks table.
            cookie_domain: The domain that clicks and landing page share; empty for our host alone.
            debug: Log a line for each click (without anything personal).
            clock: Seconds since 1970.
        """
        self._store = store
        self._table = clicks_table
        self._links = Links(store, core_table, clock, _report)
        domain = f"; Domain={cookie_domain}" if cookie_domain else ""
        self._cookie_end = f"; Path=/; Max-Age={_COOKIE_S}; Secure; SameSite=Lax{domain}"
        self._debug = debug
        self._clock = clock

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response to one payload 2.0 event: 302, 404 or 503."""
        code = str((event.get("pathParameters") or {}).get("code") or "").lower()
        try:
            link = self._links.find(code) if clickid.is_code(code) else None
        except (lean.NoAnswerError, lean.CallError) as failure:
            _report("link_unread", code, failure)
            detail = "This link cannot be followed right now."
            answer = _problem(503, "Service Unavailable", "unavailable", detail, event)
            answer["headers"]["retry-after"] = "1"
            return answer
        incoming = passed(str(event.get("rawQueryString") or ""))
        if link is not None and link.active:
            return self._follow(link, incoming, event)
        self._trace(code, "not_active")
        if link is not None and link.fallback is not None:
            return _redirect(link.fallback.location(incoming))
        return _problem(404, "Not Found", "not_found", "This link does not exist.", event)

    def _follow(self, link: Link, incoming: Pairs, event: Mapping[str, Any]) -> dict[str, Any]:
        headers: Mapping[str, str] = event.get("headers") or {}
        http = (event.get("requestContext") or {}).get("http") or {}
        agent = headers.get("user-agent", "")
        verdict = agents.classify(agent, str(http.get("method", "GET")), headers)
        key, day_key = self._links.salt, self._links.visitors
        if key is None or day_key is None:
            _lost("no_salt", link.code)
            return _redirect(link.landings[0].location(incoming))
        now = self._clock()
        address = str(http.get("sourceIp", ""))
        visitor = clickid.visitor(day_key, clickid.instant(now)[:10], address, agent)
        click_id = clickid.make(link.code, clickid.hour_of(now), visitor, key)
        cookies = _cookies(event, headers)
        variant = click_variants.chosen(link.code, link.weights, visitor, cookies)
        item = click_item(
            click_id,
            link,
            variant,
            verdict,
            now=now,
            incoming=incoming,
            headers=headers,
            address=address,
        )
        self._record(item, link.code, verdict[0])
        landing = link.landings[max(variant, 0)]
        if verdict[0] not in _WITH_ID:
            return _redirect(landing.location(incoming))
        response = _redirect(landing.location(incoming, click_id))
        ids = clickid.join_cookie(_cookie_ids(cookies), click_id)
        response["cookies"] = [f"{clickid.COOKIE}={ids}{self._cookie_end}"]
        if variant >= 0:
            kept = click_variants.cookie_value(cookies, link.code, variant)
            line = f"{click_variants.COOKIE}={kept}{self._cookie_end}; HttpOnly"
            response["cookies"].append(line)
        return response

    def _record(self, item: dict[str, dict[str, str]], code: str, who: str) -> None:
        fault = self._put(item)
        if fault and fault != _REPEATED and who == "person":
            _lost(fault, code)
        else:
            self._trace(code, fault or ("counted" if who == "person" else who))

    def _put(self, item: dict[str, dict[str, str]]) -> str:
        """Store a click; return nothing, that it was there, or why it could not be."""
        request = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            self._store.call("PutItem", request, timeout_s=WRITE_TIMEOUT_S, repeatable=True)
        except lean.CallError as failure:
            there = failure.code == "ConditionalCheckFailedException"
            return _REPEATED if there else failure.code
        except lean.NoAnswerError:
            return "no_answer"
        return ""

    def _trace(self, code: str, outcome: str) -> None:
        if self._debug:
            line = {"level": "DEBUG", "message": "click", "link": code[:22], "outcome": outcome}
            _log(line)


def _cookies(event: Mapping[str, Any], headers: Mapping[str, str]) -> list[str]:
    # API Gateway takes them out of the headers; others that speak its payload leave them in.
    given: list[str] = event.get("cookies") or headers.get("cookie", "").split(";")
    return [cookie.strip() for cookie in given]


def _cookie_ids(cookies: list[str]) -> list[str]:
    for cookie in cookies:
        name, _, value = cookie.partition("=")
        if name == clickid.COOKIE and len(value) <= _COOKIE_LIMIT:
            return clickid.split_cookie(value)
    return []


def _redirect(location: str) -> dict[str, Any]:
    return {"statusCode": 302, "headers": {"location": location, **_HEADERS}, "body": ""}


def _problem(
    status: int, title: str, code: str, detail: str, event: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an error to a person as a short page, to a program as RFC 9457 says."""
    headers = dict(_HEADERS)
    if "text/html" in (event.get("headers") or {}).get("accept", ""):
        headers["content-type"] = "text/html; charset=utf-8"
        body = f'<!doctype html><html lang="en"><title>{title}</title><p>{detail}</p>'
    else:
        headers["content-type"] = "application/problem+json"
        problem = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": (event.get("requestContext") or {}).get("requestId", ""),
        }
        body = json.dumps(problem)
    return {"statusCode": status, "headers": headers, "body": body}


def _report(what: str, code: str, failure: Exception) -> None:
    line = {"level": "ERROR", "message": what, "link": code, "reason": repr(failure)[:200]}
    _log(line)


def _lost(reason: str, code: str) -> None:
    """Count a click that could not be recorded, in CloudWatch's embedded metric format."""
    metric = {
        "Namespace": "Introducer",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "ClickLost", "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "introducer"),
        "ClickLost": 1,
        "level": "ERROR",
        "message": "click_lost",
        "reason": reason,
        "link": code,
    }
    _log(line)


def _log(line: Mapping[str, object]) -> None:
    print(json.dumps(line))  # noqa: T201  (a logger's import would cost more than the click)
