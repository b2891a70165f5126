"""Who is credited, by model and window."""

import pytest

from introducer import attribution
from introducer.document.credit import Attribution
from introducer.referral import Touch
from tests.support.life import NOW, touch

PIA = touch("pia", id="a", at="2026-11-01T00:00:00.000Z")
EMIL = touch("emil", id="b", at="2026-11-02T00:00:00.000Z")
PIA_AGAIN = touch("pia", id="c", at="2026-11-03T00:00:00.000Z")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", {"pia": 10_000}),
        ("last_touch", {"emil": 10_000}),
        ("linear", {"pia": 5_000, "emil": 5_000}),
    ],
)
def test_credit_follows_the_model(model: str, expected: dict[str, int]) -> None:
    """Two touches, three models."""
    rule = Attribution(model=model)  # type: ignore[arg-type]
    assert expected == attribution.credit([EMIL, PIA], rule, at=NOW)


def test_credit_linear_counts_touches_and_adds_up() -> None:
    """Two of three touches are two thirds, and the unit left over goes to the larger remainder."""
    parts = attribution.credit([PIA, EMIL, PIA_AGAIN], Attribution(model="linear"), at=NOW)
    assert {"pia": 6_667, "emil": 3_333} == parts


def test_credit_of_nothing_is_nobody() -> None:
    """No touch, no partner."""
    assert {} == attribution.credit([], Attribution(), at=NOW)


def test_credit_ignores_touches_without_a_partner() -> None:
    """A flag or an unknown link earns nobody anything, even as the last touch."""
    flag = Touch(id="z", kind="flag", at=NOW)
    assert {"pia": 10_000} == attribution.credit([PIA, flag], Attribution(), at=NOW)


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2026-10-23T09:59:59.999Z", False),
        ("2026-10-23T10:00:00.000Z", True),
        ("2026-11-22T10:00:00.000Z", True),
        ("2026-11-22T10:00:00.001Z", False),
    ],
)
def test_credit_window_includes_both_ends(at: str, *, counts: bool) -> None:
    """Thirty days to the millisecond before the lead count, and nothing after it."""
    parts = attribution.credit([touch("pia", at=at)], Attribution(window_days=30), at=NOW)
    assert ({"pia": 10_000} if counts else {}) == parts


def test_credit_of_the_same_moment_goes_by_id() -> None:
    """Two touches in one millisecond have one order."""
    both = [touch("emil", id="2", at=NOW), touch("pia", id="1", at=NOW)]
    assert {"emil": 10_000} == attribution.credit(both, Attribution(), at=NOW)
    assert {"emil": 10_000} == attribution.credit(both[::-1], Attribution(), at=NOW)
