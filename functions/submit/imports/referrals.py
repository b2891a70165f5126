"""Leads, many at once: a company's list, or a partner's own.

A row is the same row again when program, partner and lead are the same; the referral's id is
made of these, so it meets itself however often the file is sent.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from introducer import identity, ids, keyring
from introducer.errors import InvalidInputError
from introducer.link import Link
from introducer.partner import Partner
from introducer.referral import Facts, Touch
from introducer.tables import partners, referrals
from submit import facts, inputs, intake, trail
from submit.imports import rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row
from submit.inputs import Input
from submit.intake import Lead

CREDITED = frozenset({"active", "invited"})
_Word = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]


class LeadRow(Input, frozen=True, kw_only=True):
    """A lead with whoever referred them; an e-mail address or a telephone number is needed."""

    name: inputs.Line
    country: inputs.Country
    consent_version: inputs.Word
    email: inputs.Email = ""
    phone: inputs.Phone = ""
    company: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    product: _Word = ""
    note: inputs.Lines = ""
    locale: inputs.Locale = "en"
    language: Annotated[str, Meta(pattern=r"^([a-z]{2})?$(?!\n)")] = ""
    size: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    industry: _Word = ""
    code: Annotated[str, Meta(max_length=32)] = ""
    partner: Annotated[str, Meta(max_length=254)] = ""
    answers: dict[str, str] = msgspec.field(default_factory=dict)
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


def take(context: Context, row: Row, said: LeadRow) -> Outcome:
    """Refer a lead, unless this partner's list did so before.

    Raises:
        InvalidInputError: Nobody referred them, or something about them cannot be accepted.
        LeadTakenError: Somebody referred them meanwhile.
    """
    now = context.now
    partner, link = _referrer(context, said)
    referral_id = _id(context, partner, said)
    if referrals.find(referral_id):
        return rows.known(referral_id)
    made = intake.submit(
        context.version,
        _lead(context, said),
        _touches(partner, link, said.consent_version, now),
        channel="csv",
        actor=context.job.requested_by,
        now=now,
        referral_id=referral_id,
        cause=context.job.entity,
    )
    if made.referral.duplicate_of:
        context.commit(made.writes, row, referral_id, "duplicate")
        return rows.duplicate(referral_id)
    return context.commit(made.writes, row, referral_id)


def _referrer(context: Context, said: LeadRow) -> tuple[Partner, Link | None]:
    """Return who is to be credited: the sender of their own list, else whom the row names."""
    code = trail.as_stored(said.code)
    link = context.codes.find(code) if code else None
    own = context.job.partner
    if (code and link is None) or (link and own and link.partner != own):
        raise InvalidInputError("code", "there is no such link", code="unknown_code")
    if own and said.partner:
        message = "a list of one's own names no partner"
        raise InvalidInputError("partner", message, code="not_allowed")
    if not (own or link or said.partner):
        message = "name a code or a partner, so that somebody can be credited"
        raise InvalidInputError("code", message, code="no_partner")
    named = link.partner if link else own
    partner = partners.find_partner(named) if named else context.partner(said.partner)
    if partner is None or partner.status not in CREDITED:
        message = "this partner is not active"
        raise InvalidInputError("partner", message, code="inactive_partner")
    if link and said.partner and context.partner(said.partner).id != link.partner:
        message = "code and partner do not belong together"
        raise InvalidInputError("partner", message, code="partner_mismatch")
    return partner, link


def _id(context: Context, partner: Partner, said: LeadRow) -> str:
    secret = keyring.secret(keyring.IDENTITY)
    if said.email:
        lead = identity.email_key(identity.check_email(said.email), secret)
    elif said.phone:
        lead = identity.keyed_hash(identity.check_phone(said.phone, said.country), secret)
    else:
        message = "an e-mail address or a telephone number is needed"
        raise InvalidInputError("email", message, code="no_contact")
    return ids.derived_id("csv", context.program, partner.id, lead)


def _lead(context: Context, said: LeadRow) -> Lead:
    return Lead(
        name=said.name,
        country=said.country,
        email=said.email,
        phone=said.phone,
        company=said.company,
        note=said.note,
        locale=said.locale,
        product=said.product,
        facts=_facts(context, said),
    )


def _facts(context: Context, said: LeadRow) -> Facts:
    document = context.version.document
    known = facts.of_answers(document, said.answers, from_form=True)
    known |= facts.of_metadata(document, said.metadata, from_form=True)
    known["lead.language"] = said.language or said.locale[:2]
    if said.size is not None:
        known["lead.size"] = said.size
    if said.industry:
        known["lead.industry"] = said.industry
    return known


def _touches(partner: Partner, link: Link | None, consent: str, now: str) -> list[Touch]:
    agreed = {"consent": "given", "consent_text": consent}
    form = Touch(id="csv", kind="form", at=now, partner="" if link else partner.id, data=agreed)
    if link is None:
        return [form]
    code = Touch(id=f"code-{link.code}", kind="code", at=now, link=link.code, partner=link.partner)
    return [code, form]


KIND = Kind(
    columns=Columns(
        known=LeadRow.__struct_fields__[:-2],
        needed=("name", "country"),
        families=("answers.", "metadata."),
    ),
    shape=LeadRow,
    act=take,
)
