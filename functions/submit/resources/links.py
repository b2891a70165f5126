"""A partner's own links: make, list, change; and the program's right to suspend one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import link as rules
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from introducer.link import Link, Variant
from introducer.partner import Partner
from introducer.tables import links, programs
from introducer.tables.store import Transaction
from submit import inputs, own_links
from submit.acting import MANAGER, PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.own_links import Wish, url_of

resource = Resource(__name__)
managed = Resource(f"{__name__}.managed")

Campaign = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9 ._-]{0,59})?$(?!\n)")]
Channel = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)", examples=["linkedin"])]
Code = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9_-]{2,21}$(?!\n)", description="A code of one's own choice"),
]
Path = Annotated[str, Meta(max_length=900, pattern=r"^/[!-~]*$(?!\n)")]
UrlOrNone = Annotated[str, Meta(max_length=1000, pattern=r"^(https://[!-~]+)?$(?!\n)")]
TimeOrNever = Annotated[
    str, Meta(max_length=40, description="RFC 3339 with an offset; empty for never")
]
Reason = Literal["brand_misuse", "complaint", "legal", "misleading", "other", "spam"]


class NewVariant(Input, frozen=True, kw_only=True):
    """One of several destinations to try, and its part of the visitors."""

    destination: inputs.Url
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1


Variants = Annotated[list[NewVariant], Meta(min_length=2, max_length=5)]


class NewLink(Input, frozen=True, kw_only=True):
    """What a link shall be.

    Without a destination it leads to the program's landing page, or to its own hosted one.

    `path` is a page beside the landing page. Tags in `utm` may hold `{partner}`, `{campaign}`,
    `{channel}`, `{code}` and `{asset}`, filled in now. `fallback` is where the link leads while
    it is suspended.
    """

    code: Code | None = None
    destination: inputs.Url | None = None
    path: Path | None = None
    campaign: Campaign = ""
    channel: Channel = ""
    utm: inputs.Utm = msgspec.field(default_factory=dict)
    variants: Variants | None = None
    fallback: UrlOrNone = ""
    expires_at: TimeOrNever = ""


class LinkChange(Input, frozen=True, kw_only=True):
    """What is new about a link; what is left out stays.

    No `variants` (an empty list) means the one destination again. Tags are filled in anew only
    where `utm` is sent.
    """

    status: Literal["active", "suspended"] | None = None
    destination: inputs.Url | None = None
    campaign: Campaign | None = None
    utm: inputs.Utm | None = None
    variants: Annotated[list[NewVariant], Meta(max_length=5)] | None = None
    fallback: UrlOrNone | None = None
    expires_at: TimeOrNever | None = None


class LinkMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new link: its code and the address to share."""

    code: str
    url: str


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A link as its partner sees it.

    `reason` says why the program suspended it, `uses` how often the text it belongs to was taken.
    """

    code: str
    url: str
    destination: str
    campaign: str
    channel: str
    asset: str
    status: str
    reason: str
    fallback: str
    expires_at: str
    created_at: str
    utm: dict[str, str]
    variants: list[Variant]
    uses: int
    version: int


class LinkList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of links, newest first; ``next`` is empty on the last."""

    items: list[LinkRow]
    next: str


class Suspension(Input, frozen=True, kw_only=True):
    """Whether the program lets a link lead anywhere, and why not."""

    status: Literal["active", "suspended"]
    reason: Reason | None = None


class LinkStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Whose link it is and how it stands."""

    code: str
    partner: str
    destination: str
    status: str
    reason: str
    version: int


@resource.endpoint(
    "POST",
    "/v1/me/links",
    roles=PARTNER,
    body=NewLink,
    answer=LinkMade,
    status=201,
    again=(AlreadyExistsError,),
    codes=(
        "destination_not_allowed",
        "code_not_allowed",
        "already_exists",
        "unknown_placeholder",
        "invalid_time",
        "not_enrolled",
    ),
)
def create_link(call: Call[NewLink, Any]) -> Answer:
    """Make a link of one's own."""
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    body = call.body
    wish = Wish(
        code=body.code or "",
        destination=body.destination or "",
        path=body.path or "",
        campaign=body.campaign,
        channel=body.channel,
        utm=body.utm,
        variants=_variants(body.variants or []),
        fallback=body.fallback,
        expires_at=own_links.expiry("expires_at", body.expires_at),
    )
    made = own_links.planned(partner, document, wish, now=call.now)
    writes = Transaction()
    links.add(writes, made, actor=partner.entity)
    return Answer(body=LinkMade(code=made.code, url=url_of(made.code)), writes=writes)


@resource.endpoint(
    "GET", "/v1/me/links", roles=PARTNER, query=Paging, answer=LinkList, codes=("not_enrolled",)
)
def list_links(call: Call[Any, Paging]) -> Answer:
    """List one's own links, newest first; those of print cards are with their batch."""
    partner = partner_of(call)
    found, page = links.of_partner(partner.id, limit=call.query.limit, start=call.start())
    return Answer(body=LinkList(items=[row(each) for each in found], next=call.next(page.next)))


@resource.endpoint(
    "PUT",
    "/v1/me/links/{code}",
    roles=PARTNER,
    body=LinkChange,
    answer=LinkRow,
    codes=(
        "destination_not_allowed",
        "unknown_placeholder",
        "invalid_time",
        "transition_not_allowed",
        "not_enrolled",
    ),
)
def change_link(call: Call[LinkChange, Any]) -> Answer:
    """Change where one's own link leads and whether; what was printed or sent stays as it is."""
    partner = active_partner_of(call)
    before = own(partner, call.path["code"])
    rules.check_own(before)
    after = _changed(before, call.body)
    if after == before:
        return Answer(body=row(before))
    _check_change(before, after, call.now)
    after, event = rules.changed(before, after, now=call.now, actor=partner.entity)
    writes = Transaction()
    links.save(writes, before, after, event)
    return Answer(body=row(after), writes=writes)


@managed.endpoint(
    "PUT",
    "/v1/programs/{program}/links/{code}",
    roles=MANAGER,
    body=Suspension,
    answer=LinkStanding,
    codes=("reason_missing",),
)
def suspend_link(call: Call[Suspension, Any]) -> Answer:
    """Suspend a partner's link for a reason, or let it lead on; the partner cannot undo it."""
    before = links.find(call.path["code"], consistent=True)
    if before is None or before.program != call.path["program"]:
        raise NotFoundError("no such link")
    suspend = call.body.status == "suspended"
    if suspend and not call.body.reason:
        raise InvalidInputError("reason", "say why", code="reason_missing")
    if not suspend and not before.reason:
        return Answer(body=_standing(before))
    after = rules.suspended(before, (call.body.reason or "") if suspend else "")
    if after == before:
        return Answer(body=_standing(before))
    after, event = rules.changed(before, after, now=call.now, actor=call.caller.name)
    writes = Transaction()
    links.save(writes, before, after, event)
    return Answer(body=_standing(after), writes=writes)


def own(partner: Partner, code: str) -> Link:
    """Return the link of *partner* with *code*.

    Raises:
        NotFoundError: There is none; somebody else's is none either.
    """
    found = links.find(code, consistent=True)
    if found is None or found.partner != partner.id:
        raise NotFoundError("no such link")
    return found


def row(link: Link) -> LinkRow:
    """Return *link* as its partner sees it."""
    names = set(LinkRow.__struct_fields__) - {"url", "destination"}
    return LinkRow(
        url=url_of(link.code),
        destination=own_links.destination_of(link),
        **{name: getattr(link, name) for name in names},
    )


def _changed(before: Link, body: LinkChange) -> Link:
    """Return the link as *body* asks for it, unchecked."""
    new: dict[str, Any] = {
        "status": body.status,
        "destination": body.destination,
        "campaign": body.campaign,
        "fallback": body.fallback,
        "variants": None if body.variants is None else _variants(body.variants),
    }
    if body.expires_at is not None:
        new["expires_at"] = own_links.expiry("expires_at", body.expires_at)
    kept = {name: value for name, value in new.items() if value is not None}
    after = msgspec.structs.replace(before, **kept)
    if body.utm is None:
        return after
    return msgspec.structs.replace(after, utm=rules.filled(body.utm, after))


def _check_change(before: Link, after: Link, now: Instant) -> None:
    """Refuse what is new and wrong; what stood before may have been right in its time."""
    if len(after.variants) == 1:
        raise InvalidInputError("variants", "one alone is no choice; send two to five, or none")
    only_ended = msgspec.structs.replace(before, status="suspended") == after
    if not only_ended:
        document = programs.current(before.program, now).document
        own_links.check(after, document, now)


def _variants(sent: list[NewVariant]) -> list[Variant]:
    return [Variant(destination=each.destination, weight=each.weight) for each in sent]


def _standing(link: Link) -> LinkStanding:
    names = set(LinkStanding.__struct_fields__) - {"destination"}
    destination = own_links.destination_of(link)
    return LinkStanding(destination=destination, **{name: getattr(link, name) for name in names})
