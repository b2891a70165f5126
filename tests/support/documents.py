"""Program documents made small, so that a test shows only what it is about."""

from __future__ import annotations

import json
from typing import Any

from introducer.check import document as document_check
from introducer.errors import InvalidProgramError

Finding = tuple[str, str, str]


def plan(**changes: Any) -> dict[str, Any]:
    """Return a valid reward plan, changed as said."""
    return {
        "id": "bounty",
        "trigger": {"on": "won"},
        "calculation": {"kind": "flat", "amount_minor": 5000, "currency": "EUR"},
        "milestones": [{"id": "sold", "share_basis_points": 10000}],
        **changes,
    }


def document(*plans: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a valid program with *plans*, or one plan, changed as said."""
    return {
        "id": "acme",
        "name": "Acme",
        "currency": "EUR",
        "audiences": {"friends": {"name": "Friends"}, "partners": {"name": "Partners"}},
        "destinations": ["www.acme.example"],
        "landing_url": "https://www.acme.example/start",
        "products": ["fibre", "mobile"],
        "stages": ["qualified"],
        "rewards": list(plans) or [plan()],
        **changes,
    }


def asks(field: str, op: str, value: Any) -> dict[str, Any]:
    """Return a condition of one test."""
    return {"field": field, "op": op, "value": value}


def found_in(sent: Any) -> list[Finding]:
    """Return what is wrong with the document *sent*, JSON text or something to make it of."""
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    try:
        document_check.parse(body)
    except InvalidProgramError as refused:
        return [(each["path"], each["problem"], each["remedy"]) for each in refused.findings]
    return []


def flat(amount_minor: int, currency: str = "EUR") -> dict[str, Any]:
    """Return a calculation of a fixed amount."""
    return {"kind": "flat", "amount_minor": amount_minor, "currency": currency}


def rate(base: str, to: str, worth: str = "1.1") -> dict[str, str]:
    """Return an exchange rate."""
    return {"from": base, "to": to, "rate": worth}


def payout(**changes: Any) -> dict[str, Any]:
    """Return how euros are paid; *changes* are the debtor's."""
    debtor = {
        "name": "Acme",
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "address": {"town": "Berlin", "country": "DE"},
    }
    return {"currency": "EUR", "debtor": debtor | changes}


def holding(condition: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a program whose plan has *condition*."""
    return document(plan(condition=condition), **changes)


def nested(levels: int) -> dict[str, Any]:
    """Return a condition of so many *levels*."""
    inner = asks("lead.size", "gt", 3)
    return inner if levels == 1 else {"not": nested(levels - 1)}


EARLY, LATE = "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"
EARNED = [{"id": "all", "share_basis_points": 10000, "when": "earned"}]
TWICE = {"kind": "multiplier", "basis_points": 20000}
SCORED = {"id": "big", "condition": asks("lead.size", "gte", 50), "points": 20}
BONUS = {
    "id": "fast",
    "condition": asks("referral.days_to_close", "lte", 30),
    "effect": {"kind": "flat", "amount_minor": 100, "currency": "EUR"},
}
VARIANT = {
    "id": "large",
    "condition": asks("lead.size", "gte", 50),
    "calculation": {"kind": "flat", "amount_minor": 6000, "currency": "EUR"},
}
CAP = {"id": "most", "per": "partner", "amount_minor": 10000, "currency": "EUR"}
BUDGET = {"id": "year", "amount_minor": 100000, "currency": "EUR", "period": "ever"}
PROMOTION = {
    "id": "winter",
    "name": "Winter",
    "starts_at": EARLY,
    "ends_at": LATE,
    "effect": {"kind": "flat", "amount_minor": 100, "currency": "EUR"},
}
MESSAGE = {"event": "ReferralWon", "locale": "en", "subject": "Won", "body": "It was won."}
DRAWS = {
    "id": "draws",
    "mechanics": ["prize_draw"],
    "rule": "forbidden",
    "countries": ["DE"],
    "reason": "our lawyers say so",
}
ATTESTED = {"by": "Counsel", "at": EARLY, "text": "Looked at."}
POINTS = {"type": "points", "calculation": {"kind": "points", "points": 500}}
