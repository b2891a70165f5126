"""Days, months and periods of a program's own time zone."""

from __future__ import annotations

import calendar as gregorian
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from introducer import clock
from introducer.clock import Instant
from introducer.document.plan import Period

_MONTHS = 12


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Return the time zone called *name*, an IANA name that was checked on publishing."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # 3 ms, not for programs in UTC

    return ZoneInfo(name)


def plus_days(at: Instant, days: int, where: tzinfo) -> Instant:
    """Return the instant with the same wall-clock time *days* days later."""
    if where is UTC or not days:
        return clock.plus(at, days=days)
    local = clock.moment(at).astimezone(where)
    return _instant(local.replace(tzinfo=None) + timedelta(days=days), where)


def plus_months(at: Instant, months: int, where: tzinfo) -> Instant:
    """Return the instant with the same wall-clock time *months* calendar months later.

    A day the month does not have becomes its last: 31 January plus one is the end of February.
    """
    local = clock.moment(at).astimezone(where)
    year, month = divmod(local.year * _MONTHS + local.month - 1 + months, _MONTHS)
    day = min(local.day, gregorian.monthrange(year, month + 1)[1])
    return _instant(local.replace(year=year, month=month + 1, day=day, tzinfo=None), where)


def period(at: Instant, kind: Period, where: tzinfo) -> str:
    """Return the name of the *kind* of period that *at* lies in, such as ``2026-Q4``."""
    if kind == "ever":
        return "ever"
    local = at if where is UTC else clock.moment(at).astimezone(where).isoformat()
    year, month = local[:4], local[5:7]
    if kind == "year":
        return year
    return f"{year}-{month}" if kind == "month" else f"{year}-Q{(int(month) + 2) // 3}"


def days_between(earlier: Instant, later: Instant) -> int:
    """Return the whole days of 24 hours from *earlier* to *later*."""
    return (clock.moment(later) - clock.moment(earlier)) // timedelta(days=1)


def _instant(wall: datetime, where: tzinfo) -> Instant:
    # A wall-clock time that the zone skips is read with the offset from before the gap.
    return clock.instant(wall.replace(tzinfo=where))
