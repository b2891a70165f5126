"""The table of past facts: one row for each referral, occasion and credited partner.

The same layout serves an uploaded CSV and live data. Columns have the catalogue's names where
it has one; ``docs/preview.md`` describes each. Every column but ``referral`` and ``partner`` may be
left out, and an empty cell means *not known*, never zero.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import polars as pl

from introducer.catalogue import FIELDS
from introducer.errors import IntroducerError
from introducer.program import Program

Shape = Literal["id", "text", "number", "flag", "time", "items", "refunds", "money"]

KINDS = ("submitted", "stage", "sale", "event")
MAX_TEXT = 200
MAX_FINDINGS = 100

TIME = pl.Datetime("ms", "UTC")
TYPES: dict[Shape, pl.DataType] = {
    "id": pl.String(),
    "text": pl.Categorical(),
    "number": pl.Int64(),
    "flag": pl.Boolean(),
    "time": TIME,
    "items": pl.String(),
    "refunds": pl.String(),
    "money": pl.String(),
}

COLUMNS: dict[str, Shape] = {
    "referral": "id",
    "occasion": "id",
    "kind": "text",
    "event": "text",
    "at": "time",
    "submitted_at": "time",
    "won_at": "time",
    "churned_at": "time",
    "lead": "id",
    "rep": "text",
    "partner": "text",
    "sale.amount_minor": "number",
    "amount": "money",
    "sale.currency": "text",
    "sale.product": "text",
    "sale.number": "number",
    "items": "items",
    "event.amount_minor": "number",
    "event.currency": "text",
    "refunds": "refunds",
    "refunded_minor": "number",
    "referral.channel": "text",
    "referral.status": "text",
    "referral.days_to_close": "number",
    "program_version": "number",
    **{
        name: entry.type
        for name, entry in FIELDS.items()
        if entry.type in {"text", "number"} and entry.scope in {"partner", "lead"}
    },
    "lead.rating": "number",
}
"""Every column there may be besides the program's own ``answers.*`` and ``metadata.*``."""

ALIASES = {
    "audience": "partner.audience",
    "country": "lead.country",
    "product": "sale.product",
    "currency": "sale.currency",
    "share_basis_points": "partner.share",
    "status": "referral.status",
    "channel": "referral.channel",
    "amount_minor": "sale.amount_minor",
}
"""Short names for the columns of a simple file."""

REQUIRED = ("referral", "partner")
NUMBERS_MAX = 10**15


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the data, where, and how to mend it. The header is row 1."""

    row: int
    column: str
    problem: str
    fix: str


class Findings:
    """The first findings, and how many there are in all; a large file cannot make it large."""

    def __init__(self) -> None:
        self.first: list[Finding] = []
        self.total = 0

    def add(self, rows: int | list[int], column: str, problem: str, fix: str) -> None:
        """Add the same finding for each of *rows*."""
        for row in [rows] if isinstance(rows, int) else rows:
            self.total += 1
            if len(self.first) < MAX_FINDINGS:
                self.first.append(Finding(row=row, column=column, problem=problem, fix=fix))


class BadDataError(IntroducerError):
    """The table cannot be evaluated; ``findings`` says why."""

    code = "bad_data"

    def __init__(self, findings: Findings) -> None:
        super().__init__(f"the data have {findings.total} findings")
        self.findings = findings


def shapes(*documents: Program) -> dict[str, Shape]:
    """Return every column a table for *documents* may have, the program's own included."""
    found = dict(COLUMNS)
    for document in documents:
        for key, question in document.questions.items():
            found[f"answers.{key}"] = "text" if question.type == "choice" else question.type
        for key, field in document.fields.items():
            found[f"metadata.{key}"] = field.type
    return found
