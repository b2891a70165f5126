"""Calls of the API functions with real API Gateway events (REST, payload version 1)."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from standardwebhooks import Webhook

from infra import openapi
from submit.app import App

APPS: tuple[App, ...] = tuple(openapi.APPS.values())
REQUEST_ID = "req-1"


@dataclass(frozen=True)
class Reply:
    """What came back: status, headers in lower case, and the body, decoded when it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any

    def problem(self) -> tuple[int, str]:
        """Return status and code of a problem document, the shape of which is checked here."""
        assert self.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "code", "detail", "request_id"} <= self.body.keys()
        assert self.status == self.body["status"]
        return self.status, self.body["code"]

    def field(self) -> tuple[int, str, str]:
        """Return status, code and the field a problem names."""
        status, code = self.problem()
        (fault,) = self.body["errors"]
        return status, code, fault["field"]


def login(sub: str, *groups: str, email: str = "") -> dict[str, str]:
    """Return the claims of an ID token as API Gateway hands them on."""
    claims = {"sub": sub, "token_use": "id", "cognito:groups": ",".join(groups)}
    if email:
        claims |= {"email": email, "email_verified": "true"}
    return claims


def call(
    method: str,
    path: str,
    body: object = None,
    *,
    claims: Mapping[str, str] | None = None,
    key: str | None = "",
    headers: Mapping[str, str] | None = None,
    encoded: bool = False,
) -> Reply:
    """Call the API.

    Args:
        method: GET, POST or PUT.
        path: From ``/v1`` on, with its query.
        body: Sent as JSON; bytes and text are sent as they are.
        claims: Of :func:`login`.
        key: The idempotency key; a new one when empty, none when None.
        headers: More headers.
        encoded: Send the body base64-encoded, as the gateway does with binary types.
    """
    path, _, query = path.partition("?")
    app, route, parameters = _route(method, path)
    sent = {} if body is None else {"Content-Type": "application/json"}
    if method == "POST" and key is not None:
        sent["Idempotency-Key"] = key or str(uuid.uuid4())
    raw = body if isinstance(body, bytes) else _text(body).encode()
    context: dict[str, Any] = {
        "requestId": REQUEST_ID,
        "httpMethod": method,
        "resourcePath": route,
        "path": f"/api{path}",
        "stage": "api",
    }
    if claims is not None:
        context["authorizer"] = {"claims": dict(claims)}
    many = parse_qs(query, keep_blank_values=True) if query else None
    event = {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": {**sent, **(headers or {})},
        "multiValueHeaders": {},
        "queryStringParameters": {name: values[-1] for name, values in (many or {}).items()},
        "multiValueQueryStringParameters": many,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": context,
        "body": None if body is None else _wire(raw, encoded=encoded),
        "isBase64Encoded": encoded and body is not None,
    }
    return _reply(app(event, None))


def post_form(path: str, fields: Mapping[str, str] | list[tuple[str, str]]) -> Reply:
    """Send an HTML form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return call("POST", path, urlencode(fields), key=None, headers=headers)


def send_signed(
    path: str,
    message: object,
    secret: str,
    *,
    message_id: str = "",
    at: datetime | None = None,
    signature: str = "",
) -> Reply:
    """Send a message as Standard Webhooks signs it."""
    raw = _text(message)
    now = at or datetime.now(UTC)
    message_id = message_id or f"msg_{uuid.uuid4().hex}"
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature or Webhook(secret).sign(message_id, now, raw),
    }
    return call("POST", path, raw, key=None, headers=headers)


def _route(method: str, path: str) -> tuple[App, str, dict[str, str]]:
    for app in APPS:
        for spec in app.endpoints:
            parts, given = spec.route.split("/"), path.split("/")
            if spec.method != method or len(parts) != len(given):
                continue
            pairs = list(zip(parts, given, strict=True))
            if all(part == one or part.startswith("{") for part, one in pairs):
                named = {part[1:-1]: one for part, one in pairs if part.startswith("{")}
                return app, spec.route, named
    message = f"no route for {method} {path}"
    raise LookupError(message)


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def _wire(raw: bytes, *, encoded: bool) -> str:
    return base64.b64encode(raw).decode() if encoded else raw.decode("utf-8", "surrogateescape")


def _reply(answer: dict[str, Any]) -> Reply:
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    body = answer["body"]
    if "json" in headers.get("content-type", ""):
        body = json.loads(body)
    return Reply(status=answer["statusCode"], headers=headers, body=body)
