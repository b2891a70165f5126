"""What the ways of the money have in common: orders in, bytes or a call out.

A rail is a pure module-level object. A :class:`FileRail` turns a whole order into the bytes
of one file; a :class:`CallRail` turns one payment into one HTTP request and reads the answer.
:func:`introducer.rails.registry.file_rail` and ``call_rail`` find them by method.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.tables.people import Payee


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment as a rail is told.

    Attributes:
        reference: 1 to 15 characters A-Z 0-9; the bank or provider echoes it. It is also
            the idempotency key of a call.
        holder: Whom it is for, as the books name them.
        amount_minor: Positive, in minor units of *currency*, which is what is sent.
        payee: The account; None on the ways that need none.
        text: What the payee reads.
    """

    reference: str
    holder: str
    amount_minor: int
    currency: str
    payee: Payee | None = None
    text: str = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one file says: a function of the stored batch.

    Attributes:
        batch: Its id, 20 characters.
        created_at: When the batch was submitted.
        requested_date: The day the bank is to pay, ``YYYY-MM-DD``.
        currency: Of every payment.
        rule: The payout rule of the program's version that the batch is bound to.
        payments: In the order they are written.
    """

    batch: str
    created_at: Instant
    requested_date: str
    currency: str
    rule: PayoutRule
    payments: tuple[Payment, ...]


class FileRail(Protocol):
    """A way on which one file carries a whole batch."""

    extension: str
    """Of the file's name, without a dot."""
    media: str
    """Its media type."""
    most_minor: int
    """No single payment may carry more, in minor units of the file's currency."""

    def check(self, order: Order) -> None:
        """Refuse what the receiver would refuse, while nothing has been sent.

        Raises:
            InvalidInputError: With the path of the first value that cannot be sent.
        """

    def write(self, order: Order) -> bytes:
        """Return *order* as the bytes of the file: the same bytes for the same order.

        Raises:
            InvalidInputError: As :meth:`check`.
        """

    def amounts_in(self, content: bytes, currency: str) -> dict[str, int]:
        """Return the amount by reference that a file of our own orders in *currency*."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request to be sent; ``headers`` hold no secret that is logged."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer means for the money.

    Attributes:
        verdict: ``accepted`` (in transit), ``paid``, ``refused`` (nothing was or will be paid),
            or ``unknown``: ask again, with the same idempotency key.
        provider_id: What the provider calls the payment.
        reason: Its code for a refusal.
        fee_minor: What the provider charges the program for it, where it says so.
    """

    verdict: Literal["accepted", "paid", "refused", "unknown"]
    provider_id: str = ""
    reason: str = ""
    fee_minor: int = 0
    fee_currency: str = ""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A configured provider of a program: where it is, and the secrets, decrypted."""

    program: str
    name: str
    kind: str
    url: str
    secret: str
    webhook_secret: str = ""


class CallRail(Protocol):
    """A way on which every payment is a call of its own."""

    most_minor: int
    remembers_hours: int
    """For how long the provider knows an idempotency key again: afterwards the same call might
    pay a second time, so it is not made."""

    def sign_in(self, provider: Provider) -> Request | None:
        """Return the call whose answer's ``access_token`` is sent instead of the secret.

        None where the secret itself is sent.
        """

    def check(self, payment: Payment) -> None:
        """Refuse what the provider would refuse.

        Raises:
            InvalidInputError: With the path of the first value that cannot be sent.
        """

    def request(self, payment: Payment, provider: Provider, *, now: Instant) -> Request:
        """Return the call that orders *payment*: the same idempotency key every time."""

    def outcome(self, status: int, body: bytes) -> Outcome:
        """Return what an answer with *status* and *body* means."""
