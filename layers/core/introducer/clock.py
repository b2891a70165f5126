"""Time as fixed-width UTC text, so that comparing text compares time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

Instant = str
"""``2026-11-22T11:17:00.000Z``: always 24 characters, always UTC."""

EPOCH: Instant = "1970-01-01T00:00:00.000Z"


def now() -> Instant:
    """Return the present instant. Only edges call this; pure code is given ``now``."""
    return instant(datetime.now(UTC))


def instant(moment: datetime) -> Instant:
    """Return an aware *moment* as fixed-width UTC text, cut to milliseconds.

    Raises:
        ValueError: *moment* is naive.
    """
    if moment.tzinfo is None:
        message = "a naive datetime is not an instant"
        raise ValueError(message)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(at: Instant) -> datetime:
    """Return *at* as an aware datetime in UTC."""
    return datetime.fromisoformat(at)


def parse(text: str) -> Instant:
    """Return any RFC 3339 text with an offset as an instant.

    Raises:
        ValueError: *text* is not a date and time with an offset.
    """
    return instant(datetime.fromisoformat(text))


def plus(at: Instant, *, days: int = 0, seconds: int = 0) -> Instant:
    """Return the instant that lies *days* and *seconds* after *at*."""
    return instant(moment(at) + timedelta(days=days, seconds=seconds))


def epoch_s(at: Instant) -> int:
    """Return *at* as whole seconds since 1970, the form DynamoDB's TTL wants."""
    return int(moment(at).timestamp())


def day(at: Instant) -> str:
    """Return the UTC calendar day of *at*, ``YYYY-MM-DD``."""
    return at[:10]


def week(at: Instant) -> str:
    """Return the UTC calendar week of *at* as ISO 8601 counts them, ``2026-W47``."""
    year, number, _ = moment(at).isocalendar()
    return f"{year}-W{number:02}"
