"""Programs: every published version, and which one counts when.

``PROGRAM#{id}`` / ``VERSION#{0001}`` holds a document as it counts, ``SOURCE#{0001}`` as
it was sent, ``HEAD`` the number of the newest and the small schedule of what counts now
and what is coming. Publishing writes all of them and the event at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from introducer import clickid, clock, publication
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, InvalidProgramError, NotFoundError, StaleError
from introducer.event import Event
from introducer.program import Program, ProgramVersion
from introducer.publication import Slot
from introducer.tables import events, store
from introducer.tables.store import Item, Table, Transaction

_SALT_DAYS = 3650
STORED_LIMIT_BYTES = 380_000
"""What an item of the store holds, less its other attributes."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of a program, and the schedule: what counts now and what is coming."""

    program: str
    version: int
    name: str
    schedule: tuple[Slot, ...] = ()

    def slots(self) -> tuple[Slot, ...]:
        """Return the schedule; a head without one stands for its newest version."""
        return self.schedule or (Slot(number=self.version, effective_at=clock.EPOCH),)


def publish(
    writes: Transaction,
    document: Program,
    *,
    now: Instant,
    actor: str,
    effective_at: Instant = "",
    reason: str = "",
    source: Mapping[str, Any] | None = None,
    restores: int = 0,
) -> ProgramVersion:
    """Add the publication of *document* as the next version of its program.

    The caller commits. The transaction fails with :class:`StaleError` when another
    version was published meanwhile.

    Args:
        writes: What the publication is added to.
        document: The whole document, with what it extends.
        now: The present instant.
        actor: Who publishes it.
        effective_at: From when it counts; now when empty. Whether that leaves enough
            notice is for :func:`introducer.publication.effective_at` to say.
        reason: Why it takes effect before the notice is over, if it does.
        source: The document as it was sent; the document itself when it is whole.
        restores: The number of the version it repeats, if it does.

    Raises:
        InvalidProgramError: It is larger than the store holds.
        InvalidInputError: Too many versions are scheduled already.
    """
    before = find_head(document.id)
    schedule = before.slots() if before else ()
    slot = Slot(number=before.version + 1 if before else 1, effective_at=effective_at or now)
    preceding = publication.preceding(schedule, slot.effective_at)
    displaced = publication.displaced(schedule, slot.effective_at)
    version = ProgramVersion(
        program=document.id,
        version=slot.number,
        document=document,
        published_at=now,
        published_by=actor,
        effective_at=slot.effective_at,
        reason=reason,
        restores=restores,
        follows=preceding.number if preceding else 0,
        instead_of=displaced.number if displaced else 0,
    )
    head = Head(
        program=document.id,
        version=slot.number,
        name=document.name,
        schedule=publication.with_slot(schedule, slot, now),
    )
    _add_head(writes, before, head)
    _add_version(writes, version, source)
    return version


def _add_head(writes: Transaction, before: Head | None, head: Head) -> None:
    writes.put(
        Table.CORE,
        _pk(head.program),
        "HEAD",
        head,
        condition=store.at_version(before.version) if before else store.absent(),
        error=_overtaken(),
    )
    if before is None:
        # Listed under one key, so that jobs find the programs without a scan.
        writes.put(Table.CORE, "PROGRAMS", head.program, {"program": head.program})


def _add_version(
    writes: Transaction, version: ProgramVersion, source: Mapping[str, Any] | None
) -> None:
    """Add the version, the document as it was sent, and the event."""
    whole, told = _body(version.document), _told(version)
    sent = msgspec.json.encode(source).decode() if source is not None else whole
    items: dict[str, dict[str, object]] = {
        "VERSION": {
            "document": whole,
            "at": version.published_at,
            "by": version.published_by,
            **told,
        },
        "SOURCE": {"document": sent},
    }
    for kind, item in items.items():
        writes.put(
            Table.CORE,
            _pk(version.program),
            f"{kind}#{version.version:04}",
            item,
            condition=store.absent(),
            error=_overtaken(),
        )
    events.add(
        writes,
        Event(
            type="ProgramPublished",
            entity=_pk(version.program),
            seq=version.version,
            program=version.program,
            at=version.published_at,
            actor=version.published_by,
            data={"version": version.version, **told},
        ),
    )


def _overtaken() -> StaleError:
    return StaleError("another version was published meanwhile")


def ensure_click_salt(now: Instant) -> None:
    """Make the salt of click ids if there is none; no link exists before a program does."""
    salt = clickid.new_salt(secrets.token_bytes(32), now, clock.plus(now, days=_SALT_DAYS))
    try:
        store.put(
            Table.CORE,
            clickid.SALT_PK,
            clickid.SALT_SK,
            salt,
            condition=store.absent(),
            error=AlreadyExistsError("there is one"),
        )
    except AlreadyExistsError:
        return


def click_salts() -> list[dict[str, object]]:
    """Return the salts that click ids may have been signed with."""
    found = store.query_all(Table.CORE, clickid.SALT_PK, consistent=True)
    return list(found)


def find_head(program: str) -> Head | None:
    """Return which version of *program* is the newest, or None."""
    stored = store.get(Table.CORE, _pk(program), "HEAD")
    return store.load(Head, stored) if stored else None


def begun(now: Instant) -> Iterator[ProgramVersion]:
    """Yield the version that counts at *now* of every program that has one."""
    for program in all_ids():
        try:
            yield current(program, now)
        except NotFoundError:
            continue  # its first version takes effect later


def current(program: str, now: Instant) -> ProgramVersion:
    """Return the version that counts at *now*.

    Raises:
        NotFoundError: No such program, or it has not begun.
    """
    head = find_head(program)
    slot = publication.counting(head.slots(), now) if head else None
    if slot is None:
        message = "no such program"
        raise NotFoundError(message)
    return version(program, slot.number)


@lru_cache(maxsize=64)
def version(program: str, number: int) -> ProgramVersion:
    """Return a published version; kept in memory, since it never changes.

    Raises:
        NotFoundError: No such program or version.
    """
    stored = _stored(program, "VERSION", number)
    return ProgramVersion(
        program=program,
        version=number,
        document=msgspec.json.decode(stored["document"], type=Program),
        published_at=stored["at"],
        published_by=stored["by"],
        effective_at=str(stored.get("effective_at", stored["at"])),
        reason=stored.get("reason", ""),
        restores=stored.get("restores", 0),
        follows=stored.get("follows", 0),
        instead_of=stored.get("instead_of", 0),
    )


def source(program: str, number: int) -> dict[str, Any]:
    """Return the document of a version as it was sent.

    Raises:
        NotFoundError: No such program or version.
    """
    found: dict[str, Any] = msgspec.json.decode(_stored(program, "SOURCE", number)["document"])
    return found


def publications(
    program: str, *, limit: int, start: Item | None = None
) -> tuple[list[Event], Item | None]:
    """Return one page of the events of publishing, newest first, and where to go on."""
    page = store.query(
        Table.CORE, _pk(program), prefix="EVENT#", limit=limit, start=start, newest_first=True
    )
    return [store.load(Event, stored) for stored in page.items], page.next


def _told(version: ProgramVersion) -> dict[str, str | int]:
    """Return what version and event both say about the publication, absent values left out."""
    values: dict[str, str | int] = {
        "effective_at": version.effective_at,
        "reason": version.reason,
        "restores": version.restores,
        "follows": version.follows,
        "instead_of": version.instead_of,
    }
    return {name: value for name, value in values.items() if value}


def _body(document: Program) -> str:
    body = msgspec.json.encode(document)
    if len(body) > STORED_LIMIT_BYTES:
        raise InvalidProgramError(
            [
                {
                    "path": "$",
                    "problem": f"with all defaults it has {len(body)} bytes",
                    "remedy": f"shorten it to {STORED_LIMIT_BYTES}",
                }
            ]
        )
    return body.decode()


def _stored(program: str, kind: str, number: int) -> Item:
    key = f"{kind}#{number:04}"
    stored = store.get(Table.CORE, _pk(program), key, consistent=False)
    if stored is None:
        # A version published a moment ago may not have reached this replica.
        stored = store.get(Table.CORE, _pk(program), key)
    if stored is None:
        message = "no such program version"
        raise NotFoundError(message)
    return stored


def whole(program: str, number: int) -> bytes | None:
    """Return the whole document of a version as JSON, for others to extend; None for none."""
    try:
        return _body(version(program, number).document).encode()
    except NotFoundError:
        return None


def all_ids() -> list[str]:
    """Return the id of every program."""
    return [stored["program"] for stored in store.query_all(Table.CORE, "PROGRAMS")]


def add_source(writes: Transaction, program: str, source: str, *, now: Instant, actor: str) -> None:
    """Add a system that may send signed messages; fails when its name is taken.

    ``SOURCE#{program}#{name}`` / ``PROFILE``; its secret is in the People table.
    """
    entity = f"SOURCE#{program}#{source}"
    writes.put(
        Table.CORE,
        entity,
        "PROFILE",
        {"program": program, "source": source, "created_at": now},
        condition=store.absent(),
        error=AlreadyExistsError("there is a source of this name already"),
    )
    events.add(
        writes,
        Event(
            type="SourceAdded",
            entity=entity,
            seq=1,
            program=program,
            at=now,
            actor=actor,
            data={"source": source},
        ),
    )


def _pk(program: str) -> str:
    return f"PROGRAM#{program}"
