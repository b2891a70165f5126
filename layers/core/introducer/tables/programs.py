"""Programs: every published version, and which one counts now.

``PROGRAM#{id}`` / ``VERSION#{0001}`` holds a document as it was published,
``HEAD`` the number of the newest; publishing writes both and the event at once.
"""

from __future__ import annotations

import secrets
from functools import lru_cache

import msgspec

from introducer import clickid, clock
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, NotFoundError, StaleError
from introducer.event import Event
from introducer.program import Program, ProgramVersion
from introducer.tables import events, store
from introducer.tables.store import Table, Transaction

_SALT_DAYS = 3650


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of a program."""

    program: str
    version: int
    name: str


def publish(writes: Transaction, document: Program, *, now: Instant, actor: str) -> ProgramVersion:
    """Add the publication of *document* as the next version of its program.

    The caller commits. The transaction fails with :class:`StaleError` when another
    version was published meanwhile.
    """
    before = find_head(document.id)
    number = before.version + 1 if before else 1
    version = ProgramVersion(
        program=document.id,
        version=number,
        document=document,
        published_at=now,
        published_by=actor,
    )
    error = StaleError("another version was published meanwhile")
    writes.put(
        Table.CORE,
        _pk(document.id),
        "HEAD",
        Head(program=document.id, version=number, name=document.name),
        condition=store.at_version(before.version) if before else store.absent(),
        error=error,
    )
    writes.put(
        Table.CORE,
        _pk(document.id),
        f"VERSION#{number:04}",
        {"document": msgspec.json.encode(document).decode(), "at": now, "by": actor},
        condition=store.absent(),
        error=error,
    )
    events.add(
        writes,
        Event(
            type="ProgramPublished",
            entity=_pk(document.id),
            seq=number,
            program=document.id,
            at=now,
            actor=actor,
            data={"version": number},
        ),
    )
    if before is None:
        # Listed under one key, so that jobs find the programs without a scan.
        writes.put(Table.CORE, "PROGRAMS", document.id, {"program": document.id})
    return version


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


def current(program: str) -> ProgramVersion:
    """Return the version that counts now.

    Raises:
        NotFoundError: No such program.
    """
    head = find_head(program)
    if head is None:
        message = "no such program"
        raise NotFoundError(message)
    return version(program, head.version)


@lru_cache(maxsize=64)
def version(program: str, number: int) -> ProgramVersion:
    """Return a published version; kept in memory, since it never changes.

    Raises:
        NotFoundError: No such program or version.
    """
    stored = store.get(Table.CORE, _pk(program), f"VERSION#{number:04}", consistent=False)
    if stored is None:
        # A version published a moment ago may not have reached this replica.
        stored = store.get(Table.CORE, _pk(program), f"VERSION#{number:04}")
    if stored is None:
        message = "no such program version"
        raise NotFoundError(message)
    return ProgramVersion(
        program=program,
        version=number,
        document=msgspec.json.decode(stored["document"], type=Program),
        published_at=stored["at"],
        published_by=stored["by"],
    )


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
