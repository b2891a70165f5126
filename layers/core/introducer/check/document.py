"""Reading a program document: its shape, then its meaning, every fault at once."""

from __future__ import annotations

import re

import msgspec

from introducer import money
from introducer.document.plan import Flat
from introducer.errors import InvalidInputError, InvalidProgramError
from introducer.program import Program

RESERVED_STATUSES = frozenset(
    (
        "submitted screening review assigned accepted won retained lost duplicate ineligible "
        "rejected withdrawn expired refunded churned"
    ).split()
)


def parse(body: bytes) -> Program:
    """Return the document in *body*.

    Raises:
        InvalidProgramError: Its shape or its meaning is wrong; every finding is listed.
    """
    try:
        document = msgspec.json.decode(body, type=Program)
    except msgspec.ValidationError as failure:
        raise InvalidProgramError([_shape_finding(str(failure))]) from failure
    except msgspec.DecodeError as failure:
        raise InvalidProgramError([_finding("$", "this is not JSON", "send a document")]) from (
            failure
        )
    found = findings(document)
    if found:
        raise InvalidProgramError(found)
    return document


def findings(document: Program) -> list[dict[str, str]]:
    """Return every fault of meaning: its path, what is wrong and how to mend it."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 3 ms, only to publish

    found = [
        *_currency_findings(document),
        *_reward_findings(document),
        *_routing_findings(document),
        *_stage_findings(document),
        *_host_findings(document),
    ]
    try:
        ZoneInfo(document.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found.append(
            _finding("$.time_zone", "unknown time zone", "use an IANA name such as Europe/Berlin")
        )
    return found


def _currency_findings(document: Program) -> list[dict[str, str]]:
    used = {"$.currency": document.currency}
    for index, plan in enumerate(document.rewards):
        if isinstance(plan.calculation, Flat):
            used[f"$.rewards[{index}].calculation.currency"] = plan.calculation.currency
    for index, rule in enumerate(document.payouts):
        used[f"$.payouts[{index}].currency"] = rule.currency
    found = []
    for path, code in used.items():
        try:
            money.exponent(code)
        except InvalidInputError:
            found.append(_finding(path, f"{code} is not a currency", "use an ISO 4217 code"))
    seen: set[str] = set()
    for index, rule in enumerate(document.payouts):
        if rule.currency in seen:
            found.append(
                _finding(
                    f"$.payouts[{index}]", "this currency has a rule already", "keep one of them"
                )
            )
        seen.add(rule.currency)
    return found


def _reward_findings(document: Program) -> list[dict[str, str]]:
    found = []
    seen: set[str] = set()
    for index, plan in enumerate(document.rewards):
        path = f"$.rewards[{index}]"
        if plan.id in seen:
            found.append(_finding(f"{path}.id", "used twice", "give each plan its own id"))
        seen.add(plan.id)
        total = sum(milestone.share_basis_points for milestone in plan.milestones)
        if total != money.BASIS_POINTS:
            found.append(
                _finding(
                    f"{path}.milestones",
                    f"the shares add up to {total} basis points",
                    "make them add up to 10000",
                )
            )
        if len({milestone.id for milestone in plan.milestones}) != len(plan.milestones):
            found.append(
                _finding(f"{path}.milestones", "an id is used twice", "give each its own id")
            )
        found += [
            _finding(f"{path}.audiences", f"there is no audience {key}", "name a declared one")
            for key in plan.audiences
            if key not in document.audiences
        ]
    return found


def _routing_findings(document: Program) -> list[dict[str, str]]:
    found = []
    for index, rule in enumerate(document.routing.rules):
        path = f"$.routing.rules[{index}]"
        found += [
            _finding(f"{path}.products", f"there is no product {key}", "declare it in products")
            for key in rule.products
            if key not in document.products
        ]
        earlier = document.routing.rules[:index]
        if any(not before.countries and not before.products for before in earlier):
            found.append(
                _finding(path, "an earlier rule takes every lead", "move the catch-all to the end")
            )
    return found


def _stage_findings(document: Program) -> list[dict[str, str]]:
    found = [
        _finding(f"$.stages[{index}]", f"{stage} is a status of its own", "choose another name")
        for index, stage in enumerate(document.stages)
        if stage in RESERVED_STATUSES
    ]
    if len(set(document.stages)) != len(document.stages):
        found.append(_finding("$.stages", "a stage is listed twice", "list each stage once"))
    known = {*document.stages, "accepted", "won", "lost"}
    found += [
        _finding(f"$.stage_map.{source}.{theirs}", f"there is no stage {ours}", "use a listed one")
        for source, stages in document.stage_map.items()
        for theirs, ours in stages.items()
        if ours not in known
    ]
    return found


_HOST = re.compile(r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")


def _host_findings(document: Program) -> list[dict[str, str]]:
    found = [
        _finding(f"$.destinations[{index}]", "not a host name", "write it like www.example.com")
        for index, host in enumerate(document.destinations)
        if not _HOST.match(host)
    ]
    host = document.landing_url.removeprefix("https://").split("/", 1)[0]
    if host not in document.destinations:
        found.append(
            _finding("$.landing_url", "its host is not a destination", "add it to destinations")
        )
    return found


def _shape_finding(text: str) -> dict[str, str]:
    problem, _, path = text.partition(" - at ")
    return _finding(path.strip("`") or "$", problem, "see the published schema")


def _finding(path: str, problem: str, remedy: str) -> dict[str, str]:
    return {"path": path, "problem": problem, "remedy": remedy}
