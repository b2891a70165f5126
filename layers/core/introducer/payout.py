"""Payouts and the batches they travel in: two small state machines.

A payout is one payment to one partner; every move of it that moves money is a journal.
A batch is one file to one bank; its moves are events of their own::

    payout  created → in_transit → paid → returned        skipped (nothing was reserved)
               └► cancelled └────────────►┘
    batch   created → awaiting_approval → approved → submitted → in_transit → settled
               └───────────┴────► cancelled ◄──┘
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer import ids
from introducer.clock import Instant
from introducer.errors import ForbiddenError, TransitionError
from introducer.event import Event
from introducer.ledger import WITHHOLDING, Kind, Posting

PayoutStatus = Literal["created", "in_transit", "paid", "returned", "cancelled", "skipped"]
BatchStatus = Literal[
    "created",
    "awaiting_approval",
    "approved",
    "submitted",
    "in_transit",
    "settled",
    "cancelled",
]

OPEN = frozenset({"created", "awaiting_approval", "approved"})
"""Statuses of a batch of which no money has left."""
DONE = frozenset({"paid", "returned", "cancelled", "skipped"})
"""Statuses of a payout that the bank has answered or never heard of."""

_PAYOUT_MOVES: dict[PayoutStatus, tuple[frozenset[str], Kind, str]] = {
    # to: (from, the journal that tells of it, the fact in the journal's id)
    "in_transit": (frozenset({"created"}), Kind.PAYOUT_SUBMITTED, "submitted"),
    "paid": (frozenset({"in_transit"}), Kind.PAYOUT_PAID, "paid"),
    "returned": (frozenset({"in_transit", "paid"}), Kind.PAYOUT_RETURNED, "returned"),
    "cancelled": (frozenset({"created"}), Kind.PAYOUT_CANCELLED, "cancelled"),
}
_BATCH_MOVES: dict[BatchStatus, tuple[frozenset[str], str]] = {
    # to: (from, the type of the event)
    "awaiting_approval": (frozenset({"created"}), "BatchApprovalRequested"),
    "approved": (frozenset({"created", "awaiting_approval"}), "BatchApproved"),
    "submitted": (frozenset({"approved"}), "BatchSubmitted"),
    "in_transit": (frozenset({"submitted"}), "BatchSent"),
    "settled": (frozenset({"in_transit"}), "BatchSettled"),
    "cancelled": (OPEN, "BatchCancelled"),
}


class Payout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One payment to one partner.

    Attributes:
        reference: What the bank echoes; derived from batch and partner.
        partner: The holder whose money it is.
        amount_minor: What is paid, in the books' currency.
        withheld_minor: What was kept back for a tax office; it left ``payable`` too.
        sent_minor: What is sent, in ``sent_currency``, where that is not the books' currency;
            at ``rate``, decimal text, which ``rate_source`` told ``rate_at``.
        provider_id: What a provider calls it, once it answered.
        provider: Which configured provider was asked; nobody else can answer for it.
        provider_account: Which of that provider's accounts may have paid it already, as
            :class:`introducer.tables.providers.Payer` counts them; 0 when none can have.
        asked_at: When it was asked first: it knows our reference again for a while only.
        attempts: How often a provider was asked.
        next_at: When it is asked next; empty while nothing is to be asked.
        reason: Why it was skipped, cancelled or returned.
        booked_on: The bank's day of the debit.
        returned_on: The bank's day of the money coming back.
    """

    reference: str
    batch: str
    program: str
    partner: str
    currency: str
    amount_minor: int
    status: PayoutStatus
    version: int
    created_at: Instant
    updated_at: Instant
    reason: str = ""
    booked_on: str = ""
    returned_on: str = ""
    withheld_minor: int = 0
    sent_minor: int = 0
    sent_currency: str = ""
    rate: str = ""
    rate_source: str = ""
    rate_at: Instant = ""
    provider_id: str = ""
    provider: str = ""
    provider_account: int = 0
    asked_at: Instant = ""
    attempts: int = 0
    next_at: Instant = ""

    @property
    def gross_minor(self) -> int:
        """Return what left ``payable`` for it."""
        return self.amount_minor + self.withheld_minor

    @property
    def ordered(self) -> tuple[int, str]:
        """Return what the bank or provider is told to send: minor units and currency."""
        if self.sent_currency:
            return self.sent_minor, self.sent_currency
        return self.amount_minor, self.currency


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All payouts of one program, currency and method in one run.

    Attributes:
        program_version: Whose debtor, threshold and limit count.
        run: 1, or one more than the runs of the period that were closed before.
        started_by: Who started it: ``schedule`` or ``user:…``.
        count: Payouts in it when it was closed; ``total_minor`` their sum.
        skipped: Partners of the list who were left out, each with a reason.
        file: Key of the payment file; ``file_count`` and ``file_total_minor`` are what it orders.
    """

    id: str
    program: str
    program_version: int
    region: str
    currency: str
    method: str
    period: str
    run: int
    status: BatchStatus
    version: int
    started_by: str
    created_at: Instant
    updated_at: Instant
    partners: int = 0
    count: int = 0
    total_minor: int = 0
    skipped: int = 0
    approved_by: str = ""
    submitted_at: Instant = ""
    file: str = ""
    file_count: int = 0
    file_total_minor: int = 0
    reason: str = ""
    sent_currency: str = ""
    """What is sent, where it is not the books' currency."""
    findings: dict[str, int] = {}
    """What a person should know before they approve it, by code: how many, or how much."""
    rate: str = ""
    """What every payout of it is exchanged at, which ``rate_source`` told ``rate_at``."""
    rate_source: str = ""
    rate_at: Instant = ""
    preparers: list[str] = []
    """Who had a hand in it besides who started it: they may not approve it."""
    excluded: int = 0
    """Payouts that people took out of it."""
    cancelled_by: str = ""
    """The person who gave it up; empty when nobody did."""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"BATCH#{self.id}"


def batch_id(
    *, program: str, region: str, currency: str, method: str, period: str, run: int
) -> str:
    """Return the id of a batch: 20 characters, also the name of its execution and file."""
    return ids.derived_id("batch", program, region, currency, method, period, str(run))


def reference(batch: str, partner: str) -> str:
    """Return the payment reference of *partner* in *batch*."""
    return ids.bank_reference(batch, partner)


def created(batch: Batch, partner: str, amount_minor: int, now: Instant) -> Payout:
    """Return the new payout of *amount_minor* to *partner*."""
    return Payout(
        reference=reference(batch.id, partner),
        batch=batch.id,
        program=batch.program,
        partner=partner,
        currency=batch.currency,
        amount_minor=amount_minor,
        status="created",
        version=1,
        created_at=now,
        updated_at=now,
    )


def skipped(batch: Batch, partner: str, reason: str, now: Instant) -> Payout:
    """Return the note that *partner* gets nothing in this batch.

    It takes the reference, so that no late attempt can still reserve money for a batch
    that is closed.
    """
    base = created(batch, partner, 0, now)
    return msgspec.structs.replace(base, status="skipped", reason=reason)


def opening(payout: Payout) -> Posting:
    """Return what a new payout books: payable becomes reserved."""
    return _posting(payout, Kind.PAYOUT_CREATED, "created", at=payout.created_at, source="")


def move(
    payout: Payout,
    status: PayoutStatus,
    *,
    now: Instant,
    at: Instant = "",
    reason: str = "",
    booking: str = "",
) -> tuple[Payout, Posting]:
    """Return *payout* in its new *status*, and what that books.

    Args:
        payout: As it was read.
        status: Where it goes.
        now: The present instant.
        at: When it happened, by the bank's day; *now* when empty.
        reason: Why it was returned or cancelled.
        booking: Key of the bank's booking that says so.

    Raises:
        TransitionError: Its present status does not allow it.
    """
    sources, kind, fact = _PAYOUT_MOVES[status]
    if payout.status not in sources:
        message = f"a payout that is {payout.status} cannot become {status}"
        raise TransitionError(message, status=payout.status, reference=payout.reference)
    changes: dict[str, object] = {"next_at": ""}
    if reason:
        changes["reason"] = reason
    if at and status in {"paid", "returned"}:
        changes["booked_on" if status == "paid" else "returned_on"] = at[:10]
    after = msgspec.structs.replace(
        payout, status=status, version=payout.version + 1, updated_at=now, **changes
    )
    source = payout.status if status == "returned" else ""
    posting = _posting(
        after, kind, fact, at=at or now, source=source, reason=reason, booking=booking
    )
    return after, posting


def under_way(batch: Batch) -> bool:
    """Return whether its state machine has work to do: to send it, or to give its money back."""
    return batch.status not in {"in_transit", "settled"}


def prepared(batch: Batch) -> Event:
    """Return the first event of a batch."""
    return _event(batch, "BatchPrepared", batch.started_by)


def move_batch(
    batch: Batch, status: BatchStatus, *, now: Instant, actor: str, **changes: object
) -> tuple[Batch, Event]:
    """Return *batch* in its new *status* with *changes*, and the event that tells of it.

    Raises:
        TransitionError: Its present status does not allow it.
    """
    sources, kind = _BATCH_MOVES[status]
    if batch.status not in sources:
        message = f"a batch that is {batch.status} cannot become {status}"
        raise TransitionError(message, status=batch.status, batch=batch.id)
    after = msgspec.structs.replace(
        batch, status=status, version=batch.version + 1, updated_at=now, **changes
    )
    return after, _event(after, kind, actor)


def approve(batch: Batch, *, approver: str, now: Instant) -> tuple[Batch, Event]:
    """Return *batch* approved by a second person, and the event.

    Raises:
        ForbiddenError: The approver is who started it, or took somebody out of it.
        TransitionError: It does not wait for approval.
    """
    if approver in {batch.started_by, *batch.preparers}:
        message = "a batch is approved by another person than those who prepared it"
        raise ForbiddenError(message, batch=batch.id)
    if batch.status != "awaiting_approval":
        message = f"a batch that is {batch.status} does not wait for approval"
        raise TransitionError(message, status=batch.status, batch=batch.id)
    return move_batch(batch, "approved", now=now, actor=approver, approved_by=approver)


def exclude(
    batch: Batch, taken: Payout, *, reason: str, actor: str, now: Instant
) -> tuple[Batch, Event]:
    """Return *batch* without the payout *taken*, which is still in it, and the event.

    Raises:
        ForbiddenError: The actor approved it: nobody approves what they prepared.
        TransitionError: It was submitted or cancelled.
    """
    if batch.status not in OPEN:
        message = f"nobody is taken out of a batch that is {batch.status}"
        raise TransitionError(message, status=batch.status, batch=batch.id)
    if actor == batch.approved_by:
        message = "another person than the one who approved the batch changes it"
        raise ForbiddenError(message, batch=batch.id)
    sums: dict[str, int] = {}
    if batch.status != "created":  # until it is closed nobody has counted
        sums = {
            "count": batch.count - 1,
            "total_minor": batch.total_minor - taken.amount_minor,
        }
    after = msgspec.structs.replace(
        batch,
        version=batch.version + 1,
        updated_at=now,
        preparers=[*dict.fromkeys([*batch.preparers, actor])],
        excluded=batch.excluded + 1,
        **sums,
    )
    return after, _event(after, "BatchPayoutExcluded", actor, payout=taken.reference, reason=reason)


def exchanged(payout: Payout, batch: Batch, sent_minor: int) -> Payout:
    """Return *payout* as *sent_minor* of what *batch* sends, at the rate of all its payouts."""
    return msgspec.structs.replace(
        payout,
        sent_minor=sent_minor,
        sent_currency=batch.sent_currency,
        rate=batch.rate,
        rate_source=batch.rate_source,
        rate_at=batch.rate_at,
    )


def _event(batch: Batch, kind: str, actor: str, **more: str) -> Event:
    told = {"reason": batch.reason} if batch.status == "cancelled" else {}
    return Event(
        type=kind,
        entity=batch.entity,
        seq=batch.version,
        program=batch.program,
        at=batch.updated_at,
        actor=actor,
        data={
            "currency": batch.currency,
            "count": batch.count,
            "total_minor": batch.total_minor,
            "status": batch.status,
            **told,
            **more,
        },
    )


def _posting(
    payout: Payout,
    kind: Kind,
    fact: str,
    *,
    at: Instant,
    source: str,
    reason: str = "",
    booking: str = "",
) -> Posting:
    refs = {"payout": payout.reference, "batch": payout.batch}
    if booking:
        refs["booking"] = booking
    withheld = payout.withheld_minor if kind in WITHHOLDING else 0
    return Posting(
        id=f"payout:{payout.reference}:{fact}",
        kind=kind,
        program=payout.program,
        partner=payout.partner,
        currency=payout.currency,
        amount_minor=payout.amount_minor + withheld,
        at=at,
        refs=refs,
        source=source,
        reason=reason,
        withheld_minor=withheld,
    )
