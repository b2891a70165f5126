"""Previews: the job, its draft, and how far it has come.

``PREVIEW#{id}`` / ``STATE`` is the job, ``DRAFT`` the document it tries, ``PROGRESS`` how far
it has come, ``EVENT#{seq}`` what happened. The state hangs on ``gsi2`` in the list of its
program and never moves there. Draft and progress are scratch: the store forgets them some
time after the results; what they are valid for is decided by the state's ``expires_at``.
"""

from __future__ import annotations

import zlib

import msgspec
from pynamodb.expressions.operand import Path

from introducer import clock
from introducer.clock import Instant
from introducer.errors import NotFoundError, StaleError
from introducer.event import Event
from introducer.preview import Preview, Progress
from introducer.program import Program
from introducer.tables import events, store
from introducer.tables.store import Item, Page, Table, Transaction

_SCRATCH_DAYS = 7


class LeaseLostError(StaleError):
    """Somebody else works on the job now."""


def request(writes: Transaction, preview: Preview, draft: Program, event: Event) -> None:
    """Add everything that makes a job exist."""
    _put(writes, preview)
    # Written out with its defaults, a draft may pass the 400 KB of an item; packed it is a tenth.
    packed = zlib.compress(msgspec.json.encode(draft))
    body = {"document": packed, "ttl": _scratch_until(preview)}
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
    stored = store.get(Table.CORE, f"PREVIEW#{preview}", "PROGRESS")
    return store.load(Progress, stored) if stored else None


def claim(preview: Preview, holder: str, *, now: Instant, lease_until: Instant) -> Progress | None:
    """Take the lease of a job and return how far it has come, None when another has it.

    Args:
        preview: The job.
        holder: A name that no other worker has.
        now: The present instant.
        lease_until: When the lease ends by itself.

    Raises:
        LeaseLostError: Another took it in this moment.
    """
    before = progress(preview.id)
    if before is not None and before.lease_until > now:
        return None
    seen = before or Progress()
    after = msgspec.structs.replace(
        seen,
        revision=seen.revision + 1,
        holder=holder,
        lease_until=lease_until,
        attempts=seen.attempts + 1,
    )
    _write(preview, before, after)
    return after


def advance(preview: Preview, before: Progress, after: Progress) -> Progress:
    """Store what was achieved and return it as stored.

    Raises:
        LeaseLostError: Somebody else works on the job now; nothing was stored.
    """
    stored = msgspec.structs.replace(after, revision=before.revision + 1)
    _write(preview, before, stored)
    return stored


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


def _write(preview: Preview, before: Progress | None, after: Progress) -> None:
    """Put the progress unless it changed since *before*; an own lost answer is no change."""
    revision = Path("revision")
    try:
        store.put(
            Table.CORE,
            preview.entity,
            "PROGRESS",
            {**msgspec.structs.asdict(after), "ttl": _scratch_until(preview)},
            condition=revision == before.revision if before else store.absent(),
            error=LeaseLostError("somebody else works on this preview"),
        )
    except LeaseLostError:
        # The SDK's own retry of a write whose answer was lost meets that write.
        if progress(preview.id) != after:
            raise


def _scratch_until(preview: Preview) -> int:
    return clock.epoch_s(clock.plus(preview.expires_at, days=_SCRATCH_DAYS))
