"""Partners who refer and reps who sell. Their names and addresses live in People."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from introducer.clock import Instant
from introducer.event import Event
from introducer.prospect import Prospect
from introducer.working_hours import Hours


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """The version of a text that a partner accepted last, and when."""

    version: str
    at: Instant


class Partner(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody enrolled in a program, or invited. ``version`` is the number of its last event."""

    id: str
    program: str
    audience: str
    person: str
    login: str
    """The subject of the login that acts for the partner; empty while they are invited."""
    country: str
    enrolled_at: Instant
    """Empty while they are invited."""
    version: int
    status: str = "active"
    """``invited`` until they enrol: credited already, paid nothing yet; then ``active``."""
    org: str = ""
    locale: str = "en"
    type: str = ""
    terms_version: str = ""
    terms_at: Instant = ""
    agreements: dict[str, Acceptance] = {}
    """By the text's id; every earlier acceptance is an event."""
    declarations: dict[str, Instant] = {}
    """When each statement was made, by its id."""
    verified: bool = False
    """Whether their login had verified the e-mail address; only then is its entry theirs."""
    listed: bool = False
    """On the company's own list."""
    segment: str = ""
    score: int | None = None
    customer_since: str = ""
    """A day; this and the two before are what the list said."""
    email_key: str = ""
    """Keyed hash of the normalised e-mail address."""
    keys: dict[str, str] = {}
    """Keyed hashes of their number and company domain: ``phone``, ``domain``."""
    payee_set_at: Instant = ""
    """When the account that counts was given; empty while there is none."""
    payee_method: str = ""
    """What kind of account: ``bank``, ``ach``, ``stripe`` or ``paypal``."""
    payee_key: str = ""
    """Keyed hash of the account, the same for everybody who gives the same one."""
    payee_usable_at: Instant = ""
    """Nothing is paid to the account before; empty when it may be used at once."""
    payee_problem: str = ""
    """Why the bank sent money back; nothing is paid until the account is given anew."""
    payout_hold: str = ""
    """Why a person keeps their payouts back; empty when nobody does."""
    screening: str = ""
    """What the list of sanctioned people says: ``clear``, ``hit``, ``cleared``; empty: nothing."""
    screened_with: str = ""
    """The list they were compared with, by its digest."""
    tax_form: str = ""
    """The form on file, such as ``w9``; empty for none."""
    tax_form_at: Instant = ""
    tax_form_until: str = ""
    """The last day the form counts; empty when it does not run out."""
    tax_country: str = ""
    tax_entity: str = ""
    """``individual`` or ``company``."""
    owner: str = ""
    """The rep who looks after the partner; empty for none."""
    invited_at: Instant = ""
    """Empty for somebody who came by themselves."""
    invited_by: str = ""
    """Who invited them, as events name whoever acts."""
    remind_at: Instant = ""
    """When they are reminded of the invitation next; empty for never."""
    reminded_at: Instant = ""
    """When they were reminded last."""
    asked_at: Instant = ""
    """When they were asked to refer somebody last."""
    member_since: Instant = ""
    """When they joined elsewhere, for partners who were brought in from another system."""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"PARTNER#{self.id}"

    @property
    def has_mailbox(self) -> bool:
        """Return whether the address is theirs, so that whoever is named by it is them.

        Anybody can enrol with an address they only typed; who is invited gets in by it alone.
        """
        return self.status == "invited" or self.verified


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
    countries: list[str] = []
    """Their territory; empty for everywhere. Likewise products."""
    products: list[str] = []
    languages: list[str] = []
    """Two letters each; asked about only by rules that want the lead's language."""
    min_size: int = 0
    max_size: int = 0
    """How many people a lead's company may employ; 0 for any."""
    capacity: int = 0
    """Most leads open at once; 0 for any number."""
    time_zone: str = ""
    """An IANA name; empty for the program's."""
    hours: Hours = {}
    """When they are at work; empty for always."""

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"REP#{self.id}"


def invited(partner: Partner, *, credited: bool = False) -> Event:
    """Return the first event of somebody invited; *credited* when a referral of theirs is known."""
    return Event(
        type="PartnerInvited",
        entity=partner.entity,
        seq=partner.version,
        program=partner.program,
        at=partner.invited_at,
        actor=partner.invited_by,
        data={"audience": partner.audience, "owner": partner.owner, "credited": int(credited)},
    )


def reminded(
    partner: Partner, *, next_at: Instant, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return somebody invited who is told again, and once more at *next_at*, and the event."""
    return changed(partner, "PartnerReminded", {}, now, actor, remind_at=next_at, reminded_at=now)


def asked(
    partner: Partner, *, rule: str, link: str, now: Instant, actor: str, cause: str
) -> tuple[Partner, Event]:
    """Return *partner* who is asked to refer somebody, and the event.

    Args:
        partner: Whom.
        rule: The advocacy rule that asks; empty for somebody's own choice.
        link: The code of the link the ask carries.
        now: The present instant.
        actor: Who asks.
        cause: The message or request that led to it.
    """
    data = {"rule": rule, "link": link}
    after, event = changed(partner, "AskRequested", data, now, actor, asked_at=now)
    return after, msgspec.structs.replace(event, cause=cause)


def enrolled(partner: Partner, *, actor: str) -> Event:
    """Return the event of enrolling, which names every text accepted and statement made.

    It is a partner's first, except for those who were invited.
    """
    accepted = {f"agreement.{key}": each.version for key, each in partner.agreements.items()}
    declared = {f"declaration.{key}": at for key, at in partner.declarations.items()}
    return Event(
        type="PartnerEnrolled",
        entity=partner.entity,
        seq=partner.version,
        program=partner.program,
        at=partner.enrolled_at,
        actor=actor,
        data={
            "audience": partner.audience,
            "terms_version": partner.terms_version,
            **({"type": partner.type} if partner.type else {}),
            **accepted,
            **declared,
        },
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


def accepts(
    partner: Partner, agreement: str, version: str, *, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return *partner* with *version* of a text accepted, and the event."""
    accepted = {**partner.agreements, agreement: Acceptance(version=version, at=now)}
    data = {"agreement": agreement, "version": version}
    return changed(partner, "AgreementAccepted", data, now, actor, agreements=accepted)


def accepts_terms(
    partner: Partner, version: str, *, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return *partner* with *version* of the program's terms accepted, and the event."""
    data = {"terms_version": version}
    return changed(partner, "TermsAccepted", data, now, actor, terms_version=version, terms_at=now)


def declares(
    partner: Partner, declaration: str, *, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return *partner* with a statement made, and the event."""
    made = {**partner.declarations, declaration: now}
    data = {"declaration": declaration}
    return changed(partner, "DeclarationMade", data, now, actor, declarations=made)


def rep_changed(before: Rep, after: Rep, *, now: Instant, actor: str) -> tuple[Rep, Event]:
    """Return the rep as *after* says, one version on, and the event that names what is new."""
    names = [
        each for each in Rep.__struct_fields__ if getattr(before, each) != getattr(after, each)
    ]
    after = msgspec.structs.replace(after, version=before.version + 1)
    event = Event(
        type="RepChanged",
        entity=before.entity,
        seq=after.version,
        program=before.program,
        at=now,
        actor=actor,
        data={"changed": " ".join(names), "active": int(after.active)},
    )
    return after, event


def owner_changed(
    partner: Partner, owner: str, *, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return *partner* looked after by the rep *owner*, or by nobody, and the event."""
    after = msgspec.structs.replace(partner, version=partner.version + 1, owner=owner)
    event = Event(
        type="PartnerOwnerChanged",
        entity=partner.entity,
        seq=after.version,
        program=partner.program,
        at=now,
        actor=actor,
        data={"owner": owner},
    )
    return after, event


def relisted(
    partner: Partner, said: Prospect, *, now: Instant, actor: str
) -> tuple[Partner, Event]:
    """Return *partner* with what the company's list says of them now, and the event."""
    return changed(partner, "PartnerRelisted", {}, now, actor, **listing(said, partner.type))


def listing(said: Prospect | None, kind: str) -> dict[str, Any]:
    """Return the fields of a partner that come from the company's list.

    Args:
        said: Their entry, None for somebody who is not on it.
        kind: Their type where the list names none.
    """
    if said is None:
        return {"type": kind}
    return {
        "listed": True,
        "type": said.type or kind,
        "segment": said.segment,
        "score": said.score,
        "customer_since": said.customer_since,
        "owner": said.owner,
    }


def greeted(partner: Partner, *, shown: bool, now: Instant, actor: str) -> tuple[Partner, Event]:
    """Return *partner* with a new greeting, and the event. What it says is in People."""
    return changed(partner, "GreetingChanged", {"shown": "yes" if shown else "no"}, now, actor)


def changed(
    partner: Partner,
    kind: str,
    data: Mapping[str, str | int],
    now: Instant,
    actor: str,
    **changes: object,
) -> tuple[Partner, Event]:
    """Return *partner* with *changes*, one version on, and the event *kind* with its *data*."""
    after = msgspec.structs.replace(partner, version=partner.version + 1, **changes)
    event = Event(
        type=kind,
        entity=partner.entity,
        seq=after.version,
        program=partner.program,
        at=now,
        actor=actor,
        data={**data},
    )
    return after, event
