"""Inviting a partner in one call: by a rep, who looks after them then, or by a manager."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer.errors import ForbiddenError, InvalidInputError
from introducer.partner import Rep
from introducer.program import ProgramVersion
from introducer.tables import programs, reps
from introducer.tables.partners import MailboxTakenError
from introducer.tables.store import Transaction
from submit import inputs, invite
from submit.acting import MANAGER, REP, rep_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input

resource = Resource(__name__)
managed = Resource(f"{__name__}.managed")

CODES = (
    "unknown_audience",
    "not_eligible",
    "country_not_eligible",
    "unknown_type",
    "type_not_admitted",
    "invalid_email",
)
LocaleOrNone = Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")]
Organization = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")]
RepId = Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{1,31})?$(?!\n)")]


class NewInvitation(Input, frozen=True, kw_only=True):
    """Who is invited to which audience.

    ``organization`` is the partner company they work for, ``note`` what the inviter knows of
    them. Without a locale the mail is in the audience's.
    """

    name: inputs.Line
    email: inputs.Email
    audience: inputs.Word
    country: inputs.Country
    locale: LocaleOrNone = ""
    organization: Organization = ""
    note: inputs.Lines = ""


class ManagedInvitation(NewInvitation, frozen=True, kw_only=True):
    """The same, with the rep who is to look after them; empty for nobody."""

    owner: RepId = ""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """The partner; ``known`` when the mailbox was somebody's already."""

    id: str
    status: Literal["invited", "known"]


@resource.endpoint(
    "POST",
    "/v1/rep/invitations",
    roles=REP,
    body=NewInvitation,
    answer=Invitation,
    status=201,
    again=(MailboxTakenError,),
    codes=("not_enrolled", *CODES),
)
def invite_as_rep(call: Call[NewInvitation, Any]) -> Answer:
    """Invite somebody, who gets a mail and is the caller's partner.

    Somebody who is invited already is reminded, unless they had a mail within a week.
    """
    rep = working_rep(call)
    version = programs.current(rep.program, call.now)
    return _invite(call, version, owner=rep.id, actor=rep.entity)


@managed.endpoint(
    "POST",
    "/v1/programs/{program}/invitations",
    roles=MANAGER,
    body=ManagedInvitation,
    answer=Invitation,
    status=201,
    again=(MailboxTakenError,),
    codes=("unknown_rep", *CODES),
)
def invite_as_manager(call: Call[ManagedInvitation, Any]) -> Answer:
    """Invite somebody, who gets a mail; a rep may be named to look after them.

    Somebody who is invited already is reminded, unless they had a mail within a week.
    """
    version = programs.current(call.path["program"], call.now)
    owner = call.body.owner
    rep = reps.find(owner) if owner else None
    if owner and (rep is None or rep.program != version.program or not rep.active):
        raise InvalidInputError("owner", "no such rep who takes leads", code="unknown_rep")
    return _invite(call, version, owner=owner, actor=call.caller.name)


def working_rep(call: Call[Any, Any]) -> Rep:
    """Return the rep the caller's login acts for, who still works for the program.

    Raises:
        NotEnrolledError: It acts for none.
        ForbiddenError: The rep takes part no more.
    """
    rep = rep_of(call)
    if not rep.active:
        raise ForbiddenError("this rep is not active")
    return rep


def _invite(call: Call[Any, Any], version: ProgramVersion, *, owner: str, actor: str) -> Answer:
    body: NewInvitation = call.body
    writes = Transaction()
    partner = invite.invite(
        writes,
        version,
        name=body.name,
        email=body.email,
        audience=body.audience,
        locale=body.locale,
        country=body.country,
        owner=owner,
        actor=actor,
        now=call.now,
        note=body.note,
        org=body.organization,
    )
    if len(writes):
        return Answer(body=Invitation(id=partner.id, status="invited"), writes=writes)
    invite.remind(writes, partner, version.document, actor=actor, now=call.now)
    return Answer(body=Invitation(id=partner.id, status="known"), writes=writes, status=200)
