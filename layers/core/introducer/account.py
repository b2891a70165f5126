"""Accounts: whom the company deals with already, without who they are.

A key, the keyed hash of a mailbox, number, domain or id, may be on three lists at once:
customers, open opportunities and named accounts. What a lead found there means, the program's
``conflicts`` say.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.event import Event

Kind = Literal["customer", "open", "named"]
KINDS: tuple[Kind, ...] = ("customer", "open", "named")


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place on one of the lists: whose account it is, and until when it counts."""

    listed_at: Instant
    rep: str = ""
    until: Instant = ""
    """Empty for as long as it stands there."""

    def counts(self, at: Instant) -> bool:
        """Return whether it still counts at the instant *at*."""
        return not self.until or at < self.until


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key and the lists it is on. ``version`` is the number of its last event."""

    program: str
    by: str
    """What the key is of: ``email``, ``phone``, ``domain`` or ``external.{source}``."""
    key: str
    version: int
    on: dict[Kind, Entry] = {}

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return entity(self.program, self.by, self.key)


def entity(program: str, by: str, key: str) -> str:
    """Return the name under which a key of this kind is listed."""
    return f"ACCOUNT#{program}#{by}#{key}"


def listed(
    before: Account, kind: Kind, said: Entry, *, now: Instant, actor: str
) -> tuple[Account, Event] | None:
    """Return the key after the company put it on the list *kind*; None if that says nothing new.

    Since when it stands there stays. A key on no list yet has version 0.
    """
    known = before.on.get(kind)
    if known:
        said = msgspec.structs.replace(said, listed_at=known.listed_at)
    if said == known:
        return None
    data = {"kind": kind, "rep": said.rep, "until": said.until}
    after = _changed(before, {**before.on, kind: said})
    return after, _event(after, "AccountChanged" if known else "AccountListed", data, now, actor)


def removed(
    before: Account, kind: Kind, *, now: Instant, actor: str
) -> tuple[Account, Event] | None:
    """Return the key after the company took it off the list *kind*; None if it was not on it."""
    if kind not in before.on:
        return None
    after = _changed(before, {each: on for each, on in before.on.items() if each != kind})
    return after, _event(after, "AccountRemoved", {"kind": kind}, now, actor)


def _changed(before: Account, on: dict[Kind, Entry]) -> Account:
    return msgspec.structs.replace(before, version=before.version + 1, on=on)


def _event(after: Account, kind: str, data: dict[str, str], now: Instant, actor: str) -> Event:
    return Event(
        type=kind,
        entity=after.entity,
        seq=after.version,
        program=after.program,
        at=now,
        actor=actor,
        data={name: value for name, value in data.items() if value},
    )
