"""Payouts through PayPal, or whatever speaks its interface: ``/v1/payments/payouts``.

Each payout is a batch of one item, so that our reference is the ``sender_batch_id``, which the
provider takes once in 30 days. What became of it comes by webhook.

Source: https://developer.paypal.com/docs/api/payments.payouts-batch/v1/, /api/rest/authentication/.
"""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Any

import msgspec

from introducer import money
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.rails import reply
from introducer.rails.rail import Outcome, Payment, Provider, Request

_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_WHOLE_ONLY = frozenset({"HUF", "TWD"})
"""Currencies with decimals that the provider takes none of."""
_BATCH_FIELD = "SENDER_BATCH_ID"
_OVER = frozenset({"DENIED", "CANCELED"})


class PayPal:
    """The rail ``paypal``; see :class:`introducer.rails.rail.CallRail`."""

    most_minor = 6_000_000
    """60,000 in a currency of two digits: the provider's limit for one item in dollars."""
    remembers_hours = 24 * 30

    def check(self, payment: Payment) -> None:
        """Refuse what the provider would refuse.

        Raises:
            InvalidInputError: ``payee.provider_account`` is no address, or ``currency`` unknown.
        """
        account = payment.payee.provider_account if payment.payee else ""
        name, at, domain = account.partition("@")
        if not (name and at and "." in domain):
            raise InvalidInputError("payee.provider_account", "is an e-mail address")
        if payment.currency in _WHOLE_ONLY:
            raise InvalidInputError("currency", "the provider takes no decimals of it")
        money.exponent(payment.currency)

    def sign_in(self, provider: Provider) -> Request | None:
        """Return the call that trades a secret ``client:secret`` for a token; None for a token."""
        if ":" not in provider.secret:
            return None
        basic = base64.b64encode(provider.secret.encode()).decode()
        return Request(
            method="POST",
            url=f"{provider.url.rstrip('/')}/v1/oauth2/token",
            headers={
                "authorization": f"Basic {basic}",
                "content-type": "application/x-www-form-urlencoded",
            },
            body=b"grant_type=client_credentials",
        )

    def request(self, payment: Payment, provider: Provider, *, now: Instant) -> Request:  # noqa: ARG002
        """Return the payout of one item; the reference is the batch's name."""
        amount = money.decimal_text(payment.amount_minor, payment.currency)
        body = {
            "sender_batch_header": {
                "sender_batch_id": payment.reference,
                "email_subject": payment.text,
            },
            "items": [
                {
                    "recipient_type": "EMAIL",
                    "receiver": payment.payee.provider_account if payment.payee else "",
                    "amount": {"value": amount, "currency": payment.currency},
                    "note": payment.text,
                    "sender_item_id": payment.reference,
                }
            ],
        }
        return Request(
            method="POST",
            url=f"{provider.url.rstrip('/')}/v1/payments/payouts",
            headers={
                "authorization": f"Bearer {provider.secret}",
                "content-type": "application/json",
                "paypal-request-id": payment.reference,
            },
            body=msgspec.json.encode(body),
        )

    def outcome(self, status: int, body: bytes) -> Outcome:
        """Return what an answer means; a batch of that name that exists already is ours."""
        told = reply.read(body)
        if reply.is_success(status):
            return _made(told)
        if status not in _REFUSED:
            return Outcome(verdict="unknown")
        if _exists(told):
            return Outcome(verdict="accepted", provider_id=_linked(told))
        if not reply.text(told, "name"):
            return Outcome(verdict="unknown")
        return Outcome(verdict="refused", reason=reply.code(told, "name") or f"http_{status}")


def _made(told: dict[str, Any]) -> Outcome:
    header = reply.inner(told, "batch_header")
    name, status = reply.text(header, "payout_batch_id"), reply.text(header, "batch_status")
    if not name:
        return Outcome(verdict="unknown")
    if status in _OVER:
        return Outcome(verdict="refused", provider_id=name, reason=status.lower())
    # Even a batch that is done may hold an item that failed: the webhook says which.
    return Outcome(verdict="accepted", provider_id=name)


def _exists(told: dict[str, Any]) -> bool:
    details = told.get("details")
    fields = details if isinstance(details, list) else []
    return any(
        isinstance(each, dict)
        and reply.text(each, "field").upper().endswith(_BATCH_FIELD)
        and "exist" in reply.text(each, "issue").lower()
        for each in fields
    )


def _linked(told: dict[str, Any]) -> str:
    """Return the id at the end of the link to the batch that exists."""
    links = told.get("links")
    for each in links if isinstance(links, list) else []:
        if isinstance(each, dict) and "/payouts/" in reply.text(each, "href"):
            return reply.text(each, "href").rpartition("/")[2]
    return ""
