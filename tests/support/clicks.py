"""Factories for clicks: the events of the HTTP API and the items they read and write."""

from __future__ import annotations

from typing import Any

from introducer import clickid, lean

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"
SALT = clickid.new_salt(b"s" * 32, "2026-11-01T00:00:00.000Z", "2027-12-01T00:00:00.000Z")
KEYS = {"A": clickid.key_of(SALT)}
NOW_S = 1_795_346_220.0  # 2026-11-22T11:17:00Z


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
    } | {name: value for name, value in overrides.items() if name != "utm"}
    item: dict[str, Any] = {k: {"S": v} for k, v in attributes.items() if v is not None}
    tags = overrides.get("utm", {"utm_source": "partner"})
    return item | {"utm": {"M": {name: {"S": value} for name, value in tags.items()}}}


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
