"""The audit of the records: on a schedule, or by hand for a range of days.

It goes by the lists of what was made on a day, so that it never scans. The schedule looks at
the records of several ages: of yesterday, because what goes wrong mostly does at the start; and
again later, because sales and disputes come later. A report is kept for each day, the newest
look in the place of the one before; only what that one did not know is counted as a new finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import msgspec
from aws_lambda_powertools import Logger

from introducer import audit, clock, metric
from introducer.audit import Finding, Record
from introducer.clients import client
from introducer.clock import Instant
from introducer.earning.rules import rules_of
from introducer.errors import InvalidInputError
from introducer.program import Program
from introducer.referral import Referral
from introducer.settings import setting
from introducer.tables import (
    audits,
    claims,
    disputes,
    events,
    leads,
    links,
    partners,
    programs,
    referrals,
    rewards,
    tallies,
    waiting,
)
from introducer.tables.audits import Report
from introducer.tables.referrals import Detail

logger = Logger()

AGES_DAYS = (1, 8, 31, 91, 181, 366)
"""How old the records are that the schedule looks at."""
MOST_DAYS = 31
WAITING_DAYS = 14
"""A reported sale that waits longer for its referral is missing one."""
_PAGE = 100


def handler(event: dict[str, str], _context: object) -> dict[str, int]:
    """Audit days: ``{"from": "2026-11-01", "to": "2026-11-07"}``, or what the schedule asks.

    ``grace_s`` is how many seconds ago a record may have changed last; an hour unless given.
    """
    now = clock.now()
    done = run(days_of(event, now), now, grace_s=int(event.get("grace_s", audit.GRACE_S)))
    logger.info("audited", extra=done)
    return done


def days_of(event: dict[str, str], now: Instant) -> list[str]:
    """Return the days that *event* asks for.

    Raises:
        InvalidInputError: They are no days, or too many.
    """
    today = clock.moment(now).date()
    if "from" not in event:
        return [(today - timedelta(days=age)).isoformat() for age in AGES_DAYS]
    try:
        first = date.fromisoformat(event["from"])
        last = date.fromisoformat(event.get("to", event["from"]))
    except ValueError as failure:
        raise InvalidInputError("from", "not a day") from failure
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise InvalidInputError("to", f"one to {MOST_DAYS} days")
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


def run(days: Sequence[str], now: Instant, *, grace_s: int = audit.GRACE_S) -> dict[str, int]:
    """Audit the records made on *days* in every program; return what was looked at and found."""
    total = fresh = 0
    for version in programs.begun(now):
        for day in days:
            report = look(version.program, day, now, grace_s=grace_s)
            known = audits.find(version.program, day)
            before = set(known.findings) if known else set()
            total += report.total
            fresh += len(set(report.findings[: audits.MOST_KEPT]) - before)
            # The file first: a report never names one that is not there.
            client("s3").put_object(
                Bucket=setting("BANK_BUCKET"),
                Key=report.file,
                Body=msgspec.json.encode(report),
                ContentType="application/json",
            )
            audits.put(report)
    if fresh:
        metric.count("AuditFindings", fresh)
    return {"days": len(days), "findings": total, "new": fresh}


def look(program: str, day: str, now: Instant, *, grace_s: int = audit.GRACE_S) -> Report:
    """Return what is wrong with the records of *program* that were made on *day*.

    Args:
        program: Whose.
        day: When they were made (UTC).
        now: The present instant.
        grace_s: Referrals that changed less than so many seconds ago are left for later.
    """
    document = programs.current(program, now).document
    settled_by = clock.plus(now, seconds=-grace_s)
    found: set[Finding] = set()
    keys: list[tuple[Referral, str, str]] = []
    seen = 0
    for entity in events.made_on("REFERRAL", program, day):
        seen += 1
        detail = referrals.detail(entity.partition("#")[2])
        record = _record(detail)
        found |= {*audit.of_record(record, settled_by), *_of_references(record, detail)}
        if detail.referral.status not in audit.OVER:
            found |= set(_of_claims(detail.referral, document, now))
            own = leads.unique_keys(detail.referral, document.intake.identity)
            keys += [(detail.referral, kind, key) for kind, key in own.items()]
    found |= set(audit.of_pairs(keys, document.attribution.protection_days))
    made = 0
    for entity in events.made_on("LINK", program, day):
        made += 1
        link = links.find(entity.partition("#")[2])
        if link:
            found |= set(audit.of_link(link, partners.find_partners([link.partner])))
    found |= set(_waiting(program, day, now))
    ordered = sorted(found)
    return Report(
        program=program,
        day=day,
        at=now,
        looked_at={"referrals": seen, "links": made},
        counts={
            kind: sum(each.kind == kind for each in ordered)
            for kind in ("missing", "duplicated", "misattributed", "orphaned")
        },
        findings=ordered,
        file=f"reports/audit/{program}/{day}.json",
    )


def _record(detail: Detail) -> Record:
    referral = detail.referral
    version = programs.version(referral.program, referral.program_version)
    own = tallies.marks(detail.tallies)
    return Record(
        referral=referral,
        shares=detail.shares,
        touches=detail.touches,
        sales=detail.sales,
        events=detail.events,
        rewards=rewards.load(detail.rewards),
        rules=rules_of(version.document),
        counted={mark.success.occasion for marks in own.values() for mark in marks.values()},
        decision=disputes.decision(referral.dispute),
    )


def _of_references(record: Record, detail: Detail) -> Iterator[Finding]:
    shares = [*detail.shares, *detail.former]
    named = {share.partner for share in shares} | {touch.partner for touch in record.touches}
    codes = {touch.link for touch in record.touches}
    known = partners.find_partners(sorted(named - {""}))
    there = links.find_all(sorted(codes - {""}))
    whole = msgspec.structs.replace(record, shares=shares)
    yield from audit.of_references(whole, known, there)


def _of_claims(referral: Referral, document: Program, now: Instant) -> Iterator[Finding]:
    for kind, key in leads.unique_keys(referral, document.intake.identity).items():
        claim = claims.find(referral.program, f"lead_{kind}", key, now=now)
        held_by = claim.target if claim else ""
        holder = None
        if held_by and held_by != referral.id:
            holder = referrals.find(held_by)
        days = document.attribution.protection_days
        yield from audit.of_claim(referral, kind, held_by, holder, days)


def _waiting(program: str, day: str, now: Instant) -> Iterator[Finding]:
    """Yield the conversions kept on *day* that wait for too long."""
    if day > clock.day(clock.plus(now, days=-WAITING_DAYS)):
        return
    place = None
    while True:
        rows, page = waiting.page(program, limit=_PAGE, start=place)
        for row in rows:
            if clock.day(row.kept_at) > day:
                return
            if clock.day(row.kept_at) == day:
                yield Finding(kind="missing", code="conversion", entity=row.entity)
        place = page.next
        if place is None:
            return
