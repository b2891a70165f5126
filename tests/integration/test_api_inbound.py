"""Signed messages: only authentic, recent ones count, each once, in the order of their facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from introducer.command import Accept, Assign, Clear
from introducer.referral import Sale, Touch
from introducer.tables import referrals
from tests.support import life
from tests.support.api import Reply, call, login, send_signed
from tests.support.money import EUROS
from tests.support.tables import everything

PATH = "/v1/inbound/acme/billing"
CRM = "/v1/inbound/acme/crm"
NOW = datetime(2026, 11, 22, 11, 17, tzinfo=UTC)
SOLD_AT = "2026-11-22T11:00:00Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def secrets(aws: None) -> dict[str, str]:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program that pays euros, an accepted lead `r1`, and the secrets of its two sources."""
    stages = {"crm": {"Qualified": "qualified", "Offer": "proposal", "Won": "won", "Lost": "lost"}}
    life.publish(payouts=[EUROS], stage_map=stages)
    life.enrol("pia")
    life.add_rep("anna")
    ready("r1")
    return {path: secret_of(path.rpartition("/")[2]) for path in (PATH, CRM)}


def ready(name: str) -> None:
    """Store a lead that a rep has accepted."""
    life.submit(name)
    life.move(name, Clear(partner="pia", audience="partners"))
    life.move(name, Assign(rep="anna"))
    life.move(name, Accept())


def secret_of(source: str) -> str:
    """Add a source and return its secret."""
    made = call(
        "POST",
        "/v1/programs/acme/sources",
        {"source": source},
        claims=login("sub-m", "manager"),
    )
    return str(made.body["secret"])


def sale(**overrides: Any) -> dict[str, Any]:
    """Return the message of a sale."""
    return {
        "type": "sale.recorded",
        "data": {
            "referral": "r1",
            "sale": "INV-1",
            "amount_minor": 10_000,
            "currency": "EUR",
            "occurred_at": SOLD_AT,
            **overrides,
        },
    }


def refund(**overrides: Any) -> dict[str, Any]:
    """Return the message of a refund."""
    return {
        "type": "sale.refunded",
        "data": {
            "referral": "r1",
            "sale": "INV-1",
            "refund": "CN-1",
            "amount_minor": 4_000,
            "at": SOLD_AT,
            **overrides,
        },
    }


def stage(name: str, at: str = "2026-11-22T10:00:00Z", **overrides: Any) -> dict[str, Any]:
    """Return the message of a stage."""
    return {
        "type": "stage.changed",
        "data": {"referral": "r1", "stage": name, "at": at, **overrides},
    }


def churned(at: str = SOLD_AT) -> dict[str, Any]:
    """Return the message of a customer who left."""
    return {"type": "customer.churned", "data": {"referral": "r1", "at": at}}


def events() -> list[str]:
    """Return the types of the lead's events."""
    return [event.type for event in referrals.detail("r1").events]


def test_sale_wins_the_referral(secrets: dict[str, str]) -> None:
    """State, event and sale are stored; the message's id is the event's cause."""
    reply = send_signed(PATH, sale(), secrets[PATH], message_id="msg_first_sale")
    assert (200, {"outcome": "applied", "referral": "r1", "status": "won"}) == (
        reply.status,
        reply.body,
    )
    detail = referrals.detail("r1")
    assert [
        Sale(
            id="INV-1",
            amount_minor=10_000,
            currency="EUR",
            occurred_at="2026-11-22T11:00:00.000Z",
            source="billing",
        )
    ] == detail.sales
    last = detail.events[-1]
    assert ("ReferralWon", "source:acme/billing", "msg_first_sale") == (
        last.type,
        last.actor,
        last.cause,
    )


@pytest.mark.parametrize("message_id", ["7", "m" * 200])
def test_message_id_may_have_any_length(secrets: dict[str, str], message_id: str) -> None:
    """How a sender numbers its messages is its own affair."""
    reply = send_signed(PATH, sale(), secrets[PATH], message_id=message_id)
    assert (200, message_id) == (reply.status, referrals.detail("r1").events[-1].cause)


def test_replayed_message_is_answered_from_memory(secrets: dict[str, str]) -> None:
    """A retry has a new time and signature but the same id: done once, answered twice."""
    first = send_signed(PATH, sale(), secrets[PATH], message_id="msg_same_id")
    before = everything()
    later = NOW + timedelta(seconds=120)
    again = send_signed(PATH, sale(), secrets[PATH], message_id="msg_same_id", at=later)
    assert (first.body, "true") == (again.body, again.headers["idempotent-replayed"])
    assert before == everything()


def test_message_id_of_another_message_is_refused(secrets: dict[str, str]) -> None:
    """One id, two bodies: the second is not believed."""
    send_signed(PATH, sale(), secrets[PATH], message_id="msg_same_id")
    other = send_signed(PATH, sale(sale="INV-2"), secrets[PATH], message_id="msg_same_id")
    assert (422, "idempotency_key_reused") == other.problem()
    assert 1 == len(referrals.detail("r1").sales)


def test_same_sale_in_another_message_is_known(secrets: dict[str, str]) -> None:
    """The billing system may tell the same facts again, but not other ones."""
    send_signed(PATH, sale(), secrets[PATH])
    again = send_signed(PATH, sale(), secrets[PATH])
    assert (200, {"outcome": "known", "referral": "r1", "status": "won"}) == (
        again.status,
        again.body,
    )
    other = send_signed(PATH, sale(amount_minor=20_000), secrets[PATH])
    assert (409, "already_exists") == other.problem()
    assert [10_000] == [each.amount_minor for each in referrals.detail("r1").sales]


def test_second_sale_is_recorded(secrets: dict[str, str]) -> None:
    """A customer already won buys again."""
    send_signed(PATH, sale(), secrets[PATH])
    reply = send_signed(PATH, sale(sale="INV-2"), secrets[PATH])
    assert ("applied", "SaleRecorded") == (reply.body["outcome"], events()[-1])


@pytest.mark.parametrize(
    "attack", ["other secret", "old", "future", "tampered", "none", "v2", "junk"]
)
def test_unauthentic_messages_are_refused(secrets: dict[str, str], attack: str) -> None:
    """Wrong secret, wrong time, changed body, no or odd signatures: one answer, nothing stored."""
    before = everything()
    signer = Webhook(secrets[PATH])
    genuine = signer.sign("msg_attack_1", NOW, "{}")
    replies = {
        "other secret": lambda: send_signed(PATH, sale(), secrets[CRM]),
        "old": lambda: send_signed(PATH, sale(), secrets[PATH], at=NOW - timedelta(seconds=301)),
        "future": lambda: send_signed(PATH, sale(), secrets[PATH], at=NOW + timedelta(seconds=301)),
        "tampered": lambda: send_signed(
            PATH, sale(), secrets[PATH], message_id="msg_attack_1", signature=genuine
        ),
        "none": lambda: call("POST", PATH, sale(), key=None),
        "v2": lambda: send_signed(PATH, sale(), secrets[PATH], signature="v2,AAAA"),
        "junk": lambda: send_signed(PATH, sale(), secrets[PATH], signature="v1,ü v1 , v1,!"),
    }
    assert (401, "invalid_signature") == replies[attack]().problem()
    assert before == everything()


def test_unknown_sources_are_not_told_apart(secrets: dict[str, str]) -> None:
    """An unknown program or source is answered like a wrong signature."""
    for path in ("/v1/inbound/acme/nosuch", "/v1/inbound/nosuch/billing", "/v1/inbound/a:b/c"):
        reply = send_signed(path, sale(), secrets[PATH])
        assert (401, "invalid_signature") == reply.problem()


def test_one_good_signature_among_several_is_enough(secrets: dict[str, str]) -> None:
    """While a secret is changed, senders sign with both; order and odd ones do not matter."""
    raw = '{"type":"customer.churned","data":{"referral":"r1","at":"2026-11-22T11:00:00Z"}}'
    good = Webhook(secrets[PATH]).sign("msg_many_1", NOW, raw)
    signatures = f"v1a,xyz v1,AAAA nonsense {good}"
    reply = send_signed(PATH, raw, secrets[PATH], message_id="msg_many_1", signature=signatures)
    assert (200, "waiting") == (reply.status, reply.body["outcome"])


def test_signature_covers_the_very_bytes(secrets: dict[str, str]) -> None:
    """White space and escapes are signed as they are, base64-encoded or not."""
    raw = '{ "type":"sale.recorded",\r\n "data":{"referral":"r1","sale":"INV-\\u0031",'
    raw += f'"amount_minor":10000,"currency":"EUR","occurred_at":"{SOLD_AT}"}} }}'
    headers = {
        "Webhook-Id": "msg_bytes_1",
        "Webhook-Timestamp": str(int(NOW.timestamp())),
        "Webhook-Signature": Webhook(secrets[PATH]).sign("msg_bytes_1", NOW, raw),
    }
    reply = call("POST", PATH, raw.encode(), key=None, headers=headers, encoded=True)
    assert (200, "applied") == (reply.status, reply.body["outcome"])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{", (400, "malformed_json")),
        ({"type": "sale.deleted", "data": {}}, (400, "invalid_input")),
        (sale(amount_minor="10000"), (400, "invalid_input")),
        (sale(amount_minor=100.5), (400, "invalid_input")),
        (sale(amount_minor=-1), (400, "invalid_input")),
        (sale(amount_minor=10**16), (400, "invalid_input")),
        (sale(sale="a#b"), (400, "invalid_input")),
        (sale(discount=1), (400, "unknown_field")),
        (sale(currency="USD"), (422, "wrong_currency")),
        (sale(currency="XXX"), (422, "unknown_currency")),
        (sale(occurred_at="2026-11-22"), (400, "invalid_input")),
        (sale(occurred_at="2026-11-22T11:00:00"), (422, "invalid_time")),
        (sale(occurred_at="2027-11-22T11:00:00Z"), (422, "invalid_time")),
        (sale(referral="nosuch"), (404, "not_found")),
        (sale(referral=None), (422, "missing_field")),
        (sale(referral=None, email="lena@"), (400, "invalid_input")),
        (sale(referral=None, email="lena@nowhere"), (422, "invalid_email")),
        (sale(referral=None, external_id="X-1", currency="USD"), (422, "wrong_currency")),
        (stage("Nonsense"), (422, "unknown_stage")),
        ("x" * 1_000_000, (413, "body_too_large")),
    ],
)
def test_bad_messages_are_refused(
    secrets: dict[str, str], message: Any, expected: tuple[int, str]
) -> None:
    """However well signed: a problem document with a stable code, nothing stored."""
    before = everything()
    path = CRM if "stage" in str(message)[:40] else PATH
    assert expected == send_signed(path, message, secrets[path]).problem()
    assert before == everything()


def test_message_about_another_program_is_refused(secrets: dict[str, str]) -> None:
    """A source speaks for its own program only."""
    life.submit("r9", program="other")
    reply = send_signed(PATH, sale(referral="r9"), secrets[PATH])
    assert (404, "not_found") == reply.problem()


def test_refunds_never_exceed_the_sale(secrets: dict[str, str]) -> None:
    """Partial refunds add up; what is more than is left is refused; the last ends the referral."""
    send_signed(PATH, sale(), secrets[PATH])
    first = send_signed(PATH, refund(), secrets[PATH])
    assert ({"outcome": "applied", "referral": "r1", "status": "won"}, "SaleRefunded") == (
        first.body,
        events()[-1],
    )
    again = send_signed(PATH, refund(), secrets[PATH])
    assert "known" == again.body["outcome"]
    other = send_signed(PATH, refund(amount_minor=5_000), secrets[PATH])
    assert (409, "already_exists") == other.problem()
    too_much = send_signed(PATH, refund(refund="CN-2", amount_minor=6_001), secrets[PATH])
    assert (422, "refund_exceeds_sale", "amount_minor") == too_much.field()
    last = send_signed(PATH, refund(refund="CN-2", amount_minor=6_000), secrets[PATH])
    assert ("refunded", "ReferralRefunded") == (last.body["status"], events()[-1])
    (stored,) = referrals.detail("r1").sales
    assert (10_000, {"CN-1": 4_000, "CN-2": 6_000}) == (stored.refunded_minor, stored.refunds)


def test_refund_of_one_of_two_sales_keeps_the_referral(secrets: dict[str, str]) -> None:
    """Only when no sale stands any more is the referral refunded."""
    send_signed(PATH, sale(), secrets[PATH])
    send_signed(PATH, sale(sale="INV-2"), secrets[PATH])
    reply = send_signed(PATH, refund(amount_minor=10_000), secrets[PATH])
    assert "won" == reply.body["status"]


def test_stages_advance_in_the_sources_words(secrets: dict[str, str]) -> None:
    """The map of the source is asked; the same stage again, and `won`, change nothing."""
    assert "qualified" == send_signed(CRM, stage("Qualified"), secrets[CRM]).body["status"]
    offer = send_signed(CRM, stage("Offer", "2026-11-22T10:30:00Z"), secrets[CRM])
    assert ("applied", "proposal") == (offer.body["outcome"], offer.body["status"])
    for name in ("Offer", "Won"):
        reply = send_signed(CRM, stage(name, "2026-11-22T10:31:00Z"), secrets[CRM])
        assert ("noted", "proposal") == (reply.body["outcome"], reply.body["status"])
    lost = send_signed(CRM, stage("Lost", "2026-11-22T10:40:00Z"), secrets[CRM])
    assert ("applied", "lost") == (lost.body["outcome"], lost.body["status"])
    late = send_signed(PATH, sale(), secrets[PATH])
    assert "won" == late.body["status"]


def test_outdated_stage_is_history(secrets: dict[str, str]) -> None:
    """An older update is kept as a touch, changes nothing and is answered with success."""
    send_signed(CRM, stage("Offer", "2026-11-22T10:30:00Z"), secrets[CRM])
    version = referrals.get("r1").version
    reply = send_signed(CRM, stage("Qualified", "2026-11-22T10:00:00Z"), secrets[CRM])
    assert (200, {"outcome": "outdated", "referral": "r1", "status": "proposal"}) == (
        reply.status,
        reply.body,
    )
    detail = referrals.detail("r1")
    assert version == detail.referral.version
    (touch,) = [each for each in detail.touches if each.kind == "crm"]
    assert (
        Touch(
            id=touch.id,
            kind="crm",
            at="2026-11-22T10:00:00.000Z",
            data={"stage": "qualified", "source": "crm", "outcome": "outdated"},
        )
        == touch
    )


def test_stage_after_the_sale_is_history(secrets: dict[str, str]) -> None:
    """The CRM often lags behind billing; that is no error of the sender's."""
    send_signed(PATH, sale(), secrets[PATH])
    older = send_signed(CRM, stage("Offer", "2026-11-22T10:30:00Z"), secrets[CRM])
    newer = send_signed(CRM, stage("Offer", "2026-11-22T11:10:00Z"), secrets[CRM])
    assert ("outdated", "noted") == (older.body["outcome"], newer.body["outcome"])
    assert "won" == referrals.get("r1").status


def test_customer_who_left_is_churned_once(secrets: dict[str, str]) -> None:
    """Only a customer can leave; told again, it is known; told of the past, it is history."""
    send_signed(PATH, sale(), secrets[PATH])
    early = send_signed(PATH, churned("2026-11-22T10:59:00Z"), secrets[PATH])
    assert ("outdated", "won") == (early.body["outcome"], early.body["status"])
    left = send_signed(PATH, churned("2026-11-22T11:10:00Z"), secrets[PATH])
    assert ("applied", "churned") == (left.body["outcome"], left.body["status"])
    assert "known" == send_signed(PATH, churned(), secrets[PATH]).body["outcome"]


def test_external_id_is_tied_once(secrets: dict[str, str]) -> None:
    """Told together the ids are tied; then the sender's alone is enough, for that lead only."""
    tied = send_signed(CRM, stage("Qualified", external_id="006/A:1"), secrets[CRM])
    assert "applied" == tied.body["outcome"]
    alone = {"referral": None, "external_id": "006/A:1"}
    offer = send_signed(CRM, stage("Offer", "2026-11-22T10:30:00Z", **alone), secrets[CRM])
    assert ("r1", "proposal") == (offer.body["referral"], offer.body["status"])
    life.submit("r2", lead_key="another")
    stolen = send_signed(CRM, stage("Offer", referral="r2", external_id="006/A:1"), secrets[CRM])
    assert (409, "already_exists") == stolen.problem()
    # Another source's ids are other ids.
    foreign = send_signed(PATH, sale(**alone), secrets[PATH])
    assert ("waiting", "") == (foreign.body["outcome"], foreign.body["referral"])


def test_message_races_a_rep(secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A lead that moved between reading and writing is read again; nothing is lost or doubled."""
    real = referrals.detail
    moved: list[Reply] = []
    reads: list[str] = []

    def detail(referral: str) -> Any:
        found = real(referral)
        reads.append(referral)
        if len(reads) == 1:
            moved.append(send_signed(CRM, stage("Qualified"), secrets[CRM]))
        return found

    monkeypatch.setattr(referrals, "detail", detail)
    moved_by = send_signed(PATH, sale(), secrets[PATH])
    assert ([200], 200) == ([each.status for each in moved], moved_by.status)
    assert ["ReferralAdvanced", "ReferralWon"] == events()[-2:]
