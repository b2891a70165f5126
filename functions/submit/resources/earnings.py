"""What a partner has earned and been paid."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock, explain
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from introducer.ledger import ACCOUNTS, Balance, Journal
from introducer.partner import Partner
from introducer.program import Program
from introducer.reward import Reward
from introducer.tables import ledger, programs, rewards
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Paging

resource = Resource(__name__)

Accounts = dict[str, int]
Day = Annotated[
    str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)", examples=["2026-11-01"])
]
_PAGE = 500


class RewardQuery(Paging, frozen=True, kw_only=True):
    """Which rewards; without a currency, those in the program's own.

    Points are in ``PTS``, rewards that are no cash in their currency and type: ``EUR.credit``.
    Without a locale they are explained in the partner's own language.
    """

    currency: Annotated[str, Meta(pattern=r"^([A-Z]{3}(\.[a-z_]{1,20})?)?$(?!\n)")] = ""
    locale: Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")] = ""


class RewardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone of a reward.

    ``explanation`` is how the amount came about, sentence by sentence; ``trace`` the same as
    data, step by step.
    """

    referral: str
    plan: str
    milestone: str
    occasion: str
    sale: str
    amount_minor: int
    reversed_minor: int
    currency: str
    type: str
    status: str
    earned_at: str
    due_at: str
    when: str
    waiting: str
    explanation: list[str]
    trace: list[dict[str, str | int]]


class RewardList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of rewards, newest first; a page may hold few while ``next`` goes on."""

    items: list[RewardRow]
    next: str


class StatementQuery(Paging, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """Which statement: a currency and, if wanted, the first and last day (UTC)."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}(\.[a-z_]{1,20})?$(?!\n)", examples=["EUR"])]
    since: Day = ""
    until: Day = ""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One booking. ``amounts`` is the change of each account, minor units."""

    id: str
    number: int
    kind: str
    at: str
    booked_at: str
    amounts: Accounts
    reason: str
    referral: str
    payout: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """``opening`` plus ``movements`` is ``closing``, on every page; newest first.

    ``balance`` is what stands now. All amounts are minor units of ``currency``.
    """

    currency: str
    opening: Accounts
    movements: list[Movement]
    closing: Accounts
    balance: Accounts
    next: str


@resource.endpoint(
    "GET",
    "/v1/me/rewards",
    roles=PARTNER,
    query=RewardQuery,
    answer=RewardList,
    codes=("not_enrolled",),
)
def list_rewards(call: Call[Any, RewardQuery]) -> Answer:
    """List one's own rewards, newest first."""
    partner = partner_of(call)
    document = programs.current(partner.program, call.now).document
    currency = call.query.currency or document.currency
    locale = call.query.locale or partner.locale
    place = call.start()
    found, following = rewards.of_partner(
        partner.id, currency, limit=call.query.limit, upto=place["upto"] if place else None
    )
    place = {"upto": following} if following else None
    items = [_row(each, document, locale) for each in found]
    return Answer(body=RewardList(items=items, next=call.next(place)))


@resource.endpoint(
    "GET",
    "/v1/me/statement",
    roles=PARTNER,
    query=StatementQuery,
    answer=Statement,
    codes=("not_enrolled", "invalid_period"),
)
def read_statement(call: Call[Any, StatementQuery]) -> Answer:
    """Read the account statement of a period: opening balance, movements, closing balance."""
    partner, query = partner_of(call), call.query
    now = ledger.balance(partner.id, query.currency)
    first, last = _period(partner, now, query)
    place = call.start()
    if place:
        last, closing = min(place["last"], now.version), Accounts(place["closing"])
    else:
        closing = _accounts_at(partner, now, last)
    begin = max(first, last - query.limit + 1)
    booked = _journals(partner, query.currency, begin, last)
    opening = _minus(closing, booked)
    place = {"last": begin - 1, "closing": opening} if begin > first else None
    return Answer(
        body=Statement(
            currency=query.currency,
            opening=opening,
            movements=[_movement(each) for each in reversed(booked)],
            closing=closing,
            balance=now.accounts,
            next=call.next(place),
        )
    )


def _period(partner: Partner, now: Balance, query: StatementQuery) -> tuple[int, int]:
    """Return the numbers of the first and the last journal of the period."""
    try:
        since = clock.parse(f"{query.since}T00:00:00Z") if query.since else ""
        until = clock.plus(clock.parse(f"{query.until}T00:00:00Z"), days=1) if query.until else ""
    except (ValueError, OverflowError) as failure:
        raise InvalidInputError("from", "not a day", code="invalid_period") from failure
    if since and until and since >= until:
        raise InvalidInputError("to", "ends before it begins", code="invalid_period")
    first = _booked_before(partner, now, since) + 1 if since else 1
    last = _booked_before(partner, now, until) if until else now.version
    return first, last


def _booked_before(partner: Partner, now: Balance, at: Instant) -> int:
    """Return how many journals were booked before *at*; their times rise with their numbers."""
    low, high = 0, now.version
    if not high or now.posted_at < at:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        (journal,) = ledger.journals(partner.id, now.currency, first=middle, last=middle)
        low, high = (middle, high) if journal.posted_at < at else (low, middle - 1)
    return low


def _accounts_at(partner: Partner, now: Balance, number: int) -> Accounts:
    """Return what the accounts held after journal *number*.

    A month's last journal has a stored closing balance; else the journals behind it are
    taken off the present one.
    """
    if number == now.version:
        return now.accounts
    if number == 0:
        return dict.fromkeys(ACCOUNTS, 0)
    (journal,) = ledger.journals(partner.id, now.currency, first=number, last=number)
    closed = ledger.closing(partner.id, now.currency, journal.posted_at[:7])
    if closed and closed.version == number:
        return closed.accounts
    newest = closed or now
    return _minus(newest.accounts, _journals(partner, now.currency, number + 1, newest.version))


def _journals(partner: Partner, currency: str, first: int, last: int) -> list[Journal]:
    found: list[Journal] = []
    for begin in range(first, last + 1, _PAGE):
        end = min(last, begin + _PAGE - 1)
        found += ledger.journals(partner.id, currency, first=begin, last=end)
    return found


def _minus(accounts: Accounts, booked: list[Journal]) -> Accounts:
    return {
        name: held - sum(journal.legs.get(name, 0) for journal in booked)
        for name, held in accounts.items()
    }


def _movement(journal: Journal) -> Movement:
    return Movement(
        id=journal.id,
        number=journal.seq,
        kind=journal.kind,
        at=journal.at,
        booked_at=journal.posted_at,
        amounts={name: journal.legs[name] for name in ACCOUNTS if name in journal.legs},
        reason=journal.reason,
        referral=journal.refs.get("referral", ""),
        payout=journal.refs.get("payout", ""),
    )


def _row(reward: Reward, document: Program, locale: str) -> RewardRow:
    return RewardRow(
        referral=reward.referral,
        plan=reward.plan,
        milestone=reward.milestone,
        occasion=reward.occasion,
        sale=reward.sale,
        amount_minor=reward.amount_minor,
        reversed_minor=reward.reversed_minor,
        currency=reward.currency,
        type=reward.type,
        status=reward.status,
        earned_at=reward.earned_at,
        due_at=reward.due_at,
        when=reward.when,
        waiting=reward.waiting,
        explanation=explain.words(reward.trace, reward.unit, locale, document),
        trace=reward.trace,
    )
