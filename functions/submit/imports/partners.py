"""Partners of another system: invited, with their date of joining, their id and their code.

Their id there is claimed, so that links, referrals and rewards of the same system find them.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from introducer import identity, keyring
from introducer.errors import AlreadyExistsError, InvalidInputError
from introducer.partner import Partner
from introducer.tables import claims
from introducer.tables import links as stored_links
from introducer.tables.store import Transaction
from submit import inputs, invite
from submit.imports import invitations, links, rows
from submit.imports.invitations import InvitationRow
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row


class PartnerRow(InvitationRow, frozen=True, kw_only=True):
    """A partner as the other system knows them."""

    external_id: inputs.External
    org: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    type: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    enrolled_at: Annotated[str, Meta(max_length=40)] = ""
    code: Annotated[str, Meta(max_length=100)] = ""


def take(context: Context, row: Row, said: PartnerRow) -> Outcome:
    """Invite a partner, and add their old id and code, whatever of it is missing.

    Raises:
        InvalidInputError: Something about them cannot be accepted.
        SeveralFaultsError: They cannot join the audience.
        AlreadyExistsError: The mailbox, the id or the code was taken meanwhile.
    """
    writes = Transaction()
    partner = _partner(context, writes, said)
    if context.of_external(said.external_id) is None:
        claim = context.external_claim(said.external_id, partner)
        taken = AlreadyExistsError("somebody else has this id")
        claims.add(writes, claim, now=context.now, error=taken)
    if said.code:
        link = links.planned(context, partner, said.code)
        if not links.is_there(link):
            stored_links.add(writes, link, actor=context.job.requested_by)
    if not len(writes):
        return rows.known(partner.id)
    return context.commit(writes, row, partner.id)


def _partner(context: Context, writes: Transaction, said: PartnerRow) -> Partner:
    now, document = context.now, context.version.document
    invitations.check_rep(context, said.owner, "owner")
    if said.type and said.type not in document.partner_types:
        raise InvalidInputError("type", "there is no such partner type", code="unknown_type")
    known = context.of_external(said.external_id)
    if known and known.email_key != _key(said.email):
        message = "this id belongs to a partner with another e-mail address"
        raise InvalidInputError("external_id", message, code="differs")
    since = rows.moment("enrolled_at", said.enrolled_at, now) if said.enrolled_at else ""
    profile: dict[str, Any] = {"member_since": since, **({"type": said.type} if said.type else {})}
    partner = invite.invite(
        writes,
        context.version,
        name=said.name,
        email=said.email,
        audience=said.audience,
        locale=said.locale,
        country=said.country,
        owner=said.owner,
        actor=context.job.requested_by,
        now=now,
        org=said.org,
        **profile,
    )
    invite.check_mailbox(partner, "email")
    return partner


def _key(email: str) -> str:
    return identity.email_key(identity.check_email(email), keyring.secret(keyring.IDENTITY))


KIND = Kind(
    columns=Columns(known=PartnerRow.__struct_fields__, needed=("external_id", "name", "email")),
    shape=PartnerRow,
    act=take,
)
