"""What budgets leave of a reward, for one plan of postings."""

from __future__ import annotations

from functools import cached_property

from introducer import budget, calendar
from introducer.budget import BudgetKey, Terms
from introducer.clock import Instant
from introducer.document.plan import Budget
from introducer.earning.rules import Rules
from introducer.program import Program
from introducer.reward import Reward
from introducer.tables import budgets, programs
from introducer.tables.budgets import Take

Step = dict[str, str | int]


class Purse:
    """The budgets of a program as one holder's postings find them, and use them up.

    What it grants is in the holder's shard at that moment; whether it still is when it is
    booked, the booking itself demands.
    """

    def __init__(self, rules: Rules, holder: str, now: Instant) -> None:
        self._rules = rules
        self._holder = holder
        self._now = now
        self._used: dict[BudgetKey, int] = {}
        self._held: dict[BudgetKey, int] = {}

    def grant(self, reward: Reward, more_minor: int) -> tuple[int, list[Step]]:
        """Return how much of *more_minor* for *reward* every budget allows, and what cut it."""
        steps: list[Step] = []
        for each in budget.covering(self._rules.document, reward):
            key, terms = self._key(each, reward), self._terms(each)
            room = self._room(key, terms, reward, more_minor)
            if room < more_minor:
                budgets.note_exhausted(key, self._now)
                steps.append({"step": "budget", "id": each.id, "cut_minor": more_minor - room})
                more_minor = room
        return more_minor, steps

    def charge(
        self, before: Reward | None, after: Reward
    ) -> tuple[dict[str, int], tuple[Take, ...]]:
        """Return what *after* costs each budget, and what is taken or given back for that."""
        paid = before.charges if before else {}
        charges, takes = {}, []
        for each in budget.covering(self._rules.document, after):
            key = self._key(each, after)
            cost = self._rules.rates.cost(after.left_minor, after.currency, each.currency)
            more = cost - paid.get(key.charge, 0)
            if cost:
                charges[key.charge] = cost
            if more:
                takes.append(Take(key, budget.shard_of(self._holder), more))
                self._used[key] = self._used.get(key, 0) + max(more, 0)
        return charges, tuple(takes)

    def _room(self, key: BudgetKey, terms: Terms, reward: Reward, more_minor: int) -> int:
        rates = self._rules.rates
        needed = rates.cost(more_minor, reward.currency, terms.currency)
        used = self._used.get(key, 0)
        if self._held.get(key, -1) < needed + used:
            shard = budget.shard_of(self._holder)
            self._held[key] = budgets.fill(key, terms, shard, needed + used, self._now)
        held = self._held[key] - used
        if held >= needed:
            return more_minor
        return min(more_minor, rates.room(max(0, held), reward.currency, terms.currency))

    def _key(self, each: Budget, reward: Reward) -> BudgetKey:
        period = calendar.period(reward.earned_at, each.period, self._rules.where)
        return BudgetKey(reward.program, each.id, period)

    def _terms(self, each: Budget) -> Terms:
        return budget.terms(each, self._newest)

    @cached_property
    def _newest(self) -> Program:
        return programs.current(self._rules.document.id, self._now).document
