"""What a partner agrees to after enrolment: newer terms, texts, statements."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import partner as life
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.event import Event
from introducer.partner import Partner
from introducer.program import Program
from introducer.tables import partners, programs
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import PARTNER, active_partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.resources.partners import Name

resource = Resource(__name__)


class Agreed(Input, frozen=True, kw_only=True):
    """One of three: a text in its version, the program's terms, or a statement."""

    agreement: Name | None = None
    version: inputs.Line | None = None
    terms_version: inputs.Line | None = None
    declaration: Name | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What is on file now: the text, `terms` or the statement, its version, and since when."""

    id: str
    version: str
    at: str


@resource.endpoint(
    "POST",
    "/v1/me/agreements",
    roles=PARTNER,
    body=Agreed,
    answer=Taken,
    codes=(
        "unknown_agreement",
        "agreement_outdated",
        "terms_outdated",
        "unknown_declaration",
        "not_enrolled",
    ),
)
def agree(call: Call[Agreed, Any]) -> Answer:
    """Accept a text or newer terms, or make a statement. What is on file already stays as it is."""
    partner = active_partner_of(call)
    document = programs.current(partner.program, call.now).document
    match call.body:
        case Agreed(agreement=str(key), version=str(said), terms_version=None, declaration=None):
            return _accept(call, partner, document, key, said)
        case Agreed(agreement=None, version=None, terms_version=str(said), declaration=None):
            return _accept_terms(call, partner, document, said)
        case Agreed(agreement=None, version=None, terms_version=None, declaration=str(key)):
            return _declare(call, partner, document, key)
    message = "send an agreement with its version, a terms_version, or a declaration"
    raise InvalidInputError("agreement", message)


def _accept(
    call: Call[Agreed, Any], partner: Partner, document: Program, key: str, said: str
) -> Answer:
    text = document.agreements.get(key)
    if text is None:
        raise InvalidInputError("agreement", "there is no such text", code="unknown_agreement")
    if said != text.version:
        message = f"{text.name} is now version {text.version}"
        raise InvalidInputError("version", message, code="agreement_outdated")
    before = partner.agreements.get(key)
    if before and before.version == said:
        return Answer(body=Taken(id=key, version=said, at=before.at))
    after, event = life.accepts(partner, key, said, now=call.now, actor=partner.entity)
    return _stored(partner, after, event, Taken(id=key, version=said, at=call.now))


def _accept_terms(
    call: Call[Agreed, Any], partner: Partner, document: Program, said: str
) -> Answer:
    if said != document.terms_version:
        message = "there are newer terms to agree to"
        raise InvalidInputError("terms_version", message, code="terms_outdated")
    since: Instant = partner.terms_at or partner.enrolled_at
    if partner.terms_version == said:
        return Answer(body=Taken(id="terms", version=said, at=since))
    after, event = life.accepts_terms(partner, said, now=call.now, actor=partner.entity)
    return _stored(partner, after, event, Taken(id="terms", version=said, at=call.now))


def _declare(call: Call[Agreed, Any], partner: Partner, document: Program, key: str) -> Answer:
    if key not in document.declarations:
        message = "there is no such statement"
        raise InvalidInputError("declaration", message, code="unknown_declaration")
    if key in partner.declarations:
        return Answer(body=Taken(id=key, version="", at=partner.declarations[key]))
    after, event = life.declares(partner, key, now=call.now, actor=partner.entity)
    return _stored(partner, after, event, Taken(id=key, version="", at=call.now))


def _stored(before: Partner, after: Partner, event: Event, body: Taken) -> Answer:
    writes = Transaction()
    partners.save(writes, before, after, event)
    return Answer(body=body, writes=writes)
