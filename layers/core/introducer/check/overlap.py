"""Rules that never come to bear because another one always does. Only what is certain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from introducer.check import walk
from introducer.check.amounts import is_rival
from introducer.check.finding import Finding
from introducer.document.plan import (
    Calculation,
    Effect,
    Flat,
    InvoicePaid,
    Multiplier,
    Percent,
    Points,
    RewardPlan,
    Tier,
)
from introducer.document.routing import RoutingRule, Target
from introducer.money import BASIS_POINTS
from introducer.program import Program


def findings(document: Program) -> Iterator[Finding]:
    """Yield the routing rules and reward plans of *document* that never come to bear."""
    yield from _routing(document)
    yield from _plans(document)


# ---- routing


def _routing(document: Program) -> Iterator[Finding]:
    possible = walk.lead_countries(document, [])
    for index, rule in enumerate(document.routing.rules):
        path = f"$.routing.rules[{index}]"
        if possible and rule.countries and possible.isdisjoint(rule.countries):
            problem = "no lead can come from its countries"
            yield Finding(f"{path}.countries", problem, "name countries where leads may be")
            continue
        for number, before in enumerate(document.routing.rules[:index]):
            if _hides(before, rule):
                takes = _takes_all(before)
                what = "an earlier rule takes every lead" if takes else f"rule {number} takes all"
                problem = what if takes else f"{what} that it would"
                remedy = "move the catch-all to the end" if takes else "put the narrower rule first"
                yield Finding(path, problem, remedy)
                break


def _takes_all(rule: RoutingRule) -> bool:
    return not rule.countries and not rule.products and rule.condition is None


def _hides(before: RoutingRule, rule: RoutingRule) -> bool:
    """Return whether *before* takes every lead that *rule* is there for.

    A rule that takes the same leads but names other reps is a reserve for the hour when
    those of the first have no room, and no fault; a narrower one behind a wider one is.
    """
    if before.hours == "require" or (before.language and not rule.language):
        return False
    wider = (
        _covers(before.countries, rule.countries)
        and _covers(before.products, rule.products)
        and (before.condition is None or before.condition == rule.condition)
    )
    same = (set(before.countries), set(before.products), before.condition) == (
        set(rule.countries),
        set(rule.products),
        rule.condition,
    )
    return wider and (not same or _reps(rule) <= _reps(before))


def _covers(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Return whether a list that may be empty for *all* holds everything *narrow* does."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _reps(rule: RoutingRule) -> set[str]:
    return {each.rep if isinstance(each, Target) else each for each in rule.reps}


# ---- reward plans


def _plans(document: Program) -> Iterator[Finding]:
    every = list(walk.plans(document))
    for place, (path, plan) in enumerate(every):
        for other_place, (_, other) in enumerate(every):
            if other is plan or not is_rival(plan, other) or not _meets(other, plan, document):
                continue
            if _beats(other, plan, wins_ties=other_place < place):
                problem = f"{other.id} always pays at least as much, so it never counts"
                remedy = "narrow the other's condition, pay more, or give it a group of its own"
                yield Finding(path, problem, remedy)
                break


def _meets(other: RewardPlan, plan: RewardPlan, document: Program) -> bool:
    """Return whether *other* runs whenever *plan* does, and nothing shifts the two apart."""
    if other.by_chance or plan.by_chance or other.type != plan.type:
        return False
    return (
        other.beneficiary == plan.beneficiary
        and _fires(other, plan)
        and _covers(other.audiences, plan.audiences)
        and (other.condition is None or other.condition == plan.condition)
        and not plan.bonuses
        and all(_never_less(bonus.effect) for bonus in other.bonuses)
        and _promotions(other, document) == _promotions(plan, document)
        and all(_never_less(effect) for effect in _promotions(other, document))
    )


def _fires(other: RewardPlan, plan: RewardPlan) -> bool:
    match other.trigger, plan.trigger:
        case InvoicePaid(months=most), InvoicePaid(months=months):
            return most is None or (months is not None and months <= most)
        case one, two:
            return one == two


def _promotions(plan: RewardPlan, document: Program) -> list[Effect]:
    return [promotion.effect for promotion in document.promotions if walk.promotes(promotion, plan)]


def _never_less(effect: Effect) -> bool:
    return not isinstance(effect, Multiplier) or effect.basis_points >= BASIS_POINTS


def _beats(other: RewardPlan, plan: RewardPlan, *, wins_ties: bool) -> bool:
    """Return whether the least of *other* pays no less than the most of *plan*.

    A tie is the earlier plan's.
    """
    least = [other.calculation, *(tier.calculation for tier in _tiers(other))]
    most = [calculation for _, calculation in walk.calculations("$", plan)]
    return all(
        _pays_no_less(one, two) and (wins_ties or not _pays_no_less(two, one))
        for one in least
        for two in most
    )


def _tiers(plan: RewardPlan) -> Sequence[Tier]:
    return plan.escalation.tiers if plan.escalation else ()


def _pays_no_less(one: Calculation, two: Calculation) -> bool:
    """Return whether *one* never pays less than *two*; False where that is not certain."""
    match one, two:
        case Flat(), Flat():
            return one.currency == two.currency and one.amount_minor >= two.amount_minor
        case Points(), Points():
            return one.points >= two.points and one.per_unit >= two.per_unit
        case Percent(), Percent():
            uncapped = one.cap_minor is None
            higher = two.cap_minor is not None and (one.cap_minor or 0) >= two.cap_minor
            return (
                set(one.products) == set(two.products)
                and one.basis_points >= two.basis_points
                and one.min_minor >= two.min_minor
                and (uncapped or higher)
            )
        case _:
            return one == two
