"""What surrounds the rules: places, hosts, stages, questions, dates, credit, score."""

from __future__ import annotations

import re
from collections.abc import Iterator

from introducer import clock, money
from introducer.check.finding import Finding, child, meant, shown
from introducer.document.audience import Question
from introducer.program import Program

RESERVED_STATUSES = frozenset(
    (
        "submitted screening review assigned accepted won retained lost duplicate ineligible "
        "rejected withdrawn expired refunded churned"
    ).split()
)
_OPEN = ("submitted", "screening", "review", "assigned", "accepted")
_HOST = re.compile(r"^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with the settings of *document*."""
    yield from _hosts(document)
    yield from _time_zone(document)
    yield from _stages(document)
    yield from _dates(document)
    yield from _questions(document)
    yield from _attribution(document)
    yield from _score(document)
    yield from _sla(document)
    yield from _audiences(document)
    yield from _forecast(document)
    yield from _messages(document)
    yield from _disputes(document)


def _hosts(document: Program) -> Iterator[Finding]:
    for index, host in enumerate(document.destinations):
        if not _HOST.match(host):
            path = f"$.destinations[{index}]"
            yield Finding(path, "not a host name", "write it like www.example.com")
    host = document.landing_url.removeprefix("https://").split("/", 1)[0]
    if host not in document.destinations:
        remedy = "add it to destinations"
        yield Finding("$.landing_url", "its host is not a destination", remedy, "$.destinations")


def _time_zone(document: Program) -> Iterator[Finding]:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 3 ms, only to publish

    try:
        ZoneInfo(document.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        remedy = "use an IANA name such as Europe/Berlin"
        yield Finding("$.time_zone", "unknown time zone", remedy)


def _stages(document: Program) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, stage in enumerate(document.stages):
        path = f"$.stages[{index}]"
        if stage in RESERVED_STATUSES:
            yield Finding(path, f"{stage} is a status of its own", "choose another name")
        if stage in seen:
            yield Finding(path, f"{stage} is listed twice", "list each stage once")
        seen.add(stage)
    known = [*document.stages, "accepted", "won", "lost"]
    for source, stages in document.stage_map.items():
        for theirs, ours in stages.items():
            if ours not in known:
                path = child(child("$.stage_map", source), theirs)
                remedy = meant(ours, known, "use one of stages, accepted, won or lost")
                yield Finding(path, f"there is no stage {ours}", remedy, "$.stages")


def _dates(document: Program) -> Iterator[Finding]:
    dates: dict[str, str | None] = {}
    for key, audience in document.audiences.items():
        path = f"$.audiences.{key}.eligibility"
        dates[f"{path}.opens_at"] = audience.eligibility.opens_at
        dates[f"{path}.closes_at"] = audience.eligibility.closes_at
    for index, promotion in enumerate(document.promotions):
        dates[f"$.promotions[{index}].starts_at"] = promotion.starts_at
        dates[f"$.promotions[{index}].ends_at"] = promotion.ends_at
    for key, attestation in document.attestations.items():
        dates[f"$.attestations.{key}.at"] = attestation.at
    for path, at in dates.items():
        if at is not None and not _is_date(at):
            yield Finding(path, f"there is no such instant as {at}", "use a day of the calendar")


def _is_date(at: str) -> bool:
    try:
        clock.moment(at)
    except ValueError:
        return False
    return True


def _questions(document: Program) -> Iterator[Finding]:
    for key, question in document.questions.items():
        yield from _options(f"$.questions.{key}.options", question)


def _options(path: str, question: Question) -> Iterator[Finding]:
    if question.type == "choice" and not question.options:
        yield Finding(path, "a choice without options", "list what can be answered")
    if question.type != "choice" and question.options:
        yield Finding(path, f"a {question.type} has no options", 'leave them out, or use "choice"')
    for index, option in enumerate(question.options):
        if option in question.options[:index]:
            yield Finding(child(path, index), f"{option} is listed twice", "list it once")


def _attribution(document: Program) -> Iterator[Finding]:
    rule, path = document.attribution, "$.attribution"
    ends = rule.first_basis_points + rule.last_basis_points
    if rule.model == "position_based" and ends > money.BASIS_POINTS:
        problem = f"first and last touch together get {ends} basis points"
        yield Finding(f"{path}.first_basis_points", problem, "let them have at most 10000")
    total = sum(rule.shares_basis_points)
    if rule.model == "fixed" and total != money.BASIS_POINTS:
        problem = f"the shares add up to {total} basis points"
        yield Finding(f"{path}.shares_basis_points", problem, "make them add up to 10000")
    if rule.model != "fixed" and rule.shares_basis_points:
        problem = f"the model {rule.model} has no fixed shares"
        yield Finding(f"{path}.shares_basis_points", problem, 'leave them out, or use "fixed"')


def _score(document: Program) -> Iterator[Finding]:
    score = document.score
    if score.base > score.most:
        problem = f"it begins with {score.base}, above its most of {score.most}"
        yield Finding("$.score.base", problem, "begin lower, or raise most")
    for index, rule in enumerate(score.rules):
        if rule.points == 0:
            path = f"$.score.rules[{index}].points"
            yield Finding(path, "the rule changes nothing", "give points, or leave it out")


def _sla(document: Program) -> Iterator[Finding]:
    sla = document.routing.sla
    if sla and sla.remind_after_hours and sla.remind_after_hours >= sla.accept_within_hours:
        problem = f"the reminder comes after {sla.accept_within_hours} hours, when time is up"
        yield Finding("$.routing.sla.remind_after_hours", problem, "remind earlier")


def _audiences(document: Program) -> Iterator[Finding]:
    for key, audience in document.audiences.items():
        path = f"$.audiences.{key}.eligibility"
        who = audience.eligibility
        if who.opens_at and who.closes_at and who.opens_at >= who.closes_at:
            problem = "it closes before it opens"
            yield Finding(f"{path}.closes_at", problem, "let it close later")
        rollout = who.rollout
        if (
            rollout
            and not rollout.segments
            and rollout.min_score is None
            and not rollout.share_basis_points
        ):
            problem = "the roll-out admits nobody"
            yield Finding(f"{path}.rollout", problem, "name segments, a score or a share")


def _forecast(document: Program) -> Iterator[Finding]:
    forecast = document.forecast
    for key in forecast.usual_sale_minor:
        if key not in document.products:
            path = child("$.forecast.usual_sale_minor", key)
            remedy = meant(key, document.products, "declare it in products")
            yield Finding(path, f"there is no product {key}", remedy, "$.products")
    known = [*_OPEN, *document.stages]
    for key in forecast.chance_basis_points:
        if key not in known:
            path = child("$.forecast.chance_basis_points", key)
            remedy = meant(key, known, "use a stage or a status before the sale")
            yield Finding(path, f"there is no stage {key}", remedy, "$.stages")


def _messages(document: Program) -> Iterator[Finding]:
    seen: set[tuple[str, str, str]] = set()
    for index, message in enumerate(document.messages):
        for audience in message.audiences or [""]:
            key = (message.event, message.locale, audience)
            if key in seen:
                problem = f"there is a text for {shown(message.event)} in this language already"
                yield Finding(f"$.messages[{index}]", problem, "keep one of them")
                break
            seen.add(key)


def _disputes(document: Program) -> Iterator[Finding]:
    if not document.disputes.open_within_days:
        problem = "nobody could ever dispute a credit"
        yield Finding("$.disputes.open_within_days", problem, "allow at least a day")
