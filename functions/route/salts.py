"""New keys for clicks: every day one for visitor hashes, every month one that signs.

On a schedule, at midnight UTC, so that the hour in which a visitor counts once is not cut. A
warm function goes on with the old key for some minutes; both are good.
"""

from __future__ import annotations

from aws_lambda_powertools import Logger

from introducer import clock
from introducer.tables import salts

logger = Logger()


def handler(event: dict[str, object], _context: object) -> dict[str, bool]:  # noqa: ARG001
    """Replace what is due; a second run on the same day finds nothing to do."""
    now = clock.now()
    done = {"visitors": salts.renew_visitors(now), "signing": salts.renew_signing(now)}
    logger.info("keys of clicks renewed", extra=done)
    return done
