"""Who is to be told about an event, from the state as it stands now.

An event that the state has overtaken makes no mail: who reads it would learn
something that is no longer so, and what came after has a message of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from introducer import clock, explain, keyring, money, payee
from introducer.clock import Instant
from introducer.errors import NotFoundError
from introducer.ledger import Kind
from introducer.partner import Partner, Rep
from introducer.reward import Reward
from introducer.settings import setting
from introducer.settlement import PAYEE_REASONS
from introducer.streams import Record
from introducer.tables import disputes, partners, payouts, people, referrals, reps, rewards
from notify import messages
from notify.messages import MESSAGES, Message

NEWS_DAYS = 30
"""Older events are no news. It bounds how long it must be remembered that a mail was sent."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one recipient.

    Attributes:
        recipient: Id of the partner or rep; ``managers`` for the program's people.
        person: Whose address it goes to; empty for managers.
        occasion: What it is sent once for.
        facts: Ids, codes and amounts for the template and the page.
        local: More of them by language, such as dates.
        lines: Sentences by language.
        link: Code of the reader's own link in it, if there is one.
        overtaken: Why it is not to be sent any more, or nothing.
    """

    message: Message
    program: str
    recipient: str
    person: str
    occasion: str
    facts: dict[str, str]
    local: dict[str, dict[str, str]] = {}
    lines: dict[str, list[str]] = {}
    link: str = ""
    overtaken: str = ""


def letters(event: Record, *, now: Instant) -> list[Letter]:
    """Return the letters an event or journal from the bus asks for.

    Raises:
        NotFoundError: Something that it names does not exist.
    """
    kind = event.get("kind") or event["type"]
    written = [
        letter
        for message in MESSAGES.get(kind, ())
        for letter in _WRITERS[message.about](message, event)
    ]
    happened = event.get("posted_at") or event["at"]
    if happened < clock.plus(now, days=-NEWS_DAYS):
        return [msgspec.structs.replace(letter, overtaken="too_old") for letter in written]
    return written


def _about_partner(message: Message, event: Record) -> list[Letter]:
    partner = _partner(_id_of(event))
    if message.to_invited:
        return [_to_partner(message, event, partner, facts=_invitation(partner, event))]
    link = event["data"].get("link", "")  # an ask carries one
    facts = {"link": f"{setting('CLICK_BASE_URL')}/r/{link}"} if link else {}
    letter = _to_partner(message, event, partner, facts=facts)
    return [msgspec.structs.replace(letter, link=link)]


def _about_payee(message: Message, event: Record) -> list[Letter]:
    """Return the letter with the code, or the one that tells of the change it confirmed.

    The code is derived here, for this mail alone: it is in no event and no item. Of a first
    account there is nothing to be afraid of.
    """
    partner, request = _partner(_id_of(event)), event["data"].get("request", "")
    if not request:
        return []
    old = people.payee_last4(partner.person)
    if event["type"] == "PayeeChanged":
        until = _moment(event["data"].get("usable_at", ""))
        newest = "" if partner.payee_set_at == event["at"] else "overtaken"
        facts = {"new": old, "until": until}
        return [_to_partner(message, event, partner, facts=facts, overtaken=newest)]
    waiting = people.payee_request(partner.person)
    if waiting is None or waiting.id != request or waiting.confirm_by <= clock.now():
        facts = dict.fromkeys(("old", "new", "replaces", "code", "until"), "")
        return [_to_partner(message, event, partner, facts=facts, overtaken="overtaken")]
    secret = keyring.existing_secret(keyring.CONFIRM)
    facts = {
        "old": old,
        "new": waiting.last4,
        "replaces": waiting.replaces,
        "code": payee.code(secret, partner.id, request),
        "until": _moment(waiting.confirm_by),
    }
    return [_to_partner(message, event, partner, facts=facts)]


def _invitation(partner: Partner, event: Record) -> dict[str, str]:
    """Return what an invitation says, and which page it leads to."""
    kind, _, inviter = partner.invited_by.partition("#")
    rep = reps.find(inviter) if kind == "REP" else None
    contact = people.contact(rep.person) if rep else None
    return {
        "program_id": partner.program,
        "audience": partner.audience,
        "inviter": contact.name if contact else "",
        "credited": "yes" if event.get("data", {}).get("credited") else "",
    }


def _about_referral(message: Message, event: Record) -> list[Letter]:
    detail = referrals.detail(_id_of(event))
    referral = detail.referral
    told: dict[str, Any] = event["data"]
    overtaken = "" if referral.status == told["status"] else "overtaken"
    facts = {
        "referral": referral.id,
        "country": referral.country,
        "product": referral.product,
        "reason": referral.reason,
        "stage": referral.status,
        "until": _moment(referral.accept_by),
    }
    if message.to == "rep":
        rep = _rep(told["rep"])
        if referral.rep != rep.id:
            overtaken = "overtaken"
        return [
            Letter(
                message=message,
                program=event["program"],
                recipient=rep.id,
                person=rep.person,
                occasion=event["id"],
                facts=facts,
                overtaken=overtaken,
            )
        ]
    credited = [_partner(share.partner) for share in detail.shares]
    return [
        _to_partner(message, event, each, facts=facts, overtaken=overtaken) for each in credited
    ]


def _about_reward(message: Message, event: Record) -> list[Letter]:
    if "." in event["partner"]:
        return []  # the account of a rep, a customer or a company has no mailbox of its own
    partner = _partner(event["partner"])
    if partner.status == "invited" and event["kind"] == Kind.REWARD_EARNED:
        once = f"credit_waiting:{partner.id}"
        facts = _invitation(partner, event)
        waits = messages.CREDIT_WAITING
        return [_to_partner(waits, event, partner, facts=facts, occasion=once)]
    refs = event["refs"]
    amount_minor, occasion = event["amount_minor"], event["id"]
    lines: dict[str, list[str]] = {}
    if message.once_per == "occasion":
        # It earns a reward for each milestone, booked at the same moment: one piece of news.
        # Money, points and gift cards are news of their own: their amounts do not add up.
        unit = event["currency"]
        occasion = f"{event['kind']}:{refs['referral']}:{refs['occasion']}:{unit}"
        mine = [
            reward
            for reward in rewards.load(referrals.detail(refs["referral"]).rewards)
            if (reward.partner, reward.occasion, reward.unit)
            == (event["partner"], refs["occasion"], unit)
        ]
        amount_minor = sum(reward.amount_minor for reward in mine)
        lines = _explained(mine, unit)
    facts = {
        "referral": refs["referral"],
        "amount": _amount(amount_minor, event["currency"]),
        "reason": event.get("reason", ""),
    }
    letter = _to_partner(message, event, partner, facts=facts, occasion=occasion)
    return [msgspec.structs.replace(letter, lines=lines)]


def _explained(earned: Sequence[Reward], currency: str) -> dict[str, list[str]]:
    """Return how rewards came about, by language, when one plan gave all of them."""
    if len({reward.plan for reward in earned}) != 1:
        return {}
    # The parts of one plan share all steps but the last, which divides them.
    trace = [step for step in earned[0].trace if step.get("step") != "milestone"]
    return {
        language: explain.words(trace, currency, language)
        for language in sorted(messages.languages())
    }


def _about_payout(message: Message, event: Record) -> list[Letter]:
    facts = {
        "payout": event["refs"]["payout"],
        "amount": _amount(event["amount_minor"], event["currency"]),
        "reason": event.get("reason", ""),
        # The account itself is the reason: nothing is paid until another one is given.
        "fix": "yes" if event.get("reason", "") in PAYEE_REASONS else "",
    }
    return [_to_partner(message, event, _partner(event["partner"]), facts=facts)]


def _about_batch(message: Message, event: Record) -> list[Letter]:
    batch = payouts.get_batch(_id_of(event))
    return [
        Letter(
            message=message,
            program=event["program"],
            recipient="managers",
            person="",
            occasion=event["id"],
            facts={
                "batch": batch.id,
                "count": str(batch.count),
                "amount": _amount(batch.total_minor, batch.currency),
            },
            overtaken="" if batch.status == event["data"]["status"] else "overtaken",
        )
    ]


def _about_introduction(message: Message, event: Record) -> list[Letter]:
    return [_to_partner(message, event, _partner(event["data"]["partner"]), facts={})]


def _about_dispute(message: Message, event: Record) -> list[Letter]:
    found = disputes.get(_id_of(event))
    # What was added since is no other news; that it was decided or taken back is.
    overtaken = "" if found.status == event["data"]["status"] else "overtaken"
    facts = {
        "dispute": found.id,
        "outcome": found.outcome or "",
        "reason": found.grounds or "",
    }
    if message.to == "partner":
        if not found.partner:
            return []
        return [
            _to_partner(message, event, _partner(found.partner), facts=facts, overtaken=overtaken)
        ]
    return [
        Letter(
            message=message,
            program=event["program"],
            recipient="managers",
            person="",
            occasion=event["id"],
            facts=facts,
            overtaken=overtaken,
        )
    ]


_WRITERS: dict[str, Callable[[Message, Record], Sequence[Letter]]] = {
    "partner": _about_partner,
    "payee": _about_payee,
    "referral": _about_referral,
    "reward": _about_reward,
    "payout": _about_payout,
    "batch": _about_batch,
    "dispute": _about_dispute,
    "introduction": _about_introduction,
}


def _to_partner(
    message: Message,
    event: Record,
    partner: Partner,
    *,
    facts: dict[str, str],
    occasion: str = "",
    overtaken: str = "",
) -> Letter:
    if message.to_invited != (partner.status == "invited"):
        overtaken = overtaken or ("enrolled" if message.to_invited else "not_enrolled")
    return Letter(
        message=message,
        program=event["program"],
        recipient=partner.id,
        person=partner.person,
        occasion=occasion or event["id"],
        facts=facts,
        overtaken=overtaken,
    )


def _partner(partner: str) -> Partner:
    found = partners.find_partner(partner)
    if found is None:
        message = "no such partner"
        raise NotFoundError(message)
    return found


def _rep(rep: str) -> Rep:
    found = reps.find(rep)
    if found is None:
        message = "no such rep"
        raise NotFoundError(message)
    return found


def _id_of(event: Record) -> str:
    entity: str = event["entity"]
    return entity.partition("#")[2]


def _moment(at: Instant) -> str:
    return f"{at[:10]} {at[11:16]} UTC" if at else ""


def _amount(amount_minor: int, unit: str) -> str:
    currency, _, kind = unit.partition(".")
    amount = f"{money.decimal_text(amount_minor, currency)} {currency}"
    return f"{amount} ({kind.replace('_', ' ')})" if kind else amount
