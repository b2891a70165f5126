"""Disputes as staff see them: opened by reps and managers, read with the evidence, decided."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import dispute, life, screening
from introducer.dispute import Claim, Dispute, Grounds, Outcome
from introducer.errors import InvalidInputError, NotFoundError, OnHoldError
from introducer.money import BASIS_POINTS
from introducer.partner import Partner
from introducer.referral import Referral
from introducer.tables import disputes, partners, programs, referrals, rewards
from introducer.tables.referrals import Detail
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import MANAGER, READERS, REP, rep_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.resources import evidence, my_disputes
from submit.resources.evidence import AttributionEvidence, Credit
from submit.resources.my_disputes import DisputeMoved, NewComment

resource = Resource(__name__)

Part = Annotated[int, Meta(ge=1, le=BASIS_POINTS)]


class RepDispute(Input, frozen=True, kw_only=True):
    """What a rep disputes about a lead of theirs; ``partner`` is who they say it belongs to."""

    reason: Claim
    partner: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    comment: inputs.Lines = ""


class StaffDispute(RepDispute, frozen=True, kw_only=True):
    """What a manager disputes about a referral."""

    referral: inputs.Word


class DisputeOpened(msgspec.Struct, frozen=True, kw_only=True):
    """The new dispute."""

    id: str
    status: str = "open"


class NewPart(Input, frozen=True, kw_only=True):
    """A partner's part of the credit, in basis points."""

    partner: inputs.Word
    basis_points: Part


class Decision(Input, frozen=True, kw_only=True):
    """What is decided, and why.

    Upheld without ``credit`` gives the partner of the dispute everything; rejected changes
    nothing. ``referral`` is the one that was read; of a dispute by an address it is required,
    and names one where the address belongs to none we find.
    """

    outcome: Outcome
    reason: Grounds
    credit: Annotated[list[NewPart], Meta(max_length=20)] = []  # noqa: RUF012
    referral: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    comment: inputs.Lines = ""


class DisputeRow(msgspec.Struct, frozen=True, kw_only=True):
    """An undecided dispute. ``referral`` is empty when its address belongs to none we find."""

    id: str
    status: str
    opened_by: str
    partner: str
    referral: str
    by_address: bool
    reason: str
    opened_at: str
    decide_by: str


class DisputeList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of disputes, those that went up first; ``next`` is empty on the last."""

    items: list[DisputeRow]
    next: str


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote about it."""

    by: str
    at: str
    text: str


class RewardSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A reward for the disputed referral. ``unit`` is a currency, or one and a kind of reward."""

    partner: str
    plan: str
    milestone: str
    unit: str
    amount_minor: int
    left_minor: int
    status: str


class DisputeDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute with everything needed to decide it; no evidence where there is no referral."""

    dispute: DisputeRow
    outcome: str
    grounds: str
    credit: list[Credit]
    comments: list[Written]
    evidence: AttributionEvidence | None
    rewards: list[RewardSeen]


@resource.endpoint(
    "POST",
    "/v1/rep/referrals/{referral}/disputes",
    roles=REP,
    body=RepDispute,
    answer=DisputeOpened,
    status=201,
    codes=("not_enrolled", "unknown_partner", "too_late", "already_exists"),
)
def open_rep_dispute(call: Call[RepDispute, Any]) -> Answer:
    """Dispute who is credited for a lead of the caller's."""
    rep = rep_of(call)
    found = referrals.get(call.path["referral"])
    if found.rep != rep.id:
        # The same answer as for one that does not exist.
        raise NotFoundError("no such referral")
    document = programs.version(found.program, found.program_version).document
    my_disputes.check_time(found, document, call.now)
    return _opened(call, found, rep.entity)


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/disputes",
    roles=MANAGER,
    body=StaffDispute,
    answer=DisputeOpened,
    status=201,
    location="disputes/{id}",
    codes=("unknown_partner", "already_exists"),
)
def open_dispute(call: Call[StaffDispute, Any]) -> Answer:
    """Dispute who is credited for a referral of the program, at any time."""
    found = _of_program(call.body.referral, call.path["program"])
    return _opened(call, found, call.caller.name)


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/disputes",
    roles=READERS,
    query=Paging,
    answer=DisputeList,
)
def list_disputes(call: Call[Any, Paging]) -> Answer:
    """List the undecided disputes: first those that took too long, then the oldest."""
    found, page = disputes.undecided(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    keys = [each.lead_key for each in found if not each.referral]
    matched = disputes.matched(call.path["program"], keys, now=call.now) if keys else {}
    rows = [_row(each, each.referral or matched.get(each.lead_key, "")) for each in found]
    return Answer(body=DisputeList(items=rows, next=call.next(page.next)))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/disputes/{dispute}",
    roles=READERS,
    answer=DisputeDetail,
)
def read_dispute(call: Call[Any, Any]) -> Answer:
    """Read a dispute with its evidence: touches, what decided, shares and rewards."""
    found = _dispute(call)
    referral = _about(found, call)
    detail = referrals.detail(referral.id) if referral else None
    return Answer(
        body=DisputeDetail(
            dispute=_row(found, referral.id if referral else ""),
            outcome=found.outcome or "",
            grounds=found.grounds or "",
            credit=[Credit(partner=k, basis_points=v) for k, v in sorted(found.credit.items())],
            comments=[
                Written(by=each.by, at=each.at, text=each.text)
                for each in disputes.comments(found.id)
            ],
            evidence=evidence.of(detail) if detail else None,
            rewards=_rewards(detail) if detail else [],
        )
    )


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/disputes/{dispute}/comments",
    roles=MANAGER,
    body=NewComment,
    answer=DisputeMoved,
    codes=("transition_not_allowed",),
)
def comment_dispute(call: Call[NewComment, Any]) -> Answer:
    """Add a comment that only staff read."""
    before = _dispute(call)
    after, event = dispute.commented(before, now=call.now, actor=call.caller.name)
    writes = Transaction()
    disputes.save(writes, before, after, event, comment=call.body.comment)
    return Answer(body=DisputeMoved(id=after.id, status=after.status), writes=writes)


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/disputes/{dispute}/decide",
    roles=MANAGER,
    body=Decision,
    answer=DisputeMoved,
    codes=(
        "no_referral",
        "other_referral",
        "on_hold",
        "unknown_partner",
        "credit_missing",
        "credit_not_needed",
        "partner_twice",
        "split_not_whole",
        "transition_not_allowed",
    ),
)
def decide_dispute(call: Call[Decision, Any]) -> Answer:
    """Decide a dispute; where that moves the credit, the books follow by reversing journals."""
    before, body = _dispute(call), call.body
    asked = [(each.partner, each.basis_points) for each in body.credit]
    credit = dispute.parts_of(body.outcome, before.partner, asked)
    referral = _meant(before, call)
    if credit and referral is None:
        raise _which("say which referral it is about", "no_referral")
    after, event = dispute.decided(
        before,
        body.outcome,
        body.reason,
        referral=referral.id if referral else "",
        credit=credit,
        now=call.now,
        actor=call.caller.name,
    )
    writes = Transaction()
    disputes.save(writes, before, after, event, comment=body.comment)
    if credit and referral:
        _recredit(writes, after, body.reason, referral.id, call)
    return Answer(body=DisputeMoved(id=after.id, status=after.status), writes=writes)


def _recredit(
    writes: Transaction,
    decided: Dispute,
    grounds: Grounds,
    referral: str,
    call: Call[Any, Any],
) -> None:
    """Add what carries out a decision: the referral's state and event, shares, successes."""
    detail = referrals.detail(referral)
    before, credit = detail.referral, decided.credit
    held = before.hold and any(each.status == "released" for each in rewards.load(detail.rewards))
    if held:
        # What is added to a released reward is payable at once.
        message = "it is on hold, and some of what it earned is released"
        raise OnHoldError(message, reason=before.hold)
    every = [*detail.shares, *detail.former]
    known = _partners(credit, before.program, {each.partner for each in detail.shares})
    changed = dispute.shares_after(before, every, credit, known)
    document = programs.version(before.program, before.program_version).document
    command = dispute.recredit(decided, grounds, every, credit, known)
    after, event = life.apply(
        before,
        command,
        document,
        now=call.now,
        actor=call.caller.name,
        cause=f"{decided.entity}#{decided.version}",
    )
    referrals.save(writes, before, after, event)
    for share in changed:
        referrals.add_share(writes, after, share)
        if not before.won_at:
            continue
        if share.basis_points:
            partners.add_success(writes, share.partner, before.id, now=before.won_at)
        else:
            partners.drop_success(writes, share.partner, before.id)


def _partners(credit: dict[str, int], program: str, holders: set[str]) -> dict[str, Partner]:
    """Return the partners of *credit*; whoever is not a holder yet must be one who can be."""
    found = partners.find_partners(list(credit))
    for name in credit:
        partner = found.get(name)
        status = partner.status if partner and partner.program == program else ""
        if not status or (name not in holders and status not in screening.CREDITED):
            message = f"{name} is no partner who can be credited"
            raise InvalidInputError("credit", message, code="unknown_partner")
    return found


def _opened(call: Call[Any, Any], found: Referral, actor: str) -> Answer:
    body = call.body
    document = programs.version(found.program, found.program_version).document
    if body.partner:
        named = partners.find_partner(body.partner)
        if named is None or named.program != found.program:
            raise InvalidInputError("partner", "no such partner", code="unknown_partner")
    made = my_disputes.new(
        found.program,
        document,
        reason=body.reason,
        opened_by=actor,
        now=call.now,
        partner=body.partner,
        referral=my_disputes.live(found).id,
    )
    writes = Transaction()
    disputes.add(writes, made, dispute.opened(made), comment=body.comment)
    return Answer(body=DisputeOpened(id=made.id), writes=writes)


def _dispute(call: Call[Any, Any]) -> Dispute:
    found = disputes.get(call.path["dispute"])
    if found.program != call.path["program"]:
        raise NotFoundError("no such dispute")
    return found


def _of_program(referral: str, program: str) -> Referral:
    found = referrals.get(referral)
    if found.program != program:
        raise NotFoundError("no such referral")
    return found


def _about(found: Dispute, call: Call[Any, Any]) -> Referral | None:
    """Return what a dispute is about: as it says, or whoever holds its address now."""
    name = found.referral
    if not name and found.lead_key:
        held = disputes.matched(found.program, [found.lead_key], now=call.now)
        name = held.get(found.lead_key, "")
    return _living(name, found.program) if name else None


def _living(name: str, program: str) -> Referral:
    return my_disputes.live(_of_program(name, program))


def _meant(found: Dispute, call: Call[Decision, Any]) -> Referral | None:
    """Return the referral that is decided about: the one the decision says was read.

    Whose an address is may change between reading and deciding.

    Raises:
        InvalidInputError: ``no_referral`` or ``other_referral``.
    """
    now, read = _about(found, call), call.body.referral
    if now is None:
        return _living(read, found.program) if read else None
    if not read and found.lead_key:
        raise _which("say which referral was read", "no_referral")
    if read and read != now.id:
        raise _which("it is about another referral now: read it again", "other_referral")
    return now


def _which(message: str, code: str) -> InvalidInputError:
    return InvalidInputError("referral", message, code=code)


def _row(found: Dispute, referral: str) -> DisputeRow:
    return DisputeRow(
        id=found.id,
        status=found.status,
        opened_by=found.opened_by,
        partner=found.partner,
        referral=referral,
        by_address=bool(found.lead_key),
        reason=found.reason,
        opened_at=found.opened_at,
        decide_by=found.decide_by,
    )


def _rewards(detail: Detail) -> list[RewardSeen]:
    return [
        RewardSeen(
            partner=each.partner,
            plan=each.plan,
            milestone=each.milestone,
            unit=each.unit,
            amount_minor=each.amount_minor,
            left_minor=each.left_minor,
            status=each.status,
        )
        for each in rewards.load(detail.rewards)
    ]
