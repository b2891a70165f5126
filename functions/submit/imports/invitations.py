"""Invitations, many at once, and those of a partner company's employees."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from introducer.errors import InvalidInputError
from introducer.tables import reps
from introducer.tables.store import Transaction
from submit import inputs
from submit.imports import rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row
from submit.inputs import Input
from submit.invite import invite

_Locale = Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")]
_Owner = Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{1,31})?$(?!\n)")]


class InvitationRow(Input, frozen=True, kw_only=True):
    """Somebody to invite; ``owner`` is the rep who looks after them."""

    name: inputs.Line
    email: inputs.Email
    audience: inputs.Word
    country: inputs.Country
    locale: _Locale = ""
    owner: _Owner = ""


class EmployeeRow(InvitationRow, frozen=True, kw_only=True):
    """Somebody who works for a partner company, and for which."""

    org: inputs.Word


def take(context: Context, row: Row, said: InvitationRow) -> Outcome:
    """Invite somebody, unless they are a partner already.

    Raises:
        InvalidInputError: Something about them cannot be accepted.
        SeveralFaultsError: They cannot join the audience.
        MailboxTakenError: Somebody else invited them meanwhile.
    """
    check_rep(context, said.owner, "owner")
    writes = Transaction()
    partner = invite(
        writes,
        context.version,
        name=said.name,
        email=said.email,
        audience=said.audience,
        locale=said.locale,
        country=said.country,
        owner=said.owner,
        actor=context.job.requested_by,
        now=context.now,
        org=said.org if isinstance(said, EmployeeRow) else "",
    )
    if not len(writes):
        return rows.known(partner.id)
    return context.commit(writes, row, partner.id)


def check_rep(context: Context, name: str, field: str) -> None:
    """Refuse a name that is no active rep of the program; an empty one is nobody.

    Raises:
        InvalidInputError: ``unknown_rep``.
    """
    rep = reps.find(name) if name else None
    if name and (rep is None or rep.program != context.program or not rep.active):
        raise InvalidInputError(field, "there is no such rep", code="unknown_rep")


_NEEDED = ("name", "email")
INVITATIONS = Kind(
    columns=Columns(known=InvitationRow.__struct_fields__, needed=_NEEDED),
    shape=InvitationRow,
    act=take,
)
EMPLOYEES = Kind(
    columns=Columns(known=EmployeeRow.__struct_fields__, needed=(*_NEEDED, "org")),
    shape=EmployeeRow,
    act=take,
)
