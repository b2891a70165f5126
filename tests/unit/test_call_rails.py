"""Rails on which every payout is a call: whole requests, and what each answer means."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from introducer.errors import InvalidInputError, NotFoundError
from introducer.rails.rail import Outcome, Payment, Provider, Request
from introducer.rails.registry import call_rail
from introducer.tables.people import Payee

NOW = "2026-11-22T11:17:00.000Z"
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


def payment(**overrides: Any) -> Payment:
    """Return a payment of 25.00 euros to an account of the provider's."""
    account = overrides.pop("account", "acct_1")
    payee = Payee(name="Pia", town="", country="DE", method="stripe", provider_account=account)
    values: dict[str, Any] = {
        "reference": "P1A2B3C4D5E6F7G",
        "holder": "pia",
        "amount_minor": 2_500,
        "currency": "EUR",
        "payee": payee,
        "text": "Acme P1A2B3C4D5E6F7G",
    }
    return Payment(**(values | overrides))


def provider(kind: str, **overrides: Any) -> Provider:
    """Return a provider of *kind*."""
    values = {"program": "acme", "name": "p1", "kind": kind, "url": "https://p.example/"}
    return Provider(**({**values, "secret": "sk_live_1"} | overrides))


def test_stripe_transfer_is_one_form_with_our_reference_as_its_key() -> None:
    """An account of the provider's own is paid by a transfer."""
    made = call_rail("stripe").request(payment(), provider("stripe"), now=NOW)
    assert (
        Request(
            method="POST",
            url="https://p.example/v1/transfers",
            headers={
                "authorization": "Bearer sk_live_1",
                "content-type": "application/x-www-form-urlencoded",
                "idempotency-key": "P1A2B3C4D5E6F7G",
            },
            body=(
                b"amount=2500&currency=eur&destination=acct_1"
                b"&description=Acme+P1A2B3C4D5E6F7G&metadata%5Breference%5D=P1A2B3C4D5E6F7G"
            ),
        )
        == made
    )


@pytest.mark.parametrize(
    ("account", "currency", "path", "amount"),
    [
        ("ba_1", "EUR", "/v1/payouts", b"amount=2500&"),
        ("card_1", "JPY", "/v1/payouts", b"amount=2500&"),
        ("acct_1", "ISK", "/v1/transfers", b"amount=250000&"),
    ],
)
def test_stripe_has_its_own_paths_and_minor_units(
    account: str, currency: str, path: str, amount: bytes
) -> None:
    """A bank account is paid by a payout; krónur are counted in hundredths there."""
    made = call_rail("stripe").request(
        payment(account=account, currency=currency), provider("stripe"), now=NOW
    )
    assert (True, True) == (made.url.endswith(path), made.body.startswith(amount))


PAID = {"id": "tr_1", "object": "transfer"}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, PAID, Outcome(verdict="paid", provider_id="tr_1")),
        (200, {"id": "po_1", "status": "paid"}, Outcome(verdict="paid", provider_id="po_1")),
        (200, {"id": "po_1", "status": "pending"}, Outcome(verdict="accepted", provider_id="po_1")),
        (
            200,
            {"id": "po_1", "status": "failed", "failure_code": "account_closed"},
            Outcome(verdict="refused", provider_id="po_1", reason="account_closed"),
        ),
        (200, {}, Outcome(verdict="unknown")),
        (200, "half an ans", Outcome(verdict="unknown")),
        (402, {"error": {"type": "card_error"}}, Outcome(verdict="refused", reason="card_error")),
        (
            400,
            {"error": {"type": "card_error", "code": "Pia Muster, Berlin"}},
            Outcome(verdict="refused", reason="card_error"),
        ),
        (
            400,
            {"error": {"type": "invalid_request_error", "code": "balance_insufficient"}},
            Outcome(verdict="refused", reason="balance_insufficient"),
        ),
        (400, {"error": {"type": "idempotency_error"}}, Outcome(verdict="unknown")),
        (400, {}, Outcome(verdict="unknown")),
        *((status, {}, Outcome(verdict="unknown")) for status in (302, 401, 409, 429, 500, 503)),
    ],
)
def test_stripe_answers_mean(status: int, body: object, expected: Outcome) -> None:
    """Whatever does not say for certain that nothing was paid is asked again."""
    raw = body if isinstance(body, str) else json.dumps(body)
    assert expected == call_rail("stripe").outcome(status, raw.encode())


def test_paypal_payout_is_a_batch_of_one_named_by_our_reference() -> None:
    """The amount is decimal text; nothing else names the payee but the address."""
    made = call_rail("paypal").request(
        payment(account="pia@example.com"), provider("paypal", secret="token"), now=NOW
    )
    assert ("POST", "https://p.example/v1/payments/payouts") == (made.method, made.url)
    assert {
        "authorization": "Bearer token",
        "content-type": "application/json",
        "paypal-request-id": "P1A2B3C4D5E6F7G",
    } == made.headers
    assert {
        "sender_batch_header": {
            "sender_batch_id": "P1A2B3C4D5E6F7G",
            "email_subject": "Acme P1A2B3C4D5E6F7G",
        },
        "items": [
            {
                "recipient_type": "EMAIL",
                "receiver": "pia@example.com",
                "amount": {"value": "25.00", "currency": "EUR"},
                "note": "Acme P1A2B3C4D5E6F7G",
                "sender_item_id": "P1A2B3C4D5E6F7G",
            }
        ],
    } == json.loads(made.body)


def test_paypal_signs_in_with_client_and_secret() -> None:
    """A secret of two parts is traded for a token; a token is sent as it is."""
    made = call_rail("paypal").sign_in(provider("paypal", secret="client:secret"))
    assert made is not None
    assert (
        "https://p.example/v1/oauth2/token",
        "Basic " + base64.b64encode(b"client:secret").decode(),
        b"grant_type=client_credentials",
    ) == (made.url, made.headers["authorization"], made.body)
    assert call_rail("paypal").sign_in(provider("paypal")) is None


EXISTS = {
    "name": "USER_BUSINESS_ERROR",
    "details": [
        {"field": "SENDER_BATCH_ID", "issue": "Batch with given sender_batch_id already exists"}
    ],
    "links": [{"href": "https://p.example/v1/payments/payouts/PB1", "rel": "self"}],
}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            201,
            {"batch_header": {"payout_batch_id": "PB1", "batch_status": "PENDING"}},
            Outcome(verdict="accepted", provider_id="PB1"),
        ),
        (
            200,
            {"batch_header": {"payout_batch_id": "PB1", "batch_status": "SUCCESS"}},
            Outcome(verdict="accepted", provider_id="PB1"),
        ),
        (
            201,
            {"batch_header": {"payout_batch_id": "PB1", "batch_status": "DENIED"}},
            Outcome(verdict="refused", provider_id="PB1", reason="denied"),
        ),
        (201, {}, Outcome(verdict="unknown")),
        (400, EXISTS, Outcome(verdict="accepted", provider_id="PB1")),
        (
            422,
            {"name": "INSUFFICIENT_FUNDS"},
            Outcome(verdict="refused", reason="INSUFFICIENT_FUNDS"),
        ),
        (
            422,
            {"name": "pia@example.com is unknown"},
            Outcome(verdict="refused", reason="http_422"),
        ),
        (400, {}, Outcome(verdict="unknown")),
        *((status, {}, Outcome(verdict="unknown")) for status in (302, 401, 403, 429, 500)),
    ],
)
def test_paypal_answers_mean(status: int, body: object, expected: Outcome) -> None:
    """A batch of our name that exists is our own, whose answer was lost."""
    assert expected == call_rail("paypal").outcome(status, json.dumps(body).encode())


@pytest.mark.parametrize("method", ["gift_card", "points", "credit"])
def test_fulfilment_is_a_signed_message_with_our_reference_as_its_id(method: str) -> None:
    """Standard Webhooks; the same message, whenever it is sent again."""
    order = payment(payee=None, currency="PTS", amount_minor=500)
    endpoint = provider("fulfil", url="https://shop.example/orders?v=1", secret=SECRET)
    made = call_rail(method).request(order, endpoint, now=NOW)
    assert ("POST", "https://shop.example/orders?v=1") == (made.method, made.url)
    assert {
        "id": "P1A2B3C4D5E6F7G",
        "program": "acme",
        "holder": "pia",
        "type": method,
        "amount_minor": 500,
        "unit": "PTS",
        "reference": "P1A2B3C4D5E6F7G",
    } == json.loads(made.body)
    assert "P1A2B3C4D5E6F7G" == made.headers["webhook-id"]
    signed = Webhook(SECRET).sign(
        "P1A2B3C4D5E6F7G", datetime(2026, 11, 22, 11, 17, tzinfo=UTC), made.body.decode()
    )
    assert (signed, "1795346220") == (
        made.headers["webhook-signature"],
        made.headers["webhook-timestamp"],
    )
    assert call_rail(method).request(order, endpoint, now=NOW) == made


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, {"id": "G1"}, Outcome(verdict="accepted", provider_id="G1")),
        (204, "", Outcome(verdict="accepted")),
        (200, {"id": "G1", "status": "fulfilled"}, Outcome(verdict="paid", provider_id="G1")),
        (410, {}, Outcome(verdict="refused", reason="http_410")),
        (422, {"code": "unknown_holder"}, Outcome(verdict="refused", reason="unknown_holder")),
        (422, {"code": "Pia has left us"}, Outcome(verdict="refused", reason="http_422")),
        *((status, {}, Outcome(verdict="unknown")) for status in (302, 401, 404, 409, 429, 500)),
    ],
)
def test_fulfilment_answers_mean(status: int, body: object, expected: Outcome) -> None:
    """Any success takes the order; only what will never change is a refusal."""
    raw = body if isinstance(body, str) else json.dumps(body)
    assert expected == call_rail("points").outcome(status, raw.encode())


@pytest.mark.parametrize(
    ("method", "account"),
    [("stripe", "pia@example.com"), ("stripe", ""), ("paypal", "acct_1"), ("paypal", "pia@home")],
)
def test_accounts_of_another_provider_are_refused(method: str, account: str) -> None:
    """While nothing has been sent."""
    with pytest.raises(InvalidInputError) as refused:
        call_rail(method).check(payment(account=account))
    assert "payee.provider_account" == refused.value.field


@pytest.mark.parametrize(
    ("currency", "most_minor"), [("EUR", 99_999_999), ("JPY", 99_999_999), ("ISK", 999_999)]
)
def test_stripe_takes_eight_digits_as_it_counts_them(currency: str, most_minor: int) -> None:
    """Krónur are counted in hundredths there: two digits less of them."""
    rail = call_rail("stripe")
    rail.check(payment(currency=currency, amount_minor=most_minor))
    with pytest.raises(InvalidInputError) as refused:
        rail.check(payment(currency=currency, amount_minor=most_minor + 1))
    assert "amount_minor" == refused.value.field


def test_sums_no_provider_takes_are_refused() -> None:
    """A currency whose decimals the provider does not take; methods that are no calls."""
    call_rail("stripe").check(payment(account="ba_1"))
    call_rail("paypal").check(payment(account="pia@example.com"))
    call_rail("gift_card").check(payment(payee=None))
    with pytest.raises(InvalidInputError):
        call_rail("paypal").check(payment(account="pia@example.com", currency="HUF"))
    with pytest.raises(NotFoundError):
        call_rail("sepa")
