"""A program's rules as partners read them: per audience what to do, what one gets, and when.

The same document that is evaluated is told here, as data and in plain words. What is the
company's own affair stays out: rewards of reps, budgets, accounting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from introducer import explain, money
from introducer.clock import Instant
from introducer.document.audience import Engagement
from introducer.document.condition import Condition
from introducer.document.plan import (
    Bonus,
    BonusPercent,
    Calculation,
    Cap,
    Ceiling,
    Clawback,
    Effect,
    Escalation,
    Flat,
    Happened,
    InvoicePaid,
    Milestone,
    Multiplier,
    Percent,
    PerProduct,
    Points,
    Promotion,
    Retained,
    RewardPlan,
    RewardType,
    StageReached,
    Submitted,
    Trigger,
    Variant,
    Won,
)
from introducer.earning.rules import rules_of
from introducer.program import Program
from introducer.wording import Language, capital, language, plain


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way to earn, as published, and the same ``words``, sentence by sentence.

    ``does`` is what earns, ``gets`` what for. Days of ``milestones`` count from the occasion;
    none is due before ``hold_days`` are over. ``promotions`` are those running or to come.
    """

    plan: str
    name: str
    beneficiary: str
    type: RewardType
    by_chance: bool
    trigger: Trigger
    calculation: Calculation
    condition: Condition | None
    variants: list[Variant]
    escalation: Escalation | None
    bonuses: list[Bonus]
    promotions: list[Promotion]
    caps: list[Cap]
    milestones: list[Milestone]
    hold_days: int
    clawback: Clawback
    does: str
    gets: str
    words: list[str]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What one audience may earn. ``words`` say what holds for all its rows."""

    audience: str
    name: str
    locale: str
    engagement: Engagement
    caps: list[Cap]
    ceiling: Ceiling | None
    rows: list[Row]
    words: list[str]


def groups(document: Program, now: Instant, *, audience: str = "", locale: str = "") -> list[Group]:
    """Return the table of every audience, or of one.

    Args:
        document: The version that counts.
        now: Promotions that are over by then are left out.
        audience: Only this one; one that does not exist gives no group.
        locale: Whose language; each audience's own when empty.
    """
    wanted = [key for key in document.audiences if audience in {"", key}]
    return [_group(document, key, now, locale) for key in wanted]


def _group(document: Program, key: str, now: Instant, locale: str) -> Group:
    audience = document.audiences[key]
    told = locale or audience.locale
    plans = [
        plan
        for plan in document.rewards
        if plan.beneficiary != "rep" and (not plan.audiences or key in plan.audiences)
    ]
    teller = Teller(document, told)
    rows = [teller.row(plan, plans, key, now) for plan in plans]
    return Group(
        audience=key,
        name=audience.name,
        locale=teller.said.code,
        engagement=audience.engagement,
        caps=document.caps,
        ceiling=document.ceiling,
        rows=rows,
        words=teller.limits(document.caps, document.ceiling, audience.engagement),
    )


class Teller:
    """Tells a document's plans in one language."""

    def __init__(self, document: Program, locale: str) -> None:
        self.document = document
        self.said: Language = language(locale)
        # As evaluation groups them: of one group only the best-paying counts.
        self._rivalry = {each.plan.id: each.group for each in rules_of(document).plans}

    def row(
        self, plan: RewardPlan, plans: Iterable[RewardPlan], audience: str, now: Instant
    ) -> Row:
        """Return *plan* as a row; *plans* are all that its audience may earn by."""
        promotions = [
            each for each in self.document.promotions if _promotes(each, plan, audience, now)
        ]
        does, gets = self._does(plan.trigger), self._gets(plan)
        rivals = [
            each
            for each in plans
            if each.id != plan.id and self._rivalry[each.id] == self._rivalry[plan.id]
        ]
        return Row(
            plan=plan.id,
            name=name_of(plan),
            beneficiary=plan.beneficiary,
            type=plan.type,
            by_chance=plan.by_chance,
            trigger=plan.trigger,
            calculation=plan.calculation,
            condition=plan.condition,
            variants=plan.variants,
            escalation=plan.escalation,
            bonuses=plan.bonuses,
            promotions=promotions,
            caps=plan.caps,
            milestones=plan.milestones,
            hold_days=plan.hold_days,
            clawback=plan.clawback,
            does=does,
            gets=gets,
            words=[
                self.said.say("row", on=does, gets=gets),
                *self._more(plan),
                *(self._promotion(each) for each in promotions),
                *(self._cap(cap) for cap in plan.caps),
                *self._rivals(rivals),
                *(self._milestone(each, plan) for each in plan.milestones),
                self._clawback(plan.clawback),
            ],
        )

    def limits(
        self, caps: Iterable[Cap], ceiling: Ceiling | None, engagement: Engagement
    ) -> list[str]:
        """Return what holds for all plans together."""
        found = [self._cap(cap) for cap in caps]
        if ceiling:
            amount = self.said.amount(ceiling.amount_minor, ceiling.currency)
            found.append(self.said.say("ceiling", amount=amount))
        if engagement.referrals:
            n = self.said.number(engagement.referrals)
            found.append(self.said.say("engagement.referrals", n=n))
        if engagement.successes:
            n = self.said.number(engagement.successes)
            found.append(self.said.say("engagement.successes", n=n))
        return found

    def _does(self, trigger: Trigger) -> str:
        say = self.said.say
        match trigger:
            case Submitted():
                return say("on.submitted")
            case StageReached(stage=stage):
                return say("on.stage", name=self.said.name(stage))
            case Won():
                return say("on.won")
            case InvoicePaid(months=months):
                if months is None:
                    return say("on.invoice_paid")
                return say("on.invoice_paid.months", months=self.said.count("months", months))
            case Retained(days=days):
                return say("on.retained", days=self.said.count("days", days))
            case Happened(event=event):
                known = self.document.events.get(event)
                return say("on.event", name=self.said.name(known.name if known else event))

    def _gets(self, plan: RewardPlan) -> str:
        what = self.said.typed(self._calculation(plan.calculation), plan.type)
        return self.said.say(f"who.{plan.beneficiary}", what=what)

    def _calculation(self, rule: Calculation) -> str:
        said = self.said
        match rule:
            case Flat(amount_minor=amount_minor, currency=currency):
                return said.amount(amount_minor, currency)
            case Percent():
                return self._percent(rule)
            case PerProduct():
                parts = list(self._rates(rule))
                return said.one_of(parts, "and") if parts else said.amount(0, rule.currency)
            case Points(points=points, per_unit=per_unit):
                parts = [said.count("points", points)] if points or not per_unit else []
                if per_unit:
                    each = said.count("points", per_unit)
                    currency = self.document.currency
                    parts.append(said.say("calc.per_unit", points=each, currency=currency))
                return said.one_of(parts, "and")

    def _percent(self, rule: Percent) -> str:
        said, rate = self.said, self.said.rate(rule.basis_points)
        if rule.products:
            products = said.one_of([plain(each) for each in rule.products], "and")
            parts = [said.say("calc.percent.products", rate=rate, products=products)]
        else:
            parts = [said.say("calc.percent", rate=rate)]
        # Both are in the sale's currency, which mostly is the program's.
        if rule.min_minor:
            amount = said.amount(rule.min_minor, self.document.currency)
            parts.append(said.say("calc.min", amount=amount))
        if rule.cap_minor is not None:
            amount = said.amount(rule.cap_minor, self.document.currency)
            parts.append(said.say("calc.cap", amount=amount))
        return ", ".join(parts)

    def _rates(self, rule: PerProduct) -> Iterator[str]:
        for each in rule.rates:
            product = plain(each.product)
            if each.amount_minor:
                amount = self.said.amount(each.amount_minor, rule.currency)
                yield self.said.say("calc.amount_each", amount=amount, product=product)
            if each.basis_points:
                rate = self.said.rate(each.basis_points)
                yield self.said.say("calc.rate_of", rate=rate, product=product)

    def _more(self, plan: RewardPlan) -> Iterator[str]:
        """Yield condition, variants, tiers and bonuses."""
        say = self.said.say
        if plan.by_chance:
            yield say("plan.by_chance")
        if plan.condition:
            yield say("plan.condition", condition=self._asked(plan.condition))
        for variant in plan.variants:
            yield say(
                "plan.variant",
                condition=self._asked(variant.condition),
                what=self._calculation(variant.calculation),
            )
        escalation = plan.escalation
        for tier in escalation.tiers if escalation else ():
            counted = escalation is None or escalation.measure == "count"
            yield say(
                "plan.tier.count" if counted else "plan.tier.value",
                start=self.said.number(tier.start)
                if counted
                else self.said.amount(tier.start, self.document.currency),
                period=say(f"period.{escalation.period if escalation else 'year'}"),
                what=self._calculation(tier.calculation),
            )
        for bonus in plan.bonuses:
            yield say(
                "plan.bonus",
                condition=self._asked(bonus.condition),
                effect=self._effect(bonus.effect),
            )

    def _promotion(self, promotion: Promotion) -> str:
        zone = self.document.time_zone
        values = {
            "name": promotion.name,
            "dates": self.said.say(
                "dates",
                first=self.said.date(promotion.starts_at, zone),
                last=self.said.date(promotion.ends_at, zone, last=True),
            ),
            "effect": self._effect(promotion.effect),
        }
        if promotion.condition is None:
            return self.said.say("plan.promotion", **values)
        asked = self._asked(promotion.condition)
        return self.said.say("plan.promotion.condition", condition=asked, **values)

    def _effect(self, effect: Effect) -> str:
        match effect:
            case Flat(amount_minor=amount_minor, currency=currency):
                return self.said.say("effect.flat", amount=self.said.amount(amount_minor, currency))
            case BonusPercent(basis_points=rate):
                return self.said.say("effect.percent", rate=self.said.rate(rate))
            case Multiplier(basis_points=rate):
                factor = self.said.ratio(rate, money.BASIS_POINTS)
                return self.said.say("effect.multiplier", factor=factor)

    def _cap(self, cap: Cap) -> str:
        return self.said.say(
            f"cap.{cap.per}",
            amount=self.said.amount(cap.amount_minor, cap.currency),
            period=self.said.say(f"period.{cap.period}"),
        )

    def _rivals(self, rivals: list[RewardPlan]) -> Iterator[str]:
        if rivals:
            names = self.said.one_of([self.said.quoted(name_of(each)) for each in rivals], "and")
            yield self.said.say("plan.rivals", names=names)

    def _milestone(self, milestone: Milestone, plan: RewardPlan) -> str:
        say = self.said.say
        when, days = milestone.when, milestone.after_days
        if isinstance(plan.trigger, Retained):
            when, days = "retained", days + plan.trigger.days
        days = max(days, plan.hold_days)
        rate = self.said.rate(milestone.share_basis_points)
        if days:
            text = say("due.after", rate=rate, days=self.said.count("days", days))
        else:
            text = say("due.now", rate=rate)
        if when == "retained" or (when == "won" and days):
            text = say(f"due.{when}", text=text)
        if milestone.condition:
            text = say("due.condition", text=text, condition=self._asked(milestone.condition))
        if milestone.until_days:
            more = self.said.count("days", milestone.until_days)
            text = say("due.until", text=text, days=more)
        return say("due", text=text)

    def _clawback(self, clawback: Clawback) -> str:
        if clawback.within_days is None or clawback.policy == "none":
            return self.said.say(f"clawback.{clawback.policy}")
        days = self.said.count("days", clawback.within_days)
        return self.said.say(f"clawback.{clawback.policy}.within", days=days)

    def _asked(self, condition: Condition) -> str:
        return explain.condition(condition, self.said.code, self.document)


def name_of(plan: RewardPlan) -> str:
    """Return what a plan is called: its name, else its id in words."""
    return plan.name or capital(plain(plan.id))


def _promotes(promotion: Promotion, plan: RewardPlan, audience: str, now: Instant) -> bool:
    return (
        promotion.ends_at > now
        and promotion.beneficiary == plan.beneficiary
        and (not promotion.plans or plan.id in promotion.plans)
        and (not promotion.audiences or audience in promotion.audiences)
    )
