"""Payment orders for tests: whole ones, with overrides for what matters."""

from __future__ import annotations

from typing import Any

from introducer.document.payout import Address, Debtor, Originator, PayoutRule
from introducer.rails.rail import Order, Payment
from introducer.tables.people import Payee

BATCH = "8hq2m4x0k7v1c9d3s5fz"
ROUTING = "021000021"


def originator(**overrides: Any) -> Originator:
    """A program owner with an account at the mock bank, by whose number it is known there."""
    values = {
        "name": "Nordlink Telecom",
        "company_id": "0000000001",
        "routing": "999999992",
        "bank": "Mock Bank",
    }
    return Originator(**{**values, **overrides})


def ach_payee(**overrides: Any) -> Payee:
    """A person with a checking account in the United States."""
    values: dict[str, Any] = {
        "name": "Petra Muster",
        "town": "New York",
        "country": "US",
        "method": "ach",
        "routing": ROUTING,
        "account": "0012345678",
        "account_type": "checking",
    }
    return Payee(**{**values, **overrides})


def payment(**overrides: Any) -> Payment:
    """One payment of 12.50 to a person."""
    values: dict[str, Any] = {
        "reference": "P0000000000001A",
        "holder": "p1",
        "amount_minor": 1250,
        "currency": "USD",
        "payee": ach_payee(),
        "text": "Nordlink Telecom P0000000000001A",
    }
    return Payment(**{**values, **overrides})


def order(method: str = "ach", **overrides: Any) -> Order:
    """An order of one payment, made on a Monday at 09:00 in London, 04:00 in New York."""
    currency = str(overrides.get("currency", "USD"))
    rule = PayoutRule(
        currency=currency,
        method=method,  # type: ignore[arg-type]
        originator=overrides.pop("originator", originator()),
        debtor=Debtor(
            name="Nordlink Telecom",
            iban="NL41MOCK0000000001",
            bic="MOCKNL2A",
            address=Address(town="Amsterdam", country="NL"),
        ),
    )
    values: dict[str, Any] = {
        "batch": BATCH,
        "created_at": "2026-11-23T09:00:00.000Z",
        "requested_date": "2026-11-23",
        "currency": currency,
        "rule": rule,
        "payments": (payment(),),
    }
    return Order(**{**values, **overrides})
