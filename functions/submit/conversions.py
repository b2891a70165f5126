"""Taking in what other systems report: one meaning for webhook, API and file.

A message finds its referral by any key it carries, makes one where a partner is proven and
nobody was referred yet, or is kept until a later touch explains it. What is kept is applied
by the very same code; so the order in which touches and messages arrive does not matter.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from introducer import conversion, ids
from introducer.clock import Instant
from introducer.conversion import NOT_READY, Conversion, Tie
from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    InvalidInputError,
    NotFoundError,
    StaleError,
    TransitionError,
    UncertainError,
)
from introducer.program import ProgramVersion
from introducer.referral import Referral, Touch
from introducer.tables import claims, programs, referrals, waiting
from introducer.tables.claims import Claim
from introducer.tables.store import Transaction
from submit import applying, intake, matching, messages, reported, told, trail
from submit.intake import Lead, Made
from submit.matching import Match
from submit.messages import LeadCreated, Message, NewLead
from submit.told import Outcome, Taken, Told, Way

_ATTEMPTS = 6


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a message once ``writes`` is committed.

    The commit fails with :class:`StaleError` or :class:`AlreadyExistsError` when something
    happened meanwhile: plan it anew then.
    """

    taken: Taken
    writes: Transaction


def take(
    program: str,
    source: str,
    message: Message,
    *,
    message_id: str,
    now: Instant,
    channel: Way = "csv",
    actor: str = "",
) -> Taken:
    """Take in one message, whatever brought it; the same one again changes nothing.

    Args:
        program: Which program.
        source: The sender's name; its ids are its own.
        message: What happened.
        message_id: The sender's id of the message, or of the row.
        now: The present instant.
        channel: How it came in.
        actor: Whom events name; by default the source.

    Raises:
        InvalidInputError, SeveralFaultsError: It says something the program does not know.
        NotFoundError: No such program, or the referral it names does not exist.
        AlreadyExistsError: Its ids name two referrals, or other facts were told before.
        TransitionError: The referral's state will never allow it.
        ContentionError, UncertainError: The store was busy or silent: take it again.
    """
    said = Told(
        program=program,
        source=source,
        message=message,
        message_id=message_id,
        now=now,
        actor=actor or f"source:{program}/{source}",
        channel=channel,
    )
    return committed(lambda: plan(said))


def committed(planned: Callable[[], Plan]) -> Taken:
    """Commit what *planned* returns, planning anew as long as others get in first.

    Raises:
        ContentionError: They kept getting in first.
    """
    for _ in range(_ATTEMPTS):
        found = planned()
        try:
            if len(found.writes):
                found.writes.commit()
        except (AlreadyExistsError, StaleError, UncertainError):
            # Perhaps it is our own write whose answer was lost: the next plan will see.
            continue
        return found.taken
    message = "others kept getting in first"
    raise ContentionError(message)


def plan(said: Told, kept: Conversion | None = None) -> Plan:
    """Return what becomes of a message.

    Args:
        said: The message.
        kept: Where it waits already; None when it has just come.

    Raises:
        IntroducerError: As :func:`take`.
    """
    match = matching.find(said)
    if match.detail is None and kept is None:
        match = _of_its_own(said, match)
    writes = Transaction()
    if match.detail is None:
        return _keep_unmatched(said, match, kept) if kept else _unmatched(said, match)
    effect = applying.apply(said, match, match.detail, writes)
    tie = said.tie if match.ties else None
    if tie:
        _tie(writes, tie, effect.after.id, said.now)
    if effect.outcome == "waiting":
        return _wait(said, writes, kept, effect.after, reason=effect.reason, tie=tie)
    if kept:
        after, event = conversion.applied(
            kept, referral=effect.after.id, now=said.now, actor=said.actor
        )
        waiting.save(writes, kept, after, event)
    return _plan(writes, effect.outcome, effect.after)


def refuse(kept: Conversion, code: str, now: Instant) -> Plan:
    """Return the note that a message which waits cannot be applied, for the reason *code*."""
    writes = Transaction()
    if kept.reason != code:
        after, event = conversion.refused(kept, code=code, now=now)
        waiting.save(writes, kept, after, event)
    taken = Taken(outcome="waiting", referral=kept.referral, status="", conversion=kept.id)
    return Plan(taken=taken, writes=writes)


def done(kept: Conversion) -> Plan:
    """Return the answer about a message that somebody else was done with meanwhile."""
    taken = Taken(outcome="known", referral=kept.referral, status="", conversion=kept.id)
    return Plan(taken=taken, writes=Transaction())


def match_by_hand(kept: Conversion, referral: str, *, actor: str, now: Instant) -> Plan:
    """Return what becomes of a waiting message that a person says is about *referral*.

    Raises:
        IntroducerError: As :func:`take`.
    """
    if kept.status != "waiting":
        raise TransitionError(f"a conversion that is {kept.status} waits no more")
    said = told.of_kept(kept, now)
    named = messages.about_referral(said.message, referral)
    return plan(msgspec.structs.replace(said, message=named, actor=actor), kept)


def _of_its_own(said: Told, match: Match) -> Match:
    """Return the referral that this very message made before, else *match*."""
    try:
        return Match(detail=referrals.detail(_referral_id(said)), by="message")
    except NotFoundError:
        return match


def _referral_id(said: Told) -> str:
    return ids.derived_id("referral", said.id)


def _unmatched(said: Told, match: Match) -> Plan:
    """Make a referral where a partner is proven; else keep the message."""
    version = programs.current(said.program, said.now)
    reported.check(version.document, said.source, said.message, said.at())
    made = _made(said, version)
    if made is None:
        return _keep_unmatched(said, match, None)
    tie = said.tie
    if tie:
        _tie(made.writes, tie, made.referral.id, said.now)
    if isinstance(said.message, LeadCreated):
        return _plan(made.writes, "applied", made.referral)
    return _wait(said, made.writes, None, made.referral, reason=NOT_READY, tie=None)


def _made(said: Told, version: ProgramVersion) -> Made | None:
    """Return a new referral of whoever bought or signed up, None when nothing proves a partner."""
    intake_rules, about = version.document.intake, said.about
    lead = about.lead or NewLead()
    signed_up = isinstance(said.message, LeadCreated)
    if not signed_up and (
        intake_rules.conversions != "create"
        or (intake_rules.channels and "event" not in intake_rules.channels)
    ):
        return None
    if not (about.email or about.external_id or lead.phone):
        return None
    touches = _proof(said)
    if not touches:
        return None
    email = about.email or ""
    return intake.submit(
        version,
        Lead(
            name=lead.name or email.partition("@")[0] or lead.phone or about.external_id or "",
            country=lead.country or "",
            email=email,
            phone=lead.phone,
            company=lead.company,
            locale=lead.locale,
            product=lead.product,
            external={said.source: about.external_id} if about.external_id else {},
        ),
        [*touches, _event_touch(said)],
        channel="event",
        actor=said.actor,
        now=said.now,
        referral_id=_referral_id(said),
        cause=said.message_id,
    )


def _proof(said: Told) -> list[Touch]:
    """Return the touches that prove a partner: a genuine click, the code of a usable link."""
    codes, about = trail.Codes(said.program, said.now), said.about
    found = trail.clicks([about.click], {}, codes, said.now) if about.click else []
    try:
        found += trail.typed(about.code or "", codes, said.now)
    except InvalidInputError:
        return found  # a wrong code is no proof, and no reason to lose the message
    return found


def _event_touch(said: Told) -> Touch:
    data = {
        "type": messages.type_of(said.message),
        "source": said.source,
        "channel": said.channel,
    }
    return Touch(id=ids.derived_id("conversion", said.id), kind="event", at=said.at(), data=data)


def _keep_unmatched(said: Told, match: Match, kept: Conversion | None) -> Plan:
    return _wait(said, Transaction(), kept, None, reason=match.reason, tie=None)


def _wait(
    said: Told,
    writes: Transaction,
    kept: Conversion | None,
    referral: Referral | None,
    *,
    reason: str,
    tie: Tie | None,
) -> Plan:
    """Keep the message, or say anew for whom it waits and why."""
    target = referral.id if referral else ""
    keys = list(dict.fromkeys([*said.keys(), *([f"referral#{target}"] if target else [])]))
    body = told.body_of(said.message)
    if kept is None:
        known = waiting.find(said.id)
        if known:
            return _as_before(known, referral)
        _keep(said, writes, keys, body, target, reason, tie)
    elif (kept.referral, kept.reason, kept.keys, kept.body) != (target, reason, keys, body) or tie:
        after, event = conversion.matched(
            kept,
            referral=target,
            reason=reason,
            keys=keys,
            body=body,
            now=said.now,
            actor=said.actor,
            tie=tie,
        )
        waiting.save(writes, kept, after, event)
    return _plan(writes, "waiting", referral, conversion_id=said.id)


def _keep(
    said: Told,
    writes: Transaction,
    keys: list[str],
    body: str,
    referral: str,
    reason: str,
    tie: Tie | None,
) -> None:
    made = Conversion(
        id=said.id,
        program=said.program,
        source=said.source,
        channel=said.channel,
        message_id=said.message_id,
        version=1,
        status="waiting",
        kept_at=said.now,
        at=said.at(),
        type=messages.type_of(said.message),
        body=body,
        actor=said.actor,
        email_key=said.mailbox(),
        keys=keys,
        referral=referral,
        reason=reason,
    )
    waiting.keep(writes, made, conversion.kept(made, tie))


def _as_before(known: Conversion, referral: Referral | None) -> Plan:
    """Return the answer to a message that was kept before, or was and is done with."""
    became: dict[str, Outcome] = {"waiting": "waiting", "applied": "known", "dismissed": "noted"}
    taken = Taken(
        outcome=became[known.status],
        referral=known.referral,
        status=referral.status if referral and referral.id == known.referral else "",
        conversion=known.id,
    )
    return Plan(taken=taken, writes=Transaction())


def _tie(writes: Transaction, tie: Tie, referral: str, now: Instant) -> None:
    claim = Claim(scope=tie.scope, kind="external", value=tie.external_id, target=referral)
    taken = AlreadyExistsError("this external id is tied to another referral")
    claims.add(writes, claim, now=now, error=taken)


def _plan(
    writes: Transaction, outcome: Outcome, referral: Referral | None, conversion_id: str = ""
) -> Plan:
    taken = Taken(
        outcome=outcome,
        referral=referral.id if referral else "",
        status=referral.status if referral else "",
        conversion=conversion_id,
    )
    return Plan(taken=taken, writes=writes)
