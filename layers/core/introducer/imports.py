"""An import: a file of rows that somebody sends, and what came of each of them.

The job itself changes twice (requested, then done or failed), each with its event. How far it
has come is :class:`Progress`, which one worker at a time holds under a lease. Nothing of what
a row says is in here: names and addresses are in the file, which the bucket soon forgets.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from introducer import clock
from introducer.clock import Instant
from introducer.errors import TransitionError
from introducer.event import Event
from introducer.lease import Held

KEPT_DAYS = 14
"""File and result can be read for so long; the bucket forgets its objects then."""
UPLOAD_S = 300
"""The link to send a file to works for so long."""
UPLOAD_LIMIT_BYTES = 25 * 1024 * 1024
MOST_ROWS = 50_000
_NOTICE_S = 600
# The bucket tells us of a file seconds after it came; the link must not look dead before.

Kind = Literal[
    "referrals",
    "invitations",
    "employees",
    "partners",
    "links",
    "past_referrals",
    "paid_rewards",
    "conversions",
    "accounts",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
OutcomeName = Literal["created", "known", "duplicate", "refused", "failed"]
"""What came of a row. ``known``: it was there already, as the row says. ``duplicate``: the lead
is somebody else's, or an earlier referral's. ``failed``: our fault; it was not taken."""

Status = Literal["requested", "done", "failed"]
Standing = Literal["awaiting_upload", "running", "done", "failed", "expired"]
Counts = dict[str, int]
"""Rows by what came of them."""
Finding = dict[str, str]


class Import(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job. ``version`` is the number of its last event.

    Attributes:
        partner: Whose own import it is; empty for the company's.
        defaults: Stand for the cells of these columns that are empty.
        upload_bytes: How long the file is that comes until ``upload_until``.
        rows: How many the file had, and ``counts`` what came of them.
        code: Why it failed as a whole; ``findings`` where, ``reason`` for operators.
    """

    id: str
    program: str
    version: int
    status: Status
    kind: Kind
    requested_at: Instant
    requested_by: str
    updated_at: Instant
    expires_at: Instant
    upload_bytes: int
    upload_until: Instant
    partner: str = ""
    defaults: dict[str, str] = {}
    rows: int = 0
    counts: Counts = {}
    code: str = ""
    findings: list[Finding] = []
    reason: str = ""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"IMPORT#{self.id}"


class Progress(Held, frozen=True, kw_only=True, omit_defaults=True):
    """How far a job has come.

    Attributes:
        etag: The bucket's mark of the file that is worked on.
        rows: How many rows are done.
        parts: Names of the files of results that count, in order.
        counts: What came of the rows that are done.
    """

    etag: str = ""
    rows: int = 0
    parts: list[str] = msgspec.field(default_factory=list)
    counts: Counts = msgspec.field(default_factory=dict)


def requested(job: Import) -> Event:
    """Return the first event of a job that was just made."""
    return _event(job, "ImportRequested", job.requested_by, {"kind": job.kind})


def finish(job: Import, *, rows: int, counts: Counts, now: Instant) -> tuple[Import, Event]:
    """Return *job* with what came of its rows, and the event that tells of it.

    Raises:
        TransitionError: It has ended already.
    """
    after = _ended(job, now, status="done", rows=rows, counts=counts)
    return after, _event(after, "ImportFinished", "system", {"rows": rows, **counts})


def fail(
    job: Import,
    code: str,
    *,
    now: Instant,
    findings: list[Finding] | None = None,
    reason: str = "",
) -> tuple[Import, Event]:
    """Return *job* as failed for *code*, and the event that tells of it.

    Raises:
        TransitionError: It has ended already.
    """
    after = _ended(job, now, status="failed", code=code, findings=findings or [], reason=reason)
    return after, _event(after, "ImportFailed", "system", {"code": code})


def standing(job: Import, progress: Progress | None, now: Instant) -> Standing:
    """Return what the job is doing, as people are told; ``expired`` if its files are gone."""
    if now >= job.expires_at:
        return "expired"
    if job.status != "requested":
        return job.status
    if progress is not None:
        return "running"
    late = clock.plus(job.upload_until, seconds=_NOTICE_S)
    return "awaiting_upload" if now < late else "expired"


def upload_key(job: str) -> str:
    """Return where the bucket keeps the file that was sent for a job."""
    return f"imports/{job}/upload.csv"


def part_key(job: str, part: str) -> str:
    """Return where the bucket keeps one piece of the result."""
    return f"imports/{job}/{part}.part"


def result_key(job: str) -> str:
    """Return where the bucket keeps the result of a job."""
    return f"imports/{job}/result.csv"


def _ended(job: Import, now: Instant, **changes: object) -> Import:
    if job.status != "requested":
        message = f"an import that is {job.status} cannot end again"
        raise TransitionError(message, status=job.status)
    return msgspec.structs.replace(job, version=job.version + 1, updated_at=now, **changes)


def _event(job: Import, kind: str, actor: str, data: dict[str, str | int]) -> Event:
    return Event(
        type=kind,
        entity=job.entity,
        seq=job.version,
        program=job.program,
        at=job.updated_at,
        actor=actor,
        data=data,
    )
