"""The one logger of the HTTP functions."""

from __future__ import annotations

from functools import cache

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """Return the logger, made on first use; its service name comes from the environment."""
    return Logger()
