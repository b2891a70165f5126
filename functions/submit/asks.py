"""Asking people to refer: because of what they did, or because somebody chose them.

A partner gets a mail with a link of their own; who is none yet is invited. Nobody is asked again
before the pause is over: the claim that says so is taken with the ask.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import advocacy, clock, identity, keyring
from introducer import partner as partner_life
from introducer.advocacy import Act, Rule
from introducer.clock import Instant
from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    InvalidInputError,
    SeveralFaultsError,
    StaleError,
)
from introducer.partner import Partner
from introducer.program import ProgramVersion
from introducer.tables import claims, partners, programs
from introducer.tables.claims import Claim
from introducer.tables.store import Transaction
from submit import inputs, invite, own_links
from submit.inputs import Input
from submit.told import Taken

_ATTEMPTS = 4

Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
LocaleOrNone = Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")]
CountryOrNone = Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")]
NameOrNone = Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)]


class NewAct(Input, frozen=True, kw_only=True):
    """What somebody did, when, and how good it was. They are a partner by id, or an address.

    ``name``, ``country`` and ``locale`` serve to invite them when they are no partner.
    """

    event: Word
    at: inputs.Time
    score: Annotated[int, Meta(ge=-1000, le=1000)] | None = None
    partner: inputs.Word | None = None
    email: inputs.Email | None = None
    name: NameOrNone = ""
    country: CountryOrNone = ""
    locale: LocaleOrNone = ""


class AdvocacyRecorded(Input, frozen=True, kw_only=True, tag_field="type", tag="advocacy.recorded"):
    """Somebody spoke well of the company, or stayed."""

    data: NewAct
    timestamp: inputs.Time | None = None


Outcome = Literal["asked", "invited", "reminded", "rested", "left_out"]
"""``rested``: asked not long ago. ``left_out``: no partner, and may not be invited."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to ask: a partner by id, or whoever has the address."""

    partner: str = ""
    email: str = ""
    name: str = ""
    country: str = ""
    locale: str = ""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody is asked and by whom.

    ``owner`` is the rep who looks after them if they are invited; ``cause`` is the message or
    request, which asks everybody once however often it comes.
    """

    rule: Rule
    actor: str
    cause: str
    owner: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of an ask once ``writes`` is committed."""

    outcome: Outcome
    writes: Transaction


def ask(version: ProgramVersion, person: Person, wish: Wish, *, now: Instant) -> Outcome:
    """Ask one person and return what became of it; the same wish again changes nothing.

    Raises:
        InvalidInputError: Their address is none.
        ContentionError: Others kept changing the partner.
    """
    for _ in range(_ATTEMPTS):
        planned = plan(version, person, wish, now=now)
        try:
            if len(planned.writes):
                planned.writes.commit()
        except (AlreadyExistsError, StaleError):
            continue
        return planned.outcome
    message = "others kept changing this partner"
    raise ContentionError(message)


def plan(version: ProgramVersion, person: Person, wish: Wish, *, now: Instant) -> Plan:
    """Return what becomes of asking *person*, to be committed by the caller.

    The commit fails with :class:`AlreadyExistsError` or :class:`StaleError` when somebody else
    asked or changed them first: plan it anew then.
    """
    key = mailbox_of(version.program, person)
    if not key:
        return Plan(outcome="left_out", writes=Transaction())
    held = claims.find(version.program, "asked", key, now=now)
    if held:
        mine = held.body.get("cause") == wish.cause
        known: Outcome = msgspec.convert(held.body["outcome"], Outcome) if mine else "rested"
        return Plan(outcome=known, writes=Transaction())
    writes = Transaction()
    found = partners.of_mailbox(version.program, key, now=now)
    outcome: Outcome
    if found is None:
        outcome = _invited(writes, version, person, wish, now)
    elif found.status == "invited":
        reminded = invite.remind(writes, found, version.document, actor=wish.actor, now=now)
        outcome = "reminded" if reminded else "rested"
    elif found.status == "active" and (person.partner or found.has_mailbox):
        # An address somebody only typed is not where their mail should go.
        outcome = _asked(writes, version, found, wish, now)
    else:
        outcome = "left_out"
    if len(writes):
        _pause(writes, version.program, key, outcome, wish, now)
    return Plan(outcome=outcome, writes=writes)


def mailbox_of(program: str, person: Person) -> str:
    """Return the keyed hash of a person's mailbox, empty when nobody is known by it.

    An id that is no partner's of the program says nothing; then the address counts.

    Raises:
        InvalidInputError: The address is none.
    """
    found = partners.find_partner(person.partner) if person.partner else None
    if found and found.program == program and found.email_key:
        return found.email_key
    if not person.email:
        return ""
    address = identity.check_email(person.email)
    return identity.email_key(address, keyring.secret(keyring.IDENTITY))


def receive(
    program: str, message: AdvocacyRecorded, *, message_id: str, actor: str, now: Instant
) -> tuple[Taken, Transaction]:
    """Return the answer to a reported act, and what it changes; ``noted`` when nothing.

    Raises:
        InvalidInputError: The time or the address is none, or neither address nor id is sent.
        NotFoundError: No such program.
    """
    data = message.data
    if not data.partner and not data.email:
        raise InvalidInputError("data.email", "say who it was", code="missing_field")
    version = programs.current(program, now)
    person = Person(
        partner=data.partner or "",
        email=data.email or "",
        name=data.name,
        country=data.country,
        locale=data.locale,
    )
    act = Act(event=data.event, at=inputs.instant("at", data.at, now), score=data.score)
    key = mailbox_of(program, person)
    known = partners.of_mailbox(program, key, now=now) if key else None
    audience = known.audience if known and known.status == "active" else ""
    rule = advocacy.rule_for(version.document, act, audience, now)
    if rule is None:
        return _taken("left_out"), Transaction()
    wish = Wish(rule=rule, actor=actor, cause=message_id)
    planned = plan(version, person, wish, now=now)
    return _taken(planned.outcome), planned.writes


def _taken(outcome: Outcome) -> Taken:
    changed = outcome in {"asked", "invited", "reminded"}
    return Taken(outcome="applied" if changed else "noted", referral="", status="")


def _asked(
    writes: Transaction, version: ProgramVersion, partner: Partner, wish: Wish, now: Instant
) -> Outcome:
    link = own_links.link_for(
        partner,
        version.document,
        channel=advocacy.CHANNEL,
        asset=wish.rule.terms.asset or "",
        campaign=wish.rule.key,
        now=now,
    )
    if link.status != "active":
        return "left_out"  # suspended: nobody is asked to share what leads nowhere
    after, event = partner_life.asked(
        partner,
        rule=wish.rule.key,
        link=link.code,
        now=now,
        actor=wish.actor,
        cause=wish.cause,
    )
    partners.save(writes, partner, after, event)
    return "asked"


def _invited(
    writes: Transaction, version: ProgramVersion, person: Person, wish: Wish, now: Instant
) -> Outcome:
    if not wish.rule.terms.invite or not person.email:
        return "left_out"
    known: dict[str, Any] = {"name": person.name, "email": person.email}
    try:
        invite.invite(
            writes,
            version,
            **known,
            audience=wish.rule.terms.audience,
            locale=person.locale,
            country=person.country,
            owner=wish.owner,
            actor=wish.actor,
            now=now,
        )
    except SeveralFaultsError:
        return "left_out"
    return "invited"


def _pause(
    writes: Transaction, program: str, key: str, outcome: Outcome, wish: Wish, now: Instant
) -> None:
    claim = Claim(
        scope=program,
        kind="asked",
        value=key,
        target=wish.rule.key,
        expires_at=clock.plus(now, days=wish.rule.terms.again_after_days),
        body={"cause": wish.cause, "outcome": outcome},
    )
    claims.add(writes, claim, now=now, error=AlreadyExistsError("they were asked a moment ago"))
