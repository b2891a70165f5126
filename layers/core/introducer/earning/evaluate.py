"""What a referral earns, computed from stored facts and nothing else.

The order of the steps is that of ``docs/programs.md``: occasions, beneficiaries, plans,
amounts, the best of each group, limits of the lead, split, limits of the partner, ceiling,
milestones. The same facts give the same rewards, however often they are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from introducer import calendar, money
from introducer.document.plan import Beneficiary
from introducer.earning.history import History, Standing, Success, TallyKey
from introducer.earning.known import about_lead, about_occasion, about_partner
from introducer.earning.limits import Limits
from introducer.earning.occasion import Case, Occasion, occasions
from introducer.earning.offers import Candidate, best, offer
from introducer.earning.rewards import Award, rewards_of
from introducer.earning.rules import PlanRules, Rules
from introducer.money import BASIS_POINTS
from introducer.referral import Share
from introducer.reward import Reward


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a case earns, and what the tallies must hold of it."""

    rewards: tuple[Reward, ...] = ()
    successes: dict[TallyKey, tuple[Success, ...]] = {}


class Holder(msgspec.Struct, frozen=True):
    """Somebody who may earn: the account, the partner asked about, the part of the credit."""

    id: str
    share: Share
    basis_points: int


def evaluate(rules: Rules, case: Case, history: History | None = None) -> Outcome:
    """Return everything that *case* earns under *rules*.

    Args:
        rules: The compiled version the referral was made under.
        case: All facts about the referral.
        history: What the beneficiaries achieved with other referrals, for tiers and caps.

    Raises:
        MissingRateError: Two currencies must be compared and the version has no rate.
    """
    if not case.shares:
        return Outcome()
    return _Evaluation(rules, case, history or {}).run()


def needs(rules: Rules, case: Case) -> frozenset[TallyKey]:
    """Return the tallies that evaluating *case* will look at."""
    if not rules.remembers or not case.shares:
        return frozenset()
    return _Evaluation(rules, case, {}).tallies()


class _Evaluation:
    def __init__(self, rules: Rules, case: Case, history: History) -> None:
        self._rules = rules
        self._case = case
        self._standing = Standing(history)
        self._limits = Limits(rules, self._standing, case.referral.id)
        self._lead = about_lead(case)
        self._occasions = occasions(rules.document, case)
        self._until = self._ends()
        self._holders: dict[Beneficiary, list[Holder]] = {}

    def run(self) -> Outcome:
        """Go through the occasions in order."""
        found: list[Reward] = []
        for occasion in self._occasions:
            for award in self._awards(occasion):
                found += rewards_of(self._rules, self._case.referral, award)
        return Outcome(rewards=tuple(found), successes=self._standing.successes)

    def tallies(self) -> frozenset[TallyKey]:
        """Return every tally that :meth:`run` may read."""
        keys = set()
        for occasion in self._occasions:
            for plans in self._groups(occasion):
                for each in plans:
                    for holder in self._holders_of(each.plan.beneficiary):
                        if not _for_audience(each, holder):
                            continue
                        if each.counts:
                            keys.add(self._tally(each, holder, occasion))
                        keys.update(self._limits.keys(each, holder.id, occasion))
        return frozenset(keys)

    def _awards(self, occasion: Occasion) -> Iterator[Award]:
        what = about_occasion(self._rules, occasion)
        for plans in self._groups(occasion):
            holders = self._holders_of(plans[0].plan.beneficiary)
            chosen = [self._choose(plans, holder, occasion, what) for holder in holders]
            weights = [holder.basis_points for holder in holders]
            # The part of partners who have no company is nobody's.
            weights.append(BASIS_POINTS - sum(weights))
            for index, (holder, choice) in enumerate(zip(holders, chosen, strict=True)):
                if choice is None or choice.offer.amount_minor <= 0:
                    continue
                choice = self._limits.of_lead(choice, holder.id, occasion)  # noqa: PLW2901
                part_minor = money.split(choice.offer.amount_minor, weights)[index]
                award = self._limits.of_partner(
                    Award(
                        choice=choice,
                        occasion=occasion,
                        holder=holder.id,
                        basis_points=holder.basis_points,
                        amount_minor=part_minor,
                    )
                )
                if award.amount_minor > 0:
                    yield award

    def _choose(
        self,
        plans: Sequence[PlanRules],
        holder: Holder,
        occasion: Occasion,
        what: Mapping[str, Any],
    ) -> Candidate | None:
        """Return the best-paying of *plans* for *holder*; each that fits counts a success."""
        known = {**self._lead, **about_partner(holder.share), **what}
        found = []
        for each in plans:
            if not _for_audience(each, holder) or not each.holds(known):
                continue
            facts = self._with_past(known, each, holder, occasion) if each.counts else known
            made = offer(each, occasion, holder.share, facts)
            if made is not None:
                found.append(Candidate(each, made))
        return best(self._rules, found)

    def _with_past(
        self,
        known: Mapping[str, Any],
        plan: PlanRules,
        holder: Holder,
        occasion: Occasion,
    ) -> Mapping[str, Any]:
        """Count the success; return *known* and how the beneficiary stands with it."""
        key = self._tally(plan, holder, occasion)
        position = (occasion.at, self._case.referral.id, occasion.id)
        value_minor = self._value(plan, holder, occasion)
        before = self._standing.before(key, position)
        success = Success(
            at=occasion.at,
            referral=self._case.referral.id,
            occasion=occasion.id,
            value_minor=value_minor,
        )
        self._standing.add(key, success)
        return {
            **known,
            "history.count": before.count + 1,
            "history.value_minor": before.value_minor + value_minor,
        }

    def _value(self, plan: PlanRules, holder: Holder, occasion: Occasion) -> int:
        if not occasion.currency:
            return 0
        escalation = plan.plan.escalation
        if escalation and escalation.measure == "count" and not plan.asks_value:
            return 0
        whole = self._rules.rates.convert(occasion.amount_minor, occasion.currency)
        return money.fraction(whole, holder.basis_points, BASIS_POINTS)

    def _groups(self, occasion: Occasion) -> list[list[PlanRules]]:
        groups: dict[str, list[PlanRules]] = {}
        for each in self._rules.paying[occasion.kind]:
            if each.triggered(occasion, self._until):
                groups.setdefault(each.group, []).append(each)
        return list(groups.values())

    def _tally(self, plan: PlanRules, holder: Holder, occasion: Occasion) -> TallyKey:
        period = calendar.period(occasion.at, plan.period, self._rules.where)
        return TallyKey(holder.id, f"plan.{plan.plan.id}", period)

    def _holders_of(self, beneficiary: Beneficiary) -> list[Holder]:
        if beneficiary not in self._holders:
            self._holders[beneficiary] = _holders(beneficiary, self._case)
        return self._holders[beneficiary]

    def _ends(self) -> dict[int, str]:
        """Return, for each number of months, the instant that lies so long after the first sale."""
        first = next((each.at for each in self._occasions if each.number == 1), "")
        if not first:
            return {}
        return {
            months: calendar.plus_months(first, months, self._rules.where)
            for months in self._rules.months
        }


def _for_audience(plan: PlanRules, holder: Holder) -> bool:
    return not plan.audiences or holder.share.audience in plan.audiences


def _holders(beneficiary: Beneficiary, case: Case) -> list[Holder]:
    """Return who may earn as *beneficiary*, in the order of the shares."""
    if beneficiary == "partner":
        return [Holder(each.partner, each, each.basis_points) for each in case.shares]
    if beneficiary == "organization":
        return _companies(case.shares)
    # The largest part decides; the first of them where several are as large.
    main = max(case.shares, key=lambda share: share.basis_points)
    if beneficiary == "rep":
        rep = case.referral.rep
        return [Holder(f"rep.{rep}", main, BASIS_POINTS)] if rep else []
    return [Holder(f"customer.{case.referral.lead}", main, BASIS_POINTS)]


def _companies(shares: Sequence[Share]) -> list[Holder]:
    """Return the companies of *shares*, each with the sum of its partners' parts."""
    members: dict[str, list[Share]] = {}
    for each in shares:
        if each.org:
            members.setdefault(each.org, []).append(each)
    return [
        Holder(
            f"org.{org}",
            max(own, key=lambda share: share.basis_points),
            sum(each.basis_points for each in own),
        )
        for org, own in members.items()
    ]
