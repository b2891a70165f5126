"""Money: whole minor units and an ISO 4217 code, never a float.

The one rounding rule of the product is :func:`fraction`: half away from zero on
the exact rational value. The one way of dividing an amount is :func:`split`:
largest remainder, so the parts always add up to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from introducer.errors import InvalidInputError

MAX_MINOR = 10**15
"""No single amount exceeds this; it keeps every sum far inside DynamoDB's 38 digits."""

BASIS_POINTS = 10_000

POINTS = "PTS"
"""The unit of points, which are no currency: whole, and never exchanged."""

# ISO 4217 list one (2026): codes in circulation whose exponent is not two.
_EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    "CLF": 4,
    "UYW": 4,
}
_TWO = frozenset(
    (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
        "GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP "
        "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
        "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
        "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST "
        "XCD XCG YER ZAR ZMW ZWG"
    ).split()
)


def exponent(currency: str) -> int:
    """Return how many digits the minor unit of *currency* has (ISO 4217).

    Raises:
        InvalidInputError: The code is not a currency in circulation.
    """
    if currency in _TWO:
        return 2
    if currency == POINTS:
        return 0
    if currency in _EXPONENTS:
        return _EXPONENTS[currency]
    raise InvalidInputError("currency", "not an ISO 4217 currency", code="unknown_currency")


def decimal_text(amount_minor: int, currency: str) -> str:
    """Return *amount_minor* in the major unit, exactly: ``-5`` EUR is ``-0.05``."""
    digits = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    if digits == 0:
        return f"{sign}{abs(amount_minor)}"
    major, minor = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{major}.{minor:0{digits}}"


def fraction(amount_minor: int, numerator: int, denominator: int) -> int:
    """Return ``amount x numerator / denominator``, halves rounded away from zero.

    Args:
        amount_minor: The amount, minor units, of either sign.
        numerator: Not negative; a rate in basis points, a part of a whole.
        denominator: Positive.
    """
    doubled = 2 * abs(amount_minor) * numerator + denominator
    rounded = doubled // (2 * denominator)
    return rounded if amount_minor >= 0 else -rounded


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Return *amount_minor* divided by *weights*; the parts add up to it exactly.

    Each part is first rounded down in size; the units left over go, one each, to
    the largest remainders, earlier ones first on a tie.

    Raises:
        ValueError: There is no weight, one is negative, or all are zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        message = "weights must not be negative and must not all be zero"
        raise ValueError(message)
    size = abs(amount_minor)
    parts = [size * weight // total for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: (-(size * weights[index] % total), index)
    )
    for index in by_remainder[: size - sum(parts)]:
        parts[index] += 1
    return parts if amount_minor >= 0 else [-part for part in parts]
