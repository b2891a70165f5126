"""Conditions against the catalogue: names, operators, values, and tests that never hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from introducer import catalogue, money
from introducer.check import contradiction, walk
from introducer.check.finding import Finding, meant, shown
from introducer.check.names import no_country
from introducer.check.places import COUNTRIES
from introducer.check.settings import RESERVED_STATUSES
from introducer.document.condition import MAX_DEPTH, MAX_TESTS, Condition
from introducer.document.plan import Happened, InvoicePaid, RewardPlan
from introducer.errors import InvalidInputError
from introducer.money import POINTS
from introducer.program import Program

_NEVER = "the test never holds"
_INVOLVEMENTS = ["introduced", "assisted", "co_sold"]
_TYPES = {"text": "a text", "number": "a whole number", "flag": "true or false"}


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with the conditions of *document*."""
    for asked in walk.conditions(document):
        if _depth(asked.condition) > MAX_DEPTH:
            problem = f"conditions are nested deeper than {MAX_DEPTH}"
            yield Finding(asked.path, problem, "say it with fewer levels")
            continue
        tests = list(walk.tests(asked.path, asked.condition))
        if len(tests) > MAX_TESTS:
            problem = f"one condition has {len(tests)} tests"
            yield Finding(asked.path, problem, f"{MAX_TESTS} are the most; use in with a list")
            continue
        found = [finding for path, test in tests for finding in _test(path, test, asked, document)]
        yield from found
        if not found:
            yield from contradiction.findings(asked.path, asked.condition)


def _depth(condition: Condition) -> int:
    inner = [*(condition.all or ()), *(condition.any or ())]
    inner += [condition.not_] if condition.not_ else []
    return 1 + max((_depth(each) for each in inner), default=0)


def _test(path: str, test: Condition, asked: walk.Asked, document: Program) -> Iterator[Finding]:
    name, op = test.field or "", test.op or "eq"
    entry = catalogue.entry(name, document)
    if entry is None:
        names = catalogue.names(document)
        namespace = name.partition(".")[0]
        source = {"answers": "$.questions", "metadata": "$.fields"}.get(namespace, "")
        remedy = meant(name, names, "use a field of the catalogue, a question or a field")
        yield Finding(f"{path}.field", f"there is no field {shown(name)}", remedy, source)
        return
    if unknown := _unknown_yet(name, entry, asked, document):
        yield Finding(f"{path}.field", *unknown)
    if op not in catalogue.OPERATORS[entry.type]:
        fitting = ", ".join(sorted(catalogue.OPERATORS[entry.type]))
        problem = f"{name} is a {entry.type}, which {op} does not compare"
        yield Finding(f"{path}.op", problem, f"use one of {fitting}")
        return
    found = list(_value(f"{path}.value", test, entry.type))
    yield from found
    if not found and op != "exists":
        yield from _reachable(f"{path}.value", test, asked, document)


def _unknown_yet(
    name: str, entry: catalogue.Entry, asked: walk.Asked, document: Program
) -> tuple[str, str] | None:
    """Return why the fact *name* cannot be known where it is asked for, and what to do."""
    if entry.scope == "history":
        if asked.place in {"variant", "bonus", "promotion"}:
            return None
        return (
            f"{name} is not known here: the plan would count itself",
            "ask for it in a variant, bonus or promotion, or use an escalation",
        )
    if asked.place in {"score", "routing"}:
        return _too_early(name, entry, asked.place)
    if name == "referral.status" and asked.place != "milestone":
        return f"{name} changes, and a reward may not with it", "ask for it in a milestone"
    return _never_known(name, asked.plans, document) if asked.plans else None


def _too_early(name: str, entry: catalogue.Entry, place: walk.Place) -> tuple[str, str] | None:
    """Return why a score or a routing rule cannot ask for *name*: it is known later."""
    scoring = place == "score"
    known = {"lead"} if scoring else {"lead", "partner"}
    if name.startswith("metadata.") or (
        entry.scope in known and not (scoring and name == "lead.score")
    ):
        return None
    whose = "the lead" if scoring else "the lead or the partner"
    return f"{name} is not known yet when this is asked", f"ask for facts of {whose}"


def _never_known(
    name: str, plans: Sequence[RewardPlan], document: Program
) -> tuple[str, str] | None:
    if name.startswith("sale.") and not any(walk.has_sale(plan) for plan in plans):
        return f"{name} is never known: what triggers this is no sale", "use another trigger"
    if name == "event.amount_minor" and not any(_has_event(plan, document) for plan in plans):
        return f"{name} is never known: no event with an amount triggers this", "use such an event"
    return None


def _has_event(plan: RewardPlan, document: Program) -> bool:
    return isinstance(plan.trigger, Happened) and walk.has_revenue(plan, document)


def _value(path: str, test: Condition, kind: str) -> Iterator[Finding]:
    values: list[Any] = test.value if isinstance(test.value, list) else [test.value]
    wanted = "text" if kind == "list" else kind
    if test.op == "exists":
        return
    for index, value in enumerate(values):
        at = f"{path}[{index}]" if isinstance(test.value, list) else path
        if _kind(value) != wanted:
            problem = f"{shown(value)} is not {_TYPES[wanted]}, as {test.field} is"
            yield Finding(at, problem, f"write {_TYPES[wanted]}")
        elif value == "":
            yield Finding(at, "an empty text says nothing", "write what is compared")
        elif value in values[:index] and test.op != "between":
            yield Finding(at, f"{shown(value)} is listed twice", "list it once")
    if test.op == "between" and _kind(values[0]) == _kind(values[1]) and values[0] > values[1]:
        yield Finding(path, "the first number is above the second", "write the lower one first")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "flag"
    return "text" if isinstance(value, str) else "number"


def _reachable(
    path: str, test: Condition, asked: walk.Asked, document: Program
) -> Iterator[Finding]:
    """Yield values that do not exist, and say so when no value can be met."""
    name = test.field or ""
    values = test.value if isinstance(test.value, list) else [test.value]
    if test.op in {"starts_with", "ends_with"}:
        return
    if isinstance(values[0], int) and not isinstance(values[0], bool):
        yield from _range(path, test, _bounds(name, asked, document))
        return
    for index, value in enumerate(values):
        at = f"{path}[{index}]" if isinstance(test.value, list) else path
        if isinstance(value, str):
            yield from _exists(at, name, value, document)
    if test.op in {"eq", "in"}:
        places = _places(name, asked, document)
        if places and places.isdisjoint(str(value) for value in values):
            problem = f"{_NEVER}: only {', '.join(sorted(places))} can be met"
            yield Finding(path, problem, "name one of them, or leave the test out")


def _exists(path: str, name: str, value: str, document: Program) -> Iterator[Finding]:
    if name in {"partner.country", "lead.country"}:
        if value not in COUNTRIES:
            yield no_country(path, value)
        return
    if name == "sale.currency":
        try:
            money.exponent(value)
        except InvalidInputError:
            value = POINTS
        if value == POINTS:
            yield Finding(path, "this is not a currency", "use an ISO 4217 code")
        return
    choices = _choices(name, document)
    if choices is not None and value not in choices[0]:
        known, source = choices
        offered = f"use one of {', '.join(known[:20])}" if known else "declare it first"
        problem = f"{name} is never {shown(value)}"
        yield Finding(path, problem, meant(value, known, offered), source)


def _choices(name: str, document: Program) -> tuple[list[str], str] | None:
    """Return the values the fact *name* can have and where they are declared, if they are few."""
    namespace, _, key = name.partition(".")
    if namespace == "answers":
        question = document.questions[key]
        return (question.options, f"$.questions.{key}") if question.type == "choice" else None
    match name:
        case "partner.audience":
            return list(document.audiences), "$.audiences"
        case "partner.type":
            return document.partner_types, "$.partner_types"
        case "partner.involvement":
            return _INVOLVEMENTS, ""
        case "lead.product" | "sale.product" | "sale.products":
            return document.products, "$.products"
        case "referral.status":
            return sorted({*RESERVED_STATUSES, *document.stages}), "$.stages"
        case _:
            return None


def _places(name: str, asked: walk.Asked, document: Program) -> set[str]:
    """Return what values the audiences concerned leave to *name*; empty means any."""
    audiences = sorted({key for plan in asked.plans for key in plan.audiences})
    if not all(plan.audiences for plan in asked.plans):
        audiences = []
    if name == "partner.audience":
        return set(audiences)
    if name == "partner.country":
        return walk.partner_countries(document, audiences)
    if name == "lead.country":
        return walk.lead_countries(document, audiences)
    return set()


def _bounds(name: str, asked: walk.Asked, document: Program) -> tuple[int, int]:
    most = 10**15
    match name:
        case "partner.share":
            return 0, money.BASIS_POINTS
        case "lead.rating":
            return 1, 5
        case "lead.score":
            reach = sum(rule.points for rule in document.score.rules if rule.points > 0)
            return 0, min(document.score.most, document.score.base + reach)
        case "sale.number":
            once = asked.plans and not any(
                isinstance(plan.trigger, InvoicePaid) for plan in asked.plans
            )
            return 1, 1 if once else most
        case "history.count" | "sale.items":
            return 1, most
        case "partner.score" | "history.value_minor":
            return -most, most
        case _ if name.startswith(("answers.", "metadata.")):
            return -most, most
        case _:
            return 0, most


def _range(path: str, test: Condition, bounds: tuple[int, int]) -> Iterator[Finding]:
    low, high = contradiction.span(test)
    values = test.value if isinstance(test.value, list) else [test.value]
    outside = test.op == "in" and not any(
        isinstance(value, int) and bounds[0] <= value <= bounds[1] for value in values
    )
    if low > bounds[1] or high < bounds[0] or outside:
        about = f"from {bounds[0]}" + (f" to {bounds[1]}" if bounds[1] < 10**15 else "")
        problem = f"{_NEVER}: {test.field} is a number {about}"
        source = "$.score" if test.field == "lead.score" else ""
        yield Finding(path, problem, "choose a number that can be met", source)
