"""What one earns here: the public table of rewards, and what a sale would bring."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import estimate, explain, money, rewards_table
from introducer.clock import Instant
from introducer.errors import InvalidInputError, MissingRateError
from introducer.estimate import Asked
from introducer.program import Program, ProgramVersion
from introducer.referral import Facts, Item
from introducer.reward import Reward
from introducer.rewards_table import Group
from introducer.tables import programs
from submit import facts, inputs
from submit.http import Answer, Call, Resource
from submit.inputs import Input

CACHED_S = 300
ESTIMATE_LIMIT_BYTES = 32_768
MOST_ITEMS = 100

resource = Resource(__name__)

Locale = Annotated[
    str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)", description="Language of the words")
]
Key = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]
Amount = Annotated[int, Meta(ge=1, le=10**12, description="Minor units of the currency")]
Count = Annotated[int, Meta(ge=0, le=10**6)]
Sum = Annotated[int, Meta(ge=0, le=money.MAX_MINOR)]
Beneficiary = Literal["partner", "organization", "customer"]


class TableQuery(Input, frozen=True, kw_only=True):
    """Which part of the table; without a locale each audience is told in its own language."""

    audience: Key = ""
    locale: Locale = ""


class RewardsTable(msgspec.Struct, frozen=True, kw_only=True):
    """What counts now. ``changes_at`` is when the next version takes effect, if one is coming."""

    program: str
    name: str
    version: int
    effective_at: str
    changes_at: str
    currency: str
    time_zone: str
    terms_version: str
    audiences: list[Group]


class Line(Input, frozen=True, kw_only=True):
    """A line of the sale: its whole price, and how many pieces."""

    product: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
    amount_minor: Amount
    quantity: Annotated[int, Meta(ge=1, le=10**6)] = 1


class WhatIf(Input, frozen=True, kw_only=True):
    """A sale that is supposed, to a lead who is, by a partner who is.

    With ``items`` the amount may be left out; it is their sum. ``successes`` and
    ``successes_minor`` are the partner's of the period so far, for tiers; ``earned_minor``
    what they earned in it, for caps; both in the program's currency.
    """

    audience: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]
    currency: inputs.Currency
    amount_minor: Amount | None = None
    product: Key = ""
    items: Annotated[list[Line], Meta(max_length=MOST_ITEMS)] = msgspec.field(default_factory=list)
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")] = ""
    size: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    industry: Key = ""
    language: Annotated[str, Meta(pattern=r"^([a-z]{2})?$(?!\n)")] = ""
    answers: facts.Answers = msgspec.field(default_factory=dict)
    metadata: facts.Metadata = msgspec.field(default_factory=dict)
    involvement: Literal["introduced", "assisted", "co_sold"] = "introduced"
    partner_type: Key = ""
    partner_country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")] = ""
    in_company: bool = False
    successes: Count = 0
    successes_minor: Sum = 0
    earned_minor: Sum = 0
    locale: Locale = ""


class EstimatedReward(msgspec.Struct, frozen=True, kw_only=True):
    """A dated part of a reward, how it comes about in words, and the same as data."""

    beneficiary: Beneficiary
    plan: str
    milestone: str
    occasion: str
    type: str
    amount_minor: int
    currency: str
    when: str
    due_at: str
    explanation: list[str]
    trace: list[dict[str, str | int]]


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """What a beneficiary gets of one kind altogether, also in words."""

    beneficiary: Beneficiary
    type: str
    currency: str
    amount_minor: int
    text: str


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What the sale would bring today, if it stands and the customer stays. Nothing is stored."""

    program: str
    version: int
    at: str
    rewards: list[EstimatedReward]
    totals: list[Total]


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/rewards",
    query=TableQuery,
    answer=RewardsTable,
    codes=("unknown_audience",),
)
def read_rewards_table(call: Call[Any, TableQuery]) -> Answer:
    """Read what one earns in a program, for each audience, as data and in plain words."""
    version = programs.current(call.path["program"], call.now)
    document = version.document
    if call.query.audience:
        _require_audience(document, call.query.audience)
    found = rewards_table.groups(
        document, call.now, audience=call.query.audience, locale=call.query.locale
    )
    table = RewardsTable(
        program=version.program,
        name=document.name,
        version=version.version,
        effective_at=version.effective_at,
        changes_at=_changes_at(version, call.now),
        currency=document.currency,
        time_zone=document.time_zone,
        terms_version=document.terms_version,
        audiences=found,
    )
    return Answer(body=table, headers={"cache-control": f"public, max-age={CACHED_S}"})


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/estimate",
    body=WhatIf,
    once=False,
    limit_bytes=ESTIMATE_LIMIT_BYTES,
    answer=Estimate,
    codes=(
        "unknown_audience",
        "unknown_currency",
        "unknown_product",
        "amount_missing",
        "items_differ",
        "unknown_question",
        "invalid_answer",
        "invalid_answers",
        "unknown_metadata",
        "invalid_metadata",
        "no_exchange_rate",
    ),
)
def estimate_rewards(call: Call[WhatIf, Any]) -> Answer:
    """Compute what a sale would earn, by the very rules that decide when it happens."""
    version = programs.current(call.path["program"], call.now)
    document, body = version.document, call.body
    _require_audience(document, body.audience)
    if body.currency == money.POINTS:
        raise InvalidInputError("currency", "points buy nothing", code="unknown_currency")
    money.exponent(body.currency)
    locale = body.locale or document.audiences[body.audience].locale
    try:
        earned = estimate.estimate(document, version.version, _asked(document, body), call.now)
    except MissingRateError as failure:
        raise InvalidInputError(
            "currency", "the program has no rate for this currency", code="no_exchange_rate"
        ) from failure
    return Answer(
        body=Estimate(
            program=version.program,
            version=version.version,
            at=call.now,
            rewards=[_row(each, document, locale) for each in earned],
            totals=_totals(earned, locale),
        )
    )


def _changes_at(version: ProgramVersion, now: Instant) -> str:
    head = programs.find_head(version.program)
    coming = [slot.effective_at for slot in head.slots()] if head else []
    return min((each for each in coming if each > now), default="")


def _require_audience(document: Program, audience: str) -> None:
    if audience not in document.audiences:
        raise InvalidInputError("audience", "no such audience", code="unknown_audience")


def _asked(document: Program, body: WhatIf) -> Asked:
    products = [body.product, *(item.product for item in body.items)]
    if any(each and each not in document.products for each in products):
        raise InvalidInputError("product", "no such product", code="unknown_product")
    optional = {
        key: msgspec.structs.replace(each, required=False)
        for key, each in document.questions.items()
    }
    asking = msgspec.structs.replace(document, questions=optional)
    lead: Facts = facts.of_answers(asking, body.answers)
    if body.size is not None:
        lead["lead.size"] = body.size
    lead |= _present({"lead.industry": body.industry, "lead.language": body.language})
    return Asked(
        audience=body.audience,
        amount_minor=_amount(body),
        currency=body.currency,
        product=body.product,
        items=[
            Item(product=each.product, amount_minor=each.amount_minor, quantity=each.quantity)
            for each in body.items
        ],
        country=body.country,
        involvement=body.involvement,
        in_company=body.in_company,
        lead_facts=lead,
        partner_facts=_present(
            {"partner.type": body.partner_type, "partner.country": body.partner_country}
        ),
        sale_facts=facts.of_metadata(document, body.metadata),
        count=body.successes,
        value_minor=body.successes_minor,
        used_minor=body.earned_minor,
    )


def _amount(body: WhatIf) -> int:
    total = sum(item.amount_minor for item in body.items)
    if body.amount_minor is None:
        if not body.items:
            raise InvalidInputError(
                "amount_minor", "say what is sold for how much", code="amount_missing"
            )
        return total
    if body.items and total != body.amount_minor:
        raise InvalidInputError("amount_minor", "not the sum of the items", code="items_differ")
    return body.amount_minor


def _present(values: dict[str, str]) -> Facts:
    return {name: value for name, value in values.items() if value}


def _row(reward: Reward, document: Program, locale: str) -> EstimatedReward:
    return EstimatedReward(
        beneficiary=_beneficiary(reward),
        plan=reward.plan,
        milestone=reward.milestone,
        occasion=reward.occasion,
        type=reward.type,
        amount_minor=reward.amount_minor,
        currency=reward.currency,
        when=reward.when,
        due_at=reward.due_at,
        explanation=explain.words(reward.trace, reward.unit, locale, document),
        trace=reward.trace,
    )


def _totals(rewards: tuple[Reward, ...], locale: str) -> list[Total]:
    sums: dict[tuple[Beneficiary, str, str, str], int] = {}
    for each in rewards:
        key = (_beneficiary(each), each.type, each.currency, each.unit)
        sums[key] = sums.get(key, 0) + each.amount_minor
    return [
        Total(
            beneficiary=beneficiary,
            type=kind,
            currency=currency,
            amount_minor=amount_minor,
            text=explain.amount(amount_minor, unit, locale),
        )
        for (beneficiary, kind, currency, unit), amount_minor in sums.items()
    ]


def _beneficiary(reward: Reward) -> Beneficiary:
    holder, _, _ = reward.partner.partition(".")
    if holder == "org":
        return "organization"
    return "customer" if holder == "customer" else "partner"
