"""What a partner has earned and been paid."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import explain
from introducer.program import Program
from introducer.reward import Reward
from introducer.tables import programs, rewards
from submit import statements
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource
from submit.inputs import Paging
from submit.statements import Statement, StatementQuery

resource = Resource(__name__)


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
    codes=("not_enrolled", "invalid_period", "period_too_busy"),
)
def read_statement(call: Call[Any, StatementQuery]) -> Answer:
    """Read the account statement of a period: opening balance, movements, closing balance."""
    return Answer(body=statements.page(partner_of(call).id, call))


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
