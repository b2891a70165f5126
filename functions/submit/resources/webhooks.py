"""Signed messages from billing and CRM: a stage, a sale, a refund, an event, a customer gone.

State, event, sale and the claim of the message's id are one transaction. A message that
is older than what the source told before is kept as a touch and changes nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from introducer import ids, life, money, program
from introducer.clock import Instant
from introducer.command import (
    Accept,
    Advance,
    Churn,
    Command,
    Lose,
    RecordEvent,
    RecordRefund,
    RecordSale,
    Win,
)
from introducer.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
)
from introducer.program import Program
from introducer.referral import FINAL, SOLD, Item, Referral, Sale, Touch
from introducer.tables import claims, partners, programs, referrals
from introducer.tables.claims import Claim
from introducer.tables.referrals import Detail
from introducer.tables.store import Transaction
from submit import facts, inputs
from submit.http import Answer, Call, Resource
from submit.messages import (
    About,
    CustomerChurned,
    EventRecorded,
    Gone,
    Message,
    NewEvent,
    NewSale,
    Refund,
    SaleRecorded,
    SaleRefunded,
    Stage,
    StageChanged,
)
from submit.signature import signed_source

MAX_REFUNDS = 200

resource = Resource(__name__)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message.

    ``applied``; ``known`` when the same facts were told before; ``outdated`` when newer
    ones were; ``noted`` when it changes nothing here.
    """

    outcome: Literal["applied", "known", "outdated", "noted"]
    referral: str
    status: str


@resource.endpoint(
    "POST",
    "/v1/inbound/{program}/{source}",
    identify=signed_source,
    body=Message,
    answer=Taken,
    again=(AlreadyExistsError,),
    codes=(
        "invalid_signature",
        "unknown_stage",
        "unknown_sale",
        "wrong_currency",
        "no_exchange_rate",
        "unknown_product",
        "items_do_not_add_up",
        "unknown_metadata",
        "invalid_metadata",
        "unknown_event",
        "unexpected_amount",
        "refund_exceeds_sale",
        "invalid_time",
        "transition_not_allowed",
        "already_exists",
    ),
)
def receive(call: Call[Message, Any]) -> Answer:
    """Take a signed message about a referral."""
    writes = Transaction()
    detail = referrals.detail(_referral_id(call, writes))
    if detail.referral.program != call.path["program"]:
        raise NotFoundError("no such referral")
    step = _Step(call, detail, writes)
    match call.body:
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

    def __init__(self, call: Call[Message, Any], detail: Detail, writes: Transaction) -> None:
        self._call = call
        self._detail = detail
        self._before = detail.referral
        self._writes = writes
        self._source = call.path["source"]
        self._document: Program = programs.version(
            self._before.program, self._before.program_version
        ).document

    def stage(self, data: Stage) -> Answer:
        """Advance, accept or lose the referral, whatever the source's stage means here."""
        at = inputs.instant("at", data.at, self._call.now)
        stage = self._stage_of(data.stage)
        status = self._before.status
        if at < self._before.source_at:
            return self._note(stage, at, "outdated")
        if stage in {"won", status} or status in FINAL or (status in SOLD and stage != "lost"):
            # `won` needs its sale, which billing reports; after it the CRM's stages are history.
            return self._note(stage, at, "noted")
        if stage == "accepted":
            if status != "assigned":
                return self._note(stage, at, "noted")
            return self._apply(Accept())
        command = (
            Lose(reason="crm", source_at=at)
            if stage == "lost"
            else Advance(stage=stage, source_at=at)
        )
        return self._apply(command)

    def sale(self, data: NewSale) -> Answer:
        """Record a sale; the first one wins the referral."""
        sale = Sale(
            id=data.sale,
            amount_minor=data.amount_minor,
            currency=data.currency,
            occurred_at=inputs.instant("occurred_at", data.occurred_at, self._call.now),
            source=self._source,
            product=data.product,
            items=[
                Item(product=each.product, amount_minor=each.amount_minor, quantity=each.quantity)
                for each in data.items
            ],
            facts=facts.of_metadata(self._document, data.metadata),
        )
        known = self._sale(sale.id)
        if known:
            if _facts(known) != _facts(sale):
                raise AlreadyExistsError("this sale was reported with other facts")
            return self._answer("known")
        self._check_currency(sale.currency)
        self._check_items(sale)
        referrals.add_sale(self._writes, self._before, sale)
        if self._before.status in SOLD:
            return self._apply(RecordSale(sale=sale))
        for share in self._detail.shares:
            partners.add_success(self._writes, share.partner, self._before.id, now=sale.occurred_at)
        return self._apply(Win(sale=sale))

    def event(self, data: NewEvent) -> Answer:
        """Record an event of the program's own, each id once."""
        at = inputs.instant("at", data.at, self._call.now)
        declared = self._document.events.get(data.event)
        if declared is None:
            raise InvalidInputError("event", "the program has no such event", code="unknown_event")
        if not declared.amount and (data.amount_minor or data.currency):
            raise InvalidInputError(
                "amount_minor", "this event has no amount", code="unexpected_amount"
            )
        for field in ("amount_minor", "currency") if declared.amount else ():
            if getattr(data, field) is None:
                raise InvalidInputError(field, "this event has one", code="missing_field")
        command = RecordEvent(
            event=data.event,
            id=data.id,
            at=at,
            amount_minor=data.amount_minor or 0,
            currency=data.currency or "",
        )
        known = self._event(data.id)
        if known:
            if known != command:
                raise AlreadyExistsError("this event was reported with other facts")
            return self._answer("known")
        if command.currency:
            self._check_currency(command.currency)
        return self._apply(command)

    def refund(self, data: Refund) -> Answer:
        """Record that part of a sale, or all of it, was paid back."""
        inputs.instant("at", data.at, self._call.now)
        sale = self._sale(data.sale)
        if sale is None:
            raise InvalidInputError("sale", "no such sale", code="unknown_sale")
        if data.refund in sale.refunds:
            if sale.refunds[data.refund] != data.amount_minor:
                raise AlreadyExistsError("this refund was reported with another amount")
            return self._answer("known")
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

    def churn(self, data: Gone) -> Answer:
        """Record that the customer left."""
        at = inputs.instant("at", data.at, self._call.now)
        if self._before.status == "churned":
            return self._answer("known")
        if at < self._before.source_at:
            return self._note("churned", at, "outdated")
        return self._apply(Churn(source_at=at))

    def _apply(self, command: Command) -> Answer:
        call = self._call
        after, event = life.apply(
            self._before,
            command,
            self._document,
            now=call.now,
            actor=call.caller.name,
            cause=call.caller.key,
        )
        referrals.save(self._writes, self._before, after, event)
        return self._answer("applied", after)

    def _note(self, stage: str, at: Instant, outcome: Literal["outdated", "noted"]) -> Answer:
        call = self._call
        touch = Touch(
            id=ids.derived_id(call.caller.name, call.caller.key),
            kind="crm",
            at=at,
            data={"stage": stage, "source": self._source, "outcome": outcome},
        )
        referrals.add_touch(self._writes, self._before, touch)
        return self._answer(outcome)

    def _answer(
        self,
        outcome: Literal["applied", "known", "outdated", "noted"],
        after: Referral | None = None,
    ) -> Answer:
        status = (after or self._before).status
        body = Taken(outcome=outcome, referral=self._before.id, status=status)
        return Answer(body=body, writes=self._writes)

    def _stage_of(self, theirs: str) -> str:
        """Return our stage for the source's word: by its map, else the word itself."""
        words = self._document.stage_map.get(self._source) or {}
        ours = words.get(theirs, "" if words else theirs)
        if ours not in {*self._document.stages, "accepted", "won", "lost"}:
            raise InvalidInputError("stage", "the program has no such stage", code="unknown_stage")
        return ours

    def _check_currency(self, currency: str) -> None:
        money.exponent(currency)
        pays = program.payout_rule(self._document, currency) is not None
        if not pays and (self._document.payouts or currency != self._document.currency):
            raise InvalidInputError(
                "currency", "the program does not pay in this currency", code="wrong_currency"
            )
        if currency != self._document.currency:
            from introducer import comparison  # 15 ms, only for a foreign currency
            from introducer.earning.rules import rules_of

            missing = comparison.missing_rates(rules_of(self._document), currency)
            if missing:
                message = f"the program has no rate to {', '.join(missing)}"
                raise InvalidInputError("currency", message, code="no_exchange_rate")

    def _check_items(self, sale: Sale) -> None:
        for place, item in enumerate(sale.items):
            if item.product not in self._document.products:
                field = f"items[{place}].product"
                raise InvalidInputError(field, "no such product", code="unknown_product")
        total_minor = sum(item.amount_minor for item in sale.items)
        if sale.items and total_minor != sale.amount_minor:
            message = f"the items make {total_minor}, not {sale.amount_minor}"
            raise InvalidInputError("items", message, code="items_do_not_add_up")

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


def _referral_id(call: Call[Message, Any], writes: Transaction) -> str:
    """Return the referral a message is about, tying the sender's id to it when both are told.

    Raises:
        NotFoundError: The sender's id is tied to none.
        InvalidInputError: Neither id was sent.
        AlreadyExistsError: The sender's id is tied to another referral.
    """
    about: About = call.body.data
    if about.external_id is None:
        if about.referral is None:
            raise InvalidInputError("data.referral", "say which referral", code="missing_field")
        return about.referral
    scope = call.caller.name.partition(":")[2]
    held = claims.find(scope, "external", about.external_id, now=call.now)
    if about.referral is None:
        if held is None:
            raise NotFoundError("this external id is tied to no referral")
        return held.target
    if held is None:
        claim = Claim(scope=scope, kind="external", value=about.external_id, target=about.referral)
        taken = AlreadyExistsError("this external id is tied to another referral")
        claims.add(writes, claim, now=call.now, error=taken)
    elif held.target != about.referral:
        raise AlreadyExistsError("this external id is tied to another referral")
    return about.referral
