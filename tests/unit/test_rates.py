"""Exchange rates as text: exact, rounded once, refused when they are not of today."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import money, rates
from introducer.errors import InvalidInputError, MissingRateError
from introducer.rates import Quote

NOW = "2026-11-22T11:00:00.000Z"


def quote(at: str, rate: str = "1.0875") -> Quote:
    """Return a quote of that time."""
    return Quote(rate=rate, source="ECB", at=at)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "to", "rate", "sent_minor"),
    [
        (100_000, "EUR", "USD", "1.0875", 108_750),
        (100, "EUR", "JPY", "162.345", 162),
        (1_000, "JPY", "EUR", "0.0061597", 616),
        (1, "EUR", "JPY", "0.4", 0),
        (125, "EUR", "KWD", "0.3341", 418),
        (1, "EUR", "USD", "0.5", 1),
    ],
)
def test_amount_is_converted_by_exponents_and_rounded_once(
    amount_minor: int, currency: str, to: str, rate: str, sent_minor: int
) -> None:
    """Halves go away from zero, whatever the digits of the two currencies."""
    assert sent_minor == rates.convert(amount_minor, currency, to, rate)


@given(
    amount_minor=st.integers(1, 10**11),
    whole=st.integers(0, 10**9 - 1),
    digits=st.text("0123456789", max_size=12),
    pair=st.permutations(["EUR", "JPY", "KWD", "CLF", "USD"]),
)
def test_conversion_is_the_exact_value_rounded(
    amount_minor: int, whole: int, digits: str, pair: list[str]
) -> None:
    """Never further than half a minor unit from the rational value."""
    rate = f"{whole}.{digits}" if digits else str(whole)
    base, to = pair[:2]
    if not int(f"{whole}{digits}"):
        return
    exact = (
        Fraction(rate)
        * amount_minor
        * Fraction(10 ** money.exponent(to), 10 ** money.exponent(base))
    )
    assert abs(rates.convert(amount_minor, base, to, rate) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    "rate", ["", "0", "0.000", "-1", "1e3", "1,5", " 1", "1.", ".5", "1\n", "NaN", "1" * 10, "٣"]
)
def test_what_is_no_rate_is_refused(rate: str) -> None:
    """Zero above all: it would pay nothing to everybody."""
    with pytest.raises(InvalidInputError):
        rates.ratio(rate)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "missing"),
        (quote("2026-11-21T10:59:59.999Z"), "stale"),
        (quote("2026-11-22T11:00:00.001Z"), "future"),
    ],
)
def test_missing_old_or_future_rate_is_refused(found: Quote | None, why: str) -> None:
    """Nothing is guessed, and the error says which of the three it is."""
    with pytest.raises(MissingRateError) as raised:
        rates.require_fresh(found, NOW, 24)
    assert why == raised.value.data["why"]


@pytest.mark.parametrize("at", [NOW, "2026-11-21T11:00:00.000Z"])
def test_rate_counts_to_the_last_hour(at: str) -> None:
    """Both ends belong to it."""
    assert quote(at) == rates.require_fresh(quote(at), NOW, 24)


@pytest.mark.parametrize(
    ("before", "after", "jumps"),
    [
        ("1", "1.2", False),
        ("1", "1.2000001", True),
        ("1", "0.8", False),
        ("1", "0.79", True),
        ("1.08", "10.8", True),
    ],
)
def test_slip_of_the_decimal_point_is_a_jump(before: str, after: str, *, jumps: bool) -> None:
    """A day's change is not."""
    assert jumps == rates.jumps(before, after)
