"""Links and codes of another system, which go on redirecting."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from introducer import card, clickid
from introducer.errors import InvalidInputError
from introducer.link import Link
from introducer.partner import Partner
from introducer.tables import links
from introducer.tables.store import Transaction
from submit import own_links
from submit.imports import rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row
from submit.inputs import Input

Destination = Annotated[str, Meta(max_length=1000)]


class LinkRow(Input, frozen=True, kw_only=True):
    """An old link: whose it is, its code, and where it leads; empty for the landing page."""

    partner: Annotated[str, Meta(min_length=1, max_length=254)]
    code: Annotated[str, Meta(min_length=1, max_length=100)]
    destination: Destination = ""
    campaign: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9 ._-]{0,59})?$(?!\n)")] = ""


def take(context: Context, row: Row, said: LinkRow) -> Outcome:
    """Make a link with an old code, unless it is there already.

    Raises:
        InvalidInputError: ``unknown_partner``, ``code_not_usable``, ``destination_not_allowed``
            or ``differs``.
        AlreadyExistsError: The code is another's.
    """
    partner = context.partner(said.partner)
    link = planned(context, partner, said.code, said.destination, said.campaign)
    if is_there(link):
        return rows.known(link.code)
    writes = Transaction()
    links.add(writes, link, actor=context.job.requested_by)
    return context.commit(writes, row, link.code)


def planned(
    context: Context, partner: Partner, code: str, destination: str = "", campaign: str = ""
) -> Link:
    """Return the link of *partner* with an old *code*, checked and not stored yet.

    Raises:
        InvalidInputError: ``code_not_usable`` or ``destination_not_allowed``.
    """
    document = context.version.document
    link = Link(
        code=usable(code),
        program=context.program,
        partner=partner.id,
        destination=destination or document.landing_url,
        created_at=context.now,
        campaign=campaign,
        channel="migration",
        clicks_days=document.intake.clicks_days,
    )
    own_links.check(link, document, context.now)
    return link


def is_there(link: Link) -> bool:
    """Return whether *link* exists already as it is planned.

    Raises:
        InvalidInputError: ``code_taken``: by somebody else; ``differs``: by another link of
            the same partner.
    """
    there = links.find(link.code, consistent=True)
    if there is None:
        return False
    if (there.program, there.partner) != (link.program, link.partner):
        raise InvalidInputError("code", "somebody else has this code", code="code_taken")
    if (there.destination, there.campaign) != (link.destination, link.campaign):
        message = "there is a link with this code that leads elsewhere"
        raise InvalidInputError("code", message, code="differs")
    return True


def usable(code: str) -> str:
    """Return an old code in the form in which ours are kept: small letters.

    Raises:
        InvalidInputError: ``code_not_usable``: it could not be told from what is no code.
    """
    folded = code.strip().lower()
    if not clickid.is_code(folded) or card.looks_like(folded):
        message = "codes are 3 to 22 of a-z, 0-9, hyphen and underscore, led by no sign"
        raise InvalidInputError("code", message, code="code_not_usable")
    return folded


KIND = Kind(
    columns=Columns(known=LinkRow.__struct_fields__, needed=("partner", "code")),
    shape=LinkRow,
    act=take,
)
