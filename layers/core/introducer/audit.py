"""What an audit finds wrong with stored records, as ids and codes.

Four kinds: something is **missing**, something is **duplicated**, credit or reward is
**misattributed**, or a record is **orphaned**: it names what does not exist. A healthy program
has none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from introducer import clock, evidence
from introducer.clock import Instant
from introducer.earning.evaluate import evaluate, needs
from introducer.earning.occasion import Case
from introducer.earning.rules import Rules
from introducer.errors import MissingRateError
from introducer.event import Event
from introducer.link import Link
from introducer.money import BASIS_POINTS
from introducer.referral import Referral, Sale, Share, Touch
from introducer.reward import Reward

Kind = Literal["missing", "duplicated", "misattributed", "orphaned"]
GRACE_S = 3_600
"""So long the handlers are given to do their work: what is younger is not yet missing."""
OVER = frozenset({"duplicate", "ineligible", "rejected", "withdrawn", "expired"})
"""Statuses of referrals that do not stand in anybody's way."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing that is wrong: with which entity, and what else it is about."""

    kind: Kind
    code: str
    entity: str
    about: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A referral with what an audit compares.

    Attributes:
        counted: Occasions that the tallies hold, so earning has looked at them.
        decision: What the dispute that it names gave.
    """

    referral: Referral
    shares: Sequence[Share]
    touches: Sequence[Touch]
    sales: Sequence[Sale]
    events: Sequence[Event]
    rewards: Sequence[Reward]
    rules: Rules
    counted: Collection[str] = ()
    decision: Mapping[str, int] = {}


def of_record(record: Record, settled_by: Instant) -> Iterator[Finding]:
    """Yield what a referral's own items show to be wrong.

    One that changed after *settled_by* is left for the next run.
    """
    if record.referral.updated_at > settled_by:
        return
    yield from _missing(record)
    yield from _misattributed(record)


def of_references(
    record: Record, partners: Collection[str], links: Collection[str]
) -> Iterator[Finding]:
    """Yield shares and touches that name a partner or link there is none of.

    Args:
        record: The referral.
        partners: Ids of those of its partners who exist.
        links: Codes of those of its links that exist.
    """
    entity = record.referral.entity
    for share in record.shares:
        if share.partner not in partners:
            yield _finding("orphaned", "share_partner", entity, share.partner)
    for name in sorted({touch.partner for touch in record.touches} - {"", *partners}):
        yield _finding("orphaned", "touch_partner", entity, name)
    for code in sorted({touch.link for touch in record.touches} - {"", *links}):
        yield _finding("orphaned", "touch_link", entity, code)


def of_claim(
    referral: Referral, kind: str, held_by: str, holder: Referral | None, protection_days: int
) -> Iterator[Finding]:
    """Yield what is wrong with the claim on one key of a *referral*'s lead.

    A claim may outlast its referral: one that was turned down is protected to the end of its
    time. But it must lead to a referral, and never to a duplicate. Of two referrals with one
    key, neither over, the later must have come when the earlier's protection had ended.

    Args:
        referral: Not over itself.
        kind: Of the key: ``email``, ``phone`` …
        held_by: The referral that the claim names, empty when nobody holds it.
        holder: That referral, None when there is none.
        protection_days: Of the program.
    """
    if not held_by or held_by == referral.id or _history(referral):
        return
    if holder is None:
        yield _finding("orphaned", f"claim_{kind}", referral.entity, held_by)
        return
    if holder.status == "duplicate":
        yield _finding("orphaned", f"claim_{kind}", referral.entity, held_by)
    if holder.status not in OVER and _protected(referral, holder, protection_days):
        yield _finding("duplicated", f"lead_{kind}", referral.entity, held_by)


def of_pairs(found: Iterable[tuple[Referral, str, str]], protection_days: int) -> Iterator[Finding]:
    """Yield referrals that share a key and are both alive: referral, kind of key, and key."""
    first: dict[tuple[str, str], Referral] = {}
    for referral, kind, key in sorted(found, key=lambda each: (each[0].submitted_at, each[0].id)):
        if referral.status in OVER or _history(referral):
            continue
        earlier = first.setdefault((kind, key), referral)
        if earlier.id != referral.id and _protected(referral, earlier, protection_days):
            yield _finding("duplicated", f"lead_{kind}", referral.entity, earlier.id)


def of_link(link: Link, partners: Collection[str]) -> Iterator[Finding]:
    """Yield that a *link* belongs to a partner who does not exist."""
    if link.partner not in partners:
        yield _finding("orphaned", "link_partner", link.entity, link.partner)


def _missing(record: Record) -> Iterator[Finding]:
    referral = record.referral
    if referral.status == "submitted":
        yield _finding("missing", "screening", referral.entity)
    elif referral.partner and not record.shares:
        yield _finding("missing", "shares", referral.entity)
    for sale in _unrewarded(record):
        yield _finding("missing", "reward", referral.entity, sale)


def _unrewarded(record: Record) -> list[str]:
    """Return the sales for which the rules give something and nothing was ever booked.

    What tiers and caps leave of it depends on everybody else; there it is enough that
    earning has looked at the sale, which its tallies show.
    """
    if not record.sales or sum(each.basis_points for each in record.shares) != BASIS_POINTS:
        return []  # parts that do not make a whole are a finding of their own
    case = Case(
        referral=record.referral, shares=record.shares, sales=record.sales, events=record.events
    )
    stored = {each.sale for each in record.rewards}
    try:
        due = {each.sale for each in evaluate(record.rules, case).rewards if each.sale}
    except MissingRateError:  # nobody can tell, so nothing was booked either
        due = {sale.id for sale in record.sales}
    looked_at = set(record.counted) if needs(record.rules, case) else set()
    return sorted(due - stored - looked_at)


def _misattributed(record: Record) -> Iterator[Finding]:
    referral = record.referral
    if any(event.type in evidence.SCREENED for event in record.events):
        rule = record.rules.document.attribution
        found = evidence.of(referral, record.touches, record.shares, rule, record.decision)
        if not found.agrees:
            yield _finding("misattributed", "shares", referral.entity, referral.dispute)
    credited = {share.partner for share in record.shares}
    holders = {each.partner for each in record.rewards if each.left_minor and each.amount_minor}
    for name in sorted(holders - credited):
        if "." not in name:  # the account of a rep, a customer or a company
            yield _finding("misattributed", "reward", referral.entity, name)


def _history(referral: Referral) -> bool:
    """Return whether it was brought in as history only, its lead being somebody else's."""
    return referral.channel == "migration" and referral.duplicate_of != ""


def _protected(one: Referral, other: Referral, days: int) -> bool:
    """Return whether the later of two was submitted while the earlier was protected."""
    earlier, later = sorted((one.submitted_at, other.submitted_at))
    return later < clock.plus(earlier, days=days)


def _finding(kind: Kind, code: str, entity: str, about: str = "") -> Finding:
    return Finding(kind=kind, code=code, entity=entity, about=about)
