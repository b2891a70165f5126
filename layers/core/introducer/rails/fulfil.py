"""Gift cards, points and account credit: the program's own system is asked to hand them out.

A signed message (Standard Webhooks, standardwebhooks.com) goes to the program's endpoint; its id
is our reference, and the receiver must do each id once, for ever. It answers 2xx, with
``{"status": "fulfilled"}`` when it is done already; otherwise it acknowledges by a signed
message of its own, see :mod:`introducer.rails.answers`.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from standardwebhooks import Webhook

from introducer import clock, money
from introducer.clock import Instant
from introducer.rails import reply
from introducer.rails.rail import Outcome, Payment, Provider, Request

_FINAL = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY})
"""What a receiver says that will never hand it out: the request is bad, the holder is gone."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the program's system is asked to hand out.

    ``type`` is the rule's method. ``amount_minor`` is in minor units of ``unit``: ``PTS`` are
    whole points, ``EUR.credit`` is credit counted in cents. ``id`` and ``reference`` are the
    same, and never used again.
    """

    id: str
    program: str
    holder: str
    type: str
    amount_minor: int
    unit: str
    reference: str


class Fulfilment:
    """The rails ``gift_card``, ``points`` and ``credit``; see :class:`CallRail`."""

    most_minor = money.MAX_MINOR
    remembers_hours = 24 * 365
    """The receiver promises for ever; whoever has heard nothing for a year asks a person."""

    def __init__(self, method: str) -> None:
        self._method: str = method

    def check(self, payment: Payment) -> None:
        """Refuse nothing: whom the program knows is for its own system to say."""

    def sign_in(self, provider: Provider) -> Request | None:  # noqa: ARG002  (messages are signed)
        """Return None: messages are signed, nobody signs in."""
        return None

    def request(self, payment: Payment, provider: Provider, *, now: Instant) -> Request:
        """Return the signed order; the message's id is the reference."""
        order = Order(
            id=payment.reference,
            program=provider.program,
            holder=payment.holder,
            type=self._method,
            amount_minor=payment.amount_minor,
            unit=payment.currency,
            reference=payment.reference,
        )
        body = msgspec.json.encode(order)
        moment = clock.moment(now)
        signature = Webhook(provider.secret).sign(payment.reference, moment, body.decode())
        return Request(
            method="POST",
            url=provider.url,
            headers={
                "content-type": "application/json",
                "webhook-id": payment.reference,
                "webhook-timestamp": str(clock.epoch_s(now)),
                "webhook-signature": signature,
            },
            body=body,
        )

    def outcome(self, status: int, body: bytes) -> Outcome:
        """Return what an answer means.

        400, 410 and 422 are final. Every other refusal may pass, so the same message is sent
        again: a wrong signature or address is the program's to mend.
        """
        told = reply.read(body)
        name = reply.text(told, "id")
        if reply.is_success(status):
            done = reply.text(told, "status") == "fulfilled"
            return Outcome(verdict="paid" if done else "accepted", provider_id=name)
        if status in _FINAL:
            reason = reply.code(told, "code") or f"http_{status}"
            return Outcome(verdict="refused", provider_id=name, reason=reason)
        return Outcome(verdict="unknown")
