"""What a partner's open referrals may still bring, and how far the next tier is."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import estimate, explain
from introducer.clock import Instant
from introducer.earning.evaluate import needs
from introducer.earning.history import Tally, TallyKey
from introducer.earning.occasion import Case
from introducer.earning.progress import Level, ladders, level
from introducer.earning.rules import Rules, rules_of
from introducer.errors import MissingRateError
from introducer.estimate import Prospect
from introducer.partner import Partner
from introducer.referral import Referral
from introducer.tables import programs, referrals, tallies
from submit.acting import PARTNER, partner_of
from submit.http import Answer, Call, Resource

MOST_REFERRALS = 100

resource = Resource(__name__)


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """What may come in one unit: all of it, what is to be expected of it, and both in words."""

    type: str
    currency: str
    possible_minor: int
    expected_minor: int
    possible: str
    expected: str


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """An open referral, how likely it is won, and what it brings its partner then."""

    referral: str
    status: str
    chance_basis_points: int
    amounts: list[Chance]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """A guess, not a promise: usual sales by product, chances by stage, the rules of each referral.

    ``left_out`` counts open referrals that nothing usual is known for. Only the newest 100
    referrals are looked at, each as if the others brought nothing. ``levels`` are no guess:
    where the partner stands on the tiers of the version that counts now.
    """

    at: str
    levels: list[Level]
    items: list[Outlook]
    totals: list[Chance]
    left_out: int


@resource.endpoint(
    "GET", "/v1/me/forecast", roles=PARTNER, answer=Forecast, codes=("not_enrolled",)
)
def read_forecast(call: Call[Any, Any]) -> Answer:
    """Read what the caller's open referrals may still bring."""
    partner = partner_of(call)
    rows, _ = referrals.of_partner(partner.id, limit=MOST_REFERRALS)
    mine = [referral for referral, share in rows if share.basis_points]
    waiting = [referral for referral in mine if estimate.is_open(referral)]
    found = [_prospect(partner, each, call.now) for each in waiting]
    known = [each for each in found if each is not None]
    return Answer(
        body=Forecast(
            at=call.now,
            levels=_levels(partner, call.now),
            items=[_outlook(each, partner.locale) for each in known],
            totals=_chances(known, partner.locale),
            left_out=len(found) - len(known),
        )
    )


def _prospect(partner: Partner, referral: Referral, now: Instant) -> Prospect | None:
    """Return what may come of a referral, None when nothing usual is known for it."""
    document = programs.version(referral.program, referral.program_version).document
    if referral.product not in document.forecast.usual_sale_minor:
        return None
    detail = referrals.detail(referral.id)
    case = Case(
        referral=detail.referral, shares=detail.shares, sales=detail.sales, events=detail.events
    )
    sold = estimate.with_usual_sale(document, case, now)
    if sold is None:
        return None
    rules = rules_of(document)
    try:
        return estimate.prospect(rules, case, sold, partner.id, _history(rules, sold))
    except MissingRateError:
        return None


def _levels(partner: Partner, now: Instant) -> list[Level]:
    rules = rules_of(programs.current(partner.program, now).document)
    keys = ladders(rules, partner.id, partner.audience, now)
    heads = tallies.heads(partner.program, keys) if keys else {}
    return [level(rules, key, heads[key].count, heads[key].value_minor) for key in keys]


def _history(rules: Rules, case: Case) -> dict[TallyKey, Tally]:
    """Return the tallies as they stand: all successes count as earlier ones."""
    keys = needs(rules, case)
    return {
        key: Tally(count=head.count, value_minor=head.value_minor, used_minor=head.used_minor)
        for key, head in tallies.heads(case.referral.program, keys).items()
    }


def _outlook(prospect: Prospect, locale: str) -> Outlook:
    return Outlook(
        referral=prospect.referral,
        status=prospect.status,
        chance_basis_points=prospect.chance_basis_points,
        amounts=_chances([prospect], locale),
    )


def _chances(prospects: list[Prospect], locale: str) -> list[Chance]:
    sums: dict[tuple[str, str, str], tuple[int, int]] = {}
    for prospect in prospects:
        for reward in prospect.rewards:
            key = (reward.type, reward.currency, reward.unit)
            possible, expected = sums.get(key, (0, 0))
            sums[key] = (
                possible + reward.amount_minor,
                expected + prospect.expected_minor(reward.amount_minor),
            )
    return [
        Chance(
            type=kind,
            currency=currency,
            possible_minor=possible,
            expected_minor=expected,
            possible=explain.amount(possible, unit, locale),
            expected=explain.amount(expected, unit, locale),
        )
        for (kind, currency, unit), (possible, expected) in sums.items()
    ]
