"""Providers of payouts: configured by finance, secrets never shown again, answers signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from introducer.clients import client
from introducer.rails import answers
from introducer.settings import setting
from introducer.tables import events, providers
from introducer.tables.store import Table
from tests.support import life, money
from tests.support.api import Reply, call, login, send_signed
from tests.support.tables import everything

PATH = "/v1/programs/acme/providers"
INBOUND = "/v1/payouts/inbound/acme"
FINANCE = login("sub-f", "finance")
NOW = datetime(2026, 11, 22, 11, 17, tzinfo=UTC)
STRIPE = {"kind": "stripe", "url": "https://api.stripe.com", "secret": "sk_live_abcdef7dc9"}
SHOP = {"kind": "fulfil", "url": "https://rewards.acme.example/orders"}
FULFILLED = {
    "type": "payout.fulfilled",
    "data": {"reference": "P1A2B3C4D5E6F7G", "amount_minor": 500, "unit": "PTS"},
}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program."""
    life.publish()


def put(name: str, body: dict[str, Any], *, as_user: dict[str, str] = FINANCE) -> Reply:
    """Configure a provider."""
    return call("PUT", f"{PATH}/{name}", body, claims=as_user)


def inbox() -> list[str]:
    """Return the keys of the messages that were kept."""
    found = client("s3").list_objects_v2(Bucket=setting("BANK_BUCKET"), Prefix="inbox/")
    return [each["Key"] for each in found.get("Contents", [])]


def test_provider_is_stored_sealed_and_listed_without_its_secrets() -> None:
    """Only what we made is shown, once; the list shows four characters."""
    made = put("cards", {**STRIPE, "webhook_secret": "whsec_theirs"})
    assert (200, "7dc9", "", "", f"{INBOUND}/cards") == (
        made.status,
        made.body["last4"],
        made.body["secret"],
        made.body["webhook_secret"],
        made.body["inbound"],
    )
    listed = call("GET", PATH, claims=login("sub-a", "auditor"))
    assert {
        "items": [
            {
                "provider": "cards",
                "kind": "stripe",
                "url": "https://api.stripe.com",
                "last4": "7dc9",
                "inbound": f"{INBOUND}/cards",
                "set_at": "2026-11-22T11:17:00.000Z",
                "set_by": "user:sub-f",
            }
        ],
        "next": "",
    } == listed.body
    assert "sk_live_abcdef7dc9" not in repr(everything())
    assert "sk_live_abcdef7dc9" not in repr(money.everything(Table.PEOPLE))
    opened = providers.for_paying("acme", "cards", "stripe")
    assert ("sk_live_abcdef7dc9", "") == (opened.secret, opened.webhook_secret)
    heard = providers.for_listening("acme", "cards")
    assert ("", "whsec_theirs") == (heard.secret, heard.webhook_secret)


def test_changes_are_events_without_secrets() -> None:
    """Who changed what; the same again changes nothing."""
    put("cards", STRIPE)
    put("cards", {"kind": "stripe", "url": STRIPE["url"]})
    put("cards", {**STRIPE, "secret": "sk_live_other"})
    told = [(each.type, each.seq, each.data) for each in events.of_entity("PROVIDER#acme.cards")]
    assert [
        (
            "ProviderConfigured",
            1,
            {"kind": "stripe", "secret_changed": 1, "webhook_secret_changed": 1},
        ),
        (
            "ProviderChanged",
            2,
            {"kind": "stripe", "secret_changed": 1, "webhook_secret_changed": 0},
        ),
    ] == told


def test_secrets_of_our_own_system_are_made_and_shown_once() -> None:
    """One for our messages, one for its; a new one replaces the old."""
    made = put("shop", SHOP).body
    assert ("whsec_", "whsec_") == (made["secret"][:6], made["webhook_secret"][:6])
    again = put("shop", SHOP).body
    assert ("", "") == (again["secret"], again["webhook_secret"])
    fresh = put("shop", {**SHOP, "new_webhook_secret": True}).body["webhook_secret"]
    assert fresh not in {"", made["webhook_secret"]}
    assert (made["secret"], fresh) == (
        providers.for_paying("acme", "shop", "points").secret,
        providers.for_listening("acme", "shop").webhook_secret,
    )


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("cards", {"kind": "stripe", "url": "https://api.stripe.com"}, (422, "missing_field")),
        ("cards", {**STRIPE, "url": "http://api.stripe.com"}, (422, "invalid_url")),
        ("cards", {**STRIPE, "url": "https://api.stripe.com/?a=b"}, (422, "invalid_url")),
        ("cards", {**STRIPE, "url": "https://127.0.0.1/"}, (422, "invalid_url")),
        ("Cards", STRIPE, (422, "invalid_input")),
        ("shop", {**SHOP, "secret": "short"}, (422, "invalid_secret")),
        ("shop", {**SHOP, "secret": "whsec_c2hvcnQ="}, (422, "invalid_secret")),
        ("shop", {**SHOP, "webhook_secret": "whsec_not base64"}, (400, "invalid_input")),
        ("shop", {**SHOP, "kind": "bank"}, (400, "invalid_input")),
        ("shop", {**SHOP, "colour": "red"}, (400, "unknown_field")),
    ],
)
def test_bad_providers_are_refused(
    name: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Each with its own code, and nothing stored."""
    reply = put(name, body)
    assert expected == reply.problem()
    assert providers.find("acme", name) is None


def test_secret_never_follows_a_new_address() -> None:
    """Who may not know a secret must not have it sent to an address of their own."""
    put("cards", STRIPE)
    moved = {"kind": "stripe", "url": "https://mine.example"}
    assert (422, "missing_field", "secret") == put("cards", moved).field()
    assert (422, "kind_is_fixed", "kind") == put("cards", SHOP).field()
    found = providers.find("acme", "cards")
    assert found is not None
    assert ("https://api.stripe.com", 1) == (found.url, found.version)


def test_only_finance_configures() -> None:
    """A partner neither sees nor changes who pays; an unknown program has none."""
    partner = login("sub-p", "partner")
    assert (403, "forbidden") == put("cards", STRIPE, as_user=partner).problem()
    assert (403, "forbidden") == call("GET", PATH, claims=partner).problem()
    auditor = login("sub-a", "auditor")
    assert (403, "forbidden") == put("cards", STRIPE, as_user=auditor).problem()
    missing = call("PUT", "/v1/programs/nosuch/providers/cards", STRIPE, claims=FINANCE)
    assert (404, "not_found") == missing.problem()


def test_signed_acknowledgement_is_kept_once() -> None:
    """A repetition is answered from memory; the file is the first telling."""
    secret = put("shop", SHOP).body["webhook_secret"]
    first = send_signed(f"{INBOUND}/shop", FULFILLED, secret, message_id="msg_1")
    again = send_signed(f"{INBOUND}/shop", FULFILLED, secret, message_id="msg_1")
    assert (200, {"message": "msg_1"}, "true") == (
        first.status,
        again.body,
        again.headers["idempotent-replayed"],
    )
    (key,) = inbox()
    assert key.startswith("inbox/provider-acme-shop-")
    kept = client("s3").get_object(Bucket=setting("BANK_BUCKET"), Key=key)["Body"].read()
    assert {
        "type": "provider_message",
        "program": "acme",
        "provider": "shop",
        "kind": "fulfil",
        "id": "msg_1",
        "received_at": "2026-11-22T11:17:00.000Z",
        "body": FULFILLED,
    } == json.loads(kept)
    assert answers.fits(kept)


def test_first_telling_of_a_message_stays() -> None:
    """A file that was written and not answered for is found again; another body is refused."""
    secret = put("shop", SHOP).body["webhook_secret"]
    lost = answers.Message(
        program="acme", provider="shop", kind="fulfil", id="msg_1", received_at="", body={}
    )
    s3, where = client("s3"), {"Bucket": setting("BANK_BUCKET"), "Key": answers.key_of(lost)}
    s3.put_object(**where, Body=b"first")
    assert 200 == send_signed(f"{INBOUND}/shop", FULFILLED, secret, message_id="msg_1").status
    other = {**FULFILLED, "type": "payout.failed"}
    reply = send_signed(f"{INBOUND}/shop", other, secret, message_id="msg_1")
    assert (422, "idempotency_key_reused") == reply.problem()
    assert b"first" == s3.get_object(**where)["Body"].read()


@pytest.mark.parametrize("attack", ["secret", "old", "body", "none", "sender", "program"])
def test_unauthentic_acknowledgements_are_refused(attack: str) -> None:
    """One answer to all of them, and nothing kept."""
    secret = put("shop", SHOP).body["webhook_secret"]
    other = put("other", SHOP).body["webhook_secret"]
    genuine = Webhook(secret).sign("msg_1", NOW, "{}")
    replies = {
        "secret": lambda: send_signed(f"{INBOUND}/shop", FULFILLED, other),
        "old": lambda: send_signed(
            f"{INBOUND}/shop", FULFILLED, secret, at=NOW - timedelta(seconds=301)
        ),
        "body": lambda: send_signed(
            f"{INBOUND}/shop", FULFILLED, secret, message_id="msg_1", signature=genuine
        ),
        "none": lambda: call("POST", f"{INBOUND}/shop", FULFILLED, key=None),
        "sender": lambda: send_signed(f"{INBOUND}/nosuch", FULFILLED, secret),
        "program": lambda: send_signed("/v1/payouts/inbound/nosuch/shop", FULFILLED, secret),
    }
    assert (401, "invalid_signature") == replies[attack]().problem()
    assert [] == inbox()


def stripe_event(
    *, at: datetime = NOW, signed_by: str = "whsec_theirs", header: str = "", name: str = "evt_1"
) -> Reply:
    """Send an event as Stripe signs it."""
    raw = json.dumps({"id": name, "type": "payout.paid", "data": {"object": {}}})
    stamp = str(int(at.timestamp()))
    good = hmac.new(signed_by.encode(), f"{stamp}.{raw}".encode(), hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": header or f"t={stamp},v1=00,v1={good},v0=ff"}
    return call("POST", f"{INBOUND}/cards", raw, key=None, headers=headers)


def test_stripe_signs_in_its_own_way() -> None:
    """The event's id is the message's; one good signature among several is enough."""
    put("cards", {**STRIPE, "webhook_secret": "whsec_theirs"})
    assert (200, {"message": "evt_1"}) == (stripe_event().status, stripe_event().body)
    assert 1 == len(inbox())
    refused = [
        stripe_event(signed_by="whsec_other", name="evt_2"),
        stripe_event(at=NOW - timedelta(seconds=301), name="evt_2"),
        stripe_event(at=NOW + timedelta(seconds=301), name="evt_2"),
        stripe_event(header="t=,v1=", name="evt_2"),
        stripe_event(header="nonsense,ü=1", name="evt_2"),
        stripe_event(name=""),
    ]
    assert [(401, "invalid_signature")] * 6 == [each.problem() for each in refused]
    assert 1 == len(inbox())
