"""When a published version counts: the schedule of a program, and the notice it must keep.

Of all versions that have taken effect the one that did so last counts; of two that take
effect at the same instant, the higher number. So a version is taken back by publishing
another one for the same instant, and a scheduled one by publishing for its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from introducer import calendar, clock
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.program import Program

GRACE_S = 60
"""How far in the past a time may lie that was *now* when somebody wrote it."""
FURTHEST_DAYS = 3650
MOST_SCHEDULED = 20
"""The schedule is stored in one small item that every request reads."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A version and the instant it takes effect."""

    number: int
    effective_at: Instant


State = Literal["past", "current", "scheduled"]
Schedule = Sequence[Slot]
"""The version that counts and those to come, in the order they take effect."""


def counting(schedule: Schedule, now: Instant) -> Slot | None:
    """Return the slot that counts at *now*, None before the first takes effect."""
    begun = [slot for slot in schedule if slot.effective_at <= now]
    return max(begun, key=_rank) if begun else None


def preceding(schedule: Schedule, at: Instant) -> Slot | None:
    """Return the slot that counts until just before *at*."""
    earlier = [slot for slot in schedule if slot.effective_at < at]
    return max(earlier, key=_rank) if earlier else None


def displaced(schedule: Schedule, at: Instant) -> Slot | None:
    """Return the slot that a new version for the instant *at* takes the place of."""
    same = [slot for slot in schedule if slot.effective_at == at]
    return max(same, key=_rank) if same else None


def with_slot(schedule: Schedule, new: Slot, now: Instant) -> tuple[Slot, ...]:
    """Return *schedule* with *new* in it, without what no longer counts and never will.

    Raises:
        InvalidInputError: More versions would be waiting than a schedule holds.
    """
    slots: dict[Instant, Slot] = {}
    for slot in sorted([*schedule, new], key=_rank):
        slots[slot.effective_at] = slot
    begun = counting(tuple(slots.values()), now)
    kept = tuple(
        slot for slot in slots.values() if slot.effective_at > now or (begun and slot is begun)
    )
    if len(kept) > MOST_SCHEDULED:
        raise InvalidInputError(
            "effective_at", "too many versions are scheduled", code="too_many_scheduled"
        )
    return kept


def state(schedule: Schedule, number: int, now: Instant) -> State:
    """Return ``current``, ``scheduled``, or ``past`` for what no longer counts or never will."""
    current = counting(schedule, now)
    if current and current.number == number:
        return "current"
    waiting = any(slot.number == number and slot.effective_at > now for slot in schedule)
    return "scheduled" if waiting else "past"


def notice_ends(current: Program | None, now: Instant) -> Instant:
    """Return the earliest instant a version published *now* may take effect without a reason.

    Args:
        current: The document that counts now and says how long the notice is; None for a
            program that has none yet, which owes nobody any.
        now: When the version is published.
    """
    if current is None:
        return now
    return calendar.plus_days(now, current.notice.days, calendar.zone(current.time_zone))


def effective_at(
    asked: Instant, *, current: Program | None, now: Instant, reason: str = ""
) -> Instant:
    """Return when a version takes effect that is published *now*.

    Args:
        asked: What its author asks for; empty for as soon as the notice allows.
        current: The document that counts now, if any.
        now: The present instant.
        reason: Why it takes effect before the notice is over.

    Raises:
        InvalidInputError: ``invalid_time``, it lies in the past or more than ten years
            ahead; ``notice_too_short``, it is too early and no reason is given.
    """
    earliest = notice_ends(current, now)
    if not asked:
        return earliest
    if asked < clock.plus(now, seconds=-GRACE_S):
        raise InvalidInputError("effective_at", "lies in the past", code="invalid_time")
    if asked > clock.plus(now, days=FURTHEST_DAYS):
        raise InvalidInputError("effective_at", "lies too far ahead", code="invalid_time")
    if asked < earliest and not reason and earliest > now:
        raise InvalidInputError(
            "effective_at",
            f"partners are owed notice until {earliest}; give a reason for less",
            code="notice_too_short",
        )
    return max(asked, now)


def _rank(slot: Slot) -> tuple[Instant, int]:
    return slot.effective_at, slot.number
