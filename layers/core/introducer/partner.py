"""Partners who refer and reps who sell. Their names and addresses live in People."""

from __future__ import annotations

import msgspec

from introducer.clock import Instant
from introducer.event import Event


class Partner(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody enrolled in a program. ``version`` is the number of its last event."""

    id: str
    program: str
    audience: str
    person: str
    login: str
    """The subject of the login that acts for the partner."""
    country: str
    enrolled_at: Instant
    version: int
    status: str = "active"
    org: str = ""
    locale: str = "en"
    terms_version: str = ""
    email_key: str = ""
    """Keyed hash of the normalised e-mail address."""
    payee_set_at: Instant = ""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"PARTNER#{self.id}"


class Rep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sales representative who takes leads."""

    id: str
    program: str
    person: str
    login: str
    created_at: Instant
    version: int
    region: str = ""
    active: bool = True

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"REP#{self.id}"


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner's own link: a short code that leads to a checked destination."""

    code: str
    program: str
    partner: str
    destination: str
    created_at: Instant
    status: str = "active"
    campaign: str = ""
    utm: dict[str, str] = {}
    version: int = 1

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"LINK#{self.code}"


def enrolled(partner: Partner, *, actor: str) -> Event:
    """Return the first event of a partner."""
    return Event(
        type="PartnerEnrolled",
        entity=partner.entity,
        seq=partner.version,
        program=partner.program,
        at=partner.enrolled_at,
        actor=actor,
        data={"audience": partner.audience, "terms_version": partner.terms_version},
    )


def link_created(link: Link, *, actor: str) -> Event:
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


def rep_added(rep: Rep, *, actor: str) -> Event:
    """Return the first event of a rep."""
    return Event(
        type="RepAdded",
        entity=rep.entity,
        seq=rep.version,
        program=rep.program,
        at=rep.created_at,
        actor=actor,
    )


def payee_changed(partner: Partner, *, now: Instant, actor: str) -> tuple[Partner, Event]:
    """Return *partner* with payout data on file, and the event. The data itself is in People."""
    after = msgspec.structs.replace(partner, version=partner.version + 1, payee_set_at=now)
    event = Event(
        type="PayeeChanged",
        entity=partner.entity,
        seq=after.version,
        program=partner.program,
        at=now,
        actor=actor,
    )
    return after, event
