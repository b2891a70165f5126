"""The schedule of a program: what counts when, what is kept of it, how much notice is owed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import publication
from introducer.errors import InvalidInputError
from introducer.publication import Slot
from tests.support import life

NOW = "2026-11-22T11:17:00.000Z"


def at(day: int) -> str:
    """Return midnight of a day of January 2027."""
    return f"2027-01-{day:02}T00:00:00.000Z"


def slot(number: int, day: int) -> Slot:
    """Return a version that counts from a day of January on."""
    return Slot(number=number, effective_at=at(day))


def test_the_last_to_take_effect_counts() -> None:
    """Before the first nothing does; of two at once the higher number does."""
    schedule = (slot(1, 5), slot(3, 9), slot(2, 9), slot(4, 7))
    assert [None, 1, 1, 4, 3, 3] == [
        found.number if (found := publication.counting(schedule, at(day))) else None
        for day in (4, 5, 6, 7, 9, 31)
    ]
    assert (4, 3) == (
        getattr(publication.preceding(schedule, at(9)), "number", 0),
        getattr(publication.displaced(schedule, at(9)), "number", 0),
    )
    assert (None, None) == (
        publication.preceding(schedule, at(5)),
        publication.displaced(schedule, at(6)),
    )


@given(
    st.lists(st.tuples(st.integers(1, 28), st.integers(1, 28)), min_size=1, max_size=15),
    st.integers(1, 28),
)
def test_what_is_left_out_of_a_schedule_never_counts(
    made: list[tuple[int, int]], looked: int
) -> None:
    """However versions are published, the kept schedule says what all of them together say."""
    everything: tuple[Slot, ...] = ()
    kept: tuple[Slot, ...] = ()
    clock = 0
    for number, (published, effective) in enumerate(made, 1):
        clock = max(clock, published)
        new = slot(number, max(effective, clock))
        everything = (*everything, new)
        kept = publication.with_slot(kept, new, at(clock))
    later = max(clock, looked)
    assert publication.counting(everything, at(later)) == publication.counting(kept, at(later))
    numbers = [each.number for each in kept]
    states = [publication.state(kept, number, at(clock)) for number in range(1, len(made) + 1)]
    assert len(numbers) - states.count("scheduled") == states.count("current")


def test_a_reason_shortens_the_notice_and_nothing_else() -> None:
    """A reason neither allows the past nor delays anything."""
    current = life.document(notice={"days": 1})
    tomorrow = "2026-11-23T11:17:00.000Z"
    for asked, reason, expected in (
        ("", "", tomorrow),
        ("", "why", tomorrow),
        (NOW, "why", NOW),
        (tomorrow, "", tomorrow),
    ):
        found = publication.effective_at(asked, current=current, now=NOW, reason=reason)
        assert expected == found
    with pytest.raises(InvalidInputError) as refused:
        publication.effective_at("2026-11-22T11:15:59.999Z", current=current, now=NOW, reason="why")
    assert "invalid_time" == refused.value.code
    with pytest.raises(InvalidInputError) as refused:
        publication.effective_at("2026-11-23T11:16:59.999Z", current=current, now=NOW)
    assert ("notice_too_short", "effective_at") == (refused.value.code, refused.value.field)


def test_a_program_that_has_not_begun_owes_no_notice() -> None:
    """Nobody takes part yet."""
    assert NOW == publication.effective_at("", current=None, now=NOW)
