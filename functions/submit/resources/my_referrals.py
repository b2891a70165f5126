"""What became of a partner's referrals. Who the lead is stays between lead and rep.

Who lost all credit by a dispute reads it up to that decision: what comes after is others' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from introducer.errors import NotFoundError
from introducer.event import Event
from introducer.partner import Partner
from introducer.referral import Referral, Share
from introducer.tables import events, referrals
from submit import dispute_words, words
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Paging

RECREDITED = "recredited"
"""The status of a referral for whoever lost all credit for it."""
UNTOLD = frozenset({"LeadMerged"})
"""Events that tell of others' referrals."""

resource = Resource(__name__)


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why: a stable code and plain words."""

    code: str
    text: str


class ReferralRow(msgspec.Struct, frozen=True, kw_only=True):
    """A referral in its partner's list. ``share_basis_points`` of 10,000 are the partner's.

    The status is ``recredited``, in words in ``reason``, for whoever lost all of it.
    """

    id: str
    status: str
    submitted_at: str
    updated_at: str
    share_basis_points: int
    country: str
    product: str
    reason: Reason | None
    held: Reason | None


class ReferralList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of referrals, newest first; ``next`` is empty on the last."""

    items: list[ReferralRow]
    next: str


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    type: str
    at: str
    text: str
    reason: Reason | None


class ReferralDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A referral with everything that happened to it, oldest first."""

    referral: ReferralRow
    status: str
    timeline: list[Moment]


@resource.endpoint(
    "GET",
    "/v1/me/referrals",
    roles=PARTNER,
    query=Paging,
    answer=ReferralList,
    codes=("not_enrolled",),
)
def list_my_referrals(call: Call[Any, Paging]) -> Answer:
    """List the referrals the caller is credited for, newest first."""
    partner = partner_of(call)
    rows, page = referrals.of_partner(partner.id, limit=call.query.limit, start=call.start())
    items = [_row(referral, share, partner, _lost(referral, share)) for referral, share in rows]
    return Answer(body=ReferralList(items=items, next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/me/referrals/{referral}",
    roles=PARTNER,
    answer=ReferralDetail,
    codes=("not_enrolled",),
)
def read_my_referral(call: Call[Any, Any]) -> Answer:
    """Read a referral the caller is credited for, with its timeline."""
    partner = partner_of(call)
    detail = referrals.detail(call.path["referral"])
    every = [*detail.shares, *detail.former]
    share = next((share for share in every if share.partner == partner.id), None)
    if share is None:
        # The same answer as for one that does not exist.
        raise NotFoundError("no such referral")
    lost = _lost(detail.referral, share, detail.events)
    row = _row(detail.referral, share, partner, lost)
    told = [
        moment(event)
        for event in detail.events
        if event.type not in UNTOLD and not (lost and event.seq > lost.seq)
    ]
    return Answer(body=ReferralDetail(referral=row, status=row.status, timeline=told))


def _lost(referral: Referral, share: Share, history: Sequence[Event] | None = None) -> Event | None:
    """Return the decision that took all of a partner's credit, None while they have some."""
    if share.basis_points or not referral.dispute:
        return None
    taken: Event | None = None
    for event in events.of_entity(referral.entity) if history is None else history:
        if event.type != "ReferralRecredited":
            continue
        credit = {part.rpartition(":")[0] for part in str(event.data["credit"]).split()}
        taken = None if share.partner in credit else taken or event
    return taken


def _row(referral: Referral, share: Share, partner: Partner, lost: Event | None) -> ReferralRow:
    row = ReferralRow(
        id=referral.id,
        status=referral.status,
        submitted_at=referral.submitted_at,
        updated_at=referral.updated_at,
        share_basis_points=share.basis_points,
        country=referral.country,
        product=referral.product,
        reason=_reason(referral.reason),
        held=_reason(referral.hold),
    )
    if lost is None:
        return row
    text = dispute_words.say(dispute_words.LOST, RECREDITED, partner.locale)
    return msgspec.structs.replace(
        row,
        status=RECREDITED,
        updated_at=lost.at,
        reason=Reason(code=RECREDITED, text=text),
        held=None,
    )


def moment(event: Event) -> Moment:
    """Return *event* as it is told to people: no actor, no ids of others."""
    return Moment(
        type=event.type,
        at=event.at,
        text=words.of_event(event.type),
        reason=_reason(str(event.data.get("reason", ""))),
    )


def _reason(code: str) -> Reason | None:
    return Reason(code=code, text=words.of_reason(code)) if code else None
