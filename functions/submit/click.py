"""``GET /r/{code}``: send a visitor on to where a partner's link points, and record the click.

The cheapest thing we run, because it runs most: standard library and a small signed
client only. A warm click reads nothing and writes one item of at most 400 bytes. The
visitor is sent on whatever happens to that write; a click that could not be recorded is
counted as lost, and its id still proves it to a later conversion.

A HEAD, a prefetch or a bot is sent on too, but not recorded. An unknown and a suspended
code give the same answer after the same work; only a suspended link whose program named
a fallback leads there, uncounted.

The cookie with the last ten ids is readable by the landing page's own script. It is no
secret: the newest id is in the page's address anyway, and nobody can make one up.
"""

from __future__ import annotations

import json
import os
import time
from functools import cache
from urllib.parse import urlsplit

from introducer import clickid, lean
from introducer.landing import passed, summary
from introducer.settings import setting
from submit.click_links import Links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from introducer.landing import Pairs
    from submit.click_links import Link, Store

WRITE_TIMEOUT_S = 0.3
"""What recording may cost the visitor."""

_DAY_S = 86_400
_KEPT_DAYS = 90
_COOKIE_LIMIT = 1200
_REFERRER_LIMIT = 60
_TAGS_LIMIT = 115
_COUNTRY_LENGTH = 2  # ISO 3166-1 alpha-2

_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_BOT_WORDS = (
    "bot",
    "spider",
    "crawl",
    "slurp",
    "preview",
    "facebookexternalhit",
    "whatsapp",
    "monitor",
    "headless",
    "lighthouse",
    "curl/",
    "wget",
    "python",
    "okhttp",
    "go-http",
    "java/",
    "axios/",
    "node-fetch",
    "libwww",
    "httpclient",
)
_TABLET_WORDS = ("ipad", "tablet", "kindle")
_PHONE_WORDS = ("mobi", "iphone", "android")

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
        self._cookie_end = f"; Path=/; Max-Age={_KEPT_DAYS * _DAY_S}; Secure; SameSite=Lax{domain}"
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
        reason = uncounted(str(http.get("method", "GET")), headers)
        if reason in ("head", "bot"):
            self._trace(link.code, reason)
            return _redirect(link.landing.location(incoming))
        key = self._links.salt
        if key is None:
            _lost("no_salt", link.code)
            return _redirect(link.landing.location(incoming))
        now = self._clock()
        day = clickid.instant(now)[:10]
        agent = headers.get("user-agent", "")
        visitor = clickid.visitor(key, day, str(http.get("sourceIp", "")), agent)
        click_id = clickid.make(link.code, clickid.hour_of(now), visitor, key)
        if reason:
            # It may be shown later without another request, and then its id must work.
            self._trace(link.code, reason)
        else:
            self._record(_item(click_id, link, now, incoming, headers), link.code)
        cookie = clickid.join_cookie(_cookie_ids(event.get("cookies") or ()), click_id)
        response = _redirect(link.landing.location(incoming, click_id))
        response["cookies"] = [f"{clickid.COOKIE}={cookie}{self._cookie_end}"]
        return response

    def _record(self, item: dict[str, dict[str, str]], code: str) -> None:
        request = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        outcome = "counted"
        try:
            self._store.call("PutItem", request, timeout_s=WRITE_TIMEOUT_S, repeatable=True)
        except lean.CallError as failure:
            if failure.code != "ConditionalCheckFailedException":
                _lost(failure.code, code)
                return
            outcome = "repeated"
        except lean.NoAnswerError:
            _lost("no_answer", code)
            return
        self._trace(code, outcome)

    def _trace(self, code: str, outcome: str) -> None:
        if self._debug:
            line = {"level": "DEBUG", "message": "click", "link": code[:22], "outcome": outcome}
            _log(line)


def uncounted(method: str, headers: Mapping[str, str]) -> str:
    """Return why a request is not a person's click (head, prefetch, bot), or nothing.

    Cheap signs only: words that robots put in their name, and none at all.
    """
    if method == "HEAD":
        return "head"
    purpose = headers.get("sec-purpose") or headers.get("purpose") or headers.get("x-purpose") or ""
    if "pre" in purpose.lower():  # prefetch, prerender, preview
        return "prefetch"
    agent = headers.get("user-agent", "").lower().replace("cubot", "")  # a maker of phones
    if not agent or any(word in agent for word in _BOT_WORDS):
        return "bot"
    return ""


def _item(
    click_id: str, link: Link, now: float, incoming: Pairs, headers: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    item = {
        "pk": {"S": click_id},
        "link": {"S": link.code},
        "program": {"S": link.program},
        "partner": {"S": link.partner},
        "at": {"S": clickid.instant(now)},
        "device": {"S": _device(headers)},
        "expires": {"N": str(int(now) + _KEPT_DAYS * _DAY_S)},
    }
    tags = summary(link.landing.tags(incoming).items(), _TAGS_LIMIT)
    if tags:
        item["utm"] = {"S": tags}
    referrer = _referrer_host(headers.get("referer", ""))
    if referrer:
        item["referrer"] = {"S": referrer}
    country = headers.get("cloudfront-viewer-country", "")
    if len(country) == _COUNTRY_LENGTH and country.isascii() and country.isupper():
        item["country"] = {"S": country}
    return item


def _device(headers: Mapping[str, str]) -> str:
    agent = headers.get("user-agent", "").lower()
    if any(word in agent for word in _TABLET_WORDS):
        return "tablet"
    if any(word in agent for word in _PHONE_WORDS):
        return "phone"
    return "desktop"


def _referrer_host(referrer: str) -> str:
    try:
        host = urlsplit(referrer[:500]).hostname or ""
    except ValueError:  # such as half an IPv6 address
        return ""
    return host if len(host) <= _REFERRER_LIMIT and _HOST.issuperset(host) else ""


def _cookie_ids(cookies: tuple[str, ...] | list[str]) -> list[str]:
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
