"""Imports: the job, how far it has come, and which of its rows had an effect.

``IMPORT#{id}`` / ``STATE`` is the job, ``PROGRESS`` how far it has come, ``EVENT#{seq}`` what
happened. The state hangs on ``gsi2`` ``IMPORTS#{program}`` and, for a partner's own, on
``gsi1`` ``PARTNER#{id}`` / ``IMPORT#{time}#{id}``; it never moves there. A row's effect is
claimed as ``{program}`` / ``import_row`` in the effect's own transaction, so that a row that
is repeated after a crash tells what it told the first time.
"""

from __future__ import annotations

from typing import cast

from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, NotFoundError, StaleError
from introducer.event import Event
from introducer.imports import Import, OutcomeName, Progress
from introducer.tables import claims, events, leases, store
from introducer.tables.claims import Claim
from introducer.tables.store import Item, Page, Table, Transaction

_ROW = "import_row"


def request(writes: Transaction, job: Import, event: Event) -> None:
    """Add everything that makes a job exist."""
    _put(writes, job)
    events.add(writes, event)


def find(job: str) -> Import | None:
    """Return a job as it stands, or None."""
    stored = store.get(Table.CORE, f"IMPORT#{job}", "STATE")
    return store.load(Import, stored) if stored else None


def get(job: str) -> Import:
    """Return a job as it stands.

    Raises:
        NotFoundError: There is none.
    """
    found = find(job)
    if found is None:
        message = "no such import"
        raise NotFoundError(message)
    return found


def progress(job: str) -> Progress | None:
    """Return how far a job has come, None when nobody has begun."""
    return leases.progress(f"IMPORT#{job}", Progress)


def save(writes: Transaction, before: Import, after: Import, event: Event) -> None:
    """Add the end of a job and its event.

    The transaction fails with :class:`StaleError` when the job ended meanwhile.
    """
    _put(writes, after, before)
    events.add(writes, event)


def note_row(
    writes: Transaction, job: Import, row: int, target: str, outcome: OutcomeName, *, now: Instant
) -> None:
    """Add what came of a row to the transaction of its effect.

    The transaction fails with :class:`AlreadyExistsError` when the row had its effect before.
    """
    claim = Claim(
        scope=job.program,
        kind=_ROW,
        value=f"{job.id}.{row}",
        target=target,
        expires_at=job.expires_at,
        body={"outcome": outcome},
    )
    claims.add(writes, claim, now=now, error=AlreadyExistsError("this row had its effect before"))


def row_effect(job: Import, row: int, *, now: Instant) -> tuple[str, OutcomeName] | None:
    """Return the id of what a row made and what came of it, None when it had no effect yet."""
    found = claims.find(job.program, _ROW, f"{job.id}.{row}", now=now)
    return (found.target, cast("OutcomeName", found.body["outcome"])) if found else None


def of_program(
    program: str, *, limit: int, start: Item | None = None
) -> tuple[list[tuple[Import, Progress | None]], Page]:
    """Return one page of a program's jobs, newest first, and the page for its cursor."""
    page = store.query(
        Table.CORE,
        f"IMPORTS#{program}",
        index="gsi2",
        limit=limit,
        start=start,
        newest_first=True,
    )
    return _rows(page), page


def of_partner(
    partner: str, *, limit: int, start: Item | None = None
) -> tuple[list[tuple[Import, Progress | None]], Page]:
    """Return one page of a partner's own jobs, newest first, and the page for its cursor."""
    page = store.query(
        Table.CORE,
        f"PARTNER#{partner}",
        prefix="IMPORT#",
        index="gsi1",
        limit=limit,
        start=start,
        newest_first=True,
    )
    return _rows(page), page


def _rows(page: Page) -> list[tuple[Import, Progress | None]]:
    keys = [(item["pk"], sk) for item in page.items for sk in ("STATE", "PROGRESS")]
    found = store.batch_get(Table.CORE, keys)
    rows = []
    for item in page.items:
        state, scratch = found.get((item["pk"], "STATE")), found.get((item["pk"], "PROGRESS"))
        if state is not None:
            rows.append(
                (store.load(Import, state), store.load(Progress, scratch) if scratch else None)
            )
    return rows


def _put(writes: Transaction, job: Import, before: Import | None = None) -> None:
    own = {
        "gsi1pk": f"PARTNER#{job.partner}",
        "gsi1sk": f"IMPORT#{job.requested_at}#{job.id}",
    }
    writes.put(
        Table.CORE,
        job.entity,
        "STATE",
        job,
        index={
            "gsi2pk": f"IMPORTS#{job.program}",
            "gsi2sk": f"{job.requested_at}#{job.id}",
            **(own if job.partner else {}),
        },
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("the import ended meanwhile"),
    )
