"""Reports of audits in the Core table.

``AUDITS#{program}`` / ``{day}``: what the newest look at the records made on a day (UTC) found.
It is worked out from other items alone and has no event; a further look at the same day writes
over it.
"""

from __future__ import annotations

import msgspec

from introducer.audit import Finding
from introducer.clock import Instant
from introducer.tables import store
from introducer.tables.store import Item, Page, Table

MOST_KEPT = 500
"""So many findings are kept in the item; the file holds all of them."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found about the records of one day of one program.

    Attributes:
        day: On which they were made.
        looked_at: How many of each kind were looked at.
        counts: How many findings, by kind.
        findings: The first of them, in order.
        file: Where all of them are, in the bucket.
    """

    program: str
    day: str
    at: Instant
    looked_at: dict[str, int]
    counts: dict[str, int]
    findings: list[Finding]
    file: str

    @property
    def total(self) -> int:
        """Return how many findings there are."""
        return sum(self.counts.values())


def put(report: Report) -> None:
    """Store a report, over that of an earlier look at the same day."""
    kept = msgspec.structs.replace(report, findings=report.findings[:MOST_KEPT])
    store.put(Table.CORE, _pk(report.program), report.day, kept)


def find(program: str, day: str) -> Report | None:
    """Return the newest report about a day, or None."""
    stored = store.get(Table.CORE, _pk(program), day)
    return store.load(Report, stored) if stored else None


def of_program(program: str, *, limit: int, start: Item | None = None) -> tuple[list[Report], Page]:
    """Return one page of a program's reports, the newest day first."""
    page = store.query(Table.CORE, _pk(program), limit=limit, start=start, newest_first=True)
    return [store.load(Report, stored) for stored in page.items], page


def _pk(program: str) -> str:
    return f"AUDITS#{program}"
