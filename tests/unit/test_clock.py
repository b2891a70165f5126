"""Instants compare as text."""

from datetime import UTC, datetime

import pytest

from introducer import clock


def test_parse_brings_any_offset_to_fixed_width_utc() -> None:
    """Two systems in two time zones mean the same instant."""
    assert "2026-03-29T00:30:00.000Z" == clock.parse("2026-03-29T02:30:00+02:00")
    assert "2026-03-29T00:30:00.120Z" == clock.parse("2026-03-29T00:30:00.120999Z")


@pytest.mark.parametrize("text", ["2026-03-29", "2026-03-29T02:30:00", "yesterday", ""])
def test_parse_refuses_times_that_could_mean_several_instants(text: str) -> None:
    """A date or a naive time is no instant."""
    with pytest.raises(ValueError, match=r".+"):
        clock.parse(text)


def test_plus_crosses_months_and_leap_days() -> None:
    """A hundred and eighty days are a hundred and eighty times 24 hours."""
    assert "2028-02-29T23:00:00.000Z" == clock.plus("2028-02-28T23:00:00.000Z", days=1)
    assert "2027-05-21T00:00:00.000Z" == clock.plus("2026-11-22T00:00:00.000Z", days=180)


def test_instants_sort_as_time() -> None:
    """Comparing the text compares the time, at any precision given."""
    moments = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (9, 10, 11)]
    texts = [clock.instant(moment) for moment in moments]
    assert texts == sorted(texts)
    assert {24} == {len(text) for text in texts}
