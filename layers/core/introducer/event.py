"""What happened to an entity: one event for each change of its state.

Events are the audit trail and the only thing consumers hear about, so they hold
ids, codes and numbers and never anybody's name or address.
"""

from __future__ import annotations

import msgspec

from introducer.clock import Instant


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact about one entity, numbered by the version it brought the entity to.

    ``data`` is flat: ids, codes and whole numbers. ``cause`` is the id of the
    event, message or request that led to this one.
    """

    type: str
    entity: str
    seq: int
    program: str
    at: Instant
    actor: str
    data: dict[str, str | int] = {}
    cause: str = ""

    @property
    def id(self) -> str:
        """Return the event's unique id: the entity and its version."""
        return f"{self.entity}#{self.seq}"
