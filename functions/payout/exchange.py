"""The exchange rate a batch pays by: finance's newest, or none and the rule stops."""

from __future__ import annotations

from introducer import metric, rates
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import MissingRateError
from introducer.program import Program
from introducer.rates import Quote
from introducer.tables import rates as stored
from introducer.tables.rates import Rate
from payout.edge import logger


def rate_for(document: Program, rule: PayoutRule, now: Instant) -> Rate:
    """Return the rate at which *rule*, which pays in another currency, sends its money.

    Args:
        document: Whose rates.
        rule: One with ``pays_in``.
        now: The present instant.

    Raises:
        MissingRateError: There is none of the pair, it is older than the rule allows, or it is
            of a time to come. A metric counts it, which an alarm watches; other rules go on.
    """
    try:
        return stored.usable(document.id, rule, now)
    except MissingRateError as error:
        metric.count("RatesMissing")
        logger.error("payouts stopped for want of a rate", extra={**error.data})
        raise


def convert(amount_minor: int, currency: str, to: str, quote: Quote) -> int:
    """Return what is sent, minor units of *to*, for *amount_minor* of the books' *currency*."""
    return rates.convert(amount_minor, currency.partition(".")[0], to, quote.rate)
