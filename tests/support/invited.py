"""People who are invited: what is sent for them, and the way to a sale."""

from __future__ import annotations

from typing import Any

from introducer.command import Accept, Win
from introducer.referral import Sale
from introducer.tables import partners, referrals
from introducer.tables.store import Transaction
from route.assign import assign
from route.screen import screen
from tests.support import life, money
from tests.support.api import Reply, call, login

ANNA = login("login-anna", "rep")
MANAGER = login("mia", "manager")
NINA = "nina@partners.example"


def invitation(**overrides: Any) -> dict[str, Any]:
    """Return the body of an invitation of Nina."""
    return {
        "name": "Nina Neu",
        "email": NINA,
        "audience": "partners",
        "country": "DE",
        "locale": "de",
        **overrides,
    }


def verbal(**overrides: Any) -> dict[str, Any]:
    """Return what Anna enters: Nina named Lena to her two days ago."""
    return {
        "name": "Lena Lead",
        "email": "lena@customer.example",
        "country": "DE",
        "note": "Told me at the fair",
        "said_at": "2026-11-20T09:30:00Z",
        "consent": {"text_version": "7", "given": True, "at": "2026-11-20T09:31:00Z"},
        "partner": invitation(),
        **overrides,
    }


def invite(claims: dict[str, str] | None = None, **overrides: Any) -> Reply:
    """Let Anna invite Nina."""
    return call("POST", "/v1/rep/invitations", invitation(**overrides), claims=claims or ANNA)


def enter(**overrides: Any) -> Reply:
    """Let Anna enter what Nina told her."""
    return call("POST", "/v1/rep/referrals", verbal(**overrides), claims=ANNA)


def join(*, sub: str = "login-nina", verified: str = NINA, **overrides: Any) -> Reply:
    """Enrol the login *sub*, which verified an address, or none."""
    body = {
        "program": "acme",
        "audience": "partners",
        "name": "Nina Neu",
        "email": NINA,
        "country": "DE",
        "terms_version": "1",
        **overrides,
    }
    return call("POST", "/v1/partners", body, claims=login(sub, "partner", email=verified))


def place(referral: str) -> None:
    """Screen a referral and give it to a rep, as the stream's consumer does."""
    screen(referral, cause="test")
    assign(referral, cause="test")


def win(referral: str, amount_minor: int = 100_000, *, at: str = money.SOLD) -> None:
    """Let the rep take a lead and the customer buy, and bring the books up to date."""
    life.move(referral, Accept())
    before = referrals.get(referral)
    sale = Sale(
        id="s1", amount_minor=amount_minor, currency="EUR", occurred_at=at, source="billing"
    )
    life.move(referral, Win(sale=sale))
    writes = Transaction()
    referrals.add_sale(writes, before, sale)
    for share in referrals.detail(referral).shares:
        partners.add_success(writes, share.partner, referral, now=at)
    writes.commit()
    assert {"batchItemFailures": []} == money.deliver(referral)
