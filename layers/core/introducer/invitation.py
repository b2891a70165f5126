"""When somebody who was invited is told again."""

from __future__ import annotations

from introducer import clock
from introducer import partner as partners
from introducer.clock import Instant
from introducer.event import Event
from introducer.partner import Partner
from introducer.program import Program

LEAST_DAYS = 7
"""Nobody gets two mails about one invitation within so many days because somebody asks for it."""


def next_reminder(invited_at: Instant, document: Program, now: Instant) -> Instant:
    """Return when somebody invited then is to be told again after *now*, empty for never."""
    days = sorted(document.intake.remind_days)
    return next((at for each in days if (at := clock.plus(invited_at, days=each)) > now), "")


def may_be_reminded(partner: Partner, now: Instant) -> bool:
    """Return whether somebody may have them told again: invited, and no mail for a week."""
    last = partner.reminded_at or partner.invited_at
    return partner.status == "invited" and clock.plus(last, days=LEAST_DAYS) <= now


def reminded(
    partner: Partner, document: Program, *, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return somebody invited who is told again, and the event."""
    later = next_reminder(partner.invited_at, document, now)
    return partners.reminded(partner, next_at=later, now=now, actor=actor)
