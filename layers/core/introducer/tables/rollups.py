"""Rollups: counters by program, dimension and day, and the markers that keep them exact.

| item | pk | sk | attributes |
| --- | --- | --- | --- |
| counter | ``PROGRAM#{program}#{ALL, LINK#…, PARTNER#…}`` | ``DAY#{day}`` | clicks, set_aside |
| of a value | ``PROGRAM#{program}#BY#{dimension}`` | ``DAY#{day}#{value}`` | the same |
| last mail with a link | ``MAILED#{code}`` | ``MAIL`` | at, expires |
| a prompt shown | ``SHOWN#{program}#{prompt}#{person}`` | week | times, expires |
| marker | ``BATCH#{first event}`` | ``BATCH`` | events (8 bytes each), expires |

Dimensions whose values are few lie in one partition each, so that a report is one query:
:data:`DIMENSIONS`. ``set_aside`` are clicks that were stored but not counted, such as those
of robots; it is kept for the whole program alone.

A batch of stream records is counted in one transaction: its counters and its marker, put
if absent under the first record's event. The stream may hand the same records over again,
and cut differently, but it always begins again where it was last told that all was well.
So whatever was counted before is met at the beginning, as a chain of markers:

* a batch that begins with a marked event skips the events that marker names and goes on
  with the first one after them, which begins a marker of its own or is new;
* a batch that ends within a marker leaves a marker for the event that comes next.

Counted once is then true for every way of re-cutting, for as long as markers are kept, and
an ordinary batch pays for it with one small write and no read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import msgspec
from pynamodb.expressions.operand import Path

from introducer import clock
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, IntroducerError
from introducer.tables import store
from introducer.tables.store import Item, Table, Transaction

_EVENT_BYTES = 8
_MARKER_KEPT_DAYS = 3
"""A stream keeps its records one day; nothing older is ever handed over again."""
DIMENSIONS = ("campaign", "channel", "asset", "country")
_MAILED_KEPT_DAYS = 7
_WEEK_DAYS = 7
_COUNTERS_LIMIT = 99
"""A transaction holds a hundred items; one is the marker."""


class SeenEnoughError(IntroducerError):
    """A person has been shown a prompt as often as one may."""


class Click(msgspec.Struct, frozen=True, kw_only=True):
    """A click to be counted; ``event`` is the id of the stream record that brought it."""

    event: str
    program: str
    partner: str
    link: str
    day: str
    """``YYYY-MM-DD``, UTC."""
    campaign: str = ""
    channel: str = ""
    asset: str = ""
    country: str = ""
    counted: bool = True
    """False for one that is set aside. Who hands it over again may say otherwise: what was
    said first stands."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted on one day, of ``value`` where a dimension was asked for."""

    day: str
    clicks: int
    set_aside: int = 0
    value: str = ""


def add(clicks: Sequence[Click], now: Instant) -> int:
    """Count *clicks* that were not counted before; return how many that were.

    Args:
        clicks: A batch in the order of its stream, those set aside included: the markers
            name every event, so that a verdict may change between two deliveries.
        now: The present, from which markers are kept three days.

    Raises:
        ContentionError: Others kept writing the same counters; the batch may come again.
        UncertainError: The same, for want of an answer.
    """
    counted = position = 0
    while position < len(clicks):
        part = _part(clicks, position)
        try:
            _commit(part, now)
        except AlreadyExistsError as met:
            marked = _events(met)
            while position < len(clicks) and _short(clicks[position].event) in marked:
                position += 1
            rest = marked[marked.index(_short(clicks[position - 1].event)) + 1 :]
            if rest and position == len(clicks):
                _mark_rest(rest, now)
        else:
            counted += sum(click.counted for click in part)
            position += len(part)
    return counted


def days(
    program: str, first: str, last: str, *, link: str = "", partner: str = ""
) -> Iterator[Day]:
    """Yield the days from *first* to *last* (both included) on which something was counted.

    Of the whole *program*, or of one *link* or *partner* in it. Costs half a read unit a page.
    """
    pk = _counter_pk(program, link=link, partner=partner)
    for stored in store.query_all(
        Table.ROLLUPS, pk, between=(f"DAY#{first}", f"DAY#{last}"), consistent=False
    ):
        yield _day(stored)


def values(program: str, dimension: str, first: str, last: str) -> Iterator[Day]:
    """Yield what was counted from *first* to *last* by each value of one of :data:`DIMENSIONS`."""
    between = (f"DAY#{first}", f"DAY#{last}#\uffff")
    pk = f"PROGRAM#{program}#BY#{dimension}"
    for stored in store.query_all(Table.ROLLUPS, pk, between=between, consistent=False):
        yield _day(stored)


def mailed(code: str, at: Instant) -> None:
    """Note that a mail with this link went out; what comes within seconds is its scanner."""
    kept = clock.epoch_s(clock.plus(at, days=_MAILED_KEPT_DAYS))
    store.put(Table.ROLLUPS, f"MAILED#{code}", "MAIL", {"at": at, "expires": kept})


def mailed_at(codes: Iterable[str]) -> dict[str, Instant]:
    """Return when a mail with each of these links last went out, by code."""
    found = store.batch_get(Table.ROLLUPS, [(f"MAILED#{code}", "MAIL") for code in codes])
    return {pk.partition("#")[2]: stored["at"] for (pk, _), stored in found.items()}


def shown(program: str, prompt: str, person: str, *, most: int, now: Instant) -> bool:
    """Count that *person* is shown an embedded prompt, unless this week they have seen it enough.

    Args:
        program: Whose prompt.
        prompt: Which.
        person: Keyed hash of their mailbox.
        most: How often a week, Monday to Sunday UTC.
        now: The present instant.

    Returns:
        Whether to show it.
    """
    times = Path("times")
    expires = clock.epoch_s(clock.plus(now, days=2 * _WEEK_DAYS))
    writes = Transaction()
    writes.update(
        Table.ROLLUPS,
        f"SHOWN#{program}#{prompt}#{person}",
        clock.week(now),
        [times.add(1), Path("expires").set(expires)],
        condition=times.does_not_exist() | (times < most),
        error=SeenEnoughError("they have seen it enough this week"),
    )
    try:
        writes.commit()
    except SeenEnoughError:
        return False
    return True


def _day(stored: Item) -> Day:
    _, day, *value = stored["sk"].split("#", 2)
    return Day(
        day=day,
        clicks=stored.get("clicks", 0),
        set_aside=stored.get("set_aside", 0),
        value=value[0] if value else "",
    )


def _part(clicks: Sequence[Click], begin: int) -> Sequence[Click]:
    """Return as many clicks from *begin* on as one transaction can count."""
    touched: set[tuple[str, str]] = set()
    for end in range(begin, len(clicks)):
        touched.update(_counters(clicks[end]))
        if len(touched) > _COUNTERS_LIMIT:
            return clicks[begin:end]
    return clicks[begin:]


def _commit(part: Sequence[Click], now: Instant) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    set_aside: Counter[tuple[str, str]] = Counter()
    for click in part:
        (counted if click.counted else set_aside).update(_counters(click))
    writes = Transaction()
    _add_marker(writes, [_short(click.event) for click in part], now)
    for pk, sk in dict.fromkeys([*counted, *set_aside]):
        # A bare addition would be repeated with a lost reply; the marker beside it is not.
        adding = [
            Path(name).add(number)
            for name, number in (("clicks", counted[pk, sk]), ("set_aside", set_aside[pk, sk]))
            if number
        ]
        clicks = Path("clicks")
        writes.update(
            Table.ROLLUPS,
            pk,
            sk,
            adding,
            condition=clicks.does_not_exist() | (clicks >= 0),
            error=IntroducerError("a counter is below zero", counter=f"{pk} {sk}"),
        )
    writes.commit()


def _mark_rest(events: list[bytes], now: Instant) -> None:
    """Leave word for the batch that will begin after this one, with events counted already."""
    writes = Transaction()
    _add_marker(writes, events, now)
    try:
        writes.commit()
    except AlreadyExistsError:
        return  # left before: markers never change


def _add_marker(writes: Transaction, events: list[bytes], now: Instant) -> None:
    expires = clock.epoch_s(clock.plus(now, days=_MARKER_KEPT_DAYS))
    writes.put(
        Table.ROLLUPS,
        f"BATCH#{events[0].hex()}",
        "BATCH",
        {"events": b"".join(events), "expires": expires},
        condition=store.absent(),
        error=AlreadyExistsError("counted before"),
    )


def _events(met: AlreadyExistsError) -> list[bytes]:
    joined: bytes = (met.existing or {})["events"]
    return [joined[at : at + _EVENT_BYTES] for at in range(0, len(joined), _EVENT_BYTES)]


def _short(event: str) -> bytes:
    return blake2b(event.encode(), digest_size=_EVENT_BYTES).digest()


def _counters(click: Click) -> list[tuple[str, str]]:
    sk = f"DAY#{click.day}"
    whole = (_counter_pk(click.program), sk)
    if not click.counted:
        return [whole]
    by_value = [
        (f"PROGRAM#{click.program}#BY#{dimension}", f"{sk}#{value}")
        for dimension in DIMENSIONS
        if (value := getattr(click, dimension))
    ]
    return [
        whole,
        (_counter_pk(click.program, link=click.link), sk),
        (_counter_pk(click.program, partner=click.partner), sk),
        *by_value,
    ]


def _counter_pk(program: str, *, link: str = "", partner: str = "") -> str:
    if link:
        return f"PROGRAM#{program}#LINK#{link}"
    if partner:
        return f"PROGRAM#{program}#PARTNER#{partner}"
    return f"PROGRAM#{program}#ALL"
