"""Introductions by mail that named nobody: what is known of them, for who may ask.

``INTRODUCTION#{id}`` / ``STATE``, in ids and codes; the mail itself lies in the bucket for
some days.
"""

from __future__ import annotations

import msgspec

from introducer.clock import Instant
from introducer.event import Event
from introducer.tables import events, store
from introducer.tables.store import Table, Transaction


class Introduction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mail of a partner in which nobody was found."""

    id: str
    program: str
    partner: str
    received_at: Instant
    file: str
    """Its key in the bucket."""

    @property
    def entity(self) -> str:
        """Return the name its event carries."""
        return f"INTRODUCTION#{self.id}"


def unread(writes: Transaction, introduction: Introduction) -> None:
    """Add an introduction that named nobody, and the event its partner is told of.

    The transaction fails with :class:`~introducer.errors.StaleError` when it is there.
    """
    event = Event(
        type="IntroductionUnread",
        entity=introduction.entity,
        seq=1,
        program=introduction.program,
        at=introduction.received_at,
        actor="system",
        data={"partner": introduction.partner},
    )
    writes.put(Table.CORE, introduction.entity, "STATE", introduction)
    events.add(writes, event)


def find(introduction: str) -> Introduction | None:
    """Return an introduction that named nobody, or None."""
    stored = store.get(Table.CORE, f"INTRODUCTION#{introduction}", "STATE")
    return store.load(Introduction, stored) if stored else None
