"""What providers tell us by signed messages, as statements about payouts.

A message is kept as a file of the inbox, :class:`Message`, by the function that checked its
signature. Three dialects: Stripe's events, PayPal's webhooks, and the acknowledgements of a
program's own system (``fulfil``), which are ours::

    {"type": "payout.fulfilled" | "payout.failed" | "payout.returned",
     "data": {"reference": "P…", "amount_minor": 500, "unit": "PTS", "id": "", "reason": ""}}

Every fact has a key of its reference and what happened, whichever message or call tells it, so
it counts once. A program's provider speaks of what it was asked for and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from introducer import clock, ids, money
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.rails import reply, stripe
from introducer.settlement import Booking

PREFIX = "inbox/provider-"
"""How the keys of such files begin."""

_STRIPE = {
    "transfer.created": "paid",
    "payout.paid": "paid",
    "payout.failed": "returned",
    "payout.canceled": "returned",
}
_PAYPAL = {
    "SUCCEEDED": "paid",
    **dict.fromkeys(
        ["FAILED", "RETURNED", "BLOCKED", "CANCELED", "DENIED", "REFUNDED"], "returned"
    ),
}
_HEAD = b'{"type":"provider_message",'
_PAYPAL_ITEM = "PAYMENT.PAYOUTS-ITEM."
_FULFIL = {
    "payout.fulfilled": "paid",
    "payout.failed": "returned",
    "payout.returned": "returned",
}


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="provider_message"):
    """A signed message as it lies in the inbox.

    Attributes:
        program: Whose provider sent it.
        provider: Its name there; ``kind`` is its dialect.
        id: The sender's id of the message.
        received_at: When it came first.
        body: What it said.
    """

    program: str
    provider: str
    kind: str
    id: str
    received_at: Instant
    body: dict[str, Any]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says in our words; ``fact`` is ``paid``, ``returned`` or ``unclear``."""

    fact: str
    reference: str
    amount_minor: int
    currency: str
    on: str
    reason: str = ""
    fee_minor: int = 0
    fee_currency: str = ""


def key_of(message: Message) -> str:
    """Return the key of the file that keeps *message*: the same for each of its repetitions."""
    name = ids.derived_id("message", message.program, message.provider, message.id)
    return f"{PREFIX}{message.program}-{message.provider}-{name}.json"


def booking_key(program: str, provider: str, reference: str, fact: str) -> str:
    """Return the key of the statement that *fact* happened to a payout."""
    return ids.derived_id("answer", program, provider, reference, fact)


def fits(content: bytes) -> bool:
    """Return whether *content* begins like a kept message."""
    return content.startswith(_HEAD)


def read(content: bytes, blank: Booking) -> Iterator[Booking]:
    """Yield the statements of a kept message: one, or none where it concerns no payout.

    Args:
        content: The file.
        blank: The statement with what does not come from the file's content.

    Raises:
        InvalidInputError: The file is no message of ours.
    """
    try:
        message = msgspec.json.decode(content, type=Message)
        dialect = _DIALECTS[message.kind]
    except (msgspec.DecodeError, KeyError) as failure:
        raise InvalidInputError("file", "this is no message of a provider") from failure
    told = dialect(message)
    if told is None:
        return
    unclear = told.fact == "unclear"
    # Without our reference it is told apart by the message alone.
    name = told.reference or message.id
    yield msgspec.structs.replace(
        blank,
        key=booking_key(message.program, message.provider, name, told.fact),
        fact="noted" if unclear else told.fact,
        kind=message.kind,
        # No payout is so large, and no table holds any number whatever.
        amount_minor=told.amount_minor if abs(told.amount_minor) <= money.MAX_MINOR else 0,
        currency=told.currency,
        direction="debit" if told.fact == "paid" else "credit",
        booked_on=told.on,
        reference=told.reference,
        reason=told.reason,
        program=message.program,
        provider=message.provider,
        fee_minor=told.fee_minor,
        fee_currency=told.fee_currency if told.fee_minor else "",
        problem="unknown_status" if unclear else "",
    )


def _stripe(message: Message) -> Told | None:
    kind, about = reply.text(message.body, "type"), reply.inner(message.body, "data", "object")
    currency = reply.text(about, "currency").upper()
    amount = reply.whole(about, "amount")
    fact = _STRIPE.get(kind, "")
    if kind == "transfer.reversed":
        # A part that came back moves nothing by itself: a person decides what it means.
        fact = "returned" if reply.whole(about, "amount_reversed") == amount else "unclear"
    if not fact:
        return None
    created = reply.whole(message.body, "created")
    at = datetime.fromtimestamp(created, UTC).date().isoformat() if created else ""
    return Told(
        fact=fact,
        reference=reply.text(reply.inner(about, "metadata"), "reference"),
        amount_minor=stripe.amount_read(amount, currency),
        currency=currency,
        on=at or clock.day(message.received_at),
        reason=reply.code(about, "failure_code") or (kind if fact != "paid" else ""),
    )


def _paypal(message: Message) -> Told | None:
    kind = reply.text(message.body, "event_type")
    fact = _PAYPAL.get(kind.removeprefix(_PAYPAL_ITEM), "")
    if not fact or not kind.startswith(_PAYPAL_ITEM):
        return None
    item = reply.inner(message.body, "resource", "payout_item")
    amount = reply.inner(item, "amount")
    currency = reply.text(amount, "currency").upper()
    errors = reply.inner(message.body, "resource", "errors")
    fee = reply.inner(message.body, "resource", "payout_item_fee")
    fee_currency = reply.text(fee, "currency").upper()
    fee_minor = max(0, _minor(reply.text(fee, "value"), fee_currency)) if fact == "paid" else 0
    return Told(
        fact=fact,
        reference=reply.text(item, "sender_item_id"),
        amount_minor=_minor(reply.text(amount, "value"), currency),
        currency=currency,
        on=_day(reply.text(message.body, "create_time")) or clock.day(message.received_at),
        reason=reply.code(errors, "name") or (kind if fact != "paid" else ""),
        fee_minor=fee_minor,
        fee_currency=fee_currency,
    )


def _fulfil(message: Message) -> Told | None:
    kind, data = reply.text(message.body, "type"), reply.inner(message.body, "data")
    fact = _FULFIL.get(kind, "")
    if not fact:
        return None
    return Told(
        fact=fact,
        reference=reply.text(data, "reference"),
        amount_minor=reply.whole(data, "amount_minor"),
        currency=reply.text(data, "unit"),
        on=clock.day(message.received_at),
        reason=reply.code(data, "reason") or (kind if fact != "paid" else ""),
    )


_DIALECTS: dict[str, Callable[[Message], Told | None]] = {
    "stripe": _stripe,
    "paypal": _paypal,
    "fulfil": _fulfil,
}


def _minor(value: str, currency: str) -> int:
    """Return a decimal text in minor units; 0, which matches no payout, when it is none."""
    try:
        exact = Decimal(value).scaleb(money.exponent(currency))
        return int(exact) if abs(exact) <= money.MAX_MINOR and exact == int(exact) else 0
    except (InvalidOperation, InvalidInputError, ValueError, OverflowError):
        return 0


def _day(text: str) -> str:
    try:
        return clock.day(clock.parse(text))
    except ValueError:
        return ""
