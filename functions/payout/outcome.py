"""What the stored facts about a referral say now, and what of it the tallies do not hold yet."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping

import msgspec

from introducer import tally
from introducer.earning.evaluate import Outcome, evaluate, needs
from introducer.earning.history import Success, TallyKey
from introducer.earning.occasion import Case
from introducer.earning.rules import Rules, rules_of
from introducer.errors import ContentionError, StaleError
from introducer.tables import programs, referrals, tallies
from introducer.tables.referrals import Detail
from introducer.tables.tallies import Tails
from introducer.tally import Head, Place, Revision, View

_ATTEMPTS = 12


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A referral at one moment.

    Attributes:
        facts: Everything stored about it.
        rules: Of the version it was made under.
        outcome: What the rules say.
        heads: The tallies that was computed from; none in most programs.
        revisions: What these must still take in.
        tails: The ends of tallies that were read, for looks to come.
    """

    facts: Detail
    rules: Rules
    outcome: Outcome
    heads: dict[TallyKey, Head]
    revisions: dict[TallyKey, Revision]
    tails: Tails

    @property
    def program(self) -> str:
        """Return the program it belongs to."""
        return self.facts.referral.program

    @property
    def case(self) -> Case:
        """Return the facts as evaluation takes them."""
        return case_of(self.facts)

    @property
    def unsettled(self) -> frozenset[TallyKey]:
        """Return the tallies in which somebody may have too much or too little."""
        return frozenset(key for key, head in self.heads.items() if head.dirty or head.rising)

    @property
    def dirty(self) -> bool:
        """Return whether somebody may have too much in a tally, so that nothing may be raised."""
        return any(head.dirty for head in self.heads.values())

    def depends_on(self, occasion: str) -> dict[TallyKey, Head]:
        """Return the tallies in which *occasion* counts."""
        return {
            key: self.heads[key]
            for key, own in self.outcome.successes.items()
            if any(each.occasion == occasion for each in own)
        }


def case_of(facts: Detail) -> Case:
    """Return stored *facts* as evaluation takes them."""
    return Case(
        referral=facts.referral, shares=facts.shares, sales=facts.sales, events=facts.events
    )


def look(referral: str, keys: Iterable[TallyKey] = (), tails: Tails | None = None) -> Look:
    """Return what the facts about *referral* say now.

    Tallies are read before the facts: whoever adds newer facts to a tally then changes its
    head, and what was computed from older ones can no longer be written. Without tallies
    this is one query.

    Args:
        referral: Its id.
        keys: The tallies it is known to need, from a look before.
        tails: The tails that look knew.
    """
    asked = frozenset(keys)
    heads: dict[TallyKey, Head] = {}
    while True:
        if asked and tails:
            heads = tallies.heads(tails.program, asked)
        facts = referrals.detail(referral)
        before = facts.referral
        rules = rules_of(programs.version(before.program, before.program_version).document)
        own = tallies.marks(facts.tallies)
        found = needs(rules, case_of(facts)) | own.keys()
        tails = tails or Tails(before.program)
        if found <= heads.keys():
            break
        asked |= found
    if not found:
        outcome = evaluate(rules, case_of(facts))
        return Look(facts=facts, rules=rules, outcome=outcome, heads={}, revisions={}, tails=tails)
    views = {key: View(head=heads[key], own=own.get(key, {})) for key in found}
    outcome, views = _evaluated(rules, case_of(facts), views, tails)
    revisions = {
        key: revision
        for key, view in views.items()
        if (revision := _revision(key, view, outcome)) is not None
    }
    kept = {key: heads[key] for key in found}
    return Look(
        facts=facts, rules=rules, outcome=outcome, heads=kept, revisions=revisions, tails=tails
    )


def settled(referral: str, tails: Tails | None = None) -> Look:
    """Return a look at *referral* with nothing that its tallies do not hold.

    Raises:
        ContentionError: Others kept counting first.
    """
    keys: frozenset[TallyKey] = frozenset()
    for attempt in range(_ATTEMPTS):
        now = look(referral, keys, tails)
        if not now.revisions:
            return now
        keys, tails = frozenset(now.heads), now.tails
        try:
            for key, revision in now.revisions.items():
                tallies.record(now.program, key, revision)
                tails.keep(key, revision)
        except StaleError:
            pause(attempt)
    message = "others kept counting in the same tallies"
    raise ContentionError(message, referral=referral)


def pause(attempt: int) -> None:
    """Wait a moment at random, longer with each *attempt*."""
    time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 5)))  # noqa: S311  (jitter)


def _evaluated(
    rules: Rules, case: Case, views: dict[TallyKey, View], tails: Tails
) -> tuple[Outcome, dict[TallyKey, View]]:
    """Evaluate with what others had before each own success.

    Where own successes lie is only known afterwards, and what others had may decide where
    one lies; so this goes on until nothing new comes up.
    """
    outcome = evaluate(rules, case)
    places: dict[TallyKey, dict[Place, Success]] = {
        key: {place: mark.success for place, mark in view.own.items()}
        for key, view in views.items()
    }
    fresh = True
    while _add(places, outcome.successes) or fresh:
        fresh = False
        for key, found in places.items():
            views[key] = _with_tail(key, views[key], found, tails)
        history = {
            key: tally.tally(views[key], [found[place] for place in sorted(found)])
            for key, found in places.items()
        }
        outcome = evaluate(rules, case, history)
    return outcome, views


def _add(
    places: dict[TallyKey, dict[Place, Success]],
    successes: Mapping[TallyKey, tuple[Success, ...]],
) -> bool:
    """Add where *successes* lie; return whether one of the places is new."""
    new = False
    for key, own in successes.items():
        for each in own:
            new |= tally.place(each) not in places[key]
            places[key][tally.place(each)] = each
    return new


def _with_tail(key: TallyKey, view: View, found: Mapping[Place, Success], tails: Tails) -> View:
    begin = tally.unknown(view, found.values())
    if not begin:
        return view
    known_from, tail = tails.read(key, view.head, begin)
    return msgspec.structs.replace(view, tail=tail, begin=known_from)


def _revision(key: TallyKey, view: View, outcome: Outcome) -> Revision | None:
    wanted = outcome.successes.get(key, ())
    return tally.revise(key, view, wanted, tallies.MOST_CHANGED)
