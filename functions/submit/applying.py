"""What a message does to its referral: a stage, a sale, a refund, an event, a customer gone.

A message that is older than what its source told before is kept as a touch and changes
nothing. One that the referral cannot take yet has to wait; the caller keeps it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from introducer import ids, life
from introducer.command import (
    Accept,
    Advance,
    Churn,
    Command,
    Identify,
    Lose,
    RecordEvent,
    RecordRefund,
    RecordSale,
    Win,
)
from introducer.conversion import ENDED, NO_SALE, NOT_READY, Tie
from introducer.errors import AlreadyExistsError, InvalidInputError
from introducer.program import Program
from introducer.referral import FINAL, SOLD, Referral, Sale, Touch
from introducer.tables import partners, programs, referrals
from introducer.tables.referrals import Detail
from introducer.tables.store import Transaction
from submit import reported
from submit.matching import Match
from submit.messages import (
    CustomerChurned,
    EventRecorded,
    Gone,
    LeadCreated,
    NewEvent,
    NewSale,
    Refund,
    SaleRecorded,
    SaleRefunded,
    Stage,
    StageChanged,
    type_of,
)
from submit.told import Outcome, Told

MAX_REFUNDS = 200
_UNREADY = frozenset({"submitted", "screening", "review"})


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a message did: as :class:`submit.told.Taken` says it, and the referral after it."""

    outcome: Outcome
    after: Referral
    reason: str = ""
    """Why it has to wait."""


def apply(told: Told, match: Match, detail: Detail, writes: Transaction) -> Effect:
    """Add to *writes* what the message changes of *detail*, or say that it has to wait.

    Raises:
        InvalidInputError: It says something the program does not know, or too much.
        AlreadyExistsError: The same thing was reported with other facts.
        TransitionError: The referral's state will never allow it.
    """
    step = _Step(told, match, detail, writes)
    match told.message:
        case LeadCreated():
            return step.known()
        case StageChanged(data=data):
            return step.stage(data)
        case SaleRecorded(data=data):
            return step.sale(data)
        case EventRecorded(data=data):
            return step.event(data)
        case SaleRefunded(data=data):
            return step.refund(data)
        case CustomerChurned(data=data):
            return step.churn(data)


class _Step:
    """One message about one referral: decides what it means and fills the transaction."""

    def __init__(self, told: Told, match: Match, detail: Detail, writes: Transaction) -> None:
        self._told = told
        self._match = match
        self._detail = detail
        self._before = detail.referral
        self._writes = writes
        self._tie: Tie | None = told.tie if match.ties else None
        self._at = told.at()
        self._document: Program = programs.version(
            self._before.program, self._before.program_version
        ).document

    def stage(self, data: Stage) -> Effect:
        """Advance, accept or lose the referral, whatever the source's stage means here."""
        stage = reported.stage(self._document, self._told.source, data)
        status = self._before.status
        if self._at < self._before.source_at:
            return self._note(stage, "outdated")
        if stage in {"won", status} or status in FINAL or (status in SOLD and stage != "lost"):
            # `won` needs its sale, which billing reports; after it the CRM's stages are history.
            return self._note(stage, "noted")
        if status in _UNREADY:
            return self._wait(NOT_READY)
        if stage == "accepted":
            return self._apply(Accept()) if status == "assigned" else self._note(stage, "noted")
        if stage == "lost":
            return self._apply(Lose(reason="crm", source_at=self._at))
        return self._apply(Advance(stage=stage, source_at=self._at))

    def sale(self, data: NewSale) -> Effect:
        """Record a sale; the first one wins the referral."""
        sale = reported.sale(self._document, self._told.source, data, self._at)
        known = self._sale(sale.id)
        if known:
            if _facts(known) != _facts(sale):
                raise AlreadyExistsError("this sale was reported with other facts")
            return self.known()
        reported.check_sale(self._document, sale, data)
        if self._before.status in _UNREADY:
            return self._wait(NOT_READY)
        if self._before.status in FINAL:
            return self._wait(ENDED)
        referrals.add_sale(self._writes, self._before, sale)
        if self._before.status in SOLD:
            return self._apply(RecordSale(sale=sale))
        for share in self._detail.shares:
            partners.add_success(self._writes, share.partner, self._before.id, now=sale.occurred_at)
        return self._apply(Win(sale=sale))

    def event(self, data: NewEvent) -> Effect:
        """Record an event of the program's own, each id once."""
        command = reported.event(self._document, data, self._at)
        known = self._event(data.id)
        if known:
            if known != command:
                raise AlreadyExistsError("this event was reported with other facts")
            return self.known()
        reported.check_event(self._document, command)
        return self._apply(command)

    def refund(self, data: Refund) -> Effect:
        """Record that part of a sale, or all of it, was paid back."""
        sale = self._sale(data.sale)
        if sale is None:
            return self._wait(NO_SALE)
        if data.refund in sale.refunds:
            if sale.refunds[data.refund] != data.amount_minor:
                raise AlreadyExistsError("this refund was reported with another amount")
            return self.known()
        left = sale.amount_minor - sale.refunded_minor
        if data.amount_minor > left or len(sale.refunds) >= MAX_REFUNDS:
            raise InvalidInputError(
                "amount_minor", "more than is left of the sale", code="refund_exceeds_sale"
            )
        after = msgspec.structs.replace(
            sale,
            refunded_minor=sale.refunded_minor + data.amount_minor,
            refunds={**sale.refunds, data.refund: data.amount_minor},
        )
        others = [each for each in self._detail.sales if each.id != sale.id]
        command = RecordRefund(
            sale=sale.id,
            refund=data.refund,
            amount_minor=data.amount_minor,
            nothing_left=all(each.refunded_minor == each.amount_minor for each in [after, *others]),
        )
        referrals.change_sale(self._writes, self._before, sale, after)
        return self._apply(command)

    def churn(self, _data: Gone) -> Effect:
        """Record that the customer left."""
        status = self._before.status
        if status == "churned":
            return self.known()
        if status not in SOLD | FINAL:
            return self._wait(NO_SALE)
        if self._at < self._before.source_at:
            return self._note("churned", "outdated")
        return self._apply(Churn(source_at=self._at))

    def known(self, outcome: Literal["known", "outdated", "noted"] = "known") -> Effect:
        """Change nothing, unless the sender's id is new; then that is what happens."""
        tie = self._tie
        if tie and life.allows(self._before, Identify, self._document):
            return msgspec.structs.replace(
                self._apply(Identify(external=tie.key)),
                outcome="applied" if isinstance(self._told.message, LeadCreated) else outcome,
            )
        return Effect(outcome=outcome, after=self._before)

    def _wait(self, reason: str) -> Effect:
        return Effect(outcome="waiting", after=self._before, reason=reason)

    def _apply(self, command: Command) -> Effect:
        told = self._told
        after, event = life.apply(
            self._before,
            command,
            self._document,
            now=told.now,
            actor=told.actor,
            cause=told.message_id,
        )
        if self._tie:
            event = msgspec.structs.replace(event, data=event.data | self._tie.mark)
        referrals.save(self._writes, self._before, after, event)
        self._remember()
        return Effect(outcome="applied", after=after)

    def _note(self, stage: str, outcome: Literal["outdated", "noted"]) -> Effect:
        touch = Touch(
            id=ids.derived_id(self._told.actor, self._told.message_id),
            kind="crm",
            at=self._at,
            data={"stage": stage, "source": self._told.source, "outcome": outcome},
        )
        referrals.add_touch(self._writes, self._before, touch)
        return self.known(outcome)

    def _remember(self) -> None:
        """Add the touch of a message that came by more than our own id."""
        told, match = self._told, self._match
        if match.by == "referral" and not (told.about.click or told.about.code):
            return
        said = {
            "type": type_of(told.message),
            "source": told.source,
            "channel": told.channel,
            "matched_by": match.by,
            "against": " ".join(match.against),
            "click": told.about.click or "",
            "code": told.about.code or "",
        }
        touch = Touch(
            id=ids.derived_id("conversion", told.actor, told.message_id),
            kind="event",
            at=self._at,
            data={key: value for key, value in said.items() if value},
        )
        referrals.add_touch(self._writes, self._before, touch)

    def _event(self, id_: str) -> RecordEvent | None:
        """Return what was reported under this id before, or None."""
        for event in self._detail.events:
            if event.type == "ReferralEventRecorded" and event.data["id"] == id_:
                return msgspec.convert(
                    {key: value for key, value in event.data.items() if key != "status"},
                    RecordEvent,
                )
        return None

    def _sale(self, sale: str) -> Sale | None:
        return next((each for each in self._detail.sales if each.id == sale), None)


def _facts(sale: Sale) -> tuple[object, ...]:
    return (
        sale.amount_minor,
        sale.currency,
        sale.occurred_at,
        sale.product,
        sale.items,
        sale.facts,
    )
