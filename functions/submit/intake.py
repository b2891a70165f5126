"""Making a referral: one place for forms, JSON, mails, files, reps and reported sign-ups.

A channel brings a :class:`Lead` and the touches that led here; what is stored, claimed and
scored is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from introducer import attribution, clock, identity, ids, keyring, life, score, screening
from introducer.clock import Instant
from introducer.document.intake import Channel
from introducer.errors import InvalidInputError
from introducer.program import Program, ProgramVersion
from introducer.referral import Facts, Referral, Touch
from introducer.tables import leads, referrals
from introducer.tables.people import Contact
from introducer.tables.store import Transaction


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was referred, as told by whoever referred them.

    An address or a number is needed; ``facts`` are those of :mod:`submit.facts`.
    """

    name: str
    country: str
    email: str = ""
    phone: str = ""
    company: str = ""
    note: str = ""
    locale: str = "en"
    product: str = ""
    external: Mapping[str, str] = {}
    """Their id in other systems, by the system's name; only from senders who are known."""
    facts: Facts = {}


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A referral that is stored once ``writes`` is committed.

    The commit fails with :class:`~introducer.tables.referrals.LeadTakenError` when somebody
    referred the lead meanwhile: make it again then, and it will be a duplicate.
    """

    referral: Referral
    writes: Transaction


def submit(  # noqa: PLR0913  (what a referral is made of)
    version: ProgramVersion,
    lead: Lead,
    touches: Sequence[Touch],
    *,
    channel: Channel,
    actor: str,
    now: Instant,
    referral_id: str = "",
    cause: str = "",
    reserved_for: str = "",
) -> Made:
    """Return the referral of *lead* and the transaction that stores it.

    Args:
        version: The program version it is made under.
        lead: Who was referred.
        touches: Everything that led here, the consent included.
        channel: How it came in.
        actor: Who sends it.
        now: The present instant.
        referral_id: Its id where a repeated delivery must meet itself; else a new one.
        cause: The message or event that brought it.
        reserved_for: The rep who is asked first to take it.

    Raises:
        InvalidInputError: The channel is closed, the address or number is none, there is
            neither, or the product is unknown.
    """
    document = version.document
    _check(lead, channel, document)
    contact = Contact(
        name=lead.name,
        email=identity.check_email(lead.email) if lead.email else "",
        phone=identity.check_phone(lead.phone, lead.country) if lead.phone else "",
        company=lead.company,
        note=lead.note,
        locale=lead.locale,
    )
    made = _referral(version, lead, contact, touches, channel, now, referral_id or ids.new_id())
    scored = score.score(document.score, score.facts_of(made))
    made = msgspec.structs.replace(made, reserved_for=reserved_for)
    found = list(touches)
    if scored:
        made = msgspec.structs.replace(made, facts={**lead.facts, score.FACT: scored.score})
        found.append(score.touch_of(scored, at=now))
    writes = Transaction()
    referrals.submit(
        writes,
        made,
        life.submitted(made, actor=actor, cause=cause),
        contact=contact,
        touches=found,
        protected_until=clock.plus(now, days=document.attribution.protection_days),
        rule=document.intake.identity,
    )
    return Made(referral=made, writes=writes)


def _check(lead: Lead, channel: Channel, document: Program) -> None:
    channels = document.intake.channels
    if channels and channel not in channels:
        raise InvalidInputError("channel", "the program takes no leads this way", code="closed")
    if lead.product and lead.product not in document.products:
        raise InvalidInputError("product", "no such product", code="unknown_product")
    if not (lead.email or lead.phone or lead.external):
        raise InvalidInputError("email", "an address or a number is needed", code="no_contact")


def _referral(
    version: ProgramVersion,
    lead: Lead,
    contact: Contact,
    touches: Sequence[Touch],
    channel: Channel,
    now: Instant,
    referral_id: str,
) -> Referral:
    secret = keyring.secret(keyring.IDENTITY)
    own = [touch for touch in touches if touch.link and attribution.ROLE not in touch.data]
    newest = max(own, key=lambda touch: touch.at, default=None)
    made = Referral(
        id=referral_id,
        program=version.program,
        program_version=version.version,
        version=1,
        status="submitted",
        submitted_at=now,
        updated_at=now,
        channel=channel,
        lead=ids.new_id(),
        lead_key=identity.email_key(contact.email, secret) if contact.email else "",
        keys=identity.keys(
            secret, email=contact.email, phone=contact.phone, external=lead.external
        ),
        link=newest.link if newest else "",
        country=lead.country,
        product=lead.product,
        facts=lead.facts,
    )
    earlier, kind = leads.holder(made, version.document.intake.identity, now=now)
    if not earlier:
        return made
    reason = screening.SAME_COMPANY if kind == identity.DOMAIN else screening.DUPLICATE
    return msgspec.structs.replace(made, duplicate_of=earlier, reason=reason)
