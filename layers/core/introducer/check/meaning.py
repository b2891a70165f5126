"""The meaning of a document whose shape is right: every check there is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from introducer.check import (
    amounts,
    conditions,
    conflicts,
    law,
    limits,
    names,
    overlap,
    page,
    payouts,
    plans,
    settings,
)
from introducer.check.finding import MOST, Finding
from introducer.program import Program

CHECKS: tuple[Callable[[Program], Iterator[Finding]], ...] = (
    names.findings,
    settings.findings,
    conditions.findings,
    conflicts.findings,
    amounts.findings,
    plans.findings,
    limits.findings,
    overlap.findings,
    law.findings,
    page.findings,
    payouts.findings,
)


def findings(document: Program) -> list[Finding]:
    """Return every fault of meaning, in no particular order; of a flood, enough of it."""
    every = (finding for check in CHECKS for finding in check(document))
    return list(itertools.islice(every, 4 * MOST))
