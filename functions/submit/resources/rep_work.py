"""A rep's work: the leads given to them, whom to call, taking, declining and assessing one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import life
from introducer.command import Accept, Assess, Command, Reject
from introducer.errors import InvalidInputError, NotFoundError
from introducer.partner import Rep
from introducer.referral import Involvement, Referral, Share
from introducer.tables import people, programs, referrals
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import REP, rep_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Nothing, Paging
from submit.resources import quality
from submit.resources.my_referrals import Moment, moment
from submit.resources.quality import LeadQuality

resource = Resource(__name__)

ReasonCode = Literal[
    "conflict_of_interest",
    "invalid_contact",
    "no_capacity",
    "no_interest",
    "not_a_fit",
    "not_my_territory",
    "unreachable",
]
"""Why a rep declines: the first kind sends the lead on, the second ends the referral
(:data:`introducer.referral.HANDED_BACK`, :data:`introducer.referral.TURNED_DOWN`)."""


WITHDRAWN = "withdrawn"
"""The status of a lead who wants to be left alone: nobody is shown how to reach them."""


class WorkQuery(Paging, frozen=True, kw_only=True):
    """Which leads; without a status, all."""

    status: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""


class WorkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A lead in the rep's list."""

    id: str
    status: str
    name: str
    company: str
    country: str
    product: str
    submitted_at: str
    updated_at: str
    accept_by: str
    """Until when it must be taken; empty when it was, or when there is no such time."""


class WorkList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of leads, oldest first within a status; ``next`` is empty on the last."""

    items: list[WorkRow]
    next: str


class LeadContact(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the lead; all empty once it was erased, or wants to be left alone."""

    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    note: str = ""
    locale: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How far a credited partner was part of the deal."""

    partner: str
    share_basis_points: int
    involvement: Involvement


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What the rep makes of a lead. ``rating`` is 1 to 5, or 0 while they have not said."""

    rating: int
    involvement: list[Part]


class WorkDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A lead with how to reach it and what happened so far."""

    id: str
    program: str
    status: str
    country: str
    product: str
    submitted_at: str
    accept_by: str
    contact: LeadContact
    quality: LeadQuality
    assessment: Assessment
    timeline: list[Moment]


class Declined(Input, frozen=True, kw_only=True):
    """Why the rep does not take the lead."""

    reason: ReasonCode


class NewAssessment(Input, frozen=True, kw_only=True):
    """The rep's own rating, and by partner how far they were part of the deal.

    A partner who is not named keeps what was said before, at first `introduced`.
    """

    rating: Annotated[int, Meta(ge=1, le=5)]
    involvement: Annotated[dict[inputs.Word, Involvement], Meta(max_length=50)] = {}  # noqa: RUF012


class ReferralMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A referral and the status it has now."""

    id: str
    status: str


@resource.endpoint(
    "GET",
    "/v1/rep/referrals",
    roles=REP,
    query=WorkQuery,
    answer=WorkList,
    codes=("not_enrolled",),
)
def list_work(call: Call[Any, WorkQuery]) -> Answer:
    """List the leads given to the caller."""
    rep = rep_of(call)
    found, page = referrals.of_rep(
        rep.id, status=call.query.status, limit=call.query.limit, start=call.start()
    )
    reachable = [each.lead for each in found if each.status != WITHDRAWN]
    contacts = people.contacts(reachable) if reachable else {}
    rows = [
        WorkRow(
            id=each.id,
            status=each.status,
            name=contacts[each.lead].name if each.lead in contacts else "",
            company=contacts[each.lead].company if each.lead in contacts else "",
            country=each.country,
            product=each.product,
            submitted_at=each.submitted_at,
            updated_at=each.updated_at,
            accept_by=each.accept_by,
        )
        for each in found
    ]
    return Answer(body=WorkList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "GET", "/v1/rep/referrals/{referral}", roles=REP, answer=WorkDetail, codes=("not_enrolled",)
)
def read_work(call: Call[Any, Any]) -> Answer:
    """Read a lead given to the caller, with how to reach it."""
    rep = rep_of(call)
    detail = referrals.detail(call.path["referral"])
    lead = _own(detail.referral, rep)
    contact = people.contact(lead.lead) if lead.status != WITHDRAWN else None
    return Answer(
        body=WorkDetail(
            id=lead.id,
            program=lead.program,
            status=lead.status,
            country=lead.country,
            product=lead.product,
            submitted_at=lead.submitted_at,
            accept_by=lead.accept_by,
            quality=quality.of(detail),
            assessment=_assessment(lead, detail.shares),
            contact=LeadContact(
                name=contact.name,
                email=contact.email,
                phone=contact.phone,
                company=contact.company,
                note=contact.note,
                locale=contact.locale,
            )
            if contact
            else LeadContact(),
            timeline=[moment(event) for event in detail.events],
        )
    )


@resource.endpoint(
    "POST",
    "/v1/rep/referrals/{referral}/accept",
    roles=REP,
    body=Nothing,
    answer=ReferralMoved,
    codes=("not_enrolled", "transition_not_allowed"),
)
def accept(call: Call[Nothing, Any]) -> Answer:
    """Take a lead."""
    return _move(call, Accept())


@resource.endpoint(
    "POST",
    "/v1/rep/referrals/{referral}/reject",
    roles=REP,
    body=Declined,
    answer=ReferralMoved,
    codes=("not_enrolled", "transition_not_allowed"),
)
def reject(call: Call[Declined, Any]) -> Answer:
    """Decline a lead; the reason decides whether another rep is asked."""
    return _move(call, Reject(reason=call.body.reason))


@resource.endpoint(
    "PUT",
    "/v1/rep/referrals/{referral}/assessment",
    roles=REP,
    body=NewAssessment,
    answer=Assessment,
    codes=("not_enrolled", "unknown_partner", "transition_not_allowed"),
)
def assess(call: Call[NewAssessment, Any]) -> Answer:
    """Rate a lead and say how far its partners were part of the deal; until the first sale."""
    rep = rep_of(call)
    detail = referrals.detail(call.path["referral"])
    before = _own(detail.referral, rep)
    said = call.body.involvement
    for partner in said.keys() - {share.partner for share in detail.shares}:
        raise InvalidInputError(
            "involvement", f"{partner} is not credited with this lead", code="unknown_partner"
        )
    shares = [
        msgspec.structs.replace(each, involvement=said.get(each.partner, each.involvement))
        for each in detail.shares
    ]
    changed = [each for each, old in zip(shares, detail.shares, strict=True) if each != old]
    if not changed and before.facts.get("lead.rating") == call.body.rating:
        return Answer(body=_assessment(before, shares))
    document = programs.version(before.program, before.program_version).document
    command = Assess(
        rating=call.body.rating, involvement={each.partner: each.involvement for each in changed}
    )
    after, event = life.apply(before, command, document, now=call.now, actor=rep.entity)
    writes = Transaction()
    referrals.save(writes, before, after, event)
    for each in changed:
        referrals.add_share(writes, after, each)
    return Answer(body=_assessment(after, shares), writes=writes)


def _assessment(lead: Referral, shares: Sequence[Share]) -> Assessment:
    return Assessment(
        rating=msgspec.convert(lead.facts.get("lead.rating", 0), int),
        involvement=[
            Part(
                partner=each.partner,
                share_basis_points=each.basis_points,
                involvement=each.involvement,
            )
            for each in shares
        ],
    )


def _move(call: Call[Any, Any], command: Command) -> Answer:
    rep = rep_of(call)
    before = _own(referrals.get(call.path["referral"]), rep)
    document = programs.version(before.program, before.program_version).document
    after, event = life.apply(before, command, document, now=call.now, actor=rep.entity)
    writes = Transaction()
    referrals.save(writes, before, after, event)
    return Answer(body=ReferralMoved(id=after.id, status=after.status), writes=writes)


def _own(found: Referral, rep: Rep) -> Referral:
    if found.rep != rep.id:
        # The same answer as for one that does not exist.
        raise NotFoundError("no such referral")
    return found
