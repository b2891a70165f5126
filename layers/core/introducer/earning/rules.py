"""A program version made ready for evaluation: compiled once, used for every referral."""

from __future__ import annotations

from functools import lru_cache

from introducer import calendar
from introducer.condition import Test, compile_condition, fields
from introducer.document.plan import (
    Bonus,
    Cap,
    Happened,
    InvoicePaid,
    Period,
    Promotion,
    Retained,
    RewardPlan,
    StageReached,
    Submitted,
    Variant,
    Won,
)
from introducer.earning.exchange import Rates
from introducer.earning.occasion import Kind, Occasion
from introducer.program import Program

KINDS: tuple[Kind, ...] = ("submitted", "stage", "sale", "event")
DEFAULT_PERIOD: Period = "year"
"""The period of ``history.*`` for a plan without an escalation."""


class PlanRules:
    """One reward plan with its conditions compiled."""

    __slots__ = (
        "asks_value",
        "audiences",
        "bonuses",
        "counts",
        "group",
        "holds",
        "index",
        "partner_caps",
        "pays_for",
        "period",
        "plain",
        "plan",
        "promotions",
        "rates",
        "variants",
    )

    def __init__(self, plan: RewardPlan, index: int, document: Program, rates: Rates) -> None:
        self.plan = plan
        self.rates = rates
        self.index = index
        self.pays_for = _kind(plan)
        self.plain = not (plan.variants or plan.bonuses or plan.escalation or document.promotions)
        self.group = f"{plan.beneficiary}:{plan.type}:{plan.group or _trigger(plan)}"
        self.audiences = frozenset(plan.audiences)
        self.holds: Test = compile_condition(plan.condition)
        self.variants: list[tuple[Variant, Test]] = [
            (each, compile_condition(each.condition)) for each in plan.variants
        ]
        self.bonuses: list[tuple[Bonus, Test]] = [
            (each, compile_condition(each.condition)) for each in plan.bonuses
        ]
        self.promotions: list[tuple[Promotion, Test]] = [
            (each, compile_condition(each.condition))
            for each in document.promotions
            if _promotes(each, plan)
        ]
        self.partner_caps: list[Cap] = [
            each for each in (*plan.caps, *document.caps) if each.per == "partner"
        ]
        self.period: Period = plan.escalation.period if plan.escalation else DEFAULT_PERIOD
        asked = [each.condition for each in plan.variants]
        asked += [each.condition for each in plan.bonuses]
        asked += [each.condition for each, _ in self.promotions if each.condition]
        names = set[str]().union(*(fields(each) for each in asked))
        self.counts = plan.escalation is not None or any(
            name.startswith("history.") for name in names
        )
        self.asks_value = "history.value_minor" in names

    def lead_caps(self, document: Program) -> list[Cap]:
        """Return the caps per lead, the plan's own first."""
        return [each for each in (*self.plan.caps, *document.caps) if each.per == "lead"]

    def triggered(self, occasion: Occasion, until: dict[int, str]) -> bool:
        """Return whether *occasion*, of the kind it pays for, is what this plan pays for.

        Args:
            occasion: What happened.
            until: By number of months, the instant at which so many months after the first
                sale are over.
        """
        match self.plan.trigger:
            case InvoicePaid(months=months):
                return months is None or occasion.at < until[months]
            case Won() | Retained():
                return occasion.number == 1
            case StageReached(stage=name) | Happened(event=name):
                return occasion.name == name
            case Submitted():
                return True


class Rules:
    """A document's reward rules, ready to be evaluated."""

    def __init__(self, document: Program) -> None:
        self.document = document
        self.rates = Rates(document.exchange, document.currency)
        self.plans = [
            PlanRules(plan, n, document, self.rates) for n, plan in enumerate(document.rewards)
        ]
        self.where = calendar.zone(document.time_zone)
        self.months = {
            each.trigger.months
            for each in document.rewards
            if isinstance(each.trigger, InvoicePaid) and each.trigger.months
        }
        self.paying = {kind: [p for p in self.plans if p.pays_for == kind] for kind in KINDS}
        """The plans that may pay for each kind of occasion, in the order of the document."""
        self.remembers = any(each.counts or each.partner_caps for each in self.plans)
        """Whether what partners achieved before matters at all."""
        asked = set[str]()
        for each in self.plans:
            for condition in (
                each.plan.condition,
                *(variant.condition for variant in each.plan.variants),
                *(bonus.condition for bonus in each.plan.bonuses),
            ):
                asked |= fields(condition)
        for promotion in document.promotions:
            asked |= fields(promotion.condition)
        self.asked = frozenset(asked)


def rules_of(document: Program) -> Rules:
    """Return the compiled rules of *document*; the same object is compiled once."""
    return _compiled(_Same(document))


class _Same:
    """A document compared by identity: versions are kept in memory, and have no hash."""

    __slots__ = ("document",)

    def __init__(self, document: Program) -> None:
        self.document = document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.document is self.document


@lru_cache(maxsize=64)
def _compiled(same: _Same) -> Rules:
    return Rules(same.document)


def _trigger(plan: RewardPlan) -> str:
    match plan.trigger:
        case StageReached(stage=name) | Happened(event=name):
            return f"at {name}"
        case Retained(days=days):
            return f"retained {days}"
        case other:
            return type(other).__name__


def _kind(plan: RewardPlan) -> Kind:
    match plan.trigger:
        case Submitted():
            return "submitted"
        case StageReached():
            return "stage"
        case Happened():
            return "event"
        case InvoicePaid() | Won() | Retained():
            return "sale"


def _promotes(promotion: Promotion, plan: RewardPlan) -> bool:
    named = not promotion.plans or plan.id in promotion.plans
    return named and promotion.beneficiary == plan.beneficiary
