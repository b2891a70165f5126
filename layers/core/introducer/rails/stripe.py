"""Payouts through Stripe, or whatever speaks its interface: ``/v1/transfers``, ``/v1/payouts``.

An account of the provider's own (``acct_…``) is paid by a transfer, which is there at once; a
bank account or card (``ba_…``, ``card_…``) by a payout, whose end comes by webhook.

Source: https://docs.stripe.com/api/transfers, /payouts, /idempotent_requests, /currencies.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from introducer import money
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.rails import reply
from introducer.rails.rail import Outcome, Payment, Provider, Request

_ACCOUNT = "acct_"
_EXTERNAL = ("ba_", "card_")
_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
"""Currencies without decimals that the provider counts in hundredths all the same."""
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.PAYMENT_REQUIRED})
_ON_ITS_WAY = frozenset({"pending", "in_transit"})
_NOTHING_PAID = frozenset({"failed", "canceled"})


class Stripe:
    """The rail ``stripe``; see :class:`introducer.rails.rail.CallRail`."""

    most_minor = 99_999_999
    """Eight digits as the provider counts them, see :func:`amount_told`: its own limit."""
    remembers_hours = 24

    def check(self, payment: Payment) -> None:
        """Refuse what the provider would refuse.

        Raises:
            InvalidInputError: ``payee.provider_account`` or ``currency`` is none of its kind, or
                ``amount_minor`` is more than it takes at once.
        """
        account = payment.payee.provider_account if payment.payee else ""
        if not account.startswith((_ACCOUNT, *_EXTERNAL)):
            field = "payee.provider_account"
            raise InvalidInputError(field, "begins with acct_, ba_ or card_")
        money.exponent(payment.currency)
        if amount_told(payment.amount_minor, payment.currency) > self.most_minor:
            raise InvalidInputError("amount_minor", "more than the provider takes at once")

    def sign_in(self, provider: Provider) -> Request | None:  # noqa: ARG002  (the secret is sent)
        """Return None: the secret is the bearer's token."""
        return None

    def request(self, payment: Payment, provider: Provider, *, now: Instant) -> Request:  # noqa: ARG002
        """Return the transfer or payout; the reference is the idempotency key."""
        account = payment.payee.provider_account if payment.payee else ""
        fields = {
            "amount": str(amount_told(payment.amount_minor, payment.currency)),
            "currency": payment.currency.lower(),
            "destination": account,
            "description": payment.text,
            "metadata[reference]": payment.reference,
        }
        kind = "transfers" if account.startswith(_ACCOUNT) else "payouts"
        return Request(
            method="POST",
            url=f"{provider.url.rstrip('/')}/v1/{kind}",
            headers={
                "authorization": f"Bearer {provider.secret}",
                "content-type": "application/x-www-form-urlencoded",
                "idempotency-key": payment.reference,
            },
            body=urlencode(fields).encode(),
        )

    def outcome(self, status: int, body: bytes) -> Outcome:
        """Return what an answer means.

        A key that was used for another payment is ``unknown``: a person must look. So is a
        secret that is not accepted, since asking again is right once finance has changed it.
        """
        told = reply.read(body)
        if reply.is_success(status):
            return _made(told)
        error = reply.inner(told, "error")
        if status in _REFUSED and error and error.get("type") != "idempotency_error":
            reason = reply.code(error, "code") or reply.code(error, "type") or "refused"
            return Outcome(verdict="refused", reason=reason)
        return Outcome(verdict="unknown")


def amount_told(amount_minor: int, currency: str) -> int:
    """Return an amount of ours in the provider's minor units."""
    return amount_minor * 100 if currency in _IN_HUNDREDTHS else amount_minor


def amount_read(amount: int, currency: str) -> int:
    """Return an amount of the provider's in minor units as ISO 4217 counts them."""
    return amount // 100 if currency in _IN_HUNDREDTHS else amount


def _made(told: dict[str, Any]) -> Outcome:
    name, kind, status = (reply.text(told, key) for key in ("id", "object", "status"))
    if not name:
        return Outcome(verdict="unknown")
    if kind == "transfer" or status == "paid":
        return Outcome(verdict="paid", provider_id=name)
    if status in _NOTHING_PAID:
        reason = reply.code(told, "failure_code") or status
        return Outcome(verdict="refused", provider_id=name, reason=reason)
    if status in _ON_ITS_WAY:
        return Outcome(verdict="accepted", provider_id=name)
    return Outcome(verdict="unknown", provider_id=name)
