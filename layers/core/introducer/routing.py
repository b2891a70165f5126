"""Which rep gets a lead."""

from __future__ import annotations

from collections.abc import Collection

from introducer import ids
from introducer.document.routing import RoutingRule
from introducer.program import Program
from introducer.referral import Referral


def choose_rep(referral: Referral, document: Program, *, active: Collection[str]) -> str | None:
    """Return the rep who gets *referral*, or None when a person must decide.

    The first rule that fits and still has an active rep who has not handed the
    lead back decides. Within it the referral's id decides, so the choice is even
    over many leads and the same each time it is made for one.

    Args:
        referral: The lead to place.
        document: Its program version.
        active: Ids of the reps who take leads at present.
    """
    for rule in document.routing.rules:
        if not _fits(rule, referral):
            continue
        candidates = [rep for rep in _names(rule) if rep in active and rep not in referral.passed]
        if candidates:
            turn = f"{referral.id}:{len(referral.passed)}"
            return candidates[ids.shard(turn, len(candidates))]
    return None


def candidates(document: Program) -> list[str]:
    """Return every rep the routing rules name, once each."""
    return list(dict.fromkeys(rep for rule in document.routing.rules for rep in _names(rule)))


def _fits(rule: RoutingRule, referral: Referral) -> bool:
    country = not rule.countries or referral.country in rule.countries
    product = not rule.products or referral.product in rule.products
    return country and product


def _names(rule: RoutingRule) -> list[str]:
    return [each if isinstance(each, str) else each.rep for each in rule.reps]
