"""A partner's own links."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import ids
from introducer.errors import AlreadyExistsError, InvalidInputError
from introducer.link import Link
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import links, programs
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)

_HTTPS = "https://"
_REFUSED = frozenset('\\"<>^`{|}')
"""Characters no URL may hold, which browsers nevertheless take and mend each in its way."""


class NewLink(Input, frozen=True, kw_only=True):
    """What a link shall be. Without a destination it leads to the program's landing page."""

    destination: inputs.Url | None = None
    campaign: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9 ._-]{0,59})?$(?!\n)")] = ""
    utm: inputs.Utm = msgspec.field(default_factory=dict)


class LinkMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new link: its code and the address to share."""

    code: str
    url: str


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A link in the partner's list."""

    code: str
    url: str
    destination: str
    campaign: str
    status: str
    created_at: str


class LinkList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of links, newest first; ``next`` is empty on the last."""

    items: list[LinkRow]
    next: str


@resource.endpoint(
    "POST",
    "/v1/me/links",
    roles=PARTNER,
    body=NewLink,
    answer=LinkMade,
    status=201,
    again=(AlreadyExistsError,),
    codes=("destination_not_allowed", "not_enrolled"),
)
def create_link(call: Call[NewLink, Any]) -> Answer:
    """Make a link of one's own."""
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    destination = call.body.destination or document.landing_url
    check_destination(destination, document)
    link = Link(
        code=ids.new_code(),
        program=partner.program,
        partner=partner.id,
        destination=destination,
        created_at=call.now,
        campaign=call.body.campaign,
        utm=call.body.utm,
    )
    writes = Transaction()
    links.add(writes, link, actor=partner.entity)
    return Answer(body=LinkMade(code=link.code, url=_url(link.code)), writes=writes)


@resource.endpoint(
    "GET", "/v1/me/links", roles=PARTNER, query=Paging, answer=LinkList, codes=("not_enrolled",)
)
def list_links(call: Call[Any, Paging]) -> Answer:
    """List one's own links, newest first."""
    partner = partner_of(call)
    found, page = links.of_partner(partner.id, limit=call.query.limit, start=call.start())
    rows = [
        LinkRow(
            code=link.code,
            url=_url(link.code),
            destination=link.destination,
            campaign=link.campaign,
            status=link.status,
            created_at=link.created_at,
        )
        for link in found
    ]
    return Answer(body=LinkList(items=rows, next=call.next(page.next)))


def check_destination(url: str, document: Program) -> None:
    """Refuse a URL that leads anywhere but to a host of the program.

    No parser is asked: what stands between ``https://`` and the first ``/``, ``?`` or
    ``#`` must be, letter for letter, one of the hosts. So there is no room for a user
    name, a port, a backslash or another script's letters, on which parsers differ.

    Raises:
        InvalidInputError: It does not begin with such a host, or holds a character that
            no URL may hold.
    """
    rest = url.removeprefix(_HTTPS)
    host = rest.replace("?", "/").replace("#", "/").partition("/")[0]
    plain = url.isascii() and url.isprintable() and " " not in url and _REFUSED.isdisjoint(url)
    if not plain or rest == url or host.lower() not in document.destinations:
        raise InvalidInputError(
            "destination",
            "links lead to the hosts of the program only",
            code="destination_not_allowed",
        )


def _url(code: str) -> str:
    return f"{setting('CLICK_BASE_URL')}/r/{code}"
