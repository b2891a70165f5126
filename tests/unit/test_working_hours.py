"""When a rep is at work."""

import msgspec
import pytest

from introducer import working_hours
from introducer.working_hours import Hours, Span

OFFICE: Hours = {
    "mon": [Span(start="09:00", end="12:30"), Span(start="13:00", end="17:00")],
    "tue": [Span(start="22:00", end="24:00")],
    "wed": [Span(start="00:00", end="06:00")],
}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T07:59:59.999Z", False),  # a Monday, 08:59 in Berlin
        ("2026-11-23T08:00:00.000Z", True),
        ("2026-11-23T11:29:59.999Z", True),
        ("2026-11-23T11:30:00.000Z", False),  # the last minute is not included
        ("2026-11-23T12:00:00.000Z", True),
        ("2026-11-23T16:00:00.000Z", False),
        ("2026-11-24T22:59:00.000Z", True),  # Tuesday 23:59
        ("2026-11-24T23:00:00.000Z", True),  # Wednesday 00:00: the night goes on
        ("2026-11-25T05:00:00.000Z", False),
        ("2026-11-26T10:00:00.000Z", False),  # a Thursday: no entry is a day off
        ("2026-07-13T07:00:00.000Z", True),  # a Monday in summer, 09:00 in Berlin
        ("2026-07-13T06:59:00.000Z", False),
    ],
)
def test_at_work_by_the_wall_clock(*, now: str, expected: bool) -> None:
    """Hours are those of the rep's own clock, summer time included."""
    assert expected == working_hours.at_work(OFFICE, "Europe/Berlin", now)


def test_at_work_always_without_hours() -> None:
    """Nobody has to say when they work."""
    assert working_hours.at_work({}, "UTC", "2026-11-22T03:00:00.000Z")


def test_backwards_names_the_days_that_end_before_they_begin() -> None:
    """An empty span is as wrong as a reversed one."""
    hours: Hours = {
        "mon": [Span(start="09:00", end="17:00"), Span(start="18:00", end="18:00")],
        "fri": [Span(start="17:00", end="09:00")],
        "sat": [Span(start="00:00", end="24:00")],
    }
    assert ["mon", "fri"] == working_hours.backwards(hours)


@pytest.mark.parametrize("time", ["9:00", "25:00", "24:01", "12:60", "", "09:00\n"])
def test_a_time_is_hour_and_minute(time: str) -> None:
    """Anything else is refused where it is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"mon": [{"from": time, "to": "24:00"}]}, Hours)
