"""Factories for clicks: the events of the HTTP API and the items they read and write."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from introducer import clickid, lean

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"
SALT = clickid.new_salt(b"s" * 32, "2026-11-01T00:00:00.000Z", "2027-12-01T00:00:00.000Z")
KEYS = {"A": clickid.key_of(SALT)}
NOW_S = 1_795_346_220.0  # 2026-11-22T11:17:00Z
DAY_S = 86_400
JSON = {"accept": "application/json"}
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
NOT_FOUND = {
    "statusCode": 404,
    "headers": {**HEADERS, "content-type": "application/problem+json"},
    "body": json.dumps(
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "not_found",
            "detail": "This link does not exist.",
            "request_id": "",
        }
    ),
}
"""The answer to a program that follows a link which leads nowhere."""


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def click_id(response: dict[str, Any]) -> str:
    """Return the click id in a response's location."""
    query = parse_qs(urlsplit(response["headers"]["location"]).query)
    return query.get("introducer_click", [""])[0]


def logged(out: str) -> list[dict[str, Any]]:
    """Return the log lines in what was written."""
    return [json.loads(line) for line in out.splitlines()]


def request(code: str = "abcdefgh", query: str = "", **overrides: Any) -> dict[str, Any]:
    """Return a payload 2.0 event. ``headers`` are added to a browser's, None takes one away."""
    headers = {"host": "go.example", "accept": "text/html", "user-agent": BROWSER}
    headers |= overrides.get("headers", {})
    return {
        "version": "2.0",
        "routeKey": "GET /r/{code}",
        "rawPath": f"/r/{code}",
        "rawQueryString": query,
        "cookies": overrides.get("cookies", []),
        "headers": {name: value for name, value in headers.items() if value is not None},
        "requestContext": {
            "http": {
                "method": overrides.get("method", "GET"),
                "sourceIp": overrides.get("address", "203.0.113.7"),
            }
        },
        "pathParameters": {"code": code},
        "isBase64Encoded": False,
    }


def link_item(code: str = "abcdefgh", **overrides: Any) -> dict[str, Any]:
    """Return a link as stored, in DynamoDB's JSON; None takes an attribute away."""
    attributes = {
        "pk": f"LINK#{code}",
        "sk": "LINK",
        "code": code,
        "program": "telecom",
        "partner": "0123456789abcdefghjk",
        "destination": "https://shop.example/fiber",
    } | {"utm": {"utm_source": "partner"}, **overrides}
    return {name: _typed(value) for name, value in attributes.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"M": {name: _typed(each) for name, each in value.items()}}
    if isinstance(value, list):
        return {"L": [_typed(each) for each in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def salt_item(salt: dict[str, str] = SALT) -> dict[str, Any]:
    """Return the salt in use as stored, in DynamoDB's JSON."""
    plain = {"pk": clickid.SALT_PK, "sk": clickid.SALT_SK, **salt}
    return {name: {"S": value} for name, value in plain.items()}


class FakeStore:
    """The two operations clicks need, in memory; ``fail`` makes the next calls raise."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.core = {item["pk"]["S"]: item for item in items}
        self.clicks: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, Any, float]] = []
        self.fail: dict[str, Exception] = {}

    def call(
        self, operation: str, request: Any, *, timeout_s: float, repeatable: bool
    ) -> dict[str, Any]:
        """Answer as DynamoDB would."""
        assert repeatable is True
        self.calls.append((operation, request, timeout_s))
        if operation in self.fail:
            raise self.fail[operation]
        if operation == "PutItem":
            return self._put(request)
        assert operation == "BatchGetItem"
        ((table, wanted),) = request["RequestItems"].items()
        found = [self.core.get(key["pk"]["S"]) for key in wanted["Keys"]]
        return {"Responses": {table: [item for item in found if item]}, "UnprocessedKeys": {}}

    def _put(self, request: Any) -> dict[str, Any]:
        assert request["ConditionExpression"] == "attribute_not_exists(pk)"
        assert request["TableName"] == "clicks"
        key = request["Item"]["pk"]["S"]
        if key in self.clicks:
            raise lean.CallError(400, "ConditionalCheckFailedException")
        self.clicks[key] = request["Item"]
        return {}

    def count(self, operation: str) -> int:
        """Return how often *operation* was called."""
        return sum(1 for name, _, _ in self.calls if name == operation)
