"""Caps per lead and per partner, and the ceiling: what they cut, and from whom."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from introducer import calendar
from introducer.document.plan import Cap
from introducer.earning.amount import Offer, Step
from introducer.earning.history import Standing, Success, TallyKey
from introducer.earning.occasion import Occasion
from introducer.earning.offers import Candidate
from introducer.earning.rewards import Award
from introducer.earning.rules import PlanRules, Rules
from introducer.money import POINTS


class Limits:
    """The limits of one referral, used up as its occasions pass."""

    def __init__(self, rules: Rules, standing: Standing, referral: str) -> None:
        self._rules = rules
        self._standing = standing
        self._referral = referral
        self._whole: dict[tuple[str, ...], int] = {}
        self._parts: dict[tuple[str, ...], int] = {}
        self._spent = 0

    def keys(self, plan: PlanRules, holder: str, occasion: Occasion) -> Iterator[TallyKey]:
        """Yield the tallies of the caps per partner that count for *plan*."""
        for cap in plan.partner_caps:
            yield self._tally(cap, holder, occasion)

    def of_lead(self, choice: Candidate, holder: str, occasion: Occasion) -> Candidate:
        """Return *choice* cut to the caps per lead, before it is split.

        Each beneficiary's whole amount is cut alike, so that the split shares the cut.
        """
        offer = choice.offer
        for cap in choice.plan.lead_caps(self._rules.document):
            if not self._covers(cap, offer.currency):
                continue
            place = (*self._place(cap, choice.plan, occasion), holder)
            used = self._whole.get(place, 0)
            amount, counted = self._cut(cap, offer.amount_minor, offer.currency, used)
            self._whole[place] = used + counted
            offer = _cut_offer(offer, cap, amount)
        return Candidate(choice.plan, offer)

    def of_partner(self, award: Award) -> Award:
        """Return a beneficiary's *award* cut to what every limit leaves."""
        plan, occasion = award.choice.plan, award.occasion
        for cap in plan.lead_caps(self._rules.document):
            if self._covers(cap, award.currency):
                # Different wholes may round their parts one unit too far together.
                place = self._place(cap, plan, occasion)
                used = self._parts.get(place, 0)
                amount, counted = self._cut(cap, award.amount_minor, award.currency, used)
                self._parts[place] = used + counted
                award = award.cut(amount, "cap", id=cap.id, per="lead")
        for cap in plan.partner_caps:
            if self._covers(cap, award.currency):
                award = self._partner_cap(cap, award)
        return self._ceiling(award)

    def _partner_cap(self, cap: Cap, award: Award) -> Award:
        occasion = award.occasion
        key = self._tally(cap, award.holder, occasion)
        position = (occasion.at, self._referral, occasion.id)
        own = self._standing.own(key, position)
        earlier = own.award_minor if own else 0
        used = self._standing.before(key, position).used_minor + earlier
        amount, counted = self._cut(cap, award.amount_minor, award.currency, used)
        self._standing.add(
            key,
            Success(
                at=occasion.at,
                referral=self._referral,
                occasion=occasion.id,
                award_minor=earlier + counted,
            ),
        )
        return award.cut(amount, "cap", id=cap.id, per="partner")

    def _ceiling(self, award: Award) -> Award:
        ceiling = self._rules.document.ceiling
        if ceiling is None or award.currency == POINTS:
            return award
        left = max(0, ceiling.amount_minor - self._spent)
        amount, counted = self._within(left, award.amount_minor, award.currency, ceiling.currency)
        self._spent += counted
        return award.cut(amount, "ceiling")

    def _cut(self, cap: Cap, amount_minor: int, currency: str, used: int) -> tuple[int, int]:
        left = max(0, cap.amount_minor - used)
        return self._within(left, amount_minor, currency, cap.currency)

    def _within(self, left: int, amount_minor: int, currency: str, unit: str) -> tuple[int, int]:
        """Return how much of an amount fits into *left* of *unit*, and how much of it that uses.

        What is used is rounded up and what fits is rounded down, so that nothing slips through.
        """
        rates = self._rules.rates
        amount = min(amount_minor, rates.room(left, currency, unit))
        return amount, rates.cost(amount, currency, unit)

    def _place(self, cap: Cap, plan: PlanRules, occasion: Occasion) -> tuple[str, ...]:
        period = calendar.period(occasion.at, cap.period, self._rules.where)
        return cap.id, plan.plan.beneficiary, period

    def _tally(self, cap: Cap, holder: str, occasion: Occasion) -> TallyKey:
        period = calendar.period(occasion.at, cap.period, self._rules.where)
        return TallyKey(holder, f"cap.{cap.id}", period)

    @staticmethod
    def _covers(cap: Cap, currency: str) -> bool:
        # Points are capped in points, money in money.
        return (cap.currency == POINTS) == (currency == POINTS)


def _cut_offer(offer: Offer, cap: Cap, amount: int) -> Offer:
    if amount == offer.amount_minor:
        return offer
    step: Step = {
        "step": "cap",
        "id": cap.id,
        "per": "lead",
        "cut_minor": offer.amount_minor - amount,
        "amount_minor": amount,
    }
    return msgspec.structs.replace(offer, amount_minor=amount, steps=(*offer.steps, step))
