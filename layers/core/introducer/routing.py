"""Which rep gets a lead, and why the others do not.

The rep a lead is reserved for comes first, then the partner's own where the program says so,
then the rules in their order.
Within a rule reps take turns by weight (:mod:`introducer.turn`) among those who may take
the lead and have room for it. Nobody in any rule: a person decides.

What a condition of a rule or a limit of a rep asks about and is not known does not hold:
a lead whose country nobody knows fits no territory. Only the language is forgiving, for then
there is no language to miss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from introducer import condition, turn, working_hours
from introducer.clock import Instant
from introducer.condition import compile_condition
from introducer.document.routing import RoutingRule
from introducer.earning import known
from introducer.earning.occasion import Case
from introducer.partner import Rep
from introducer.program import Program
from introducer.referral import Referral, Share
from introducer.turn import Turn

Why = Literal[
    "country",
    "product",
    "condition",
    "unknown",
    "inactive",
    "handed_back",
    "territory",
    "size",
    "language",
    "hours",
    "full",
]
"""Why a rule does not fit (the first three) or a rep is passed over."""

OWNER = "owner"
"""What stands for the rule when the partner's own rep gets the lead."""
RESERVED = "reserved"
"""Likewise when the rep gets it who brought it or whose account it is."""
_LONGEST_TRAIL = 400


class Step(msgspec.Struct, frozen=True):
    """A rule that does not fit, or a rep of it who is passed over."""

    rule: str
    rep: str
    why: Why


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets the lead: nobody when ``rep`` is empty.

    ``turn`` is what remains of the rule's round and is to be stored with the
    assignment; None when there was no choice between several.
    """

    rep: str = ""
    rule: str = ""
    turn: Turn | None = None
    trail: tuple[Step, ...] = ()


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What routing looks up, each only when it matters; the same answers, the same choice.

    Attributes:
        reps: Those of the named reps who exist, by id.
        turn: Where the reps of a rule are in their round.
        open_leads: How many leads a rep has open; it need not count beyond their capacity.
    """

    reps: Callable[[list[str]], Mapping[str, Rep]]
    turn: Callable[[str], Turn]
    open_leads: Callable[[Rep], int]


def choose(
    referral: Referral,
    facts: Mapping[str, Any],
    document: Program,
    desk: Desk,
    *,
    owner: str,
    now: Instant,
) -> Choice:
    """Return who gets *referral*.

    Args:
        referral: The lead to place.
        facts: As :func:`facts_of` returns them.
        document: The program version it was made under.
        desk: Where reps, turns and open leads are looked up.
        owner: The rep who looks after the partner, or nobody.
        now: The present instant, for working hours.
    """
    search = _Search(referral, facts, document, desk, now)
    reserved = referral.reserved_for
    if reserved and search.is_there(reserved):
        return Choice(rep=reserved, rule=RESERVED)
    if document.routing.owner_first and owner and search.takes(owner):
        return Choice(rep=owner, rule=OWNER)
    for index, rule in enumerate(document.routing.rules):
        found = search.by_rule(rule.id or str(index), rule)
        if found:
            return found
    return Choice(trail=tuple(search.trail))


def facts_of(referral: Referral, main: Share | None) -> dict[str, Any]:
    """Return what conditions of rules may ask about; *main* is the largest share, if needed."""
    facts = known.about_lead(Case(referral=referral, shares=()))
    return facts | known.about_partner(main) if main else facts


def asks_about_partner(document: Program) -> bool:
    """Return whether a rule asks about the partner, so that the share must be read."""
    return any(
        field.startswith("partner.")
        for rule in document.routing.rules
        for field in condition.fields(rule.condition)
    )


def written(trail: tuple[Step, ...]) -> str:
    """Return *trail* as codes in one line for an event, cut to a bounded length.

    ``at:country dach/anna:full dach/ben:hours``; ``+7`` at the end counts what is left out.
    """
    words = [f"{each.rule}{'/' if each.rep else ''}{each.rep}:{each.why}" for each in trail]
    kept, length = 0, 0
    while kept < len(words) and length + len(words[kept]) < _LONGEST_TRAIL:
        length += len(words[kept]) + 1
        kept += 1
    left_out = [f"+{len(words) - kept}"] if kept < len(words) else []
    return " ".join([*words[:kept], *left_out])


def read(line: str) -> tuple[list[Step], int]:
    """Return what :func:`written` wrote, and how many steps it had to leave out."""
    words = line.split()
    left_out = int(words.pop()) if words and words[-1].startswith("+") else 0
    steps = []
    for word in words:
        place, _, why = word.rpartition(":")
        rule, _, rep = place.partition("/")
        steps.append(Step(rule, rep, msgspec.convert(why, Why)))
    return steps, left_out


class _Search:
    """One lead's way through the rules; ``trail`` tells who was passed over so far."""

    def __init__(
        self,
        referral: Referral,
        facts: Mapping[str, Any],
        document: Program,
        desk: Desk,
        now: Instant,
    ) -> None:
        self.referral = referral
        self.facts = facts
        self.document = document
        self.desk = desk
        self.now = now
        self.trail: list[Step] = []

    def is_there(self, reserved: str) -> bool:
        """Return whether the rep it is reserved for gets it; how much they have is their affair."""
        why = self._absent(self.desk.reps([reserved]).get(reserved))
        if why:
            self.trail.append(Step(RESERVED, reserved, why))
        return why is None

    def takes(self, owner: str) -> bool:
        """Return whether the partner's own rep takes the lead."""
        rep = self.desk.reps([owner]).get(owner)
        why = self._absent(rep)
        if rep and not why:
            why = "full" if self._is_full(rep) else None
        if why:
            self.trail.append(Step(OWNER, owner, why))
        return why is None

    def by_rule(self, name: str, rule: RoutingRule) -> Choice | None:
        """Return who gets it by this rule, None when it does not fit or has nobody left."""
        mismatch = self._mismatch(rule)
        if mismatch:
            self.trail.append(Step(name, "", mismatch))
            return None
        weights = _weights(rule)
        working, away = self._able(name, rule, weights)
        if rule.hours == "require":
            self.trail += [Step(name, rep.id, "hours") for rep in away]
            return self._by_turn(name, working, weights)
        return self._by_turn(name, working, weights) or self._by_turn(name, away, weights)

    def _able(
        self, name: str, rule: RoutingRule, weights: Mapping[str, int]
    ) -> tuple[list[Rep], list[Rep]]:
        """Return the reps who may take it: those at work, and those who are not."""
        reps = self.desk.reps(list(weights))
        working: list[Rep] = []
        away: list[Rep] = []
        for each in weights:
            rep = reps.get(each)
            why = self._absent(rep) or self._unsuited(rule, reps[each])
            if why:
                self.trail.append(Step(name, each, why))
            elif rule.hours == "ignore" or self._at_work(reps[each]):
                working.append(reps[each])
            else:
                away.append(reps[each])
        return working, away

    def _by_turn(self, name: str, able: list[Rep], weights: Mapping[str, int]) -> Choice | None:
        """Return whose turn it is among those with room for one more lead.

        Leads are counted only of those whose turn it would be. Who is full is left out of
        the turn, as if they were not there.
        """
        waiting = {rep.id: weights[rep.id] for rep in able}
        reps = {rep.id: rep for rep in able}
        last = self.desk.turn(name) if len(waiting) > 1 else None
        while waiting:
            rep = turn.whose(last, waiting) if last else next(iter(waiting))
            if not self._is_full(reps[rep]):
                after = turn.take(last, waiting) if last and len(waiting) > 1 else None
                return Choice(rep=rep, rule=name, turn=after, trail=tuple(self.trail))
            self.trail.append(Step(name, rep, "full"))
            del waiting[rep]
        return None

    def _mismatch(self, rule: RoutingRule) -> Why | None:
        if rule.countries and self.referral.country not in rule.countries:
            return "country"
        if rule.products and self.referral.product not in rule.products:
            return "product"
        return None if compile_condition(rule.condition)(self.facts) else "condition"

    def _absent(self, rep: Rep | None) -> Why | None:
        if rep is None or rep.program != self.referral.program:
            return "unknown"
        if not rep.active:
            return "inactive"
        return "handed_back" if rep.id in self.referral.passed else None

    def _unsuited(self, rule: RoutingRule, rep: Rep) -> Why | None:
        if rep.countries and self.referral.country not in rep.countries:
            return "territory"
        if rep.products and self.referral.product not in rep.products:
            return "product"
        if not _size_fits(rep, self.facts.get("lead.size")):
            return "size"
        language = self.facts.get("lead.language")
        if rule.language and language and language not in rep.languages:
            return "language"
        return None

    def _at_work(self, rep: Rep) -> bool:
        zone = rep.time_zone or self.document.time_zone
        return working_hours.at_work(rep.hours, zone, self.now)

    def _is_full(self, rep: Rep) -> bool:
        return bool(rep.capacity) and self.desk.open_leads(rep) >= rep.capacity


def _size_fits(rep: Rep, size: int | None) -> bool:
    if not rep.min_size and not rep.max_size:
        return True
    return size is not None and rep.min_size <= size and (not rep.max_size or size <= rep.max_size)


def _weights(rule: RoutingRule) -> dict[str, int]:
    """Return the weight of each rep of the rule, in its order."""
    return {
        each if isinstance(each, str) else each.rep: 1 if isinstance(each, str) else each.weight
        for each in rule.reps
    }
