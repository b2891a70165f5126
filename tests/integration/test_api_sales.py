"""Signed messages with line items, metadata, and events of a program's own."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.command import Accept, Assign, Clear, Withdraw
from introducer.referral import Item, Share
from introducer.tables import referrals
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import Reply, call, login, send_signed
from tests.support.money import EUROS
from tests.support.tables import everything

PATH = "/v1/inbound/acme/billing"
AT = "2026-11-22T11:00:00Z"
STORED_AT = "2026-11-22T11:00:00.000Z"
DOLLARS = EUROS | {"currency": "USD", "method": "wire", "region": "us"}
RULES: dict[str, Any] = {
    "payouts": [EUROS],
    "fields": {
        "plan": {"type": "text"},
        "seats": {"type": "number"},
        "renewal": {"type": "flag"},
    },
}
CAPPED = {
    "id": "commission",
    "calculation": {"kind": "percent", "basis_points": 1000},
    "milestones": [{"id": "all", "share_basis_points": 10_000}],
    "caps": [{"id": "most", "per": "lead", "amount_minor": 9_000, "currency": "EUR"}],
}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture
def secret(aws: None) -> str:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with fields of its own, an accepted lead `r1`, and its source's secret."""
    life.publish(**RULES)
    return ready()


def ready() -> str:
    """Store a lead that a rep has accepted and add a source; return its secret."""
    life.enrol("pia")
    life.add_rep("anna")
    life.submit("r1")
    cleared = life.move("r1", Clear(partner="pia", audience="partners"))
    writes = Transaction()
    for partner, part in (("pia", 7_000), ("emil", 3_000)):
        share = Share(partner=partner, basis_points=part, audience="partners")
        referrals.add_share(writes, cleared, share)
    writes.commit()
    life.move("r1", Assign(rep="anna"))
    life.move("r1", Accept())
    manager = login("sub-m", "manager")
    made = call("POST", "/v1/programs/acme/sources", {"source": "billing"}, claims=manager)
    return str(made.body["secret"])


def sale(**overrides: Any) -> dict[str, Any]:
    """Return the message of a sale."""
    data = {
        "referral": "r1",
        "sale": "INV-1",
        "amount_minor": 10_000,
        "currency": "EUR",
        "occurred_at": AT,
        **overrides,
    }
    return {"type": "sale.recorded", "data": data}


def event(**overrides: Any) -> dict[str, Any]:
    """Return the message of an event."""
    data = {"referral": "r1", "event": "demo_held", "id": "E-1", "at": AT, **overrides}
    return {"type": "event.recorded", "data": data}


def upgrade(**overrides: Any) -> dict[str, Any]:
    """Return the message of an event with an amount."""
    values = {"event": "upgraded", "amount_minor": 900, "currency": "EUR", **overrides}
    return event(**{key: value for key, value in values.items() if value is not None})


def send(message: dict[str, Any], secret: str) -> Reply:
    """Send a message as billing signs it."""
    return send_signed(PATH, message, secret)


def line(product: str, amount_minor: int, **more: int) -> dict[str, Any]:
    """Return a line of a sale."""
    return {"product": product, "amount_minor": amount_minor, **more}


def test_sale_keeps_items_and_metadata(secret: str) -> None:
    """Line by line, and the program's own fields under the catalogue's names."""
    items = [line("fibre", 7_500, quantity=3), line("mobile", 2_500), line("mobile", 0)]
    metadata = {"plan": "office-2", "seats": 12, "renewal": False}
    reply = send(sale(items=items, metadata=metadata), secret)
    assert (200, "applied") == (reply.status, reply.body["outcome"])
    (stored,) = referrals.detail("r1").sales
    assert [
        Item(product="fibre", amount_minor=7_500, quantity=3),
        Item(product="mobile", amount_minor=2_500),
        Item(product="mobile", amount_minor=0),
    ] == stored.items
    assert {
        "metadata.plan": "office-2",
        "metadata.seats": 12,
        "metadata.renewal": False,
    } == stored.facts
    again = send(sale(items=items, metadata=metadata), secret)
    assert "known" == again.body["outcome"]
    for other in ({"items": items[:1]}, {"items": items, "metadata": {"seats": 13}}):
        assert (409, "already_exists") == send(sale(**other), secret).problem()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            {"items": [line("fibre", 9_999)]},
            (422, "items_do_not_add_up", "items"),
        ),
        (
            {"items": [line("fibre", 5_000), line("yacht", 5_000)]},
            (422, "unknown_product", "items[1].product"),
        ),
        (
            {"metadata": {"colour": "red"}},
            (422, "unknown_metadata", "metadata.colour"),
        ),
        ({"metadata": {"seats": "12"}}, (422, "invalid_metadata", "metadata.seats")),
        ({"metadata": {"renewal": 1}}, (422, "invalid_metadata", "metadata.renewal")),
        (
            {"metadata": {"plan": "lena@customers.example"}},
            (422, "invalid_metadata", "metadata.plan"),
        ),
        ({"metadata": {"plan": "Lena Lead"}}, (422, "invalid_metadata", "metadata.plan")),
        ({"items": [line("fibre", 10_001), line("mobile", -1)]}, (400, "invalid_input", "")),
        ({"items": [line("fibre", 10_000, quantity=0)]}, (400, "invalid_input", "")),
    ],
)
def test_sales_that_do_not_fit_the_program_are_refused(
    secret: str, overrides: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Nothing that the rules could not compute with, and no free text, is stored."""
    before = everything()
    status, code, field = send(sale(**overrides), secret).field()
    assert expected == (status, code, field if expected[2] else "")
    assert before == everything()


def test_first_sale_marks_the_success_of_everybody_credited(secret: str) -> None:
    """Once, whatever is sold later."""
    send(sale(), secret)
    send(sale(sale="INV-2"), secret)
    for name in ("pia", "emil"):
        (mark,) = life.raw_items(f"PARTNER#{name}", prefix="SUCCESS#")
        assert ("SUCCESS#r1", STORED_AT) == (mark["sk"]["S"], mark["won_at"]["S"])


def test_event_is_recorded_once(secret: str) -> None:
    """Its facts stand in the referral's event, which is how the books find them."""
    reply = send(upgrade(), secret)
    assert {"outcome": "applied", "referral": "r1", "status": "accepted"} == reply.body
    told = {
        "event": "upgraded",
        "id": "E-1",
        "at": STORED_AT,
        "amount_minor": 900,
        "currency": "EUR",
        "status": "accepted",
    }
    last = referrals.detail("r1").events[-1]
    assert ("ReferralEventRecorded", told, "source:acme/billing") == (
        last.type,
        last.data,
        last.actor,
    )
    before = [each.id for each in referrals.detail("r1").events]
    assert "known" == send(upgrade(), secret).body["outcome"]
    for other in (upgrade(amount_minor=901), upgrade(at="2026-11-22T10:00:00Z"), event()):
        assert (409, "already_exists") == send(other, secret).problem()
    assert before == [each.id for each in referrals.detail("r1").events]


def test_events_are_taken_while_the_referral_lives(secret: str) -> None:
    """Before the sale and after it, but not when it has come to an end."""
    assert "applied" == send(event(), secret).body["outcome"]
    send(sale(), secret)
    reply = send(event(id="E-2"), secret)
    assert {"outcome": "applied", "referral": "r1", "status": "won"} == reply.body
    life.submit("r2", lead_key="key-r2")
    life.move("r2", Withdraw(reason="by_lead"))
    late = send(event(referral="r2"), secret)
    assert (409, "transition_not_allowed") == late.problem()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (event(event="party"), (422, "unknown_event", "event")),
        (event(amount_minor=900), (422, "unexpected_amount", "amount_minor")),
        (event(currency="EUR"), (422, "unexpected_amount", "amount_minor")),
        (upgrade(amount_minor=None), (422, "missing_field", "amount_minor")),
        (upgrade(currency=None), (422, "missing_field", "currency")),
        (upgrade(currency="XXX"), (422, "unknown_currency", "currency")),
        (upgrade(currency="USD"), (422, "wrong_currency", "currency")),
        (upgrade(at="2027-11-22T11:00:00Z"), (422, "invalid_time", "at")),
        (event(id="a#b"), (400, "invalid_input", "data.id")),
    ],
)
def test_events_the_program_does_not_have_are_refused(
    secret: str, message: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Amounts only where the program declares one, and then always."""
    before = everything()
    assert expected == send(message, secret).field()
    assert before == everything()


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        ({}, (422, "no_exchange_rate")),
        ({"policy": "fixed", "rates": [{"from": "USD", "to": "EUR", "rate": "0.9"}]}, None),
    ],
)
def test_amounts_without_a_rate_are_refused_where_one_may_be_needed(
    exchange: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    """Taken in, it would stop the computation of everything about this referral."""
    rules = RULES | {"payouts": [EUROS, DOLLARS], "rewards": [CAPPED], "exchange": exchange}
    life.publish(**rules)
    secret = ready()
    for message in (sale(currency="USD"), upgrade(currency="USD")):
        reply = send(message, secret)
        assert expected == (reply.problem() if reply.status != 200 else None)
    assert 200 == send(sale(sale="INV-2"), secret).status
