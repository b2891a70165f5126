"""What became of a partner's referrals. Who the lead is stays between lead and rep."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer.errors import NotFoundError
from introducer.event import Event
from introducer.referral import Referral, Share
from introducer.tables import referrals
from submit import words
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Paging

resource = Resource(__name__)


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why: a stable code and plain words."""

    code: str
    text: str


class ReferralRow(msgspec.Struct, frozen=True, kw_only=True):
    """A referral in its partner's list. ``share_basis_points`` of 10,000 are the partner's."""

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
    items = [_row(referral, share) for referral, share in rows]
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
    return Answer(
        body=ReferralDetail(
            referral=_row(detail.referral, share),
            status=detail.referral.status,
            timeline=[moment(event) for event in detail.events],
        )
    )


def _row(referral: Referral, share: Share) -> ReferralRow:
    return ReferralRow(
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
