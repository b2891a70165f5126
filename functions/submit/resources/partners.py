"""Partners: enrol, look at oneself, say where the money goes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import identity, ids, keyring
from introducer.clock import Instant
from introducer.errors import InvalidInputError, NotFoundError
from introducer.partner import Partner
from introducer.program import Program, ProgramVersion
from introducer.tables import partners, people, programs
from introducer.tables.people import Contact, Payee
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import PARTNER, active_partner_of, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input

resource = Resource(__name__)


class Enrolment(Input, frozen=True, kw_only=True):
    """Somebody joins a program. ``terms_version`` is the text they agreed to."""

    program: inputs.Word
    audience: inputs.Word
    name: inputs.Line
    email: inputs.Email
    country: inputs.Country
    terms_version: inputs.Line
    phone: inputs.Phone = ""
    locale: Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")] = ""


class PartnerMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new partner."""

    id: str
    program: str
    audience: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """A partner as they see themselves. ``payee_last4`` is the end of the account on file."""

    id: str
    program: str
    audience: str
    status: str
    country: str
    locale: str
    enrolled_at: str
    terms_version: str
    current_terms_version: str
    name: str
    email: str
    payee_last4: str
    payee_set_at: str


class NewPayee(Input, frozen=True, kw_only=True):
    """Whom to pay: a name, an account, and the town and country banks ask for."""

    name: inputs.ShortLine
    iban: Annotated[str, Meta(min_length=15, max_length=42, pattern=r"^[A-Za-z0-9 ]+$(?!\n)")]
    town: Annotated[str, Meta(min_length=1, max_length=35, pattern=inputs.LINE)]
    country: inputs.Country
    bic: Annotated[str, Meta(pattern=r"^([A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?)?$(?!\n)")] = ""


class PayeeSet(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of the account on file."""

    last4: str
    set_at: str


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
        "country_not_eligible",
        "terms_outdated",
        "email_mismatch",
        "invalid_email",
        "invalid_phone",
        "already_exists",
    ),
)
def enrol(call: Call[Enrolment, Any]) -> Answer:
    """Enrol the caller's login in a program."""
    version = _program(call.body.program, call.now)
    _check_eligible(call.body, version.document)
    contact = _contact(call, version.document)
    partner = Partner(
        id=ids.new_id(),
        program=version.program,
        audience=call.body.audience,
        person=ids.new_id(),
        login=call.caller.sub,
        country=call.body.country,
        enrolled_at=call.now,
        version=1,
        locale=contact.locale,
        terms_version=call.body.terms_version,
        email_key=identity.email_key(contact.email, keyring.secret(keyring.IDENTITY)),
    )
    writes = Transaction()
    partners.enrol(writes, partner, contact, actor=call.caller.name)
    body = PartnerMade(id=partner.id, program=partner.program, audience=partner.audience)
    return Answer(body=body, writes=writes)


@resource.endpoint("GET", "/v1/me", roles=PARTNER, answer=Me, codes=("not_enrolled",))
def read_me(call: Call[Any, Any]) -> Answer:
    """Read the caller's own partner profile."""
    partner = partner_of(call)
    contact = people.contact(partner.person)
    return Answer(
        body=Me(
            id=partner.id,
            program=partner.program,
            audience=partner.audience,
            status=partner.status,
            country=partner.country,
            locale=partner.locale,
            enrolled_at=partner.enrolled_at,
            terms_version=partner.terms_version,
            current_terms_version=programs.current(
                partner.program, call.now
            ).document.terms_version,
            name=contact.name if contact else "",
            email=contact.email if contact else "",
            payee_last4=people.payee_last4(partner.person) if partner.payee_set_at else "",
            payee_set_at=partner.payee_set_at,
        )
    )


@resource.endpoint(
    "PUT",
    "/v1/me/payee",
    roles=PARTNER,
    body=NewPayee,
    answer=PayeeSet,
    codes=("invalid_iban", "not_enrolled"),
)
def set_payee(call: Call[NewPayee, Any]) -> Answer:
    """Say where the caller's rewards are paid to."""
    partner = active_partner_of(call)
    payee = Payee(
        name=call.body.name,
        iban=_iban(call.body.iban),
        town=call.body.town,
        country=call.body.country,
        bic=call.body.bic,
    )
    writes = Transaction()
    partners.set_payee(writes, partner, payee, now=call.now, actor=partner.entity)
    return Answer(body=PayeeSet(last4=payee.iban[-4:], set_at=call.now), writes=writes)


def _program(program: str, now: Instant) -> ProgramVersion:
    try:
        return programs.current(program, now)
    except NotFoundError as failure:
        raise InvalidInputError("program", "no such program", code="unknown_program") from failure


def _check_eligible(body: Enrolment, document: Program) -> None:
    audience = document.audiences.get(body.audience)
    if audience is None:
        raise InvalidInputError("audience", "no such audience", code="unknown_audience")
    if audience.countries and body.country not in audience.countries:
        raise InvalidInputError(
            "country", "this audience is not open there", code="country_not_eligible"
        )
    if body.terms_version != document.terms_version:
        raise InvalidInputError(
            "terms_version", "there are newer terms to agree to", code="terms_outdated"
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


def _iban(text: str) -> str:
    from stdnum import iban  # 10 ms, only for payees
    from stdnum.exceptions import ValidationError

    try:
        return str(iban.validate(text))
    except ValidationError as failure:
        raise InvalidInputError("iban", "not a valid IBAN", code="invalid_iban") from failure
