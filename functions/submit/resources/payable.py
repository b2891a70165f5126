"""Why something is not paid yet, and when: every unit of a partner's account."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import payable, paying
from introducer.document.payout import PayoutRule
from introducer.errors import MissingRateError
from introducer.ledger import Balance, Journal, Kind
from introducer.partner import Partner
from introducer.payable import Debt, Due, Obstacle, Wait
from introducer.payout import Payout
from introducer.program import Program
from introducer.reward import Reward
from introducer.tables import halts, ledger, payouts, programs, rates, rewards
from introducer.wording import Language, language
from payout import gates
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.resources.payouts import Locale

resource = Resource(__name__)

_NEWEST = 20
"""Payouts among which the last one of each unit is looked for."""
_PAGE, _MOST = 200, 2_000
"""Bookings read at once, and at most, on the way back to all that is pending or owed."""


class PayableQuery(Input, frozen=True, kw_only=True):
    """In which language it is told; the partner's own unless said."""

    locale: Locale = ""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that pays this unit to this partner. Amounts are minor units of the unit.

    ``missing_minor`` is what is missing to the smallest payout; ``next_at`` when the next run
    begins that could pay, empty where a person begins it.
    """

    method: str
    method_words: str
    region: str
    pays_in: str
    threshold_minor: int
    missing_minor: int
    next_at: str
    next_words: str


class PayableUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the account. All amounts are minor units of ``currency``.

    ``due`` is what is pending by the day it becomes due, ``waiting`` what is due and waits;
    both are complete unless ``complete`` is false, then the oldest are left out. ``owed_minor``
    is what the partner owes back, ``debts`` how that came about, newest first; it is taken from
    what becomes payable next. ``ready`` tells that nothing stands against the next run.
    """

    currency: str
    pending_minor: int
    payable_minor: int
    reserved_minor: int
    in_transit_minor: int
    paid_minor: int
    owed_minor: int
    owed_words: str
    due: list[Due]
    waiting: list[Wait]
    debts: list[Debt]
    complete: bool
    way: Way | None
    obstacles: list[Obstacle]
    ready: bool


class PayableList(msgspec.Struct, frozen=True, kw_only=True):
    """Every unit of the account; the program's own currency when nothing was booked yet."""

    items: list[PayableUnit]


class _History(msgspec.Struct, frozen=True, kw_only=True):
    """What is pending and what is owed, as far back as it was looked for."""

    pending: list[Reward]
    owed: list[Journal]
    complete: bool


@resource.endpoint(
    "GET",
    "/v1/me/payable",
    roles=PARTNER,
    query=PayableQuery,
    answer=PayableList,
    codes=("not_enrolled",),
)
def read_payable(call: Call[Any, PayableQuery]) -> Answer:
    """Read what is not paid yet, why, when it will be, and what one can do about it."""
    partner = partner_of(call)
    document = programs.current(partner.program, call.now).document
    words = language(call.query.locale or partner.locale)
    found = ledger.balances(partner.id) or [
        Balance(partner=partner.id, currency=document.currency, program=partner.program)
    ]
    newest: dict[str, Payout] = {}
    for each in payouts.of_partner(partner.id, limit=_NEWEST)[0]:
        newest.setdefault(each.currency, each)
    items = [
        _unit(each, document, partner, words, call.now, newest.get(each.currency)) for each in found
    ]
    return Answer(body=PayableList(items=items))


def _unit(
    balance: Balance,
    document: Program,
    partner: Partner,
    words: Language,
    now: str,
    newest: Payout | None,
) -> PayableUnit:
    history = _history(balance)
    holder = paying.holder_of(partner.id, partner)
    rule = paying.rule_for(document, balance.currency, holder)
    codes = _codes(document, rule, partner, now)
    late = payable.left_out(newest, partner)
    if late and rule and late not in codes:
        codes.append(late)
    against = payable.obstacles(codes, document, rule, partner, balance, words)
    owed = -balance.receivable
    amount = words.amount(owed, balance.currency)
    return PayableUnit(
        currency=balance.currency,
        pending_minor=balance.pending,
        payable_minor=balance.payable,
        reserved_minor=balance.reserved,
        in_transit_minor=balance.in_transit,
        paid_minor=balance.paid,
        owed_minor=owed,
        owed_words=words.say("receivable.why", amount=amount) if owed else "",
        due=payable.dues(history.pending, now),
        waiting=payable.waits(history.pending, now, words),
        debts=payable.debts(history.owed),
        complete=history.complete,
        way=_way(rule, document, balance, against, words, now) if rule else None,
        obstacles=against,
        ready=not [each for each in against if each.code != "by_hand"],
    )


def _codes(document: Program, rule: PayoutRule | None, partner: Partner, now: str) -> list[str]:
    """Return what the gates of a batch would say now, and what would stop the whole of it."""
    codes = ["halted"] if halts.halted(document.id) else []
    if rule is None:
        return codes
    if code := gates.obstacle(document, rule, partner.id, partner, now=now):
        codes.insert(0, code)
    if rule.pays_in and rule.pays_in != rule.currency.partition(".")[0]:
        try:
            rates.usable(document.id, rule, now)
        except MissingRateError:
            codes.append("no_rate")
    return codes


def _way(
    rule: PayoutRule,
    document: Program,
    balance: Balance,
    against: list[Obstacle],
    words: Language,
    now: str,
) -> Way:
    at = payable.next_at(rule, document.time_zone, against, now)
    day = words.date(at, document.time_zone) if at else ""
    return Way(
        method=rule.method,
        method_words=words.phrase(f"method.{rule.method}", rule.method),
        region=rule.region,
        pays_in=rule.pays_in or "",
        threshold_minor=rule.threshold_minor,
        missing_minor=payable.missing_minor(rule, balance),
        next_at=at,
        next_words=words.say("next.payout", day=day) if at else words.say("obstacle.by_hand"),
    )


def _history(balance: Balance) -> _History:
    """Return the rewards that make up what is pending, and the bookings of what is owed.

    The newest journals are read until both sums are explained, or there are too many.
    """
    pending: dict[str, Reward] = {}
    owed: list[Journal] = []
    left_minor, debt_minor, last = balance.pending, balance.receivable, balance.version
    while last > max(0, balance.version - _MOST) and (left_minor > 0 or debt_minor < 0):
        first = max(1, last - _PAGE + 1)
        page = ledger.journals(balance.partner, balance.currency, first=first, last=last)[::-1]
        for each in page if debt_minor < 0 else ():
            moved = each.legs.get("receivable", 0)
            if moved and debt_minor < 0:
                owed.append(each)
                debt_minor -= moved
        if left_minor > 0:
            earned = [each.refs for each in page if each.kind is Kind.REWARD_EARNED]
            for reward in rewards.of_refs(earned, balance.partner):
                if reward.status == "pending" and reward.journal_id() not in pending:
                    pending[reward.journal_id()] = reward
                    left_minor -= reward.left_minor
        last = first - 1
    return _History(
        pending=list(pending.values()),
        owed=owed,
        complete=left_minor <= 0 and debt_minor >= 0,
    )
