"""What providers tell of payouts, in settlement's words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from introducer.errors import InvalidInputError
from introducer.rails import answers
from introducer.rails.answers import Message
from introducer.settlement import Booking

NOW = "2026-11-22T11:17:00.000Z"
BLANK = Booking(key="", fact="noted", status="matched", at=NOW, file="inbox/x", kind="provider")
REF = "P1A2B3C4D5E6F7G"


def told(kind: str, body: dict[str, Any], *, message: str = "m1") -> list[Booking]:
    """Return what a kept message says."""
    kept = Message(program="acme", provider="p1", kind=kind, id=message, received_at=NOW, body=body)
    content = msgspec.json.encode(kept)
    assert answers.fits(content)
    return list(answers.read(content, BLANK))


def expected(fact: str, amount_minor: int, currency: str, on: str, reason: str = "") -> Booking:
    """Return the statement about REF."""
    return msgspec.structs.replace(
        BLANK,
        key=answers.booking_key("acme", "p1", REF, fact),
        fact=fact,
        amount_minor=amount_minor,
        currency=currency,
        direction="debit" if fact == "paid" else "credit",
        booked_on=on,
        reference=REF,
        reason=reason,
        program="acme",
        provider="p1",
    )


def stripe(kind: str, **about: Any) -> dict[str, Any]:
    """Return an event of Stripe's."""
    thing = {"id": "po_1", "amount": 2_500, "currency": "eur", "metadata": {"reference": REF}}
    return {
        "id": "evt_1",
        "type": kind,
        "created": 1_795_400_000,
        "data": {"object": thing | about},
    }


@pytest.mark.parametrize(
    ("body", "fact", "reason"),
    [
        (stripe("payout.paid"), "paid", ""),
        (stripe("transfer.created"), "paid", ""),
        (stripe("payout.failed", failure_code="no_account"), "returned", "no_account"),
        (stripe("payout.canceled"), "returned", "payout.canceled"),
        (stripe("transfer.reversed", amount_reversed=2_500), "returned", "transfer.reversed"),
    ],
)
def test_stripe_events_are_statements(body: dict[str, Any], fact: str, reason: str) -> None:
    """Amount, currency and our reference come from the object, the day from the event."""
    said = expected(fact, 2_500, "EUR", "2026-11-23", reason)
    assert [msgspec.structs.replace(said, kind="stripe")] == told("stripe", body)


def test_stripe_counts_some_currencies_in_hundredths() -> None:
    """Krónur have no hundredths in the books."""
    (said,) = told("stripe", stripe("payout.paid", amount=250_000, currency="isk"))
    assert (2_500, "ISK") == (said.amount_minor, said.currency)


def test_part_that_came_back_waits_for_a_person() -> None:
    """Nothing moves by itself."""
    (said,) = told("stripe", stripe("transfer.reversed", amount_reversed=100))
    assert ("noted", "unknown_status") == (said.fact, said.problem)


def test_payout_made_elsewhere_is_told_apart_by_its_message() -> None:
    """It has no reference of ours, and is listed."""
    first = told("stripe", stripe("payout.paid", metadata={}))
    other = told("stripe", stripe("payout.paid", metadata={}), message="m2")
    assert ("", "") == (first[0].reference, other[0].reference)
    assert first[0].key != other[0].key


@pytest.mark.parametrize(
    ("status", "fact"),
    [
        ("SUCCEEDED", "paid"),
        *((name, "returned") for name in ("FAILED", "RETURNED", "BLOCKED", "DENIED", "REFUNDED")),
    ],
)
def test_paypal_webhooks_are_statements(status: str, fact: str) -> None:
    """Amounts are decimal text, exactly; the fee of what was paid is the program's."""
    body = {
        "event_type": f"PAYMENT.PAYOUTS-ITEM.{status}",
        "create_time": "2026-11-24T01:00:00+02:00",
        "resource": {
            "payout_item": {"sender_item_id": REF, "amount": {"value": "25.00", "currency": "USD"}},
            "payout_item_fee": {"value": "0.25", "currency": "USD"},
            "errors": {} if fact == "paid" else {"name": "RECEIVER_UNREGISTERED"},
        },
    }
    said = expected(
        fact, 2_500, "USD", "2026-11-23", "" if fact == "paid" else "RECEIVER_UNREGISTERED"
    )
    fee = {"fee_minor": 25, "fee_currency": "USD"} if fact == "paid" else {}
    assert [msgspec.structs.replace(said, kind="paypal", **fee)] == told("paypal", body)


@pytest.mark.parametrize(
    ("fee", "minor", "currency"),
    [
        ({"value": "30", "currency": "jpy"}, 30, "JPY"),
        ({"value": "0.25", "currency": "EUR"}, 25, "EUR"),
        ({"value": "-0.25", "currency": "EUR"}, 0, ""),
        ({"value": "0.25", "currency": "who knows"}, 0, ""),
        ({}, 0, ""),
    ],
)
def test_fee_keeps_its_own_currency(fee: dict[str, str], minor: int, currency: str) -> None:
    """The provider may charge in another currency than it pays in."""
    item = {"sender_item_id": REF, "amount": {"value": "25.00", "currency": "USD"}}
    body = {
        "event_type": "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
        "resource": {"payout_item": item, "payout_item_fee": fee},
    }
    (said,) = told("paypal", body)
    assert (2_500, "USD", minor, currency) == (
        said.amount_minor,
        said.currency,
        said.fee_minor,
        said.fee_currency,
    )


@pytest.mark.parametrize(
    "words", ["Pia Muster has moved", "pia@example.com", "R\u00fcckgabe", "x" * 65]
)
def test_words_about_somebody_are_not_kept(words: str) -> None:
    """Journals and events last: they hold codes, and what happened where there is none."""
    data = {"reference": REF, "amount_minor": 500, "unit": "PTS", "reason": words}
    (shop,) = told("fulfil", {"type": "payout.failed", "data": data})
    (bank,) = told("stripe", stripe("payout.failed", failure_code=words))
    item = {"payout_item": {"sender_item_id": REF}, "errors": {"name": words}}
    (other,) = told("paypal", {"event_type": "PAYMENT.PAYOUTS-ITEM.FAILED", "resource": item})
    assert ("payout.failed", "payout.failed", "PAYMENT.PAYOUTS-ITEM.FAILED") == (
        shop.reason,
        bank.reason,
        other.reason,
    )


@pytest.mark.parametrize("value", ["25.005", "1e999", "NaN", "x", "", "Infinity"])
def test_amounts_that_are_none_match_nothing(value: str) -> None:
    """They are listed, not guessed."""
    body = {
        "event_type": "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
        "resource": {"payout_item": {"amount": {"value": value, "currency": "USD"}}},
    }
    assert [0] == [said.amount_minor for said in told("paypal", body)]


@pytest.mark.parametrize(
    ("kind", "fact", "reason"),
    [
        ("payout.fulfilled", "paid", ""),
        ("payout.failed", "returned", "out_of_stock"),
        ("payout.returned", "returned", "out_of_stock"),
    ],
)
def test_acknowledgements_are_statements(kind: str, fact: str, reason: str) -> None:
    """Of gift cards, points and credit, in the unit they are counted in."""
    data = {"reference": REF, "amount_minor": 500, "unit": "PTS", "reason": reason}
    said = expected(fact, 500, "PTS", "2026-11-22", reason)
    assert [msgspec.structs.replace(said, kind="fulfil")] == told(
        "fulfil", {"type": kind, "data": data}
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("stripe", stripe("customer.created")),
        ("stripe", {}),
        ("paypal", {"event_type": "PAYMENT.PAYOUTS-ITEM.HELD"}),
        ("paypal", {"event_type": "SUCCEEDED"}),
        ("fulfil", {"type": "ping"}),
    ],
)
def test_other_messages_say_nothing_of_payouts(kind: str, body: dict[str, Any]) -> None:
    """They are kept, and cause nothing."""
    assert [] == told(kind, body)


@pytest.mark.parametrize("content", [b'{"type":"provider_message",', b"{}", b"<Document>"])
def test_files_of_another_make_are_refused(content: bytes) -> None:
    """Nothing of them is taken in."""
    with pytest.raises(InvalidInputError):
        list(answers.read(content, BLANK))


def test_file_is_the_messages_own() -> None:
    """The same for each repetition; another provider's message of that id is another."""
    one = Message(program="acme", provider="p1", kind="fulfil", id="m1", received_at=NOW, body={})
    again = msgspec.structs.replace(one, received_at="2026-11-23T00:00:00.000Z", body={"a": 1})
    other = msgspec.structs.replace(one, provider="p2")
    assert answers.key_of(one) == answers.key_of(again) != answers.key_of(other)
    assert answers.key_of(one).startswith("inbox/provider-acme-p1-")
