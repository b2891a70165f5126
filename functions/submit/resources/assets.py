"""The assets library: managers publish texts, partners fill in the open fields and share them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import asset as library
from introducer import clock, identity, keyring, sharing
from introducer import link as rules
from introducer.asset import Asset, Channel, Id, Kind, OpenField, Text
from introducer.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    SeveralFaultsError,
    TransitionError,
)
from introducer.link import Link
from introducer.partner import Partner
from introducer.program import Program
from introducer.tables import assets, claims, links, people, programs
from introducer.tables.claims import Claim
from introducer.tables.store import Transaction
from submit import inputs, own_links
from submit.acting import MANAGER, PARTNER, READERS, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)
managed = Resource(f"{__name__}.managed")

LIMIT_BYTES = 200_000
_KIND = "asset_use"


class AssetBody(Input, frozen=True, kw_only=True):
    """What an asset shall be.

    In `texts`, `{link}` has to stand in the body; `{partner_name}`, `{organization}` and
    `{program}` may; every other placeholder is an open field to declare. No `audiences` means
    all of them. A `retired` asset can no longer be taken; links of earlier uses go on.
    """

    kind: Kind
    channel: Channel
    texts: Annotated[dict[inputs.Locale, Text], Meta(min_length=1, max_length=40)]
    audiences: Annotated[list[Id], Meta(max_length=50)] = msgspec.field(default_factory=list)
    retired: bool = False


class AssetRead(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as managers see it."""

    id: str
    kind: str
    channel: str
    texts: dict[str, Text]
    audiences: list[str]
    retired: bool
    published_at: str
    version: int


class AssetList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of assets by id; ``next`` is empty on the last."""

    items: list[AssetRead]
    next: str


class Wanted(Paging, frozen=True, kw_only=True):
    """Which assets, and in which language if there is a choice."""

    channel: Channel | None = None
    kind: Kind | None = None
    locale: Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")] = ""


class AssetRow(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as partners see it: in one language, with its placeholders."""

    id: str
    kind: str
    channel: str
    version: int
    locale: str
    locales: list[str]
    subject: str
    body: str
    fields: list[OpenField]


class MyAssetList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of assets by id, perhaps a short one; ``next`` is empty on the last."""

    items: list[AssetRow]
    next: str


class Use(Input, frozen=True, kw_only=True):
    """What the partner writes into the open fields; the rest stays as it is."""

    locale: Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")] = ""
    fields: Annotated[dict[Id, inputs.Lines], Meta(max_length=20)] = msgspec.field(
        default_factory=dict
    )


class AssetText(msgspec.Struct, frozen=True, kw_only=True):
    """The text to share with the partner's own link in it.

    `share_url` opens the channel with it; empty where there is no such thing.
    """

    asset: str
    version: int
    locale: str
    channel: str
    code: str
    url: str
    subject: str
    text: str
    html: str
    share_url: str


@managed.endpoint(
    "PUT",
    "/v1/programs/{program}/assets/{asset}",
    roles=MANAGER,
    body=AssetBody,
    answer=AssetRead,
    limit_bytes=LIMIT_BYTES,
    codes=(
        "invalid_asset",
        "invalid_input",
        "unknown_audience",
        "unknown_placeholder",
        "stray_brace",
        "link_missing",
        "link_misplaced",
        "field_taken",
        "field_unused",
        "too_long",
    ),
)
def publish_asset(call: Call[AssetBody, Any]) -> Answer:
    """Publish an asset, or a new version of it; the same again is no new version."""
    document = programs.current(call.path["program"], call.now).document
    before = assets.find(document.id, _id(call.path["asset"]))
    after = Asset(
        id=call.path["asset"],
        program=document.id,
        published_at=before.published_at if before else call.now,
        version=before.version if before else 1,
        **{name: getattr(call.body, name) for name in AssetBody.__struct_fields__},
    )
    if after == before:
        return Answer(body=_read(before))
    faults = library.faults(after, list(document.audiences))
    if faults:
        raise SeveralFaultsError("invalid_asset", "this asset cannot be published", faults)
    if before:
        after = msgspec.structs.replace(after, published_at=call.now, version=before.version + 1)
    writes = Transaction()
    assets.save(writes, before, after, actor=call.caller.name)
    return Answer(body=_read(after), writes=writes)


@managed.endpoint(
    "GET", "/v1/programs/{program}/assets", roles=READERS, query=Paging, answer=AssetList
)
def list_assets(call: Call[Any, Paging]) -> Answer:
    """List a program's assets, retired ones included."""
    found, page = assets.of_program(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    return Answer(body=AssetList(items=[_read(each) for each in found], next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/me/assets",
    roles=PARTNER,
    query=Wanted,
    answer=MyAssetList,
    codes=("not_enrolled",),
)
def list_my_assets(call: Call[Any, Wanted]) -> Answer:
    """List the assets that one's own audience may use."""
    partner = partner_of(call)
    document = programs.current(partner.program, call.now).document
    found, page = assets.of_program(partner.program, limit=call.query.limit, start=call.start())
    rows = [
        _row(each, library.locale_of(each, _locales(call.query.locale, partner, document)))
        for each in found
        if library.is_for(each, partner.audience)
        and call.query.channel in {None, each.channel}
        and call.query.kind in {None, each.kind}
    ]
    return Answer(body=MyAssetList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "POST",
    "/v1/me/assets/{asset}/render",
    roles=PARTNER,
    body=Use,
    answer=AssetText,
    # The answer holds what people wrote, so it is not kept; the use has a claim of its own.
    once=False,
    again=(AlreadyExistsError,),
    codes=("unknown_open_field", "too_long", "transition_not_allowed", "not_enrolled"),
)
def render_asset(call: Call[Use, Any]) -> Answer:
    """Fill in an asset with one's own link; the same within a day counts as one use."""
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    asset = assets.find(partner.program, call.path["asset"])
    if asset is None or not library.is_for(asset, partner.audience):
        raise NotFoundError("no such asset")
    locale = library.locale_of(asset, _locales(call.body.locale, partner, document))
    link = own_links.link_for(
        partner, document, channel=asset.channel, asset=asset.id, now=call.now
    )
    if not rules.usable(link, call.now):
        raise TransitionError("the link of this asset is suspended")
    given = _given(partner, document, own_links.url_of(link.code))
    text = asset.texts[locale]
    filled = sharing.fill(text, library.values(text, call.body.fields, given))
    answer = AssetText(
        asset=asset.id,
        version=asset.version,
        locale=locale,
        channel=asset.channel,
        code=link.code,
        url=given[library.LINK],
        subject=filled.subject,
        text=filled.text,
        html=filled.html,
        share_url=sharing.share_url(asset.channel, filled, given[library.LINK]),
    )
    return Answer(body=answer, writes=_used(call, partner, asset, link, answer))


def _used(
    call: Call[Use, Any], partner: Partner, asset: Asset, link: Link, answer: AssetText
) -> Transaction | None:
    """Return what notes this use, None when it was noted within the last day."""
    taken = msgspec.json.encode(
        [link.code, asset.version, answer.locale, answer.subject, answer.text]
    )
    claim = Claim(
        scope=partner.program,
        kind=_KIND,
        # Keyed: what somebody wrote about their friends is in it.
        value=identity.keyed_hash(taken.decode(), keyring.secret(keyring.IDEMPOTENCY)),
        target=link.entity,
        expires_at=clock.plus(call.now, days=1),
    )
    if claims.find(claim.scope, claim.kind, claim.value, now=call.now):
        return None
    after, event = rules.used(link, asset.version, now=call.now, actor=partner.entity)
    writes = Transaction()
    claims.add(writes, claim, now=call.now, error=AlreadyExistsError("noted already"))
    links.save(writes, link, after, event)
    return writes


def _given(partner: Partner, document: Program, url: str) -> dict[str, str]:
    contact = people.contact(partner.person)
    name = contact.name if contact else ""
    return {
        library.LINK: url,
        "partner_name": name,
        "organization": (contact.company if contact else "") or name,
        "program": document.name,
    }


def _locales(asked: str, partner: Partner, document: Program) -> list[str]:
    """Return in which languages a partner would like to read, best first."""
    audience = document.audiences.get(partner.audience)
    return [
        each for each in (asked, partner.locale, audience.locale if audience else "", "en") if each
    ]


def _id(text: str) -> str:
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError as failure:
        message = "1 to 32 of a-z, 0-9 and underscore, led by a letter"
        raise InvalidInputError("asset", message) from failure


def _read(asset: Asset) -> AssetRead:
    return AssetRead(**{name: getattr(asset, name) for name in AssetRead.__struct_fields__})


def _row(asset: Asset, locale: str) -> AssetRow:
    text = asset.texts[locale]
    return AssetRow(
        id=asset.id,
        kind=asset.kind,
        channel=asset.channel,
        version=asset.version,
        locale=locale,
        locales=sorted(asset.texts),
        subject=text.subject,
        body=text.body,
        fields=text.fields,
    )
