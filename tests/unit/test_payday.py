"""When payouts are made: days, cut-offs, clocks that change, days that were missed."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from introducer import payday
from introducer.document.payout import Calendar, PayoutRule
from introducer.payout import Batch
from tests.support import life

BERLIN = "Europe/Berlin"
DAILY = Calendar()
MONDAYS = Calendar(every="week", on=1)
FIRST = Calendar(every="month", on=1, cutoff="18:30")


@pytest.mark.parametrize(
    ("calendar", "now", "expected"),
    [
        # 06:00 in Berlin is 05:00 UTC in winter.
        (DAILY, "2026-11-22T04:59:59.999Z", date(2026, 11, 21)),
        (DAILY, "2026-11-22T05:00:00.000Z", date(2026, 11, 22)),
        (DAILY, "2026-11-22T23:30:00.000Z", date(2026, 11, 22)),
        (MONDAYS, "2026-11-23T04:00:00.000Z", None),
        (MONDAYS, "2026-11-23T05:00:00.000Z", date(2026, 11, 23)),
        (MONDAYS, "2026-11-25T22:00:00.000Z", date(2026, 11, 23)),
        (MONDAYS, "2026-11-25T23:00:00.000Z", None),
        (FIRST, "2026-12-01T17:00:00.000Z", None),
        (FIRST, "2026-12-01T17:30:00.000Z", date(2026, 12, 1)),
        (FIRST, "2026-12-03T20:00:00.000Z", date(2026, 12, 1)),
        (FIRST, "2026-12-04T20:00:00.000Z", None),
    ],
)
def test_due_is_the_last_day_whose_cutoff_has_passed(
    calendar: Calendar, now: str, expected: date | None
) -> None:
    """From the cut-off on, in local time, and for two days more when nobody asked."""
    assert expected == payday.due(calendar, BERLIN, now)


@pytest.mark.parametrize(
    ("cutoff", "day", "expected"),
    [
        ("06:00", date(2026, 3, 28), "2026-03-28T05:00:00.000Z"),
        ("06:00", date(2026, 3, 29), "2026-03-29T04:00:00.000Z"),
        # 02:30 does not exist on 29 March 2026, and exists twice on 25 October.
        ("02:30", date(2026, 3, 29), "2026-03-29T01:30:00.000Z"),
        ("02:30", date(2026, 10, 25), "2026-10-25T00:30:00.000Z"),
    ],
)
def test_cutoff_is_local_time_whatever_the_clocks_do(cutoff: str, day: date, expected: str) -> None:
    """The day the clocks go forward has its cut-off an hour later, the long day the first one."""
    assert expected == payday.cutoff(Calendar(cutoff=cutoff), BERLIN, day)


def test_due_names_each_day_of_a_year_once() -> None:
    """Asked every hour for a year, with both changes of the clocks: every day, in order, once."""
    asked = [
        payday.due(
            Calendar(cutoff="02:30"), BERLIN, f"2026-{month:02}-{day:02}T{hour:02}:00:00.000Z"
        )
        for month in (3, 10)
        for day in range(20, 31)
        for hour in range(24)
    ]
    seen = list(dict.fromkeys(asked))
    assert sorted(seen, key=str) == seen
    assert {date(2026, month, day) for month in (3, 10) for day in range(20, 30)} <= set(seen)


def rule(**changes: Any) -> PayoutRule:
    """Return a rule."""
    return msgspec.convert({"currency": "EUR", **changes}, PayoutRule)


@pytest.mark.parametrize(
    ("changes", "now", "expected"),
    [
        ({}, "2026-11-22T04:59:00.000Z", "2026-11-22T05:00:00.000Z"),
        ({}, "2026-11-22T05:00:00.000Z", "2026-11-23T05:00:00.000Z"),
        (
            {"calendar": {"every": "week", "on": 7}},
            "2026-11-23T12:00:00.000Z",
            "2026-11-29T05:00:00.000Z",
        ),
        (
            {"calendar": {"every": "month", "on": 28}},
            "2026-01-28T12:00:00.000Z",
            "2026-02-28T05:00:00.000Z",
        ),
        ({"automatic": False}, "2026-11-22T05:00:00.000Z", ""),
    ],
)
def test_next_run_is_told_in_utc(changes: dict[str, Any], now: str, expected: str) -> None:
    """The first cut-off ahead; nothing for a rule that only a person starts."""
    assert expected == payday.next_run(rule(**changes), BERLIN, now)


def test_advice_counts_what_was_paid_by_hand_this_month() -> None:
    """Above the program's number, not at it; batches given up or of another month do not count."""
    rules = [
        {"currency": "EUR", "region": "hand", "method": "payroll", "automatic": False},
        {"currency": "EUR", "region": "clock", "method": "payroll"},
    ]
    document = life.document(payouts=rules, fulfilment={"advise_above_monthly": 10})

    def batch(count: int, **changes: Any) -> Batch:
        values: dict[str, Any] = {
            "id": "b",
            "program": "acme",
            "program_version": 1,
            "region": "hand",
            "currency": "EUR",
            "method": "payroll",
            "period": "2026-11-20",
            "run": 1,
            "status": "settled",
            "version": 1,
            "started_by": "user:fin",
            "created_at": "2026-11-20T09:00:00.000Z",
            "updated_at": "2026-11-20T09:00:00.000Z",
            "count": count,
        }
        return Batch(**values | changes)

    quiet = [
        batch(10),
        batch(90, region="clock"),
        batch(90, status="cancelled"),
        batch(90, created_at="2026-10-31T23:00:00.000Z"),
    ]
    now = "2026-11-22T11:00:00.000Z"
    assert [] == payday.advice(document, quiet, now)
    (told,) = payday.advice(document, [*quiet, batch(1)], now)
    assert ("hand", "EUR", "payroll", "2026-11", 11, 10) == (
        told.region,
        told.currency,
        told.method,
        told.month,
        told.payouts,
        told.limit,
    )
