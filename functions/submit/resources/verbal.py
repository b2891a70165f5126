"""A referral somebody told a rep: entered by the rep, credited to whoever told it.

Who is no partner yet is invited in the same transaction, and what they earn waits for them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.partner import Partner, Rep
from introducer.program import ProgramVersion
from introducer.referral import Facts, Touch
from introducer.screening import CREDITED
from introducer.tables import partners, programs
from introducer.tables.partners import MailboxTakenError
from introducer.tables.referrals import LeadTakenError
from introducer.tables.store import Transaction
from submit import facts, inputs, intake, invite
from submit.acting import REP
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.intake import Lead
from submit.resources.invitations import CODES, LocaleOrNone, working_rep

resource = Resource(__name__)

EmailOrNone = Annotated[str, Meta(max_length=254, pattern=r"^([^\s\x00-\x1f@]+@[^\s@]+)?$(?!\n)")]
WordOrNone = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]


class Referrer(Input, frozen=True, kw_only=True):
    """Who told it: a partner's ``id``, or all there is to know to find or invite them."""

    id: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    name: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    email: EmailOrNone = ""
    audience: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")] = ""
    locale: LocaleOrNone = ""


class SpokenConsent(Input, frozen=True, kw_only=True):
    """The lead's agreement, given by word of mouth: to which text, and when."""

    text_version: inputs.Word
    given: Literal[True]
    at: inputs.Time


class VerbalReferral(Input, frozen=True, kw_only=True):
    """A lead, who named them, and when. An address or a number of the lead is needed.

    ``note`` says where and how it was told; it is kept with the lead's address. ``said_at`` is
    now if left out.
    """

    name: inputs.Line
    country: inputs.Country
    partner: Referrer
    consent: SpokenConsent
    email: EmailOrNone = ""
    phone: inputs.Phone = ""
    company: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    product: WordOrNone = ""
    note: inputs.Lines = ""
    locale: inputs.Locale = "en"
    said_at: inputs.Time | None = None
    answers: facts.Answers = msgspec.field(default_factory=dict)
    metadata: facts.Metadata = msgspec.field(default_factory=dict)
    size: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    industry: WordOrNone = ""
    language: Annotated[str, Meta(pattern=r"^([a-z]{2})?$(?!\n)")] = ""


class VerbalMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new referral, its partner, and whether they were ``invited`` with it or ``known``."""

    id: str
    partner: str
    partner_status: Literal["invited", "known"]
    status: Literal["submitted"] = "submitted"


@resource.endpoint(
    "POST",
    "/v1/rep/referrals",
    roles=REP,
    body=VerbalReferral,
    answer=VerbalMade,
    status=201,
    again=(LeadTakenError, MailboxTakenError),
    codes=(
        "not_enrolled",
        "unknown_partner",
        "partner_not_verified",
        "missing_field",
        "closed",
        "no_contact",
        "unknown_product",
        "unknown_question",
        "invalid_answer",
        "answer_missing",
        "invalid_answers",
        "unknown_metadata",
        "invalid_metadata",
        "invalid_phone",
        "invalid_time",
        *CODES,
    ),
)
def enter_referral(call: Call[VerbalReferral, Any]) -> Answer:
    """Enter a referral that a partner told the caller, who is the first to be asked to take it.

    A partner nobody knows is invited; the referral is theirs, and what it earns waits until
    they enrol. Whether the lead was referred before is not told.
    """
    rep = working_rep(call)
    version = programs.current(rep.program, call.now)
    writes = Transaction()
    partner = _referrer(writes, version, call, rep)
    status: Literal["invited", "known"] = "invited" if len(writes) else "known"
    made = intake.submit(
        version,
        _lead(call.body, version),
        [_touch(call, partner, rep)],
        channel="verbal",
        actor=rep.entity,
        now=call.now,
        reserved_for=rep.id,
    )
    body = VerbalMade(id=made.referral.id, partner=partner.id, partner_status=status)
    return Answer(body=body, writes=made.writes.include(writes))


def _referrer(
    writes: Transaction, version: ProgramVersion, call: Call[VerbalReferral, Any], rep: Rep
) -> Partner:
    said = call.body.partner
    if said.id:
        return _named(said.id, version.program)
    for field in ("name", "email", "audience", "country"):
        if not getattr(said, field):
            raise InvalidInputError(
                f"partner.{field}", "needed where no partner's id is sent", code="missing_field"
            )
    found = invite.invite(
        writes,
        version,
        name=said.name,
        email=said.email,
        audience=said.audience,
        locale=said.locale,
        country=said.country,
        owner=rep.id,
        actor=rep.entity,
        now=call.now,
        credited=True,
    )
    creditable = _creditable(found, "partner.email")
    invite.check_mailbox(creditable, "partner.email")
    return creditable


def _named(partner: str, program: str) -> Partner:
    found = partners.find_partner(partner)
    if found is None or found.program != program:
        raise InvalidInputError("partner.id", "no such partner", code="unknown_partner")
    return _creditable(found, "partner.id")


def _creditable(found: Partner, field: str) -> Partner:
    if found.status not in CREDITED:
        raise InvalidInputError(field, "this partner takes part no more", code="unknown_partner")
    return found


def _touch(call: Call[VerbalReferral, Any], partner: Partner, rep: Rep) -> Touch:
    body = call.body
    at: Instant = inputs.instant("said_at", body.said_at, call.now) if body.said_at else call.now
    agreed = inputs.instant("consent.at", body.consent.at, call.now)
    return Touch(
        id=f"verbal-{rep.id}",
        kind="verbal",
        # What somebody's clock says of later is now: a touch after the lead would not count.
        at=min(at, call.now),
        partner=partner.id,
        data={
            "rep": rep.id,
            "consent": "given",
            "consent_text": body.consent.text_version,
            "consent_channel": "verbal",
            "consent_at": min(agreed, call.now),
        },
    )


def _lead(body: VerbalReferral, version: ProgramVersion) -> Lead:
    document = version.document
    known: Facts = facts.of_answers(document, body.answers)
    known |= facts.of_metadata(document, body.metadata)
    known["lead.language"] = body.language or body.locale[:2]
    if body.size is not None:
        known["lead.size"] = body.size
    if body.industry:
        known["lead.industry"] = body.industry
    return Lead(
        name=body.name,
        country=body.country,
        email=body.email,
        phone=body.phone,
        company=body.company,
        note=body.note,
        locale=body.locale,
        product=body.product,
        facts=known,
    )
