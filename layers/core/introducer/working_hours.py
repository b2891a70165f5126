"""When a rep is at work: hours of the wall clock in their own time zone."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from introducer import calendar, clock
from introducer.clock import Instant

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Time = Annotated[
    str,
    Meta(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\n)",
        description="Hour and minute; 24:00 is the end of the day",
        examples=["09:00"],
    ),
]


class Span(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "to"},
):
    """A part of a day, the first minute included and the last one not."""

    start: Time
    end: Time


Hours = dict[Weekday, Annotated[list[Span], Meta(max_length=4)]]
"""Weekdays without an entry are days off. A night shift is spans of two days."""


def at_work(hours: Hours, time_zone: str, now: Instant) -> bool:
    """Return whether somebody with these *hours* is at work; without any, always."""
    if not hours:
        return True
    local = clock.moment(now).astimezone(calendar.zone(time_zone))
    minute = f"{local:%H:%M}"
    spans = hours.get(_WEEK[local.weekday()], [])
    return any(span.start <= minute < span.end for span in spans)


def backwards(hours: Hours) -> list[Weekday]:
    """Return the days with a span that ends before it begins, or at once."""
    return [day for day, spans in hours.items() if any(each.start >= each.end for each in spans)]
