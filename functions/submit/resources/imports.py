"""Imports: files of rows that managers send, and what came of each row."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock, ids
from introducer import imports as importing
from introducer.clients import client
from introducer.clock import Instant
from introducer.errors import InvalidInputError, NotFoundError
from introducer.imports import UPLOAD_LIMIT_BYTES, Import, Kind, Progress, Standing
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import imports, programs
from introducer.tables.store import Transaction
from submit.acting import MANAGER
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.once import Stored

READERS = frozenset({"manager", "auditor"})
LINK_S = 900
"""A link to a result works for so long; reading the job again gives a new one."""
_Audience = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]
_Country = Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")]
_Locale = Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")]
_Source = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_-]{0,31})?$(?!\n)")]
_Version = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")]

resource = Resource(__name__)


class NewFile(Input, frozen=True, kw_only=True):
    """A CSV file of so many bytes, sent afterwards to the link in the answer.

    The other fields stand for cells of these columns that are empty.
    """

    bytes: Annotated[int, Meta(ge=1, le=UPLOAD_LIMIT_BYTES)]
    consent_version: _Version = ""
    country: _Country = ""
    locale: _Locale = ""


class NewImport(NewFile, frozen=True, kw_only=True):
    """A file of the company's, and what its rows are."""

    kind: Kind
    audience: _Audience = ""
    source: _Source = ""


class ImportRequested(msgspec.Struct, frozen=True, kw_only=True):
    """A job that awaits its file.

    ``upload`` is where to PUT the file, with ``content-type: text/csv`` and the length that was
    announced, until ``upload_until``; empty when that is over.
    """

    id: str
    status: str
    path: str
    upload_until: str
    upload: str = ""


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands.

    ``rows`` are done so far, ``counts`` is what came of them; ``partner`` whose own file it is.
    ``code`` says why the file as a whole was refused.
    """

    id: str
    program: str
    kind: Kind
    status: Standing
    partner: str
    requested_at: str
    requested_by: str
    updated_at: str
    expires_at: str
    rows: int
    counts: dict[str, int]
    code: str


class ImportRead(msgspec.Struct, frozen=True, kw_only=True):
    """A job, where its result is once it is done, and what is wrong with the file as a whole.

    ``result`` is a link to CSV: one line for each row of the file, with its number (the header
    is 1), ``created``, ``known``, ``duplicate``, ``refused`` or ``failed``, the id of what was
    made or found, and a code, a field and a sentence where something is wrong.
    """

    id: str
    job: ImportRow
    result: str
    findings: list[dict[str, str]]


class ImportList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of jobs, newest first; ``next`` is empty on the last."""

    items: list[ImportRow]
    next: str


def tell_upload(call: Call[Any, Any], stored: Stored) -> Stored:
    """Return the link to send the file to.

    The claim does not keep it: it is a right by itself. Whoever repeats the request is told
    again, a link that ends when the first one did.
    """
    left_s = _seconds(call.now, str(stored["upload_until"]))
    if left_s <= 0:
        return {"upload": ""}
    # Type and length are signed, so the bucket takes no other file than the one announced.
    wanted = {
        "Bucket": setting("INTAKE_BUCKET"),
        "Key": importing.upload_key(str(stored["id"])),
        "ContentType": "text/csv",
        "ContentLength": call.body.bytes,
    }
    link = client("s3").generate_presigned_url("put_object", Params=wanted, ExpiresIn=left_s)
    return {"upload": link}


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/imports",
    roles=MANAGER,
    body=NewImport,
    answer=ImportRequested,
    status=202,
    location="imports/{id}",
    unstored=tell_upload,
    codes=("unknown_audience", "closed"),
)
def request_import(call: Call[NewImport, Any]) -> Answer:
    """Announce a file: leads, invitations, or what another system knew."""
    body = call.body
    version = programs.current(call.path["program"], call.now)
    if body.audience and body.audience not in version.document.audiences:
        raise InvalidInputError("audience", "no such audience", code="unknown_audience")
    usual = {"audience": body.audience, "source": body.source}
    return announce(call, version.document, body.kind, usual=usual, path="/v1/programs/{}/imports")


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/imports",
    roles=READERS,
    query=Paging,
    answer=ImportList,
)
def list_imports(call: Call[Any, Paging]) -> Answer:
    """List a program's imports, those of its partners included, newest first."""
    found, page = imports.of_program(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    rows = [row(job, progress, call.now) for job, progress in found]
    return Answer(body=ImportList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "GET", "/v1/programs/{program}/imports/{import}", roles=READERS, answer=ImportRead
)
def read_import(call: Call[Any, Any]) -> Answer:
    """Read an import: how far it is, or what came of it and where the result is."""
    job = imports.get(call.path["import"])
    if job.program != call.path["program"]:
        raise NotFoundError("no such import")
    return Answer(body=read(job, call.now))


def announce(
    call: Call[Any, Any],
    document: Program,
    kind: Kind,
    *,
    usual: dict[str, str],
    path: str,
    partner: str = "",
) -> Answer:
    """Return the answer that makes a job which awaits its file.

    Args:
        call: Its body is a :class:`NewFile`.
        document: The program's.
        kind: What the rows are.
        usual: Stand for empty cells, besides what the body says.
        path: Of the list it appears in, the program's id left open.
        partner: Whose own file it is; empty for the company's.

    Raises:
        InvalidInputError: ``closed``: the program takes no leads from files.
    """
    channels = document.intake.channels
    if kind == "referrals" and channels and "csv" not in channels:
        raise InvalidInputError("kind", "the program takes no leads from files", code="closed")
    body = call.body
    said = {name: getattr(body, name) for name in ("consent_version", "country", "locale")}
    job = Import(
        id=ids.new_id(),
        program=document.id,
        version=1,
        status="requested",
        kind=kind,
        requested_at=call.now,
        requested_by=f"PARTNER#{partner}" if partner else call.caller.name,
        updated_at=call.now,
        expires_at=clock.plus(call.now, days=importing.KEPT_DAYS),
        upload_bytes=body.bytes,
        upload_until=clock.plus(call.now, seconds=importing.UPLOAD_S),
        partner=partner,
        defaults={name: value for name, value in (said | usual).items() if value},
    )
    writes = Transaction()
    imports.request(writes, job, importing.requested(job))
    made = {
        "id": job.id,
        "status": importing.standing(job, None, call.now),
        "path": f"{path.format(document.id)}/{job.id}",
        "upload_until": job.upload_until,
    }
    return Answer(body=made, writes=writes)


def read(job: Import, now: Instant) -> ImportRead:
    """Return a job as whoever may see it is told of it."""
    shown = row(job, imports.progress(job.id), now)
    return ImportRead(
        id=job.id,
        job=shown,
        result=_link(job, now) if shown.status == "done" else "",
        findings=job.findings,
    )


def row(job: Import, progress: Progress | None, now: Instant) -> ImportRow:
    """Return a job as it stands in a list."""
    running = progress if job.status == "requested" else None
    return ImportRow(
        id=job.id,
        program=job.program,
        kind=job.kind,
        status=importing.standing(job, progress, now),
        partner=job.partner,
        requested_at=job.requested_at,
        requested_by=job.requested_by,
        updated_at=job.updated_at,
        expires_at=job.expires_at,
        rows=running.rows if running else job.rows,
        counts=running.counts if running else job.counts,
        code=job.code,
    )


def _link(job: Import, now: Instant) -> str:
    left_s = min(LINK_S, max(1, _seconds(now, job.expires_at)))
    wanted = {"Bucket": setting("INTAKE_BUCKET"), "Key": importing.result_key(job.id)}
    link: str = client("s3").generate_presigned_url("get_object", Params=wanted, ExpiresIn=left_s)
    return link


def _seconds(now: Instant, until: Instant) -> int:
    """Return the whole seconds from *now* to *until*."""
    return clock.epoch_s(until) - clock.epoch_s(now)
