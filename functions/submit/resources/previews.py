"""Previews: what a draft would have paid, computed before it is published."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import clock, ids
from introducer import preview as previewing
from introducer.check import document
from introducer.clients import client
from introducer.clock import Instant
from introducer.errors import InvalidInputError, InvalidProgramError
from introducer.preview import UPLOAD_LIMIT_BYTES, Preview, Progress, Standing
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import previews, programs
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import MANAGER
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.once import Stored
from submit.resources.versions import DOCUMENT_LIMIT_BYTES

READERS = frozenset({"manager", "auditor"})
LINK_S = 900
"""A link to a result works for so long; reading the job again gives a new one."""
MOST_DAYS = 1830
_AROUND_BYTES = 4096

Day = Annotated[
    str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$(?!\n)", description="UTC", examples=["2026-11-22"])
]

resource = Resource(__name__)


class Past(Input, frozen=True, kw_only=True, tag_field="kind", tag="past"):
    """The program's referrals that were submitted from one day to another, both included."""

    first: Day = msgspec.field(name="from")
    until: Day


class Upload(Input, frozen=True, kw_only=True, tag_field="kind", tag="upload"):
    """A CSV file of so many bytes, sent afterwards to the link in the answer."""

    bytes: Annotated[int, Meta(ge=1, le=UPLOAD_LIMIT_BYTES)]


class NewPreview(Input, frozen=True, kw_only=True):
    """A draft, and what to try it on."""

    document: Program
    data: Past | Upload


class _Sent(Input, frozen=True, kw_only=True):
    """The same before the draft was checked."""

    document: msgspec.Raw
    data: Past | Upload


class PreviewRequested(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is on its way.

    ``upload`` is where to PUT the file, with ``content-type: text/csv`` and the length that
    was announced, within five minutes; empty when none is awaited.
    """

    id: str
    status: str
    path: str
    upload_until: str
    upload: str = ""


class PreviewData(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at; ``from`` and ``until`` are empty for an upload."""

    kind: Literal["past", "upload"]
    first: str = msgspec.field(name="from")
    until: str


class PreviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job in the list. ``code`` says why it failed."""

    id: str
    program: str
    status: Standing
    data: PreviewData
    requested_at: str
    requested_by: str
    updated_at: str
    expires_at: str
    referrals: int
    code: str


class PreviewList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of jobs, newest first; ``next`` is empty on the last."""

    items: list[PreviewRow]
    next: str


class PreviewLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the result is read for a quarter of an hour; empty when there is none."""

    json: str = ""
    csv: str = ""


class PreviewRead(msgspec.Struct, frozen=True, kw_only=True):
    """A job: how far it has come, and what came of it.

    ``referrals`` counts those looked at so far; ``day`` is the one being read. ``live_version``
    is the published version the draft was compared with. ``findings`` names what to mend
    before trying again: for a file, each with its row.
    """

    id: str
    job: PreviewRow
    day: str
    live_version: int
    summary: dict[str, str | int]
    links: PreviewLinks
    findings: list[dict[str, str]]


def parse(raw: bytes) -> NewPreview:
    """Return the request in *raw*, the draft checked as on publication.

    Raises:
        RequestError: It is not of that shape.
        InvalidProgramError: The draft has findings.
    """
    sent = inputs.from_json(raw, _Sent)
    return NewPreview(document=document.parse(bytes(sent.document), programs.whole), data=sent.data)


def tell_upload(call: Call[NewPreview, Any], stored: Stored) -> Stored:
    """Return the link to send the file to.

    The claim does not keep it: it is a right by itself. Whoever repeats the request is told
    again, a link that ends when the first one did.
    """
    left_s = _seconds(call.now, str(stored["upload_until"]))
    if not isinstance(call.body.data, Upload) or left_s <= 0:
        return {"upload": ""}
    # Type and length are signed, so the bucket takes no other file than the one announced.
    wanted = {
        "Bucket": setting("PREVIEW_BUCKET"),
        "Key": previewing.upload_key(str(stored["id"])),
        "ContentType": "text/csv",
        "ContentLength": call.body.data.bytes,
    }
    link = client("s3").generate_presigned_url("put_object", Params=wanted, ExpiresIn=left_s)
    return {"upload": link}


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/previews",
    roles=MANAGER,
    body=NewPreview,
    parse=parse,
    limit_bytes=DOCUMENT_LIMIT_BYTES + _AROUND_BYTES,
    answer=PreviewRequested,
    status=202,
    location="../../previews/{id}",
    unstored=tell_upload,
    codes=("invalid_program",),
)
def request_preview(call: Call[NewPreview, Any]) -> Answer:
    """Try a draft on past referrals or on a file, beside the version that counts now."""
    draft, data = call.body.document, call.body.data
    if draft.id != call.path["program"]:
        raise InvalidProgramError(
            [
                {
                    "path": "$.id",
                    "problem": "not the id in the path",
                    "remedy": "make them equal",
                }
            ]
        )
    programs.current(draft.id, call.now)
    job = _job(call, draft.id, data)
    writes = Transaction()
    previews.request(writes, job, draft, previewing.requested(job))
    made = {
        "id": job.id,
        "status": previewing.standing(job, None, call.now),
        "path": f"/v1/previews/{job.id}",
        "upload_until": job.upload_until,
    }
    return Answer(body=made, writes=writes)


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/previews",
    roles=READERS,
    query=Paging,
    answer=PreviewList,
)
def list_previews(call: Call[Any, Paging]) -> Answer:
    """List a program's previews, newest first."""
    found, page = previews.of_program(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    rows = [_row(job, progress, call.now) for job, progress in found]
    return Answer(body=PreviewList(items=rows, next=call.next(page.next)))


@resource.endpoint("GET", "/v1/previews/{preview}", roles=READERS, answer=PreviewRead)
def read_preview(call: Call[Any, Any]) -> Answer:
    """Read a preview: how far it is, or what came of it and where the result is."""
    job = previews.get(call.path["preview"])
    progress = previews.progress(job.id)
    row = _row(job, progress, call.now)
    done = row.status == "done"
    return Answer(
        body=PreviewRead(
            id=job.id,
            job=row,
            day=progress.day if progress and row.status == "running" else "",
            live_version=job.live_version,
            summary=job.summary if done else {},
            links=_links(job, call.now) if done else PreviewLinks(),
            findings=job.findings,
        )
    )


def _job(call: Call[Any, Any], program: str, data: Past | Upload) -> Preview:
    common: dict[str, Any] = {
        "id": ids.new_id(),
        "program": program,
        "version": 1,
        "status": "requested",
        "requested_at": call.now,
        "requested_by": call.caller.name,
        "updated_at": call.now,
        "expires_at": clock.plus(call.now, days=previewing.KEPT_DAYS),
    }
    if isinstance(data, Upload):
        return Preview(
            **common,
            kind="upload",
            upload_bytes=data.bytes,
            upload_until=clock.plus(call.now, seconds=previewing.UPLOAD_S),
        )
    _check_days(data, call.now)
    return Preview(**common, kind="past", first_day=data.first, last_day=data.until)


def _check_days(data: Past, now: Instant) -> None:
    for field, day in (("data.from", data.first), ("data.until", data.until)):
        try:
            at = clock.parse(f"{day}T00:00:00Z")
        except ValueError as failure:
            raise InvalidInputError(field, "there is no such day") from failure
        if at > now:
            raise InvalidInputError(field, "lies in the future")
    if data.until < data.first:
        raise InvalidInputError("data.until", "lies before the first day")
    if clock.plus(f"{data.first}T00:00:00.000Z", days=MOST_DAYS) < f"{data.until}T00:00:00.000Z":
        raise InvalidInputError("data.from", f"lies more than {MOST_DAYS} days before the last")


def _row(job: Preview, progress: Progress | None, now: Instant) -> PreviewRow:
    return PreviewRow(
        id=job.id,
        program=job.program,
        status=previewing.standing(job, progress, now),
        data=PreviewData(kind=job.kind, first=job.first_day, until=job.last_day),
        requested_at=job.requested_at,
        requested_by=job.requested_by,
        updated_at=job.updated_at,
        expires_at=job.expires_at,
        referrals=job.referrals or (progress.referrals if progress else 0),
        code=job.code,
    )


def _links(job: Preview, now: Instant) -> PreviewLinks:
    left_s = min(LINK_S, max(1, _seconds(now, job.expires_at)))
    return PreviewLinks(
        **{
            kind: client("s3").generate_presigned_url(
                "get_object",
                Params={"Bucket": setting("PREVIEW_BUCKET"), "Key": key},
                ExpiresIn=left_s,
            )
            for kind, key in previewing.result_keys(job.id).items()
        }
    )


def _seconds(now: Instant, until: Instant) -> int:
    """Return the whole seconds from *now* to *until*, 0 when there is no such time."""
    return clock.epoch_s(until) - clock.epoch_s(now) if until else 0
