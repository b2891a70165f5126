"""Adjustments: what a person wants booked by hand, and a second person allows.

::

    proposed → approved      another person than the proposer; books the journal, once
        ├────► rejected      another person
        └────► withdrawn     the proposer

An adjustment credits or debits a holder, opens a balance that another system left, or writes
a debt off. Whatever was booked stays; a mistake is put right by another adjustment.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.chart import Kind
from introducer.clock import Instant
from introducer.errors import ForbiddenError, TransitionError
from introducer.event import Event
from introducer.ledger import Balance, Posting

AdjustmentKind = Literal["credit", "debit", "opening", "write_off"]
Status = Literal["proposed", "approved", "rejected", "withdrawn"]

_BOOKS: dict[AdjustmentKind, Kind] = {
    "credit": Kind.CREDIT_ADJUSTED,
    "debit": Kind.DEBIT_ADJUSTED,
    "opening": Kind.BALANCE_OPENED,
    "write_off": Kind.RECEIVABLE_WRITTEN_OFF,
}
_EVENTS: dict[Status, str] = {
    "proposed": "AdjustmentProposed",
    "approved": "AdjustmentApproved",
    "rejected": "AdjustmentRejected",
    "withdrawn": "AdjustmentWithdrawn",
}


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One amount to be booked by hand.

    Attributes:
        holder: Whose account: a partner's id, ``rep.…``, ``customer.…`` or ``org.…``.
        amount_minor: Above zero, minor units of ``currency``; the kind gives the direction.
        reason: Why, in words that the holder reads on the statement; it names nobody.
        accounting_class: What it counts as in the general ledger; empty for none.
        decided_by: Who approved, rejected or withdrew it.
    """

    id: str
    program: str
    holder: str
    kind: AdjustmentKind
    currency: str
    amount_minor: int
    reason: str
    status: Status
    version: int
    proposed_by: str
    created_at: Instant
    accounting_class: str = ""
    decided_by: str = ""
    decided_at: Instant = ""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"ADJUSTMENT#{self.id}"

    @property
    def journal(self) -> str:
        """Return the id of the journal that books it."""
        return f"adjustment:{self.id}"


def approve(before: Adjustment, *, actor: str, now: Instant) -> tuple[Adjustment, Event]:
    """Return *before* approved, and the event.

    Raises:
        ForbiddenError: *actor* is who proposed it.
        TransitionError: It was decided already.
    """
    if actor == before.proposed_by:
        message = "an adjustment is approved by another person than the one who proposed it"
        raise ForbiddenError(message, adjustment=before.id)
    return _decided(before, "approved", actor, now)


def reject(before: Adjustment, *, actor: str, now: Instant) -> tuple[Adjustment, Event]:
    """Return *before* rejected, or withdrawn by the one who proposed it, and the event.

    Raises:
        TransitionError: It was decided already.
    """
    own = actor == before.proposed_by
    return _decided(before, "withdrawn" if own else "rejected", actor, now)


def posting(approved: Adjustment) -> Posting:
    """Return what an approved adjustment books; its id is derived from it, so it is booked once."""
    refs = {"adjustment": approved.id}
    if approved.accounting_class:
        refs["class"] = approved.accounting_class
    return Posting(
        id=approved.journal,
        kind=_BOOKS[approved.kind],
        program=approved.program,
        partner=approved.holder,
        currency=approved.currency,
        amount_minor=approved.amount_minor,
        at=approved.decided_at,
        refs=refs,
        reason=approved.reason,
    )


def require_bookable(adjustment: Adjustment, balance: Balance) -> None:
    """Refuse what the books would not take, before they are asked.

    Raises:
        TransitionError: More is to be written off than is owed, or the account is another
            program's.
    """
    if balance.program not in {"", adjustment.program}:
        message = "the account belongs to another program"
        raise TransitionError(message, holder=adjustment.holder)
    if adjustment.kind == "write_off" and adjustment.amount_minor > -balance.receivable:
        message = "no more is written off than is owed"
        raise TransitionError(message, owed_minor=-balance.receivable)


def event(of: Adjustment) -> Event:
    """Return the event that brought an adjustment to where it is; its reason is not in it."""
    return Event(
        type=_EVENTS[of.status],
        entity=of.entity,
        seq=of.version,
        program=of.program,
        at=of.decided_at or of.created_at,
        actor=of.decided_by or of.proposed_by,
        data={
            "holder": of.holder,
            "kind": of.kind,
            "currency": of.currency,
            "amount_minor": of.amount_minor,
            "status": of.status,
        },
    )


def _decided(
    before: Adjustment, status: Status, actor: str, now: Instant
) -> tuple[Adjustment, Event]:
    if before.status != "proposed":
        message = f"an adjustment that is {before.status} cannot become {status}"
        raise TransitionError(message, adjustment=before.id, status=before.status)
    after = msgspec.structs.replace(
        before, status=status, version=before.version + 1, decided_by=actor, decided_at=now
    )
    return after, event(after)
