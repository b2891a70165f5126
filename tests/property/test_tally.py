"""Tallies against counting everything again: what they answer is always what is there."""

from __future__ import annotations

from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from introducer import tally
from introducer.earning.history import Success, Tally, TallyKey
from introducer.tally import Head, Mark, Place, Sums, View

KEY = TallyKey("pia", "plan.commission", "2026")

places = st.tuples(st.integers(0, 9), st.sampled_from(["r1", "r10", "r2"]), st.integers(1, 3))
steps = st.lists(st.tuples(places, st.integers(0, 5), st.booleans()), min_size=1, max_size=25)


class Store:
    """A tally as the table keeps it: successes, marks and the head."""

    def __init__(self) -> None:
        self.head = Head()
        self.successes: dict[Place, Success] = {}
        self.marks: dict[str, dict[Place, Mark]] = {}
        self.wanted: dict[str, dict[Place, Success]] = {}

    def view(self, referral: str, positions: list[Success]) -> View:
        """Return what a referral sees, its tail read only as far as it must be."""
        view = View(head=self.head, own=self.marks.get(referral, {}))
        begin = tally.unknown(view, positions)
        if not begin:
            return view
        tail = [self.successes[at] for at in sorted(self.successes) if at >= begin]
        return msgspec.structs.replace(view, tail=tail, begin=begin)

    def record(self, referral: str) -> None:
        """Write what a referral wants to be counted, as one or several revisions."""
        wanted = self.wanted[referral]
        positions = {**{at: each.success for at, each in self.marks.get(referral, {}).items()}}
        positions |= wanted
        for _ in range(40):
            ordered = [positions[at] for at in sorted(positions)]
            view = self.view(referral, ordered)
            in_order = [wanted[at] for at in sorted(wanted)]
            revision = tally.revise(KEY, view, in_order, most=2)
            if revision is None:
                return
            assert revision.before == self.head
            self.head = revision.after
            for mark in revision.marks:
                self.successes[mark.place] = mark.success
                self.marks.setdefault(referral, {})[mark.place] = mark
        raise AssertionError

    def others_before(self, referral: str, at: Place) -> Sums:
        """Count again what others have before a place."""
        return tally.total(
            each
            for place, each in self.successes.items()
            if place < at and each.referral != referral
        )


def success(place: tuple[int, str, int], award_minor: int) -> Success:
    """Return a success at a drawn place."""
    minute, referral, number = place
    return Success(
        at=f"2026-11-20T09:0{minute}:00.000Z",
        referral=referral,
        occasion=f"s{number}",
        value_minor=2 * award_minor,
        award_minor=award_minor,
    )


def played(happened: list[tuple[tuple[int, str, int], int, bool]]) -> Store:
    """Record successes in drawn order; one drawn as gone is taken out again."""
    store = Store()
    for place, award_minor, there in happened:
        each = success(place, award_minor)
        wanted = store.wanted.setdefault(each.referral, {})
        if there:
            wanted[tally.place(each)] = each
        else:
            wanted.pop(tally.place(each), None)
        store.record(each.referral)
    return store


@given(steps, places, st.sampled_from([2, 20]))
@settings(max_examples=150)
def test_what_others_have_is_what_counting_again_says(
    happened: list[tuple[tuple[int, str, int], int, bool]], asked: tuple[int, str, int], most: int
) -> None:
    """At every own success and at a place in between, however few changes are remembered."""
    with patch.object(tally, "_MOST_CHANGES", most):
        store = played(happened)
    new = success(asked, 1)
    for referral in ("r1", "r10", "r2"):
        own = {at: each.success for at, each in store.marks.get(referral, {}).items()}
        if referral == new.referral:
            own[tally.place(new)] = new
        positions = [own[at] for at in sorted(own)]
        view = store.view(referral, positions)
        known = tally.tally(view, positions)

        for each in positions:
            at = tally.place(each)
            assert store.others_before(referral, at) == view.before(at)
            assert store.others_before(referral, at) == _standing(known, each)


@given(steps)
@settings(max_examples=100)
def test_head_is_the_sum_of_its_successes(
    happened: list[tuple[tuple[int, str, int], int, bool]],
) -> None:
    """However it came about; and what does not count any more counts nothing."""
    store = played(happened)

    wanted = [each for own in store.wanted.values() for each in own.values()]
    assert tally.total(store.successes.values()) == store.head.sums
    assert tally.total(wanted) == store.head.sums
    assert max(store.successes, default="") == store.head.last


@given(steps)
@settings(max_examples=100)
def test_in_order_nobody_is_displaced(
    happened: list[tuple[tuple[int, str, int], int, bool]],
) -> None:
    """Successes that come in the order of business time never make a tally dirty."""
    there = {tally.place(success(place, 0)): (place, award, True) for place, award, _ in happened}
    store = played([there[at] for at in sorted(there)])

    assert ("", "", 0, ()) == (
        store.head.dirty,
        store.head.rising,
        store.head.moved,
        store.head.changes,
    )


def _standing(known: Tally, each: Success) -> Sums:
    """Read a history as evaluation does, own successes left out."""
    before = tally.total(other for other in known.others if other.position < each.position)
    return Sums(known.count, known.value_minor, known.used_minor).plus(before)
