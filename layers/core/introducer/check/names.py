"""Names: ids used twice, and references to what is not declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from introducer.check import walk
from introducer.check.finding import Finding, child, meant
from introducer.check.places import COUNTRIES, MISTAKEN
from introducer.document.plan import Happened, Percent, PerProduct, StageReached
from introducer.program import Program


def findings(document: Program) -> Iterator[Finding]:
    """Yield every id used twice and every name that *document* does not declare."""
    yield from _twice(document)
    yield from _listed_twice("$.products", document.products)
    yield from _listed_twice("$.partner_types", document.partner_types)
    yield from _audiences(document)
    yield from _types(document)
    yield from _products(document)
    yield from _triggers(document)
    yield from _texts(document)
    yield from _plans(document)
    yield from _countries(document)


def _twice(document: Program) -> Iterator[Finding]:
    spaces = [
        walk.by_id("$.rewards", document.rewards),
        walk.by_id("$.promotions", document.promotions),
        walk.by_id("$.budgets", document.budgets),
        walk.by_id("$.jurisdictions", document.jurisdictions),
        walk.by_id("$.score.rules", document.score.rules),
        [(f"{path}.id", cap.id) for path, cap, _ in walk.caps(document)],
        [
            (f"$.routing.rules[{index}].id", rule.id)
            for index, rule in enumerate(document.routing.rules)
            if rule.id
        ],
    ]
    for path, plan in walk.plans(document):
        spaces.append(walk.by_id(f"{path}.milestones", plan.milestones))
        spaces.append(walk.by_id(f"{path}.variants", plan.variants))
        spaces.append(walk.by_id(f"{path}.bonuses", plan.bonuses))
    for space in spaces:
        seen: set[str] = set()
        for path, key in space:
            if key in seen:
                yield Finding(path, f"the id {key} is used twice", "give each its own id")
            seen.add(key)


def _listed_twice(path: str, names: Sequence[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Finding(child(path, index), f"{name} is listed twice", "list it once")
        seen.add(name)


def _unknown(
    path: str, names: Sequence[str], known: Collection[str], kind: str, source: str
) -> Iterator[Finding]:
    declared = frozenset(known)
    for index, name in enumerate(names):
        if name not in declared:
            yield _no_such(child(path, index), name, known, kind, source)


def _no_such(path: str, name: str, known: Collection[str], kind: str, source: str) -> Finding:
    declare = f"declare it in {source.removeprefix('$.')}"
    return Finding(path, f"there is no {kind} {name}", meant(name, known, declare), source)


def _audiences(document: Program) -> Iterator[Finding]:
    lists = {"$.attribution.creditable.audiences": document.attribution.creditable.audiences}
    for name in ("rewards", "promotions", "messages"):
        for index, part in enumerate(getattr(document, name)):
            lists[f"$.{name}[{index}].audiences"] = part.audiences
    for path, names in lists.items():
        yield from _unknown(path, names, document.audiences, "audience", "$.audiences")
    for key, rule in document.advocacy.items():
        if rule.audience not in document.audiences:
            path, known = f"$.advocacy.{key}.audience", document.audiences
            yield _no_such(path, rule.audience, known, "audience", "$.audiences")


def _types(document: Program) -> Iterator[Finding]:
    lists = {"$.attribution.creditable.types": document.attribution.creditable.types}
    for key, audience in document.audiences.items():
        lists[f"$.audiences.{key}.types"] = audience.types
    for path, names in lists.items():
        known = document.partner_types
        yield from _unknown(path, names, known, "partner type", "$.partner_types")


def _products(document: Program) -> Iterator[Finding]:
    known = document.products
    for index, rule in enumerate(document.routing.rules):
        path = f"$.routing.rules[{index}].products"
        yield from _unknown(path, rule.products, known, "product", "$.products")
    for at, plan in walk.plans(document):
        for path, calculation in walk.calculations(at, plan):
            if isinstance(calculation, Percent):
                named = f"{path}.products", calculation.products
                yield from _unknown(*named, known, "product", "$.products")
            if isinstance(calculation, PerProduct):
                yield from _rates(path, calculation, known)


def _rates(path: str, calculation: PerProduct, known: list[str]) -> Iterator[Finding]:
    names = [rate.product for rate in calculation.rates]
    for index, name in enumerate(names):
        at = f"{path}.rates[{index}].product"
        if name not in known:
            yield _no_such(at, name, known, "product", "$.products")
        if name in names[:index]:
            yield Finding(at, f"{name} has a rate already", "keep one of them")


def _triggers(document: Program) -> Iterator[Finding]:
    for path, plan in walk.plans(document):
        match plan.trigger:
            case StageReached(stage=stage) if stage not in document.stages:
                at = f"{path}.trigger.stage"
                yield _no_such(at, stage, document.stages, "stage", "$.stages")
            case Happened(event=event) if event not in document.events:
                at = f"{path}.trigger.event"
                yield _no_such(at, event, document.events, "event", "$.events")


def _texts(document: Program) -> Iterator[Finding]:
    for key, audience in document.audiences.items():
        path = f"$.audiences.{key}"
        asked = {
            f"{path}.eligibility.agreements": audience.eligibility.agreements,
            f"{path}.engagement.agreements": audience.engagement.agreements,
        }
        for at, names in asked.items():
            yield from _unknown(at, names, document.agreements, "agreement", "$.agreements")
        at, names = f"{path}.eligibility.declarations", audience.eligibility.declarations
        yield from _unknown(at, names, document.declarations, "declaration", "$.declarations")


def _plans(document: Program) -> Iterator[Finding]:
    known = [plan.id for plan in document.rewards]
    for name in ("promotions", "budgets"):
        for index, part in enumerate(getattr(document, name)):
            path = f"$.{name}[{index}].plans"
            yield from _unknown(path, part.plans, known, "plan", "$.rewards")


def _countries(document: Program) -> Iterator[Finding]:
    lists = {"$.countries": document.countries}
    for key, audience in document.audiences.items():
        lists[f"$.audiences.{key}.countries"] = audience.countries
        lists[f"$.audiences.{key}.lead_countries"] = audience.lead_countries
    for index, rule in enumerate(document.routing.rules):
        lists[f"$.routing.rules[{index}].countries"] = rule.countries
    for index, entry in enumerate(document.jurisdictions):
        lists[f"$.jurisdictions[{index}].countries"] = entry.countries
    for index, payout in enumerate(document.payouts):
        if payout.debtor:
            place = f"$.payouts[{index}].debtor.address.country"
            lists[place] = [payout.debtor.address.country]
        lists[f"$.payouts[{index}].countries"] = payout.countries
    for path, names in lists.items():
        for index, name in enumerate(names):
            if name not in COUNTRIES:
                at = child(path, index) if path.endswith("ountries") else path
                yield no_country(at, name)


def no_country(path: str, name: str) -> Finding:
    """Return the finding that *name* is not a country."""
    right = MISTAKEN.get(name)
    remedy = f"did you mean {right}?" if right else "use an ISO 3166-1 code of two letters"
    return Finding(path, f"{name} is not a country", remedy)
