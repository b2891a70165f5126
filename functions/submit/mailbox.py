"""Introductions by mail: from the bucket, by way of a queue, to referrals.

The mail service puts what arrives at a partner's address into the bucket. Who is introduced
becomes a referral of that partner; a lead who answers, with the address in copy, a touch of
theirs. A partner in whose mail nobody is found is told so. The same mail delivered again
meets what it made: ids are derived from its own id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from introducer import clock, identity, ids, introduction, keyring, metric, streams
from introducer.clients import client
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, ContentionError, InvalidInputError, StaleError
from introducer.introduction import Mail, Named
from introducer.partner import Partner
from introducer.program import ProgramVersion
from introducer.referral import Touch
from introducer.settings import setting
from introducer.streams import Answer, Delivery, Record
from introducer.tables import claims, introductions, partners, people, programs, referrals
from introducer.tables.introductions import Introduction
from introducer.tables.store import Transaction
from submit import intake, trail
from submit.intake import Lead
from submit.log import logger

_ATTEMPTS = 4


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that reached a partner's address."""

    mail: Mail
    file: str
    at: Instant
    link: str
    partner: Partner
    version: ProgramVersion

    def id_of(self, *parts: str) -> str:
        """Return the id that this mail to this partner gives to one thing of it, every time."""
        known = ("mail", self.version.program, self.partner.id, self.mail.key)
        return ids.derived_id(*known, *parts)


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Take in the mails that a batch of messages names."""
    return streams.from_queue(event, lambda batch: batch.each(take), read=_files)


def take(record: Record) -> None:
    """Take in each mail that one message of the bucket names."""
    for file, at in record["files"]:
        raw = client("s3").get_object(Bucket=setting("INTAKE_BUCKET"), Key=file)["Body"].read()
        mail = introduction.read(raw, setting("INTAKE_DOMAIN"))
        outcome = mail.refused or _taken(mail, file, at)
        logger().info("mail taken in", outcome=outcome)
        metric.count("IntroductionTaken" if outcome == "taken" else "IntroductionLeft", 1)


def _files(delivery: Delivery) -> Record:
    body = json.loads(delivery["body"])
    files = [
        (unquote_plus(each["s3"]["object"]["key"]), clock.parse(each["eventTime"]))
        for each in body.get("Records", [])  # none in the bucket's test of the queue
    ]
    return {"files": files}


def _taken(mail: Mail, file: str, at: Instant) -> str:
    """Take *mail* in for each partner it was addressed to; return what became of it."""
    if not mail.genuine:
        return "not_genuine"  # anybody can write anybody's name into a mail
    now = clock.now()
    outcome = "unknown_address"
    for code in mail.codes:
        arrived = _arrived(mail, file, min(at, now), code, now)
        if arrived is not None:
            outcome = _introduce(arrived, now)
    return outcome


def _arrived(mail: Mail, file: str, at: Instant, code: str, now: Instant) -> Arrived | None:
    link = trail.usable_link(code, now)
    partner = partners.find_partner(link.partner) if link else None
    if link is None or partner is None or partner.status not in {"active", "invited"}:
        return None
    version = programs.current(link.program, now)
    channels = version.document.intake.channels
    if channels and "email" not in channels:
        return None
    return Arrived(mail=mail, file=file, at=at, link=link.code, partner=partner, version=version)


def _introduce(arrived: Arrived, now: Instant) -> str:
    mail, partner = arrived.mail, arrived.partner
    secret = keyring.secret(keyring.IDENTITY)
    claims_to_be_partner = (
        mail.sender is not None
        and identity.email_key(mail.sender.email, secret) == partner.email_key
    )
    found = introduction.leads(mail, _own(arrived), from_partner=claims_to_be_partner)
    people_named = [each for each in found if _reachable(each)]
    for named in people_named:
        _refer(arrived, named, alone=len(people_named) == 1, now=now)
    if people_named:
        return "taken"
    if claims_to_be_partner:
        _note_unread(arrived)
    return "nobody_named"


def _reachable(named: Named) -> bool:
    """Return whether mail can reach them; a printer in copy, ``scan@office.local``, is nobody."""
    try:
        identity.check_email(named.email)
    except InvalidInputError:
        return False
    return True


def _own(arrived: Arrived) -> frozenset[str]:
    """Return whose addresses are no leads: the partner's own, and the company's."""
    contact = people.contact(arrived.partner.person)
    hosts = arrived.version.document.destinations
    own = {f"@{host.lower().removeprefix('www.')}" for host in hosts}
    return frozenset({contact.email.lower()} if contact else set()) | own


def _refer(arrived: Arrived, named: Named, *, alone: bool, now: Instant) -> None:
    """Make a referral of somebody introduced, or add a touch to the one they have.

    Raises:
        ContentionError: Others kept getting in first.
    """
    key = identity.email_key(named.email, keyring.secret(keyring.IDENTITY))
    name = arrived.id_of(key)
    for _ in range(_ATTEMPTS):
        if referrals.find(name):
            return
        earlier = claims.find(arrived.version.program, "lead_email", key, now=now)
        if earlier and _noted(arrived, earlier.target, name):
            return
        made = _made(arrived, named, name, alone=alone, now=now)
        try:
            made.writes.commit()
        except (AlreadyExistsError, StaleError):
            continue
        return
    message = "others kept getting in first"
    raise ContentionError(message)


def _noted(arrived: Arrived, referral: str, name: str) -> bool:
    """Add a touch to the lead's referral if it is this partner's; return whether it is."""
    known = referrals.detail(referral)
    if all(touch.partner != arrived.partner.id for touch in known.touches):
        return False
    writes = Transaction()
    # Known too late to be credited, also where screening has not come to it yet.
    answer = msgspec.structs.replace(_touch(arrived, name), late=True)
    referrals.add_touch(writes, known.referral, answer)
    writes.commit()
    return True


def _made(arrived: Arrived, named: Named, name: str, *, alone: bool, now: Instant) -> intake.Made:
    mail, partner = arrived.mail, arrived.partner
    details = mail.details if alone else {}
    lead = Lead(
        name=named.name or details.get("name", "") or named.email.partition("@")[0],
        country=partner.country,
        email=named.email,
        phone=details.get("phone", ""),
        company=details.get("company", ""),
        note=mail.text,
        locale=partner.locale,
    )
    try:
        return _submitted(arrived, lead, name, now)
    except InvalidInputError as failure:
        if failure.field != "phone":
            raise
        # The number is still in the note, where a person can make sense of it.
        return _submitted(arrived, msgspec.structs.replace(lead, phone=""), name, now)


def _submitted(arrived: Arrived, lead: Lead, name: str, now: Instant) -> intake.Made:
    return intake.submit(
        arrived.version,
        lead,
        [_touch(arrived, name)],
        channel="email",
        actor=arrived.partner.entity,
        now=now,
        referral_id=name,
        cause=arrived.id_of("mail"),
    )


def _touch(arrived: Arrived, name: str) -> Touch:
    return Touch(
        id=f"email-{name}",
        kind="email",
        at=arrived.at,
        link=arrived.link,
        partner=arrived.partner.id,
        data={"consent": "introduced"},
    )


def _note_unread(arrived: Arrived) -> None:
    writes = Transaction()
    introductions.unread(
        writes,
        Introduction(
            id=arrived.id_of("unread"),
            program=arrived.version.program,
            partner=arrived.partner.id,
            received_at=arrived.at,
            file=arrived.file,
        ),
    )
    try:
        writes.commit()
    except StaleError:
        return  # noted when it was delivered before
