"""Money is exact, and there is one way to round it and one to divide it."""

import pytest

from introducer import money
from introducer.errors import InvalidInputError


@pytest.mark.parametrize(
    ("amount", "numerator", "denominator", "expected"),
    [
        (5, 1, 2, 3),
        (-5, 1, 2, -3),
        (4, 1, 3, 1),
        (5, 1, 3, 2),
        (1, 1, 3, 0),
        (-1, 1, 2, -1),
        (999, 1_000, 10_000, 100),
        (10**15, 10_000, 10_000, 10**15),
        (7, 0, 10_000, 0),
    ],
)
def test_fraction_rounds_halves_away_from_zero(
    amount: int, numerator: int, denominator: int, expected: int
) -> None:
    """A half cent goes up in size, for a credit and for its reversal alike."""
    assert expected == money.fraction(amount, numerator, denominator)


@pytest.mark.parametrize(
    ("amount", "weights", "expected"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (1, [5_000, 5_000], [1, 0]),
        (10_000, [2_500, 7_500], [2_500, 7_500]),
        (3, [0, 1], [0, 3]),
        (0, [1, 2], [0, 0]),
    ],
)
def test_split_gives_the_odd_cents_to_the_largest_remainders(
    amount: int, weights: list[int], expected: list[int]
) -> None:
    """The parts add up, and who gets the odd cent does not depend on chance."""
    assert expected == money.split(amount, weights)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_split_refuses_weights_that_divide_nothing(weights: list[int]) -> None:
    """Nobody is silently given nothing."""
    with pytest.raises(ValueError, match="weights"):
        money.split(100, weights)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (-5, "EUR", "-0.05"),
        (123_456, "EUR", "1234.56"),
        (500, "JPY", "500"),
        (1_234, "KWD", "1.234"),
        (0, "USD", "0.00"),
    ],
)
def test_decimal_text_knows_the_digits_of_each_currency(
    amount: int, currency: str, expected: str
) -> None:
    """Yen have no cents and dinars have a thousand."""
    assert expected == money.decimal_text(amount, currency)


@pytest.mark.parametrize("currency", ["XXX", "eur", "", "BTC", "DEM"])
def test_exponent_refuses_what_is_no_currency(currency: str) -> None:
    """A typo in a currency is an error and never two digits by default."""
    with pytest.raises(InvalidInputError) as refused:
        money.exponent(currency)
    assert "unknown_currency" == refused.value.code
