"""List prices and assumptions, from the one file they are kept in."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

MILLION = 1_000_000


def usd(name: str) -> float:
    """Return the price of one of *name*, such as ``dynamodb_write_unit``."""
    price = _file()["prices"][name]
    return float(price["usd"]) / float(price["per"])


def assumed(name: str, part: str = "value") -> float:
    """Return the assumption *name*, or a *part* of it: ``assumed("latency_ms", "dynamodb")``."""
    return float(_file()["assumptions"][name][part])


def compute_usd(cpu_ms: float, wait_ms: float, memory_mb: int) -> float:
    """Return what the running time of one invocation costs; its request comes on top.

    Args:
        cpu_ms: Processor time on a whole core; below 1,769 MB there is only a share of one.
        wait_ms: Time spent waiting for others.
        memory_mb: What the function is given.
    """
    share = min(1.0, memory_mb / assumed("mb_per_vcpu"))
    billed_ms = math.ceil(cpu_ms / share + wait_ms)
    return billed_ms / 1000 * memory_mb / 1024 * usd("lambda_gb_s")


@cache
def _file() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text())
    return document
