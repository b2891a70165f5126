"""What holds for every amount and every way of dividing it."""

from hypothesis import given
from hypothesis import strategies as st

from introducer import money

amounts = st.integers(-money.MAX_MINOR, money.MAX_MINOR)
weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=20).filter(any)


@given(amounts, weights)
def test_parts_add_up_to_the_whole(amount: int, weights: list[int]) -> None:
    """Dividing neither makes nor loses a cent, and no part has the wrong sign."""
    parts = money.split(amount, weights)
    assert amount == sum(parts)
    assert all(part * amount >= 0 for part in parts)


@given(amounts, weights)
def test_no_part_is_a_whole_unit_away_from_its_share(amount: int, weights: list[int]) -> None:
    """Each part is its exact share, rounded up or down by less than one unit."""
    total = sum(weights)
    for part, weight in zip(money.split(amount, weights), weights, strict=True):
        assert abs(part * total - amount * weight) < total


@given(amounts, st.integers(0, 10_000))
def test_a_reversal_rounds_like_what_it_reverses(amount: int, rate: int) -> None:
    """A credit and the reversal of the same sale cancel exactly."""
    assert 0 == money.fraction(amount, rate, 10_000) + money.fraction(-amount, rate, 10_000)


@given(amounts, st.integers(0, 10_000))
def test_a_fraction_is_never_more_than_half_a_unit_off(amount: int, rate: int) -> None:
    """The rounding rule is exact to half a minor unit."""
    assert 2 * abs(money.fraction(amount, rate, 10_000) * 10_000 - amount * rate) <= 10_000
