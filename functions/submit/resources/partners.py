"""Partners: enrol, look at oneself."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import eligibility, identity, ids, keyring, prospect
from introducer.clock import Instant
from introducer.document.audience import Audience
from introducer.eligibility import Candidate
from introducer.errors import Fault, InvalidInputError, NotFoundError, SeveralFaultsError
from introducer.partner import Acceptance, Partner, listing
from introducer.program import Program, ProgramVersion
from introducer.prospect import Prospect
from introducer.tables import partners, people, programs, prospects
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from submit import inputs, invite
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input

MOST_TEXTS = 50

resource = Resource(__name__)

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
Agreements = Annotated[dict[Name, inputs.Line], Meta(max_length=MOST_TEXTS)]


class Enrolment(Input, frozen=True, kw_only=True):
    """Somebody joins a program.

    ``terms_version`` is the text they agreed to, ``agreements`` further texts by id with the
    version, ``declarations`` the ids of the statements they make.
    """

    program: inputs.Word
    audience: inputs.Word
    name: inputs.Line
    email: inputs.Email
    country: inputs.Country
    terms_version: inputs.Line
    agreements: Agreements = msgspec.field(default_factory=dict)
    declarations: Annotated[list[Name], Meta(max_length=MOST_TEXTS)] = msgspec.field(
        default_factory=list
    )
    type: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    phone: inputs.Phone = ""
    locale: Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")] = ""


class PartnerMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new partner."""

    id: str
    program: str
    audience: str


class AgreementDue(msgspec.Struct, frozen=True, kw_only=True):
    """A text to accept in this version."""

    id: str
    name: str
    version: str
    url: str


class DeclarationDue(msgspec.Struct, frozen=True, kw_only=True):
    """A statement to make."""

    id: str
    text: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What must be done before rewards are released, and how much of it is done.

    Counting ends where it is enough. ``missing`` names ``referrals``, ``successes`` and
    ``agreements.{id}``; empty when nothing is.
    """

    referrals: int
    referrals_asked: int
    successes: int
    successes_asked: int
    missing: list[str]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """A partner as they see themselves. ``payee_last4`` is the end of the account on file."""

    id: str
    program: str
    audience: str
    type: str
    status: str
    country: str
    locale: str
    enrolled_at: str
    terms_version: str
    current_terms_version: str
    terms_outdated: bool
    missing_agreements: list[AgreementDue]
    missing_declarations: list[DeclarationDue]
    engagement: Progress
    name: str
    email: str
    payee_last4: str
    payee_set_at: str


@resource.endpoint(
    "POST",
    "/v1/partners",
    roles=PARTNER,
    body=Enrolment,
    answer=PartnerMade,
    status=201,
    codes=(
        "unknown_program",
        "unknown_audience",
        "not_eligible",
        "country_not_eligible",
        "terms_outdated",
        "agreement_missing",
        "agreement_outdated",
        "unknown_agreement",
        "declaration_missing",
        "unknown_declaration",
        "unknown_type",
        "type_not_admitted",
        "not_open_yet",
        "closed",
        "not_listed",
        "account_too_young",
        "not_rolled_out",
        "email_mismatch",
        "email_not_verified",
        "invalid_email",
        "invalid_phone",
        "already_exists",
    ),
)
def enrol(call: Call[Enrolment, Any]) -> Answer:
    """Enrol the caller's login in a program. Everything that stands against it is told at once.

    Somebody who was invited becomes the partner they are invited as, with all that waits for
    them; only a login that verified the mailbox does.
    """
    version = _program(call.body.program, call.now)
    listed, verified = _on_list(call, version.program)
    _check_eligible(call.body, version.document, listed, verified, call.now)
    contact = _contact(call, version.document)
    partner = _new_partner(call, version, listed, contact)
    invited = invite.open_for(partner, now=call.now)
    writes = Transaction()
    if invited:
        partner = invite.taken_up(invited, partner)
        if not call.body.locale:
            partner = msgspec.structs.replace(partner, locale=invited.locale)
            contact = msgspec.structs.replace(contact, locale=invited.locale)
        partners.join(writes, invited, partner, contact, actor=call.caller.name)
    else:
        partners.enrol(writes, partner, contact, actor=call.caller.name)
    if listed:
        after, event = prospect.enrolled(listed, partner.id, now=call.now, actor=call.caller.name)
        prospects.save(writes, listed, after, event)
    body = PartnerMade(id=partner.id, program=partner.program, audience=partner.audience)
    return Answer(body=body, writes=writes)


@resource.endpoint("GET", "/v1/me", roles=PARTNER, answer=Me, codes=("not_enrolled",))
def read_me(call: Call[Any, Any]) -> Answer:
    """Read the caller's own partner profile, and what is missing in it."""
    partner = partner_of(call)
    contact = people.contact(partner.person)
    document = programs.current(partner.program, call.now).document
    # Somebody of an audience the program has dropped owes nothing.
    audience = document.audiences.get(partner.audience) or Audience(name=partner.audience)
    return Answer(
        body=Me(
            id=partner.id,
            program=partner.program,
            audience=partner.audience,
            type=partner.type,
            status=partner.status,
            country=partner.country,
            locale=partner.locale,
            enrolled_at=partner.enrolled_at,
            terms_version=partner.terms_version,
            current_terms_version=document.terms_version,
            terms_outdated=partner.terms_version != document.terms_version,
            missing_agreements=_agreements_due(partner, audience, document),
            missing_declarations=_declarations_due(partner, audience, document),
            engagement=_progress(partner, audience),
            name=contact.name if contact else "",
            email=contact.email if contact else "",
            payee_last4=people.payee_last4(partner.person) if partner.payee_set_at else "",
            payee_set_at=partner.payee_set_at,
        )
    )


def _agreements_due(partner: Partner, audience: Audience, document: Program) -> list[AgreementDue]:
    due = eligibility.missing_agreements(audience, document, eligibility.accepted(partner))
    texts = document.agreements
    return [
        AgreementDue(
            id=key, name=texts[key].name, version=texts[key].version, url=texts[key].url or ""
        )
        for key in due
    ]


def _declarations_due(
    partner: Partner, audience: Audience, document: Program
) -> list[DeclarationDue]:
    due = eligibility.missing_declarations(audience, partner.declarations)
    texts = document.declarations
    return [DeclarationDue(id=key, text=texts[key].text) for key in due if key in texts]


def _progress(partner: Partner, audience: Audience) -> Progress:
    asked = audience.engagement
    done = partners.engagement(partner, asked)
    return Progress(
        referrals=done.referrals,
        referrals_asked=asked.referrals,
        successes=done.successes,
        successes_asked=asked.successes,
        missing=eligibility.engagement_missing(audience, done),
    )


def _program(program: str, now: Instant) -> ProgramVersion:
    try:
        return programs.current(program, now)
    except NotFoundError as failure:
        raise InvalidInputError("program", "no such program", code="unknown_program") from failure


def _on_list(call: Call[Enrolment, Any], program: str) -> tuple[Prospect | None, str]:
    """Return the caller's entry in the company's list and the key of the mailbox they verified.

    An address that was only typed finds nothing, whoever it belongs to.
    """
    if not call.caller.email:
        return None, ""
    key = identity.email_key(call.caller.email, keyring.secret(keyring.IDENTITY))
    return prospects.find(program, key), key


def _check_eligible(
    body: Enrolment, document: Program, listed: Prospect | None, verified: str, now: Instant
) -> None:
    audience = document.audiences.get(body.audience)
    if audience is None:
        raise InvalidInputError("audience", "no such audience", code="unknown_audience")
    candidate = Candidate(
        audience=body.audience,
        country=body.country,
        type=body.type,
        terms_version=body.terms_version,
        agreements=body.agreements,
        declarations=body.declarations,
        email_key=verified,
        prospect=listed,
    )
    found = eligibility.obstacles(audience, document, candidate, now)
    faults = [*_unknown(body, document)]
    faults += [Fault(each.code, each.field, each.message) for each in found]
    if faults:
        raise SeveralFaultsError("not_eligible", "you cannot join this audience", faults)


def _unknown(body: Enrolment, document: Program) -> list[Fault]:
    texts = [
        Fault("unknown_agreement", f"agreements.{key}", "there is no such text")
        for key in body.agreements
        if key not in document.agreements
    ]
    return texts + [
        Fault("unknown_declaration", f"declarations.{key}", "there is no such statement")
        for key in body.declarations
        if key not in document.declarations
    ]


def _new_partner(
    call: Call[Enrolment, Any], version: ProgramVersion, listed: Prospect | None, contact: Contact
) -> Partner:
    body, now = call.body, call.now
    secret = keyring.secret(keyring.IDENTITY)
    return Partner(
        id=ids.new_id(),
        program=version.program,
        audience=body.audience,
        person=ids.new_id(),
        login=call.caller.sub,
        country=body.country,
        enrolled_at=now,
        version=1,
        locale=contact.locale,
        terms_version=body.terms_version,
        terms_at=now,
        agreements={key: Acceptance(version=said, at=now) for key, said in body.agreements.items()},
        declarations=dict.fromkeys(body.declarations, now),
        verified=bool(call.caller.email),
        email_key=identity.email_key(contact.email, secret),
        keys=identity.keys(secret, email=contact.email, phone=contact.phone),
        **listing(listed, body.type),
    )


def _contact(call: Call[Enrolment, Any], document: Program) -> Contact:
    body = call.body
    email = identity.check_email(body.email)
    verified = call.caller.email
    if verified and verified.casefold() != email.casefold():
        raise InvalidInputError(
            "email", "not the address this login verified", code="email_mismatch"
        )
    return Contact(
        name=body.name,
        email=email,
        phone=identity.check_phone(body.phone, body.country) if body.phone else "",
        locale=body.locale or document.audiences[body.audience].locale,
    )
