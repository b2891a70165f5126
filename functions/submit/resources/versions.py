"""Versions of a program: check a draft, publish it for a day to come, list, read, go back."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import changes, clock, publication
from introducer.check import document as check
from introducer.clock import Instant
from introducer.errors import InvalidInputError, InvalidProgramError, NotFoundError, StaleError
from introducer.event import Event
from introducer.program import Program
from introducer.tables import programs
from introducer.tables.programs import Head
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Nothing, Paging

DOCUMENT_LIMIT_BYTES = 262_144

resource = Resource(__name__)


class Publishing(Input, frozen=True, kw_only=True):
    """When a version takes effect, and why so early.

    Without a time, the first version counts at once and every other one as soon as the notice
    of the version that counts now is over. A ``reason`` allows less notice and is kept.
    ``newest`` is the newest version the author has seen: another one since is a conflict.
    """

    effective_at: Annotated[
        str,
        Meta(
            max_length=40,
            description="RFC 3339 with an offset",
            examples=["2027-01-01T00:00:00Z"],
        ),
    ] = ""
    reason: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    newest: Annotated[int, Meta(ge=0, le=10**9)] = 0


class VersionMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new version and from when it counts."""

    program: str
    version: int
    effective_at: str


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version. ``past`` is what no longer counts, or was replaced before it did.

    ``restores`` is the version it repeats, 0 for none.
    """

    version: int
    state: publication.State
    effective_at: str
    published_at: str
    published_by: str
    reason: str
    restores: int


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of versions, newest first; ``next`` is empty on the last."""

    items: list[VersionRow]
    next: str


class VersionRead(msgspec.Struct, frozen=True, kw_only=True):
    """A version: the whole document, and the ``source`` as it was sent."""

    program: str
    version: int
    state: publication.State
    effective_at: str
    published_at: str
    published_by: str
    reason: str
    restores: int
    document: Program
    source: dict[str, Any]


class DraftChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What would come of publishing a draft now.

    ``findings`` are its faults, none when it is ``valid``. ``earliest_at`` is when it could
    take effect without a reason. ``changes`` tells, by audience, what partners would be told.
    """

    valid: bool
    findings: list[dict[str, str]]
    earliest_at: str
    changes: dict[str, list[str]]


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/versions",
    roles=MANAGER,
    body=Program,
    query=Publishing,
    parse=bytes,
    limit_bytes=DOCUMENT_LIMIT_BYTES,
    answer=VersionMade,
    status=201,
    location="versions/{version}",
    codes=("invalid_program", "invalid_time", "notice_too_short", "too_many_scheduled"),
)
def publish_version(call: Call[bytes, Publishing]) -> Answer:
    """Publish the next version of a program. Every fault of the document is told at once."""
    document = _document(call.body, call.path["program"])
    return _publish(call, document, source=msgspec.json.decode(call.body))


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/versions/{version}/restore",
    roles=MANAGER,
    body=Nothing,
    query=Publishing,
    answer=VersionMade,
    status=201,
    location="../{version}",
    codes=("invalid_program", "invalid_time", "notice_too_short", "too_many_scheduled"),
)
def restore_version(call: Call[Nothing, Publishing]) -> Answer:
    """Publish an old version's document again, as a new version.

    It must pass today's checks: what was allowed then may not be now.
    """
    old = programs.version(call.path["program"], _number(call.path["version"]))
    document = _document(msgspec.json.encode(old.document), old.program)
    source = programs.source(old.program, old.version)
    return _publish(call, document, source=source, restores=old.version)


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/validate",
    roles=MANAGER,
    body=Program,
    parse=bytes,
    once=False,
    limit_bytes=DOCUMENT_LIMIT_BYTES,
    answer=DraftChecked,
)
def validate_version(call: Call[bytes, Any]) -> Answer:
    """Check a draft without publishing it; the program need not exist yet."""
    program = call.path["program"]
    current = _current(programs.find_head(program), call.now)
    found: list[dict[str, str]] = []
    told: dict[str, list[str]] = {}
    try:
        draft = _document(call.body, program)
    except InvalidProgramError as failure:
        found = failure.findings
    else:
        told = _changes(current, draft, call.now)
    return Answer(
        body=DraftChecked(
            valid=not found,
            findings=found,
            earliest_at=publication.notice_ends(current, call.now),
            changes=told,
        )
    )


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/versions",
    roles=READERS,
    query=Paging,
    answer=VersionList,
)
def list_versions(call: Call[Any, Paging]) -> Answer:
    """List a program's versions, newest first: what counts, what did, what is coming."""
    head = _head(call.path["program"])
    found, following = programs.publications(
        head.program, limit=call.query.limit, start=call.start()
    )
    rows = [_row(event, head, call.now) for event in found]
    return Answer(body=VersionList(items=rows, next=call.next(following)))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/versions/{version}",
    roles=READERS,
    answer=VersionRead,
)
def read_version(call: Call[Any, Any]) -> Answer:
    """Read one version of a program, whole and as it was sent."""
    head = _head(call.path["program"])
    version = programs.version(head.program, _number(call.path["version"]))
    return Answer(
        body=VersionRead(
            program=version.program,
            version=version.version,
            state=publication.state(head.slots(), version.version, call.now),
            effective_at=version.effective_at,
            published_at=version.published_at,
            published_by=version.published_by,
            reason=version.reason,
            restores=version.restores,
            document=version.document,
            source=programs.source(version.program, version.version),
        )
    )


def _publish(
    call: Call[Any, Publishing], document: Program, *, source: dict[str, Any], restores: int = 0
) -> Answer:
    head = programs.find_head(document.id)
    if call.query.newest and (head is None or head.version != call.query.newest):
        message = "another version was published meanwhile"
        raise StaleError(message)
    effective_at = publication.effective_at(
        _time(call.query.effective_at),
        current=_current(head, call.now),
        now=call.now,
        reason=call.query.reason,
    )
    programs.ensure_click_salt(call.now)
    writes = Transaction()
    version = programs.publish(
        writes,
        document,
        now=call.now,
        actor=call.caller.name,
        effective_at=effective_at,
        reason=call.query.reason.strip(),
        source=source,
        restores=restores,
    )
    body = VersionMade(
        program=version.program, version=version.version, effective_at=version.effective_at
    )
    return Answer(body=body, writes=writes)


def _document(raw: bytes, program: str) -> Program:
    """Return the document in *raw* with what it extends.

    Raises:
        InvalidProgramError: It has faults, or is another program's.
    """
    document = check.parse(raw, programs.whole)
    if document.id != program:
        raise InvalidProgramError(
            [{"path": "$.id", "problem": "not the id in the path", "remedy": "make them equal"}]
        )
    return document


def _current(head: Head | None, now: Instant) -> Program | None:
    slot = publication.counting(head.slots(), now) if head else None
    return programs.version(head.program, slot.number).document if head and slot else None


def _changes(current: Program | None, draft: Program, now: Instant) -> dict[str, list[str]]:
    if current is None:
        return {}
    told = {
        key: changes.lines(current, draft, key, now, audience.locale)
        for key, audience in current.audiences.items()
    }
    return {key: lines for key, lines in told.items() if lines}


def _head(program: str) -> Head:
    head = programs.find_head(program)
    if head is None:
        message = "no such program"
        raise NotFoundError(message)
    return head


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004  (as counted)
        message = "no such program version"
        raise NotFoundError(message)
    return int(text)


def _time(text: str) -> Instant:
    try:
        return clock.parse(text) if text else ""
    except (ValueError, OverflowError) as failure:
        raise InvalidInputError(
            "effective_at", "not an RFC 3339 time with an offset", code="invalid_time"
        ) from failure


def _row(event: Event, head: Head, now: Instant) -> VersionRow:
    return VersionRow(
        version=event.seq,
        state=publication.state(head.slots(), event.seq, now),
        effective_at=str(event.data.get("effective_at", event.at)),
        published_at=event.at,
        published_by=event.actor,
        reason=str(event.data.get("reason", "")),
        restores=int(event.data.get("restores", 0)),
    )
