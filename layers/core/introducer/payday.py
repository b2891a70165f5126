"""When payouts are made: the days of a rule's calendar, in the program's own time zone.

A calendar names days and a local time, the cut-off. From that moment the day's batch may
start; what becomes payable afterwards is the next day's. A day is known by its date, so a
period is the date of the day that asked for the batch, also when it is made up for later.

Clocks that change: a cut-off that the day does not have comes as much later as the clock was put
forward, one that it has twice comes with the first (``fold=0`` of PEP 495).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from introducer import clock
from introducer.clock import Instant
from introducer.document.payout import Calendar, PayoutRule
from introducer.payout import Batch
from introducer.program import Program

CATCH_UP_DAYS = 2
"""A day that was missed is made up for so long; of several the last one takes everything."""
_LONGEST_DAYS = 32
"""Between two days of any calendar."""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is started by hand and pays so often that the calendar should do it.

    ``payouts`` is how many of ``month`` (UTC), ``limit`` what the program calls many.
    """

    region: str
    currency: str
    method: str
    month: str
    payouts: int
    limit: int


def today(zone: str, now: Instant) -> date:
    """Return the date in the time zone called *zone*."""
    return clock.moment(now).astimezone(ZoneInfo(zone)).date()


def cutoff(calendar: Calendar, zone: str, day: date) -> Instant:
    """Return the moment from which the batch of *day* may start."""
    local = datetime.combine(day, time.fromisoformat(calendar.cutoff), ZoneInfo(zone))
    return clock.instant(local.astimezone(UTC))


def due(calendar: Calendar, zone: str, now: Instant) -> date | None:
    """Return the day whose batch should have been started by *now*, None for none.

    It is the last day of the calendar whose cut-off has passed, if that was no longer than
    :data:`CATCH_UP_DAYS` ago: whoever asks every hour misses none, and whoever could not ask for
    a day or two makes up for it. What is older waits for the next day.
    """
    newest = today(zone, now)
    days = (newest - timedelta(days=back) for back in range(CATCH_UP_DAYS + 1))
    passed = (day for day in days if _asks(calendar, day) and cutoff(calendar, zone, day) <= now)
    return next(passed, None)


def next_run(rule: PayoutRule, zone: str, now: Instant) -> Instant:
    """Return when *rule* pays next, empty where only a person knows."""
    if not rule.automatic:
        return ""
    first = today(zone, now)
    days = (first + timedelta(days=ahead) for ahead in range(_LONGEST_DAYS))
    asked = (cutoff(rule.calendar, zone, day) for day in days if _asks(rule.calendar, day))
    return next(at for at in asked if at > now)


def advice(document: Program, batches: Iterable[Batch], now: Instant) -> list[Advice]:
    """Return the rules of *document* that a person starts and that the calendar should.

    Args:
        document: Whose rules, and how many payouts a month are many.
        batches: At least those that were made this month.
        now: The present instant.
    """
    month, limit = now[:7], document.fulfilment.advise_above_monthly
    counts: dict[tuple[str, str, str], int] = {}
    for batch in batches:
        if batch.created_at[:7] == month and batch.status != "cancelled":
            name = (batch.region, batch.currency, batch.method)
            counts[name] = counts.get(name, 0) + batch.count
    return [
        Advice(
            region=rule.region,
            currency=rule.currency,
            method=rule.method,
            month=month,
            payouts=count,
            limit=limit,
        )
        for rule in document.payouts
        if not rule.automatic
        and (count := counts.get((rule.region, rule.currency, rule.method), 0)) > limit
    ]


def _asks(calendar: Calendar, day: date) -> bool:
    """Return whether *calendar* wants a batch on *day*."""
    match calendar.every:
        case "day":
            return True
        case "week":
            return day.isoweekday() == calendar.on
        case "month":
            return day.day == calendar.on
