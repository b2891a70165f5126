"""Rollups: counters by program, dimension and day, and the markers that keep them exact.

| item | pk | sk | attributes |
| --- | --- | --- | --- |
| counter | ``PROGRAM#{program}#{ALL, LINK#{code} or PARTNER#{id}}`` | ``DAY#{day}`` | clicks |
| marker | ``BATCH#{first event}`` | ``BATCH`` | events (8 bytes each), expires |

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

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec
from pynamodb.expressions.operand import Path

from introducer import clock
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, IntroducerError
from introducer.tables import store
from introducer.tables.store import Table, Transaction

_EVENT_BYTES = 8
_MARKER_KEPT_DAYS = 3
"""A stream keeps its records one day; nothing older is ever handed over again."""
_COUNTERS_LIMIT = 99
"""A transaction holds a hundred items; one is the marker."""


class Click(msgspec.Struct, frozen=True, kw_only=True):
    """A click to be counted; ``event`` is the id of the stream record that brought it."""

    event: str
    program: str
    partner: str
    link: str
    day: str
    """``YYYY-MM-DD``, UTC."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted on one day."""

    day: str
    clicks: int


def add(clicks: Sequence[Click], now: Instant) -> int:
    """Count *clicks* that were not counted before; return how many that were.

    Args:
        clicks: A batch in the order of its stream.
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
            counted += len(part)
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
        yield Day(day=stored["sk"].removeprefix("DAY#"), clicks=stored.get("clicks", 0))


def _part(clicks: Sequence[Click], begin: int) -> Sequence[Click]:
    """Return as many clicks from *begin* on as one transaction can count."""
    touched: set[tuple[str, str]] = set()
    for end in range(begin, len(clicks)):
        touched.update(_counters(clicks[end]))
        if len(touched) > _COUNTERS_LIMIT:
            return clicks[begin:end]
    return clicks[begin:]


def _commit(part: Sequence[Click], now: Instant) -> None:
    totals: dict[tuple[str, str], int] = {}
    for click in part:
        for key in _counters(click):
            totals[key] = totals.get(key, 0) + 1
    writes = Transaction()
    _add_marker(writes, [_short(click.event) for click in part], now)
    for (pk, sk), number in totals.items():
        clicks = Path("clicks")
        writes.update(
            Table.ROLLUPS,
            pk,
            sk,
            [clicks.add(number)],
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
    return [
        (_counter_pk(click.program), sk),
        (_counter_pk(click.program, link=click.link), sk),
        (_counter_pk(click.program, partner=click.partner), sk),
    ]


def _counter_pk(program: str, *, link: str = "", partner: str = "") -> str:
    if link:
        return f"PROGRAM#{program}#LINK#{link}"
    if partner:
        return f"PROGRAM#{program}#PARTNER#{partner}"
    return f"PROGRAM#{program}#ALL"
