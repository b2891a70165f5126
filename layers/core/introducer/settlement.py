"""What a bank, a provider or a payroll office said, and what it means for a payout.

A :class:`Booking` is one thing somebody said. :func:`judge` compares it with the payout it
names: an amount is compared in the currency that was sent, to the minor unit. Only where the
bank booked in the books' own currency what was sent in another one may the two differ, by
:data:`TOLERANCE_BASIS_POINTS`; the difference is what the exchange cost. What banks keep of a
returned payment is a fee: the program bears both, never the payee.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.event import Event
from introducer.ledger import Kind, Posting
from introducer.money import BASIS_POINTS
from introducer.partner import Partner
from introducer.payout import Batch, Payout, PayoutStatus

Fact = Literal["paid", "returned", "rejected", "noted", "fee"]

STATUS_OF: dict[str, PayoutStatus] = {
    "paid": "paid",
    "returned": "returned",
    "rejected": "returned",
}
"""What a payout becomes when the fact is told of it; the other facts move nothing."""

TOLERANCE_BASIS_POINTS = 500
"""How far the rate a bank used may be from ours before a person must look."""

PAYEE_REASONS = frozenset(
    {
        # ISO 20022 external return and status reasons: the creditor's account or bank.
        *("AC01", "AC03", "AC04", "AC06", "AC07", "AC13", "AC14", "AG01", "BE01", "BE04", "BE06"),
        *("BE07", "CNOR", "MD07", "RC01", "RC04", "RC07", "RC10", "RR02", "RR03"),
        # Nacha: closed, no account, invalid number, branch sold, routing, deceased, frozen,
        # entry fields, non-transaction account, refused by the receiver.
        *("R02", "R03", "R04", "R12", "R13", "R14", "R15", "R16", "R17", "R20", "R23"),
        # Stripe and PayPal.
        *("account_closed", "account_frozen", "bank_account_restricted", "incorrect_account_type"),
        *("incorrect_account_holder_name", "invalid_account_number", "no_account"),
        *("RECEIVER_UNREGISTERED", "RECEIVER_ACCOUNT_LOCKED", "RECEIVER_ACCOUNT_INVALID"),
    }
)
"""Codes that say that the payee's account cannot be paid, now or ever. Others, such as too little
money on ours, are no reason for the payee to do anything."""


class Booking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was said, and what became of it.

    Attributes:
        key: The same for the same statement in every file that repeats it.
        fact: ``paid``, ``returned``, ``rejected``, ``noted`` (moves nothing) or ``fee``.
        status: ``matched``; ``unmatched`` while ``problem`` says why; ``dismissed`` by a person.
        kind: What told it, such as ``camt.054`` or the provider's name.
        amount_minor: What went to the payee or came back of it, without ``fee_minor``.
        fee_minor: What the bank or provider took on top of a payment or out of a return.
        exchange_minor: What the exchange cost, below zero for a gain; in the books' currency.
        instructed_minor: What had been ordered, in ``instructed_currency``, if it was repeated.
        same_as: The statement of another kind that said so first.
        told_by: The kinds that said the same later, each followed by a comma.
        program: Whose, as far as it is known.
        provider: Which provider of the program told it by a signed message: it speaks of what
            it was asked for and nothing else. Empty for banks, whose files nobody else writes.
        resolution: Why a person decided, who and when: ``resolved_by``, ``resolved_at``.
        stated_reference: What ``reference`` was before a person matched it; so ``stated_batch``.
    """

    key: str
    fact: str
    status: Literal["matched", "unmatched", "dismissed"]
    at: Instant
    file: str
    amount_minor: int = 0
    currency: str = ""
    direction: str = ""
    booked_on: str = ""
    reference: str = ""
    batch: str = ""
    reason: str = ""
    problem: str = ""
    kind: str = ""
    program: str = ""
    provider: str = ""
    fee_minor: int = 0
    fee_currency: str = ""
    exchange_minor: int = 0
    instructed_minor: int = 0
    instructed_currency: str = ""
    same_as: str = ""
    told_by: str = ""
    resolution: str = ""
    resolved_by: str = ""
    resolved_at: Instant = ""
    stated_reference: str = ""
    stated_batch: str = ""


def judge(found: Payout | None, booking: Booking) -> Booking:
    """Return *booking* as it would be matched with *found*, or with the problem that forbids it."""
    if found is None or not may_speak_of(booking, found):
        return msgspec.structs.replace(booking, problem="unknown_reference")
    known = msgspec.structs.replace(booking, batch=found.batch, program=found.program, problem="")
    if booking.fact != "rejected":  # a refusal names no amount
        known = compared(known, found.ordered, (found.amount_minor, found.currency))
    if known.problem or is_late_debit(found, booking):
        return known
    allowed = {"in_transit", "paid"} if booking.fact == "returned" else {"in_transit"}
    if found.status in allowed:
        return known
    return msgspec.structs.replace(known, problem=f"payout_is_{found.status}")


def may_speak_of(booking: Booking, found: Payout) -> bool:
    """Return whether who told *booking* may: a provider of what it was asked for and no more."""
    asked = (found.program, found.provider)
    return not booking.provider or asked == (booking.program, booking.provider)


def stated(booking: Booking) -> tuple[str, str]:
    """Return the reference and the batch that were told, whatever a person made of them."""
    if booking.resolved_by:
        return booking.stated_reference, booking.stated_batch
    return booking.reference, booking.batch


def unmatchable(
    booking: Booking, own: Payout | None, batch: Batch | None, found: Payout | None, chosen: str
) -> str:
    """Return why a person may not say that *booking* is about something else, empty if they may.

    One person decides alone. So a statement that names something of ours stays with it, and one
    that gives money back without naming anything can give back nothing that is under way.

    Args:
        booking: As it was told.
        own: The payout it named.
        batch: The batch it named.
        found: The payout it is to be about; None for a whole batch.
        chosen: The batch of that payout, or that batch.
    """
    if own is not None:
        same = found is not None and found.reference == own.reference
        return "" if same else "names_another_payout"
    if booking.fact == "rejected" or (booking.fact == "returned" and not booking.currency):
        return "names_no_payout"
    if batch is not None:
        return "" if chosen == batch.id else "names_another_batch"
    if booking.fact == "returned" and (found is None or found.status == "in_transit"):
        return "names_no_payout"
    return ""


def divisible(booking: Booking, fee_minor: int) -> bool:
    """Return whether a part *fee_minor* of what *booking* says moved can be the bank's charge."""
    return (
        booking.fact in {"paid", "returned"}
        and bool(booking.currency)
        and booking.fee_currency in {"", booking.currency}
        and (booking.fact == "returned" or fee_minor < booking.amount_minor)
    )


def compared(booking: Booking, ordered: tuple[int, str], books: tuple[int, str]) -> Booking:
    """Return *booking* with what its amount means beside what was *ordered*.

    Args:
        booking: Of a debit or a return.
        ordered: Minor units and currency that were sent.
        books: What the books hold of it.
    """
    replace = msgspec.structs.replace
    if not booking.currency:  # whoever names no amount means what was ordered
        return replace(booking, amount_minor=ordered[0], currency=ordered[1], problem="")
    less = ordered[0] - booking.amount_minor
    if booking.currency == ordered[1]:
        if less == 0:
            return replace(booking, problem="")
        instructed = (booking.instructed_minor, booking.instructed_currency)
        unexplained = booking.fact != "returned" or booking.fee_minor
        if less < 0 or unexplained or instructed != ordered:
            return replace(booking, problem="amount_differs")
        # All of it came back as far as the bank says, and less arrived: the banks kept the rest.
        return replace(
            booking,
            amount_minor=ordered[0],
            fee_minor=less,
            fee_currency=ordered[1],
            problem="",
        )
    more = booking.amount_minor - books[0]
    if booking.currency != books[1] or (
        abs(more) * BASIS_POINTS > TOLERANCE_BASIS_POINTS * books[0]
    ):
        return replace(booking, problem="amount_differs")
    cost = -more if booking.fact == "returned" else more
    return replace(booking, exchange_minor=cost, problem="")


def is_late_debit(found: Payout, booking: Booking) -> bool:
    """Return whether the debit is told after the return of the same money."""
    came_back = found.status == "returned" and bool(found.returned_on)
    return booking.fact == "paid" and came_back and not found.booked_on


def costs(booking: Booking, batch: Batch, now: Instant) -> list[Posting]:
    """Return what a matched booking cost the program besides what the payee gets or gave."""
    at = f"{booking.booked_on}T00:00:00.000Z" if booking.booked_on else now
    refs = {"batch": batch.id, "booking": booking.key}
    if booking.reference:
        refs["payout"] = booking.reference
    found = []
    if booking.fee_minor:
        found.append(("fee", Kind.FEE_CHARGED, booking.fee_currency, booking.fee_minor))
    if booking.exchange_minor:
        lost = booking.exchange_minor > 0
        kind = Kind.EXCHANGE_LOST if lost else Kind.EXCHANGE_GAINED
        found.append(("exchange", kind, batch.currency, abs(booking.exchange_minor)))
    return [
        Posting(
            id=f"{name}:{booking.key}",
            kind=kind,
            program=batch.program,
            partner=f"batch.{batch.id}",
            currency=currency,
            amount_minor=amount_minor,
            at=at,
            refs=refs,
        )
        for name, kind, currency, amount_minor in found
    ]


def payee_refused(
    partner: Partner, *, reason: str, payout: str, now: Instant
) -> tuple[Partner, Event]:
    """Return *partner* to whom nothing is paid until their account is given anew, and the event."""
    after = msgspec.structs.replace(partner, version=partner.version + 1, payee_problem=reason)
    event = Event(
        type="PayeeRefused",
        entity=partner.entity,
        seq=after.version,
        program=partner.program,
        at=now,
        actor="system",
        data={"reason": reason, "payout": payout},
    )
    return after, event


def resolved(
    booking: Booking,
    *,
    reason: str,
    actor: str,
    now: Instant,
    reference: str = "",
    fee_minor: int = 0,
) -> tuple[Booking, Event]:
    """Return *booking* as a person decided, and the event of it.

    Without a *reference* it is put aside for good. With one, the payout's or the batch's, it is
    taken in again as a statement about that.

    Args:
        booking: An unmatched one.
        reason: Why, in the person's words.
        actor: Who.
        now: The present instant.
        reference: The payout's, or a batch's id for what concerns a whole batch.
        fee_minor: The part of the amount that is the bank's charge too; see :func:`divisible`.
    """
    replace = msgspec.structs.replace
    own_reference, own_batch = stated(booking)
    after = replace(
        booking,
        resolution=reason,
        resolved_by=actor,
        resolved_at=now,
        stated_reference=own_reference,
        stated_batch=own_batch,
    )
    if not reference:
        after = replace(after, status="dismissed", problem="")
    else:
        whole = len(reference) > 15  # noqa: PLR2004  (a payout's is 15 characters, a batch's 20)
        charge = {"fee_minor": booking.fee_minor + fee_minor, "fee_currency": booking.currency}
        split = charge if fee_minor else {}
        sign = 1 if booking.fact == "returned" else -1
        after = replace(
            after,
            reference="" if whole else reference,
            batch=reference if whole else booking.batch,
            amount_minor=booking.amount_minor + sign * fee_minor,
            problem="resolved",
            **split,
        )
    event = Event(
        type="BookingMatched" if reference else "BookingDismissed",
        entity=f"BOOKING#{booking.key}",
        seq=1,
        program=booking.program,
        at=now,
        actor=actor,
        data={"reference": reference, "reason": reason, "problem": booking.problem},
    )
    return after, event
