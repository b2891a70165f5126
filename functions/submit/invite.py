"""Inviting a partner, for reps, managers, verbal referrals, files and advocacy; and joining then.

Who is invited exists as a partner at once: referrals may be credited to them and what they earn
waits. They become active when a login that verified the mailbox enrols.
"""

from __future__ import annotations

import msgspec

from introducer import eligibility, identity, ids, invitation, keyring
from introducer.clock import Instant
from introducer.eligibility import Candidate
from introducer.errors import AlreadyExistsError, Fault, InvalidInputError, SeveralFaultsError
from introducer.partner import Partner, listing
from introducer.program import Program, ProgramVersion
from introducer.tables import partners, prospects
from introducer.tables.people import Contact
from introducer.tables.store import Transaction


class UnverifiedError(AlreadyExistsError):
    """The mailbox is known, and the caller's login has not shown that it is theirs."""

    code = "email_not_verified"


def invite(  # noqa: PLR0913  (what an invitation is made of)
    writes: Transaction,
    version: ProgramVersion,
    *,
    name: str,
    email: str,
    audience: str,
    locale: str,
    country: str,
    owner: str,
    actor: str,
    now: Instant,
    note: str = "",
    org: str = "",
    credited: bool = False,
    **profile: str,
) -> Partner:
    """Return the partner of a mailbox, inviting them when nobody has it.

    Somebody known, enrolled or invited, is returned as they are, and nothing is added. A commit
    of what was added fails with :class:`~introducer.tables.partners.MailboxTakenError` when
    somebody else got in first: call it again then. One transaction takes one new invitation of
    a mailbox.

    Args:
        writes: Gets what makes them exist: profile, event, contact, claim of the mailbox.
        version: The program version in force.
        name: What they are called.
        email: Their address.
        audience: The key of the audience they are to join.
        locale: For the mail; empty for the audience's.
        country: Where they are; empty where nobody knows.
        owner: The rep who looks after them; empty for the one on the company's list, if any.
        actor: Who invites them, as events name whoever acts.
        now: The present instant.
        note: What the inviter knows of them; kept with their address.
        org: The partner company they work for; empty for none.
        credited: Whether a referral of theirs is why they are invited.
        **profile: Further fields of the partner: ``type``, ``member_since``.

    Raises:
        InvalidInputError: ``invalid_email`` or ``unknown_audience``.
        SeveralFaultsError: They cannot join this audience, as far as that can be known now.
    """
    address = identity.check_email(email)
    secret = keyring.secret(keyring.IDENTITY)
    key = identity.email_key(address, secret)
    known = partners.of_mailbox(version.program, key, now=now)
    if known:
        return known
    document = version.document
    listed = prospects.find(version.program, key)
    _check(document, Candidate(audience=audience, country=country, prospect=listed))
    said = listing(listed, "")
    partner = Partner(
        id=ids.new_id(),
        program=version.program,
        audience=audience,
        person=ids.new_id(),
        login="",
        country=country,
        enrolled_at="",
        version=1,
        status="invited",
        org=org,
        locale=locale or document.audiences[audience].locale,
        email_key=key,
        keys=identity.keys(secret, email=address),
        invited_at=now,
        invited_by=actor,
        remind_at=invitation.next_reminder(now, document, now),
        **{**said, "owner": owner or said.get("owner", ""), **profile},
    )
    contact = Contact(name=name, email=address, note=note, locale=partner.locale)
    partners.invite(writes, partner, contact, credited=credited)
    return partner


def remind(
    writes: Transaction, partner: Partner, document: Program, *, actor: str, now: Instant
) -> bool:
    """Add a reminder to somebody invited; return whether there is to be one.

    Not for those who enrolled, and not within a week of the last mail.
    """
    if not invitation.may_be_reminded(partner, now):
        return False
    after, event = invitation.reminded(partner, document, now=now, actor=actor)
    partners.save(writes, partner, after, event)
    return True


def check_mailbox(partner: Partner, field: str) -> None:
    """Refuse a partner who was found by an address that is not known to be theirs.

    Anybody could have enrolled with it to get its owner's credit.

    Raises:
        InvalidInputError: ``partner_not_verified``.
    """
    if not partner.has_mailbox:
        raise InvalidInputError(
            field,
            "whoever enrolled with this address has not verified it; send the partner's id",
            code="partner_not_verified",
        )


def open_for(partner: Partner, *, now: Instant) -> Partner | None:
    """Return the invitation that *partner*, who is about to enrol, takes up, or None.

    Raises:
        UnverifiedError: The mailbox is somebody's already and the login has not verified it.
            Whether they are enrolled or invited, and what waits for them, is not told.
    """
    known = partners.of_mailbox(partner.program, partner.email_key, now=now)
    if known and not partner.verified:
        raise UnverifiedError("verify this e-mail address first")
    return known if known and known.status == "invited" else None


def taken_up(invited: Partner, partner: Partner) -> Partner:
    """Return *partner* as the next state of the one who was *invited*."""
    return msgspec.structs.replace(
        partner,
        id=invited.id,
        person=invited.person,
        version=invited.version + 1,
        org=invited.org,
        owner=invited.owner or partner.owner,
        type=partner.type or invited.type,
        member_since=invited.member_since,
        invited_at=invited.invited_at,
        invited_by=invited.invited_by,
        reminded_at=invited.reminded_at,
    )


def _check(document: Program, candidate: Candidate) -> None:
    audience = document.audiences.get(candidate.audience)
    if audience is None:
        raise InvalidInputError("audience", "no such audience", code="unknown_audience")
    found = eligibility.against_inviting(audience, document, candidate)
    if found:
        faults = [Fault(each.code, each.field, each.message) for each in found]
        raise SeveralFaultsError("not_eligible", "they cannot join this audience", faults)
