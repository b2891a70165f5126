"""What every function of this folder shares at its edge: the logger."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger()
"""Ids, codes and numbers only: a log line never holds a name, an address or an account."""
