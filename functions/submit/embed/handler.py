"""``GET /e.js`` and ``POST /e/{program}/{prompt}``: a customer's own link inside somebody's page.

The page carries a small script and a token that its own server signed, which says who the
customer is. The answer is the customer's link and a sentence, or that nothing is to be shown:
one person sees a prompt so many times a week. Only pages the program names may ask.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from introducer import (
    clock,
    startup,  # noqa: F401  (before our own chain of imports)
)
from submit import exchange
from submit.embed import prompt
from submit.exchange import Arrival, Reply
from submit.problem import Problem, RequestError

SCRIPT_AGE_S = 3600
BODY_LIMIT_BYTES = 8_192


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload format 2.0)."""
    del context
    request_id = str(event["requestContext"].get("requestId", ""))
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if event.get("routeKey") == "GET /e.js":
        made = _script(headers)
        return {"statusCode": made.status, "headers": made.headers, "body": made.body}
    path = {name: str(value) for name, value in (event.get("pathParameters") or {}).items()}

    def work() -> Reply:
        arrival = Arrival(
            path=path,
            # Sent as plain text, which browsers send elsewhere without asking first.
            headers={**headers, "content-type": "application/json"},
            context=event["requestContext"],
            query={},
            raw=_body(event),
            now=clock.now(),
            request_id=request_id,
        )
        return exchange.reply(prompt.ENDPOINT, prompt.show, arrival)

    made = exchange.answered("POST", prompt.ENDPOINT.route, request_id, work, _refused)
    said = {**made.headers, "vary": "origin", "cache-control": "no-store"}
    said.pop("access-control-allow-origin", None)
    allowed = prompt.allowed_origin(path, headers.get("origin", ""))
    if allowed:
        said["access-control-allow-origin"] = allowed
    return {"statusCode": made.status, "headers": said, "body": made.body}


def _script(headers: Mapping[str, str]) -> Reply:
    text, tag = _source()
    shared = {
        "cache-control": f"public, max-age={SCRIPT_AGE_S}",
        "content-type": "text/javascript; charset=utf-8",
        "cross-origin-resource-policy": "cross-origin",
        "etag": tag,
        "x-content-type-options": "nosniff",
    }
    if headers.get("if-none-match") == tag:
        return Reply(status=304, body="", headers=shared)
    return Reply(status=200, body=text, headers=shared)


@cache
def _source() -> tuple[str, str]:
    text = (Path(__file__).parent / "prompt.js").read_text("utf-8")
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _body(event: Mapping[str, Any]) -> bytes:
    text = str(event.get("body") or "")
    try:
        raw = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError) as failure:
        raise RequestError("malformed_body", "the body cannot be decoded") from failure
    return raw


def _refused(problem: Problem) -> Reply:
    headers = {"content-type": "application/problem+json"}
    body = msgspec.json.encode(problem).decode()
    return Reply(status=problem.status, body=body, headers=headers, code=problem.code)
