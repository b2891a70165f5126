"""Print cards: batches of short codes to type or scan, and the sheet they are printed on."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import card, clock, ids
from introducer.card import Batch
from introducer.errors import InvalidInputError, NotFoundError
from introducer.link import Link, usable
from introducer.partner import Partner
from introducer.tables import cards, people, programs
from introducer.tables.store import Transaction
from submit import files, own_links, sheet
from submit.acting import PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.once import Stored
from submit.own_links import url_of
from submit.resources.links import Campaign, TimeOrNever

resource = Resource(__name__)


class NewCards(Input, frozen=True, kw_only=True):
    """How many cards, and until when they count."""

    count: Annotated[int, Meta(ge=1, le=card.MOST)]
    campaign: Campaign = ""
    expires_at: TimeOrNever = ""


class CardsMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new batch."""

    id: str
    count: int


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch in the list."""

    id: str
    count: int
    campaign: str
    expires_at: str
    created_at: str


class BatchList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of batches, newest first; ``next`` is empty on the last."""

    items: list[BatchRow]
    next: str


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A card: its code, how that is printed, and where its QR code leads."""

    code: str
    shown: str
    url: str
    status: str


class BatchRead(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with its cards. Each is one of the caller's links and can be suspended as such."""

    batch: BatchRow
    cards: list[CardRow]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sheet is read, without a login, and until when."""

    url: str
    until: str


def make_links(call: Call[NewCards, Any], stored: Stored) -> Stored:
    """Make the links of the batch just stored; a repeated request makes those still missing."""
    del call
    batch = cards.find(str(stored["id"]))
    if batch:
        cards.complete(batch)
    return {}


@resource.endpoint(
    "POST",
    "/v1/me/cards",
    roles=PARTNER,
    body=NewCards,
    answer=CardsMade,
    status=201,
    location="cards/{id}",
    unstored=make_links,
    codes=("invalid_time", "not_enrolled"),
)
def make_cards(call: Call[NewCards, Any]) -> Answer:
    """Make a batch of print cards."""
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    expires_at = own_links.expiry("expires_at", call.body.expires_at)
    if expires_at and expires_at <= call.now:
        raise InvalidInputError("expires_at", "that is over already", code="invalid_time")
    batch = Batch(
        id=ids.new_id(),
        program=partner.program,
        partner=partner.id,
        created_at=call.now,
        destination="" if document.intake.page.hosted else document.landing_url,
        codes=cards.free_codes(call.body.count),
        campaign=call.body.campaign,
        expires_at=expires_at,
        clicks_days=document.intake.clicks_days,
    )
    writes = Transaction()
    cards.add(writes, batch, actor=partner.entity)
    return Answer(body=CardsMade(id=batch.id, count=len(batch.codes)), writes=writes)


@resource.endpoint(
    "GET", "/v1/me/cards", roles=PARTNER, query=Paging, answer=BatchList, codes=("not_enrolled",)
)
def list_cards(call: Call[Any, Paging]) -> Answer:
    """List one's own batches of print cards, newest first."""
    partner = partner_of(call)
    found, page = cards.of_partner(partner.id, limit=call.query.limit, start=call.start())
    rows = [_row(each) for each in found]
    return Answer(body=BatchList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "GET", "/v1/me/cards/{batch}", roles=PARTNER, answer=BatchRead, codes=("not_enrolled",)
)
def read_cards(call: Call[Any, Any]) -> Answer:
    """Read the codes of a batch, in the order of its sheet."""
    batch = _own(partner_of(call), call.path["batch"])
    rows = [_card(link) for link in cards.complete(batch)]
    return Answer(body=BatchRead(batch=_row(batch), cards=rows))


@resource.endpoint(
    "GET", "/v1/me/cards/{batch}/sheet", roles=PARTNER, answer=Sheet, codes=("not_enrolled",)
)
def print_cards(call: Call[Any, Any]) -> Answer:
    """Make the printable sheet of a batch, ten cards a page, without those that lead nowhere."""
    partner = partner_of(call)
    batch = _own(partner, call.path["batch"])
    document = programs.current(batch.program, call.now).document
    contact = people.contact(partner.person)
    page = sheet.render(
        [link.code for link in cards.complete(batch) if usable(link, call.now)],
        program=document.name,
        partner=contact.name if contact else "",
        expires_at=batch.expires_at,
        locale=partner.locale,
    )
    url = files.publish(f"cards/{batch.id}.html", page.encode(), sheet.MEDIA)
    return Answer(body=Sheet(url=url, until=clock.plus(call.now, seconds=files.LINK_S)))


def _own(partner: Partner, batch: str) -> Batch:
    found = cards.find(batch)
    if found is None or found.partner != partner.id:
        raise NotFoundError("no such batch")
    return found


def _row(batch: Batch) -> BatchRow:
    return BatchRow(
        id=batch.id,
        count=len(batch.codes),
        campaign=batch.campaign,
        expires_at=batch.expires_at,
        created_at=batch.created_at,
    )


def _card(link: Link) -> CardRow:
    return CardRow(
        code=link.code, shown=card.shown(link.code), url=url_of(link.code), status=link.status
    )
