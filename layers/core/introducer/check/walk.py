"""Ways through a document: its conditions, calculations and what each plan is touched by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

from introducer.document.audience import Audience
from introducer.document.condition import Condition
from introducer.document.plan import (
    Budget,
    Calculation,
    Cap,
    Effect,
    Flat,
    Happened,
    InvoicePaid,
    PerProduct,
    Points,
    Promotion,
    Retained,
    RewardPlan,
    Won,
)
from introducer.money import POINTS
from introducer.program import Program

Place = Literal["score", "routing", "plan", "variant", "bonus", "promotion", "milestone"]


class Asked(NamedTuple):
    """A condition with its path, where it stands, and the plans it decides about."""

    path: str
    condition: Condition
    place: Place
    plans: tuple[RewardPlan, ...] = ()


def conditions(document: Program) -> Iterator[Asked]:
    """Yield every condition of *document*."""
    for index, points in enumerate(document.score.rules):
        yield Asked(f"$.score.rules[{index}].condition", points.condition, "score")
    for index, rule in enumerate(document.routing.rules):
        if rule.condition:
            yield Asked(f"$.routing.rules[{index}].condition", rule.condition, "routing")
    for path, plan in plans(document):
        yield from _of_plan(path, plan)
    for index, promotion in enumerate(document.promotions):
        if promotion.condition:
            path = f"$.promotions[{index}].condition"
            touched = tuple(plan for _, plan in promoted(promotion, document))
            yield Asked(path, promotion.condition, "promotion", touched)


def _of_plan(path: str, plan: RewardPlan) -> Iterator[Asked]:
    if plan.condition:
        yield Asked(f"{path}.condition", plan.condition, "plan", (plan,))
    for index, variant in enumerate(plan.variants):
        yield Asked(f"{path}.variants[{index}].condition", variant.condition, "variant", (plan,))
    for index, bonus in enumerate(plan.bonuses):
        yield Asked(f"{path}.bonuses[{index}].condition", bonus.condition, "bonus", (plan,))
    for index, milestone in enumerate(plan.milestones):
        if milestone.condition:
            at = f"{path}.milestones[{index}].condition"
            yield Asked(at, milestone.condition, "milestone", (plan,))


def tests(path: str, condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Yield the tests that *condition* at *path* is made of."""
    if condition.field is not None:
        yield path, condition
    for name in ("all", "any"):
        for index, inner in enumerate(getattr(condition, name) or ()):
            yield from tests(f"{path}.{name}[{index}]", inner)
    if condition.not_ is not None:
        yield from tests(f"{path}.not", condition.not_)


def plans(document: Program) -> Iterator[tuple[str, RewardPlan]]:
    """Yield every reward plan with its path."""
    for index, plan in enumerate(document.rewards):
        yield f"$.rewards[{index}]", plan


def promoted(promotion: Promotion, document: Program) -> Iterator[tuple[str, RewardPlan]]:
    """Yield the plans that *promotion* adds to."""
    for path, plan in plans(document):
        if promotes(promotion, plan):
            yield path, plan


def promotes(promotion: Promotion, plan: RewardPlan) -> bool:
    """Return whether *promotion* adds to *plan*."""
    named = not promotion.plans or plan.id in promotion.plans
    admitted = not promotion.audiences or not plan.audiences
    met = admitted or not set(promotion.audiences).isdisjoint(plan.audiences)
    return named and met and plan.beneficiary == promotion.beneficiary


def calculations(path: str, plan: RewardPlan) -> Iterator[tuple[str, Calculation]]:
    """Yield every calculation of *plan* at *path*: its own, its variants', its tiers'."""
    yield f"{path}.calculation", plan.calculation
    for index, variant in enumerate(plan.variants):
        yield f"{path}.variants[{index}].calculation", variant.calculation
    for index, tier in enumerate(plan.escalation.tiers if plan.escalation else ()):
        yield f"{path}.escalation.tiers[{index}].calculation", tier.calculation


def effects(path: str, plan: RewardPlan, document: Program) -> Iterator[tuple[str, Effect]]:
    """Yield what may add to *plan* at *path*: its bonuses, and promotions."""
    for index, bonus in enumerate(plan.bonuses):
        yield f"{path}.bonuses[{index}].effect", bonus.effect
    for index, promotion in enumerate(document.promotions):
        if promotes(promotion, plan):
            yield f"$.promotions[{index}].effect", promotion.effect


def caps(document: Program) -> Iterator[tuple[str, Cap, Sequence[tuple[str, RewardPlan]]]]:
    """Yield every cap with its path and the plans it limits: its own, or all."""
    every = list(plans(document))
    for path, plan in every:
        for index, cap in enumerate(plan.caps):
            yield f"{path}.caps[{index}]", cap, [(path, plan)]
    for index, cap in enumerate(document.caps):
        yield f"$.caps[{index}]", cap, every


def budgeted(budget: Budget, document: Program) -> list[tuple[str, RewardPlan]]:
    """Return the plans that spend *budget*: those it names, or all."""
    return [
        (path, plan)
        for path, plan in plans(document)
        if not budget.plans or plan.id in budget.plans
    ]


def currency_of(calculation: Calculation, document: Program) -> str:
    """Return what *calculation* pays in; a percentage, as a rule, in the program's currency."""
    match calculation:
        case Flat(currency=currency) | PerProduct(currency=currency):
            return currency
        case Points():
            return POINTS
        case _:
            return document.currency


def has_sale(plan: RewardPlan) -> bool:
    """Return whether what triggers *plan* is a sale."""
    return isinstance(plan.trigger, Won | InvoicePaid | Retained)


def has_revenue(plan: RewardPlan, document: Program) -> bool:
    """Return whether what triggers *plan* has an amount: a sale, or an event with one."""
    if isinstance(plan.trigger, Happened):
        event = document.events.get(plan.trigger.event)
        return event is None or event.amount
    return has_sale(plan)


def partner_countries(document: Program, audiences: Sequence[str]) -> set[str]:
    """Return where partners of *audiences* may enrol; empty means anywhere."""
    found = _listed([each.countries for each in _chosen(document, audiences)])
    everywhere = set(document.countries)
    return found & everywhere if found and everywhere else found or everywhere


def lead_countries(document: Program, audiences: Sequence[str]) -> set[str]:
    """Return where the leads of *audiences* may be, as screening has it; empty means anywhere."""
    return _listed([each.lead_countries for each in _chosen(document, audiences)])


def _chosen(document: Program, audiences: Sequence[str]) -> list[Audience]:
    every = document.audiences.items()
    return [audience for key, audience in every if not audiences or key in audiences]


def _listed(lists: list[list[str]]) -> set[str]:
    """Return what is in any of *lists*; one that is empty means anywhere."""
    return {country for each in lists for country in each} if all(lists) else set()


class Identified(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """Return it."""


def by_id(path: str, parts: Sequence[Identified]) -> list[tuple[str, str]]:
    """Return the path and value of each part's id."""
    return [(f"{path}[{index}].id", part.id) for index, part in enumerate(parts)]


class Limit(Protocol):
    """An amount in a currency that limits others."""

    @property
    def amount_minor(self) -> int:
        """Return the amount."""

    @property
    def currency(self) -> str:
        """Return its currency."""


def limits(document: Program) -> Iterator[tuple[str, Limit, Sequence[tuple[str, RewardPlan]]]]:
    """Yield every cap, budget and the ceiling, with its path and the plans it limits."""
    yield from caps(document)
    for index, budget in enumerate(document.budgets):
        yield f"$.budgets[{index}]", budget, budgeted(budget, document)
    if document.ceiling:
        yield "$.ceiling", document.ceiling, list(plans(document))
