"""Law: mechanics that are forbidden, or that somebody must answer for, by country and trade.

The table ``jurisdictions.json`` holds what is known everywhere; a document adds what its own
lawyers say and cannot take anything away. It is no legal advice: it stops what nobody looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from introducer.check import walk
from introducer.check.finding import Finding, meant
from introducer.document.condition import Condition
from introducer.document.plan import (
    BonusPercent,
    Percent,
    PerProduct,
    RewardPlan,
    StageReached,
    Submitted,
)
from introducer.document.policy import Jurisdiction, Mechanic
from introducer.program import Program

_WORDS: dict[Mechanic, str] = {
    "cash_reward": "a reward in cash",
    "percent_of_revenue": "a share of revenue",
    "payment_for_lead": "payment before a sale",
    "customer_reward": "a reward for the customer",
    "rep_reward": "a reward for the rep",
    "gift": "a gift of value",
    "prize_draw": "a prize draw",
}
_PLACES_TOLD = 6
_GIFTS = frozenset({"credit", "gift_card", "points", "experience"})


def findings(document: Program) -> Iterator[Finding]:
    """Yield plans of *document* that are forbidden somewhere, or unanswered for."""
    known = table()
    yield from _ids(document, {entry.id for entry in known})
    every = [
        (path, mechanics(path, plan, document), reach(plan, document))
        for path, plan in walk.plans(document)
    ]
    for entry in (*known, *document.jurisdictions):
        if entry.trades and document.trade not in entry.trades:
            continue
        for path, present, places in every:
            used = [each for each in entry.mechanics if each in present]
            where = places & set(entry.countries) if places and entry.countries else None
            if used and where != set():
                found = _finding(path, entry, used, sorted(where or entry.countries), document)
                yield from found


@cache
def table() -> tuple[Jurisdiction, ...]:
    """Return what is known of the law everywhere."""
    text = Path(__file__).with_name("jurisdictions.json").read_bytes()
    return tuple(msgspec.json.decode(text, type=list[Jurisdiction]))


def mechanics(path: str, plan: RewardPlan, document: Program) -> set[Mechanic]:
    """Return what *plan* at *path* is in the eyes of the law."""
    found: set[Mechanic] = {"prize_draw"} if plan.by_chance else set()
    if plan.beneficiary == "customer":
        return {*found, "customer_reward"}
    if plan.beneficiary == "rep":
        return {*found, "rep_reward"}
    if plan.type == "cash":
        found.add("cash_reward")
    if plan.type in _GIFTS:
        found.add("gift")
    if isinstance(plan.trigger, Submitted | StageReached):
        found.add("payment_for_lead")
    rates = [calculation for _, calculation in walk.calculations(path, plan)]
    shares = any(
        isinstance(rate, Percent)
        or (isinstance(rate, PerProduct) and any(each.basis_points for each in rate.rates))
        for rate in rates
    )
    added = any(
        isinstance(effect, BonusPercent) for _, effect in walk.effects(path, plan, document)
    )
    if shares or added:
        found.add("percent_of_revenue")
    return found


def reach(plan: RewardPlan, document: Program) -> set[str]:
    """Return the countries where *plan* can apply, of partner or lead; empty means anywhere."""
    found: set[str] = set()
    sides = {
        "partner.country": walk.partner_countries(document, plan.audiences),
        "lead.country": walk.lead_countries(document, plan.audiences) or set(document.countries),
    }
    for name, places in sides.items():
        left = places or None
        for chosen in _chosen(plan.condition, name):
            left = chosen if left is None else left & chosen
        if left is None:
            return set()
        found |= left
    return found


def _chosen(condition: Condition | None, name: str) -> Iterator[set[str]]:
    """Yield the countries that *condition* leaves to *name*, for each test that must hold."""
    if condition is None:
        return
    if condition.field == name and condition.op == "eq":
        yield {str(condition.value)}
    elif condition.field == name and condition.op == "in" and isinstance(condition.value, list):
        yield {str(each) for each in condition.value}
    for inner in condition.all or ():
        yield from _chosen(inner, name)


def _finding(
    path: str, entry: Jurisdiction, used: list[Mechanic], where: list[str], document: Program
) -> Iterator[Finding]:
    what = " and ".join(_WORDS[each] for each in used)
    more = " …" if len(where) > _PLACES_TOLD else ""
    places = f" in {', '.join(where[:_PLACES_TOLD])}{more}" if where else ""
    trade = f" for {document.trade}" if entry.trades else ""
    because = f": {entry.reason}" if entry.reason else ""
    if entry.rule == "forbidden":
        remedy = "keep the plan out of there by audience or condition, or reward otherwise"
        yield Finding(path, f"{what} is forbidden{places}{trade}{because}", remedy, "$.trade")
    elif entry.id not in document.attestations:
        remedy = f"let somebody answer for it in attestations.{entry.id}"
        problem = f"{what} needs an attestation{places}{trade}{because}"
        yield Finding(path, problem, remedy, "$.attestations")


def _ids(document: Program, known: set[str]) -> Iterator[Finding]:
    for index, entry in enumerate(document.jurisdictions):
        if entry.id in known:
            problem = f"{entry.id} is an entry of the built-in table"
            yield Finding(f"$.jurisdictions[{index}].id", problem, "choose another id")
    asked = known | {entry.id for entry in document.jurisdictions}
    for key in document.attestations:
        if key not in asked:
            problem = f"there is no jurisdiction {key}"
            remedy = meant(key, sorted(asked), "use the id of an entry in jurisdictions")
            yield Finding(f"$.attestations.{key}", problem, remedy, "$.jurisdictions")
