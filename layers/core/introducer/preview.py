"""A preview: a job that says what a draft of a program would have paid, before it is published.

The job itself changes three times at most (requested, then done or failed), each with its
event. How far it has come is no event: that is in :class:`Progress`, which one worker at a
time holds under a lease. Everything here is pure; times and ids are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from introducer import clock
from introducer.clock import Instant
from introducer.errors import TransitionError
from introducer.event import Event
from introducer.lease import Held

KEPT_DAYS = 30
"""Results can be read for so long; the bucket forgets its objects then."""
UPLOAD_S = 300
"""The link to send a file to works for so long."""
UPLOAD_LIMIT_BYTES = 256 * 1024 * 1024
_NOTICE_S = 600
# The bucket tells us of a file seconds after it came; the link must not look dead before.

Status = Literal["requested", "done", "failed"]
Standing = Literal["queued", "awaiting_upload", "running", "done", "failed", "expired"]
Summary = dict[str, str | int]
Finding = dict[str, str]


class Preview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job. ``version`` is the number of its last event.

    Attributes:
        kind: ``past`` looks at referrals submitted from ``first_day`` to ``last_day`` (UTC, both
            included); ``upload`` at a file of ``upload_bytes`` that comes until ``upload_until``.
        live_version: The published version it was compared with.
        summary: Of its result: whole numbers and codes.
        code: Why it failed; ``findings`` what to mend, ``reason`` where, for operators.
    """

    id: str
    program: str
    version: int
    status: Status
    kind: Literal["past", "upload"]
    requested_at: Instant
    requested_by: str
    updated_at: Instant
    expires_at: Instant
    first_day: str = ""
    last_day: str = ""
    upload_bytes: int = 0
    upload_until: Instant = ""
    live_version: int = 0
    referrals: int = 0
    summary: Summary = {}
    code: str = ""
    findings: list[Finding] = []
    reason: str = ""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"PREVIEW#{self.id}"


class Progress(Held, frozen=True, kw_only=True, omit_defaults=True):
    """How far a job has come.

    Attributes:
        day: The day that is being read.
        place: Where on that day's list to go on; empty for its beginning.
        parts: Names of the files of facts that count, in order.
        referrals: How many are in them.
        gathered: Whether they are all there.
    """

    day: str = ""
    place: dict[str, str] = msgspec.field(default_factory=dict)
    parts: list[str] = msgspec.field(default_factory=list)
    referrals: int = 0
    gathered: bool = False


def requested(preview: Preview) -> Event:
    """Return the first event of a job that was just made."""
    return _event(preview, "PreviewRequested", preview.requested_by, {"kind": preview.kind})


def finish(
    preview: Preview, *, live_version: int, referrals: int, summary: Summary, now: Instant
) -> tuple[Preview, Event]:
    """Return *preview* with its result, and the event that tells of it.

    Raises:
        TransitionError: It has ended already.
    """
    after = _ended(
        preview,
        now,
        status="done",
        live_version=live_version,
        referrals=referrals,
        summary=summary,
    )
    data: dict[str, str | int] = {"live_version": live_version, "referrals": referrals}
    return after, _event(after, "PreviewFinished", "system", data)


def fail(
    preview: Preview,
    code: str,
    *,
    now: Instant,
    findings: list[Finding] | None = None,
    reason: str = "",
) -> tuple[Preview, Event]:
    """Return *preview* as failed for *code*, and the event that tells of it.

    Raises:
        TransitionError: It has ended already.
    """
    after = _ended(preview, now, status="failed", code=code, findings=findings or [], reason=reason)
    return after, _event(after, "PreviewFailed", "system", {"code": code})


def standing(preview: Preview, progress: Progress | None, now: Instant) -> Standing:
    """Return what the job is doing, as people are told.

    ``queued``, ``awaiting_upload``, ``running``, ``done``, ``failed`` or ``expired``: its
    results are gone, or the file never came.
    """
    if now >= preview.expires_at:
        return "expired"
    if preview.status != "requested":
        return preview.status
    if progress is not None:
        return "running"
    if preview.kind == "past":
        return "queued"
    late = clock.plus(preview.upload_until, seconds=_NOTICE_S)
    return "awaiting_upload" if now < late else "expired"


def next_day(day: str) -> str:
    """Return the day after *day*, ``YYYY-MM-DD``."""
    return clock.day(clock.plus(f"{day}T00:00:00.000Z", days=1))


def upload_key(preview: str) -> str:
    """Return where the bucket keeps the file that was sent for a job."""
    return f"previews/{preview}/upload.csv"


def part_key(preview: str, part: str) -> str:
    """Return where the bucket keeps one file of facts."""
    return f"previews/{preview}/{part}.parquet"


def result_keys(preview: str) -> Mapping[str, str]:
    """Return where the bucket keeps the results of a job, by their format."""
    return {
        "json": f"previews/{preview}/result.json",
        "csv": f"previews/{preview}/partners.csv",
    }


def _ended(preview: Preview, now: Instant, **changes: object) -> Preview:
    if preview.status != "requested":
        message = f"a preview that is {preview.status} cannot end again"
        raise TransitionError(message, status=preview.status)
    return msgspec.structs.replace(preview, version=preview.version + 1, updated_at=now, **changes)


def _event(preview: Preview, kind: str, actor: str, data: dict[str, str | int]) -> Event:
    return Event(
        type=kind,
        entity=preview.entity,
        seq=preview.version,
        program=preview.program,
        at=preview.updated_at,
        actor=actor,
        data=data,
    )
