"""The meaning of a document whose shape is right: every check there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from introducer.check import (
    amounts,
    conditions,
    law,
    limits,
    names,
    overlap,
    plans,
    settings,
)
from introducer.check.finding import Finding
from introducer.program import Program

CHECKS: tuple[Callable[[Program], Iterator[Finding]], ...] = (
    names.findings,
    settings.findings,
    conditions.findings,
    amounts.findings,
    plans.findings,
    limits.findings,
    overlap.findings,
    law.findings,
)


def findings(document: Program) -> list[Finding]:
    """Return every fault of meaning, in no particular order."""
    return [finding for check in CHECKS for finding in check(document)]
