"""The days on which the Federal Reserve Banks, and with them ACH and Fedwire, are open.

Rules from outside: the Federal Reserve Banks' holiday schedule. A holiday on a Sunday is
kept on the Monday after; one on a Saturday is not kept on another day.
"""

from __future__ import annotations

from datetime import date, timedelta

_ONE_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6
_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
# Month, weekday (0 is Monday), and which of them: Martin Luther King, Washington,
# Labor, Columbus, Thanksgiving. Memorial Day, the last Monday of May, is on its own.
_FLOATING = ((1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4))


def is_open(day: date) -> bool:
    """Return whether payments settle on *day*."""
    if day.weekday() in {_SATURDAY, _SUNDAY} or _is_holiday(day):
        return False
    return not (day.weekday() == 0 and _is_fixed(day - _ONE_DAY))


def on_or_after(day: date) -> date:
    """Return *day*, or the first day after it on which payments settle."""
    while not is_open(day):
        day += _ONE_DAY
    return day


def _is_holiday(day: date) -> bool:
    which = (day.month, day.weekday(), (day.day - 1) // 7 + 1)
    memorial = day.month == 5 and day.weekday() == 0 and day.day > 24  # noqa: PLR2004
    return _is_fixed(day) or which in _FLOATING or memorial


def _is_fixed(day: date) -> bool:
    return (day.month, day.day) in _FIXED
