"""Prospects: the company's own list of people who may become partners, without who they are.

An entry is found by the keyed hash of a mailbox and holds what the company knows of them
in codes and numbers. It goes from ``invited`` to ``enrolled`` to ``referred``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.event import Event

State = Literal["invited", "enrolled", "referred"]


class Prospect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody on the list. ``version`` is the number of the entry's last event."""

    program: str
    key: str
    """Keyed hash of the mailbox."""
    version: int
    listed_at: Instant
    state: State = "invited"
    segment: str = ""
    score: int | None = None
    customer_since: str = ""
    """A day, ``2026-11-22``: since when they are a customer or employee."""
    type: str = ""
    owner: str = ""
    """The rep who looks after them."""
    partner: str = ""
    """Who they became."""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"PROSPECT#{self.program}#{self.key}"


def listed(
    before: Prospect | None, said: Prospect, *, partner: str = "", now: Instant, actor: str
) -> tuple[Prospect, Event] | None:
    """Return the entry after the company's list *said* so, and the event; None if it knew.

    What became of the person so far stays. Somebody who had enrolled before they were listed
    is *partner*.
    """
    if before is None:
        after = msgspec.structs.replace(said, **_joined(partner))
        return after, _event(after, "ProspectListed", _joined(partner), now, actor)
    so_far = {"state": before.state, "partner": before.partner}
    joined = {} if before.partner else _joined(partner)
    after = msgspec.structs.replace(
        said, version=before.version, listed_at=before.listed_at, **(so_far | joined)
    )
    if after == before:
        return None
    after = msgspec.structs.replace(after, version=before.version + 1)
    return after, _event(after, "ProspectChanged", joined, now, actor)


def enrolled(
    prospect: Prospect, partner: str, *, now: Instant, actor: str
) -> tuple[Prospect, Event]:
    """Return the entry of somebody who became *partner*, and the event."""
    after = msgspec.structs.replace(
        prospect, state="enrolled", partner=partner, version=prospect.version + 1
    )
    return after, _event(after, "ProspectEnrolled", {"partner": partner}, now, actor)


def referred(
    prospect: Prospect, referral: str, *, now: Instant, cause: str
) -> tuple[Prospect, Event]:
    """Return the entry of somebody credited with a first referral, and the event."""
    after = msgspec.structs.replace(prospect, state="referred", version=prospect.version + 1)
    data = {"partner": prospect.partner, "referral": referral}
    return after, _event(after, "ProspectReferred", data, now, "system", cause)


def _joined(partner: str) -> dict[str, str]:
    return {"state": "enrolled", "partner": partner} if partner else {}


def _event(
    after: Prospect,
    kind: str,
    data: dict[str, str],
    now: Instant,
    actor: str,
    cause: str = "",
) -> Event:
    return Event(
        type=kind,
        entity=after.entity,
        seq=after.version,
        program=after.program,
        at=now,
        actor=actor,
        data={**data},
        cause=cause,
    )
