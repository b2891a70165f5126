"""Whoever was displaced in a tally gets what they are due: first what is too much, then the rest.

A success that is reported late, or changes, takes its place in business time, and everybody
behind it may have earned less or more. The tally says from where on (``dirty``, ``rising``);
whoever meets that goes through the referrals behind, in order, each under its own version,
and moves the mark on. So it may stop anywhere and be taken up by anybody.
"""

from __future__ import annotations

from collections.abc import Iterable

from introducer import tally
from introducer.clock import Instant
from introducer.earning.history import TallyKey
from introducer.errors import ContentionError, StaleError
from introducer.tables import tallies
from introducer.tables.tallies import Tails
from introducer.tally import Head, Place
from payout.booking import book
from payout.outcome import pause, settled

_PAGE = 25
_ATTEMPTS = 200
"""Pages gone through in one run, and times somebody else got in first."""


def mend(keys: Iterable[TallyKey], tails: Tails, now: Instant) -> None:
    """Settle the tallies *keys* and whatever else that touches.

    Raises:
        ContentionError: It is not finished; what was done stays done.
    """
    work = set(keys)
    for attempt in range(_ATTEMPTS):
        heads = tallies.heads(tails.program, work)
        dirty = sorted(key for key, head in heads.items() if head.dirty)
        rising = sorted(key for key, head in heads.items() if head.rising)
        if not dirty and not rising:
            return
        key = (dirty or rising)[0]
        try:
            work |= _sweep(key, heads[key], tails, now, lower=bool(dirty))
        except StaleError:
            pause(attempt % 5)
    message = "there is more to correct than one run can"
    raise ContentionError(message)


def _sweep(
    key: TallyKey, head: Head, tails: Tails, now: Instant, *, lower: bool
) -> frozenset[TallyKey]:
    """Go through one page of a tally and move its mark; return other tallies to be settled."""
    begin = head.dirty if lower else head.rising
    others: frozenset[TallyKey] = frozenset()
    visited: list[tuple[Place, int]] = []
    rises = ""
    for success in tallies.page(tails.program, key, begin, _PAGE):
        at = tally.place(success)
        seen = settled(success.referral, tails)
        if not book(seen, now=now, lower=lower):
            rises = rises or at
        others |= seen.unsettled
        if not lower and rises:
            return others
        visited.append((at, seen.heads[key].version))
        if seen.heads[key].version != head.version:
            break  # it changed the tally itself: what was done so far is noted first
    _note(key, tails, visited or [(begin, head.version)], rises, lower=lower)
    return others


def _note(
    key: TallyKey,
    tails: Tails,
    visited: list[tuple[Place, int]],
    rises: Place,
    *,
    lower: bool,
) -> None:
    """Move the mark behind what was visited, unless something moved before it meanwhile."""
    last = visited[-1][0]
    head = tallies.heads(tails.program, [key])[key]
    behind = tallies.page(tails.program, key, tally.after(last), 1)
    following = tally.place(behind[0]) if behind else ""
    after = (
        tally.settle(head, visited, following, rises)
        if lower
        else tally.rise(head, visited, following)
    )
    if after is not None:
        tallies.save(tails.program, key, head, after)
        tails.skip(key, head, after)
