"""Links: short codes of partners that lead to checked destinations."""

from __future__ import annotations

import msgspec

from introducer.clock import Instant
from introducer.event import Event


class Variant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of several destinations of a link; ``weight`` is its part of the visitors."""

    destination: str
    weight: int = 1


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner's own link: a short code that leads to a checked destination."""

    code: str
    program: str
    partner: str
    destination: str
    created_at: Instant
    status: str = "active"
    campaign: str = ""
    channel: str = ""
    """How the partner shares it: a key such as ``linkedin``, ``card`` or ``embed``."""
    asset: str = ""
    """The piece of the assets library, or the placement, that carries it."""
    expires_at: Instant = ""
    """From when it leads nowhere; empty for never."""
    utm: dict[str, str] = {}
    variants: list[Variant] = []
    """Destinations to try against each other; empty for the one destination."""
    version: int = 1

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"LINK#{self.code}"


def created(link: Link, *, actor: str) -> Event:
    """Return the first event of a link."""
    return Event(
        type="LinkCreated",
        entity=link.entity,
        seq=link.version,
        program=link.program,
        at=link.created_at,
        actor=actor,
        data={"partner": link.partner},
    )
