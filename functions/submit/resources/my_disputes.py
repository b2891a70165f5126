"""A partner's own disputes: their words, where it stands, and why it was decided so."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock, dispute, identity, ids, keyring
from introducer.clock import Instant
from introducer.dispute import Claim, Dispute
from introducer.errors import InvalidInputError, NotFoundError
from introducer.partner import Partner
from introducer.program import Program
from introducer.referral import Referral
from introducer.tables import disputes, programs, referrals
from introducer.tables.store import Transaction
from submit import dispute_words, inputs
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Nothing, Paging
from submit.resources.my_referrals import Reason

resource = Resource(__name__)


class NewDispute(Input, frozen=True, kw_only=True):
    """What is disputed: a referral in the caller's list, or whoever has this address.

    Whether an address belongs to a referral is not told.
    """

    reason: Claim
    referral: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    comment: inputs.Lines = ""


class NewComment(Input, frozen=True, kw_only=True):
    """Something to add to a dispute."""

    comment: Annotated[inputs.Lines, Meta(min_length=1)]


class DisputeReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute that was received."""

    id: str
    status: str = "received"


class DisputeMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute and the status it has now."""

    id: str
    status: str


class MyDispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute of the caller's, in plain words.

    ``referral`` is the one they named; of a dispute by an address, or by others on their
    behalf, it is empty for ever.
    """

    id: str
    referral: str
    status: Reason
    outcome: Reason | None
    reason: Reason | None
    opened_at: str
    updated_at: str


class MyDisputeList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of disputes, newest first; ``next`` is empty on the last."""

    items: list[MyDispute]
    next: str


class OwnWords(msgspec.Struct, frozen=True, kw_only=True):
    """Something the caller wrote."""

    at: str
    text: str


class MyDisputeDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute with the caller's own words."""

    dispute: MyDispute
    comments: list[OwnWords]


@resource.endpoint(
    "POST",
    "/v1/me/disputes",
    roles=PARTNER,
    body=NewDispute,
    answer=DisputeReceived,
    status=201,
    location="disputes/{id}",
    codes=("not_enrolled", "too_late", "invalid_email", "already_exists"),
)
def open_my_dispute(call: Call[NewDispute, Any]) -> Answer:
    """Dispute who is credited for a referral.

    It is named by its id, or by the lead's address when it is in somebody else's list; then the
    answer, and all that follows until the decision, is the same whether there is one or not.
    """
    partner, body = partner_of(call), call.body
    if bool(body.referral) == bool(body.email):
        raise InvalidInputError("referral", "name a referral or an address", code="invalid_input")
    if body.referral:
        detail = referrals.detail(body.referral)
        if partner.id not in {each.partner for each in (*detail.shares, *detail.former)}:
            # The same answer as for one that does not exist.
            raise NotFoundError("no such referral")
        rules = _rules(detail.referral)
        check_time(detail.referral, rules, call.now)
        about = live(detail.referral).id
        return _opened(call, partner, rules, referral=about, named=body.referral)
    address = identity.check_email(body.email.strip())
    rules = programs.current(partner.program, call.now).document
    key = identity.email_key(address, keyring.secret(keyring.IDENTITY))
    return _opened(call, partner, rules, lead_key=key)


@resource.endpoint(
    "GET",
    "/v1/me/disputes",
    roles=PARTNER,
    query=Paging,
    answer=MyDisputeList,
    codes=("not_enrolled",),
)
def list_my_disputes(call: Call[Any, Paging]) -> Answer:
    """List the caller's disputes, newest first."""
    partner = partner_of(call)
    found, page = disputes.of_partner(partner.id, limit=call.query.limit, start=call.start())
    items = [_told(each, partner) for each in found]
    return Answer(body=MyDisputeList(items=items, next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/me/disputes/{dispute}",
    roles=PARTNER,
    answer=MyDisputeDetail,
    codes=("not_enrolled",),
)
def read_my_dispute(call: Call[Any, Any]) -> Answer:
    """Read a dispute of the caller's with what they wrote."""
    partner = partner_of(call)
    found = _own(call, partner)
    written = disputes.comments(found.id)
    own = [OwnWords(at=each.at, text=each.text) for each in written if each.by == partner.entity]
    return Answer(body=MyDisputeDetail(dispute=_told(found, partner), comments=own))


@resource.endpoint(
    "POST",
    "/v1/me/disputes/{dispute}/comments",
    roles=PARTNER,
    body=NewComment,
    answer=DisputeMoved,
    codes=("not_enrolled", "transition_not_allowed"),
)
def comment_my_dispute(call: Call[NewComment, Any]) -> Answer:
    """Add something to a dispute of the caller's."""
    partner = partner_of(call)
    before = _own(call, partner)
    after, event = dispute.commented(before, now=call.now, actor=partner.entity)
    writes = Transaction()
    disputes.save(writes, before, after, event, comment=call.body.comment)
    return Answer(body=DisputeMoved(id=after.id, status=after.status), writes=writes)


@resource.endpoint(
    "POST",
    "/v1/me/disputes/{dispute}/withdraw",
    roles=PARTNER,
    body=Nothing,
    answer=DisputeMoved,
    codes=("not_enrolled", "transition_not_allowed"),
)
def withdraw_my_dispute(call: Call[Nothing, Any]) -> Answer:
    """Take back a dispute of the caller's."""
    partner = partner_of(call)
    before = _own(call, partner)
    after, event = dispute.withdrawn(before, now=call.now, actor=partner.entity)
    writes = Transaction()
    disputes.save(writes, before, after, event)
    return Answer(body=DisputeMoved(id=after.id, status=after.status), writes=writes)


def live(referral: Referral) -> Referral:
    """Return the referral whose credit counts: of a duplicate the one that was there before."""
    first = referrals.find(referral.duplicate_of) if referral.duplicate_of else None
    return first if referral.status == "duplicate" and first else referral


def check_time(referral: Referral, rules: Program, now: Instant) -> None:
    """Refuse a dispute that comes too late.

    Raises:
        InvalidInputError: ``too_late``.
    """
    if clock.plus(referral.submitted_at, days=rules.disputes.open_within_days) < now:
        message = f"its credit could be disputed for {rules.disputes.open_within_days} days"
        raise InvalidInputError("referral", message, code="too_late")


def new(  # noqa: PLR0913  (what a dispute is made of)
    program: str,
    rules: Program,
    *,
    reason: Claim,
    opened_by: str,
    now: Instant,
    partner: str = "",
    referral: str = "",
    named: str = "",
    lead_key: str = "",
) -> Dispute:
    """Return a new dispute."""
    return Dispute(
        id=ids.new_id(),
        program=program,
        version=1,
        status="open",
        opened_by=opened_by,
        partner=partner,
        referral=referral,
        named=named,
        lead_key=lead_key,
        reason=reason,
        opened_at=now,
        updated_at=now,
        decide_by=clock.plus(now, days=rules.disputes.decide_within_days),
    )


def _opened(
    call: Call[NewDispute, Any],
    partner: Partner,
    rules: Program,
    *,
    referral: str = "",
    named: str = "",
    lead_key: str = "",
) -> Answer:
    made = new(
        partner.program,
        rules,
        reason=call.body.reason,
        opened_by=partner.entity,
        now=call.now,
        partner=partner.id,
        referral=referral,
        named=named,
        lead_key=lead_key,
    )
    writes = Transaction()
    disputes.add(writes, made, dispute.opened(made), comment=call.body.comment)
    return Answer(body=DisputeReceived(id=made.id), writes=writes)


def _rules(referral: Referral) -> Program:
    return programs.version(referral.program, referral.program_version).document


def _own(call: Call[Any, Any], partner: Partner) -> Dispute:
    found = disputes.get(call.path["dispute"])
    if found.partner != partner.id:
        # The same answer as for one that does not exist.
        raise NotFoundError("no such dispute")
    return found


def _told(found: Dispute, partner: Partner) -> MyDispute:
    return MyDispute(
        id=found.id,
        referral=found.named,
        status=_reason(dispute_words.STATUS, found.status, partner) or Reason(code="", text=""),
        outcome=_reason(dispute_words.OUTCOME, found.outcome, partner),
        reason=_reason(dispute_words.GROUNDS, found.grounds, partner),
        opened_at=found.opened_at,
        updated_at=found.updated_at,
    )


def _reason(words: dict[str, dict[str, str]], code: str | None, partner: Partner) -> Reason | None:
    if not code:
        return None
    return Reason(code=code, text=dispute_words.say(words, code, partner.locale))
