"""Reward plans and promotions as documents have them, and programs made of them."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer.program import Program
from tests.support import life

SALE = {"id": "sale", "share_basis_points": 10000}


def plan(**overrides: Any) -> dict[str, Any]:
    """Return a plan that pays a tenth of every sale."""
    return {
        "id": "commission",
        "calculation": {"kind": "percent", "basis_points": 1000},
        "milestones": [SALE],
        **overrides,
    }


def flat(amount_minor: int) -> dict[str, Any]:
    """Return a fixed amount."""
    return {"kind": "flat", "amount_minor": amount_minor, "currency": "EUR"}


def program(*plans: dict[str, Any], **overrides: Any) -> Program:
    """Return a program of these plans, in Berlin; whether it could be published is not asked."""
    plain = msgspec.to_builtins(life.document(time_zone="Europe/Berlin"))
    return msgspec.convert({**plain, "rewards": list(plans), **overrides}, Program)


def promotion(**overrides: Any) -> dict[str, Any]:
    """Return a promotion of December in Berlin."""
    return {
        "id": "december",
        "name": "December weeks",
        "starts_at": "2026-11-30T23:00:00.000Z",
        "ends_at": "2026-12-31T23:00:00.000Z",
        "effect": {"kind": "multiplier", "basis_points": 15000},
        **overrides,
    }
