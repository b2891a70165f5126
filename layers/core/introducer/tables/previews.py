"""Previews: the job, its draft, and how far it has come.

``PREVIEW#{id}`` / ``STATE`` is the job, ``DRAFT`` the document it tries, ``PROGRESS`` how far
it has come, ``EVENT#{seq}`` what happened. The state hangs on ``gsi2`` in the list of its
program and never moves there. Draft and progress are scratch: the store forgets them some
time after the results; what they are valid for is decided by the state's ``expires_at``.
"""

from __future__ import annotations

import zlib

import msgspec

from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.event import Event
from introducer.preview import Preview, Progress
from introducer.program import Program
from introducer.tables import events, leases, store
from introducer.tables.store import Item, Page, Table, Transaction


def request(writes: Transaction, preview: Preview, draft: Program, event: Event) -> None:
    """Add everything that makes a job exist."""
    _put(writes, preview)
    # Written out with its defaults, a draft may pass the 400 KB of an item; packed it is a tenth.
    packed = zlib.compress(msgspec.json.encode(draft))
    body = {"document": packed, "ttl": leases.scratch_until(preview)}
    writes.put(Table.CORE, preview.entity, "DRAFT", body, condition=store.absent())
    events.add(writes, event)


def find(preview: str) -> Preview | None:
    """Return a job as it stands, or None."""
    stored = store.get(Table.CORE, f"PREVIEW#{preview}", "STATE")
    return store.load(Preview, stored) if stored else None


def get(preview: str) -> Preview:
    """Return a job as it stands.

    Raises:
        NotFoundError: There is none.
    """
    found = find(preview)
    if found is None:
        message = "no such preview"
        raise NotFoundError(message)
    return found


def draft(preview: str) -> Program:
    """Return the document that a job tries.

    Raises:
        NotFoundError: It is gone.
    """
    stored = store.get(Table.CORE, f"PREVIEW#{preview}", "DRAFT")
    if stored is None:
        message = "the draft is gone"
        raise NotFoundError(message)
    return msgspec.json.decode(zlib.decompress(stored["document"]), type=Program)


def progress(preview: str) -> Progress | None:
    """Return how far a job has come, None when nobody has begun."""
    return leases.progress(f"PREVIEW#{preview}", Progress)


def claim(preview: Preview, holder: str, *, now: Instant, lease_until: Instant) -> Progress | None:
    """Take the lease of a job; see :func:`introducer.tables.leases.claim`."""
    return leases.claim(preview, Progress, holder, now=now, lease_until=lease_until)


def advance(preview: Preview, before: Progress, after: Progress) -> Progress:
    """Store what was achieved; see :func:`introducer.tables.leases.advance`."""
    return leases.advance(preview, before, after)


def save(writes: Transaction, before: Preview, after: Preview, event: Event) -> None:
    """Add the end of a job and its event.

    The transaction fails with :class:`StaleError` when the job ended meanwhile.
    """
    _put(writes, after, before)
    events.add(writes, event)


def of_program(
    program: str, *, limit: int, start: Item | None = None
) -> tuple[list[tuple[Preview, Progress | None]], Page]:
    """Return one page of a program's jobs, newest first, and the page for its cursor."""
    page = store.query(
        Table.CORE,
        f"PREVIEWS#{program}",
        index="gsi2",
        limit=limit,
        start=start,
        newest_first=True,
    )
    wanted = [
        key for item in page.items for key in ((item["pk"], "STATE"), (item["pk"], "PROGRESS"))
    ]
    found = store.batch_get(Table.CORE, wanted)
    rows = []
    for item in page.items:
        state, scratch = found.get((item["pk"], "STATE")), found.get((item["pk"], "PROGRESS"))
        if state is not None:
            rows.append(
                (store.load(Preview, state), store.load(Progress, scratch) if scratch else None)
            )
    return rows, page


def _put(writes: Transaction, preview: Preview, before: Preview | None = None) -> None:
    writes.put(
        Table.CORE,
        preview.entity,
        "STATE",
        preview,
        index={
            "gsi2pk": f"PREVIEWS#{preview.program}",
            "gsi2sk": f"{preview.requested_at}#{preview.id}",
        },
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("the preview ended meanwhile"),
    )
