"""What a program says of leads that somebody else has a claim to."""

from __future__ import annotations

from collections.abc import Iterator

from introducer.check.finding import Finding
from introducer.program import Program


def findings(document: Program) -> Iterator[Finding]:
    """Yield a rule for leads of one company that never finds any."""
    how = document.intake.identity.domain
    if document.conflicts.domain not in {"review", "ineligible"} or how == "lookup":
        return
    why = "is ignored" if how == "ignore" else "is unique: the second lead is a duplicate"
    yield Finding(
        "$.conflicts.domain",
        f"never applies, for the company's domain {why}",
        'set intake.identity.domain to "lookup", or leave this out',
        "$.intake.identity.domain",
    )
