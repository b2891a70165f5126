"""The occasions of a referral: everything about it that may earn, in business order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from introducer.clock import Instant
from introducer.event import Event
from introducer.program import Program
from introducer.referral import ANNULLED, Facts, Item, Referral, Sale, Share

Kind = Literal["submitted", "stage", "sale", "event"]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All stored facts about a referral that rewards are computed from."""

    referral: Referral
    shares: Sequence[Share]
    """Everybody credited, in a stable order; their parts make 10,000."""
    sales: Sequence[Sale] = ()
    events: Sequence[Event] = ()


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may earn.

    Attributes:
        id: Unique within the referral: a sale's id, ``submitted``, ``stage-…`` or ``event-…``.
        name: The stage or event, empty for others.
        sale: The sale it stands for, if it is one.
        number: 1 for the first sale by business time, 2 for the next; 0 for no sale.
        begin: When the waiting for milestones begins; never before the referral was won.
    """

    kind: Kind
    id: str
    at: Instant
    name: str = ""
    sale: str = ""
    number: int = 0
    amount_minor: int = 0
    currency: str = ""
    product: str = ""
    items: Sequence[Item] = ()
    facts: Facts = {}
    begin: Instant = ""


def occasions(document: Program, case: Case) -> list[Occasion]:
    """Return every occasion of *case*, in the order of business time and then id.

    A referral that was brought in from another system has none: what it earned was paid there.
    Nor has a duplicate, also one that was found out after it had been let through, nor one
    that was annulled because it was no honest referral.
    """
    if case.referral.channel == "migration" or case.referral.status == "duplicate":
        return []
    if any(event.type == ANNULLED for event in case.events):
        return []
    found = [
        *_submission(case.referral),
        *_stages(document, case),
        *_sales(case),
        *(_events(case.events) if _let_through(case.referral) else ()),
    ]
    return sorted(found, key=lambda each: (each.at, each.id))


def _let_through(referral: Referral) -> bool:
    """Return whether screening, or a person after it, let the lead through."""
    return referral.partner != ""


def _submission(referral: Referral) -> Iterator[Occasion]:
    if _let_through(referral):
        at = referral.submitted_at
        yield Occasion(kind="submitted", id="submitted", at=at, begin=at)


def _stages(document: Program, case: Case) -> Iterator[Occasion]:
    """Yield each stage with the first event that reached it or went past it."""
    order = ["accepted", *document.stages, "won"]
    waiting = dict(enumerate(order[:-1]))
    for event in sorted(case.events, key=lambda each: each.seq):
        match event.type:
            case "ReferralAccepted":
                reached = "accepted"
            case "ReferralAdvanced":
                reached = str(event.data.get("stage", ""))
            case "ReferralWon":
                reached = "won"
            case _:
                continue
        if reached not in order:
            continue
        for index in [each for each in waiting if each <= order.index(reached)]:
            stage = waiting.pop(index)
            yield Occasion(
                kind="stage", id=f"stage-{stage}", at=event.at, name=stage, begin=event.at
            )


def _sales(case: Case) -> Iterator[Occasion]:
    if not case.referral.won_at:
        return
    worth = [each for each in case.sales if each.amount_minor > 0]
    ordered = sorted(worth, key=lambda each: (each.occurred_at, each.id))
    for number, sale in enumerate(ordered, 1):
        yield Occasion(
            kind="sale",
            id=sale.id,
            at=sale.occurred_at,
            sale=sale.id,
            number=number,
            amount_minor=sale.amount_minor,
            currency=sale.currency,
            product=sale.product,
            items=sale.items,
            facts=sale.facts,
            begin=max(case.referral.won_at, sale.occurred_at),
        )


def _events(events: Sequence[Event]) -> Iterator[Occasion]:
    for event in events:
        if event.type != "ReferralEventRecorded":
            continue
        at = str(event.data["at"])
        yield Occasion(
            kind="event",
            id=f"event-{event.data['id']}",
            at=at,
            name=str(event.data["event"]),
            amount_minor=int(event.data.get("amount_minor", 0)),
            currency=str(event.data.get("currency", "")),
            begin=at,
        )
