"""A partner's payouts kept back by a person, and let go again: two events of the partner."""

from __future__ import annotations

import msgspec

from introducer.clock import Instant
from introducer.errors import TransitionError
from introducer.event import Event
from introducer.partner import Partner


def place(partner: Partner, *, reason: str, now: Instant, actor: str) -> tuple[Partner, Event]:
    """Return *partner* to whom nothing is paid until the hold is released, and the event.

    Raises:
        TransitionError: Their payouts are kept back already.
    """
    if partner.payout_hold:
        message = "their payouts are kept back already"
        raise TransitionError(message, partner=partner.id, reason=partner.payout_hold)
    return _changed(partner, "PayoutHoldPlaced", reason, reason, now, actor)


def release(partner: Partner, *, reason: str, now: Instant, actor: str) -> tuple[Partner, Event]:
    """Return *partner* who is paid again, and the event.

    Raises:
        TransitionError: Their payouts are not kept back.
    """
    if not partner.payout_hold:
        message = "their payouts are not kept back"
        raise TransitionError(message, partner=partner.id)
    return _changed(partner, "PayoutHoldReleased", "", reason, now, actor)


def _changed(
    partner: Partner, kind: str, hold: str, reason: str, now: Instant, actor: str
) -> tuple[Partner, Event]:
    after = msgspec.structs.replace(partner, version=partner.version + 1, payout_hold=hold)
    event = Event(
        type=kind,
        entity=partner.entity,
        seq=after.version,
        program=partner.program,
        at=now,
        actor=actor,
        data={"reason": reason},
    )
    return after, event
