"""What a referral would earn: a case that has not happened, for the rules that will decide.

Nothing is computed here. An estimate is :func:`introducer.earning.evaluate.evaluate` on a
case whose lead was submitted, went through every stage and bought at one instant; a
forecast the same on a referral as it stands, followed by a sale.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from introducer import money, score
from introducer.clock import Instant
from introducer.earning.evaluate import evaluate, needs
from introducer.earning.history import History, Tally
from introducer.earning.occasion import Case
from introducer.earning.rules import Rules, rules_of
from introducer.event import Event
from introducer.program import Program
from introducer.referral import FINAL, SOLD, Facts, Involvement, Item, Referral, Sale, Share
from introducer.reward import Reward

YOU = "you"
"""Whom an estimate is for; no partner's id is so short."""
_COMPANY = "yours"
_LEAD = "lead"
_ORDER = ("submitted", "screening", "review", "assigned", "accepted")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A sale to a lead who may be referred, and who refers them.

    Attributes:
        lead_facts: ``lead.*`` and ``answers.*`` by the catalogue's names.
        partner_facts: ``partner.*`` by the catalogue's names.
        sale_facts: ``metadata.*`` by the catalogue's names.
        count: The partner's successes of the period so far, for tiers.
        value_minor: What they came to, in the program's currency.
        used_minor: What the partner earned in the period so far, for caps.
    """

    audience: str
    amount_minor: int
    currency: str
    product: str = ""
    items: list[Item] = []
    country: str = ""
    involvement: Involvement = "introduced"
    in_company: bool = False
    lead_facts: Facts = {}
    partner_facts: Facts = {}
    sale_facts: Facts = {}
    count: int = 0
    value_minor: int = 0
    used_minor: int = 0


def estimate(document: Program, number: int, asked: Asked, now: Instant) -> tuple[Reward, ...]:
    """Return what a referral would earn that is made and won at *now*, if all of it goes well.

    Args:
        document: The version that would count.
        number: Its number.
        asked: What is supposed.
        now: When everything happens; due dates count from it.

    Raises:
        MissingRateError: Currencies must be compared and the version has no rate.
    """
    rules = rules_of(document)
    made = _case(document, number, asked, now)
    history = {
        key: Tally(count=asked.count, value_minor=asked.value_minor)
        if key.scope.startswith("plan.")
        else Tally(used_minor=asked.used_minor)
        for key in needs(rules, made)
        if key.holder == YOU
    }
    return evaluate(rules, made, history).rewards


def _case(document: Program, number: int, asked: Asked, now: Instant) -> Case:
    referral = Referral(
        id="estimate",
        program=document.id,
        program_version=number,
        version=2,
        status="won",
        submitted_at=now,
        updated_at=now,
        channel="form",
        lead=_LEAD,
        partner=YOU,
        audience=asked.audience,
        country=asked.country,
        product=asked.product,
        won_at=now,
        facts=asked.lead_facts,
    )
    scored = score.score(document.score, score.facts_of(referral))
    if scored:
        known = {**asked.lead_facts, score.FACT: scored.score}
        referral = msgspec.structs.replace(referral, facts=known)
    share = Share(
        partner=YOU,
        basis_points=money.BASIS_POINTS,
        audience=asked.audience,
        org=_COMPANY if asked.in_company else "",
        involvement=asked.involvement,
        facts=asked.partner_facts,
    )
    sale = Sale(
        id="sale",
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        occurred_at=now,
        source="estimate",
        product=asked.product,
        items=asked.items,
        facts=asked.sale_facts,
    )
    return Case(referral=referral, shares=[share], sales=[sale], events=[_won(referral, 2, now)])


# ---- forecast


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """What an open referral may still bring its partner.

    ``rewards`` come if it is won by a usual sale; ``chance_basis_points`` says how likely.
    """

    referral: str
    status: str
    chance_basis_points: int
    rewards: tuple[Reward, ...]

    def expected_minor(self, amount_minor: int) -> int:
        """Return what of an amount is to be expected."""
        return money.fraction(amount_minor, self.chance_basis_points, money.BASIS_POINTS)


def is_open(referral: Referral) -> bool:
    """Return whether *referral* may still be won."""
    return referral.status not in SOLD | FINAL | {"lost"}


def with_usual_sale(document: Program, case: Case, now: Instant) -> Case | None:
    """Return *case* as it would be when the lead bought now; None without a usual sale for it.

    Args:
        document: The version the referral was made under; ``forecast`` says what is usual.
        case: The referral as it stands.
        now: When the lead would buy.
    """
    referral = case.referral
    usual = document.forecast.usual_sale_minor.get(referral.product)
    if usual is None:
        return None
    sale = Sale(
        id="forecast",
        amount_minor=usual,
        currency=document.currency,
        occurred_at=now,
        source="forecast",
        product=referral.product,
    )
    newest = max((event.seq for event in case.events), default=referral.version)
    won = msgspec.structs.replace(referral, status="won", won_at=now)
    return Case(
        referral=won,
        shares=case.shares,
        sales=[sale],
        events=[*case.events, _won(won, newest + 1, now)],
    )


def prospect(rules: Rules, case: Case, sold: Case, partner: str, history: History) -> Prospect:
    """Return what *partner* may still earn with a referral.

    Args:
        rules: Of the version the referral was made under.
        case: As it stands; what it has earned already is not to come any more.
        sold: The same with the usual sale, of :func:`with_usual_sale`.
        partner: Whose rewards.
        history: The tallies that evaluating *sold* needs.

    Raises:
        MissingRateError: Currencies must be compared and the version has no rate.
    """
    earned = {reward.key for reward in evaluate(rules, case, history).rewards}
    coming = evaluate(rules, sold, history).rewards
    return Prospect(
        referral=case.referral.id,
        status=case.referral.status,
        chance_basis_points=chance(rules.document, case.referral.status),
        rewards=tuple(
            each for each in coming if each.partner == partner and each.key not in earned
        ),
    )


def chance(document: Program, status: str) -> int:
    """Return how likely a referral of this status is won, basis points.

    A status the forecast does not name has the chance of the nearest one before it; before
    the first that is named, none.
    """
    named = document.forecast.chance_basis_points
    order: Sequence[str] = (*_ORDER, *document.stages)
    reached = order[: order.index(status) + 1] if status in order else ()
    return next((named[each] for each in reversed(reached) if each in named), 0)


def _won(referral: Referral, seq: int, now: Instant) -> Event:
    return Event(
        type="ReferralWon",
        entity=referral.entity,
        seq=seq,
        program=referral.program,
        at=now,
        actor="estimate",
    )
