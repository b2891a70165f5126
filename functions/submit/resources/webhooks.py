"""Signed messages from billing and CRM: a stage reached, a sale, a refund, a customer gone.

State, event, sale and the claim of the message's id are one transaction. A message that
is older than what the source told before is kept as a touch and changes nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import ids, money, program
from introducer import referral as life
from introducer.clock import Instant
from introducer.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
)
from introducer.program import Program
from introducer.referral import (
    FINAL,
    SOLD,
    Accept,
    Advance,
    Churn,
    Command,
    Lose,
    RecordRefund,
    RecordSale,
    Referral,
    Sale,
    Touch,
    Win,
)
from introducer.tables import claims, programs, referrals
from introducer.tables.claims import Claim
from introducer.tables.referrals import Detail
from introducer.tables.store import Transaction
from submit import inputs
from submit.http import Answer, Call, Resource
from submit.inputs import Input
from submit.signature import signed_source

MAX_REFUNDS = 200

resource = Resource(__name__)

AmountMinor = Annotated[int, Meta(ge=1, le=money.MAX_MINOR)]


class About(Input, frozen=True, kw_only=True):
    """Which referral: ours, or the sender's id for it. Both together tie them to each other."""

    referral: inputs.Word | None = None
    external_id: inputs.External | None = None


class Stage(About, frozen=True, kw_only=True):
    """The stage in the source's own words, and when it was reached."""

    stage: inputs.Line
    at: inputs.Time


class NewSale(About, frozen=True, kw_only=True):
    """What was bought. ``sale`` is the billing system's own id."""

    sale: inputs.External
    amount_minor: AmountMinor
    currency: inputs.Currency
    occurred_at: inputs.Time
    product: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""


class Refund(About, frozen=True, kw_only=True):
    """Part of a sale, or all of it, was paid back."""

    sale: inputs.External
    refund: inputs.External
    amount_minor: AmountMinor
    at: inputs.Time


class Gone(About, frozen=True, kw_only=True):
    """The customer left."""

    at: inputs.Time


class StageChanged(Input, frozen=True, kw_only=True, tag_field="type", tag="stage.changed"):
    """The CRM moved the opportunity."""

    data: Stage
    timestamp: inputs.Time | None = None


class SaleRecorded(Input, frozen=True, kw_only=True, tag_field="type", tag="sale.recorded"):
    """The billing system booked a sale."""

    data: NewSale
    timestamp: inputs.Time | None = None


class SaleRefunded(Input, frozen=True, kw_only=True, tag_field="type", tag="sale.refunded"):
    """The billing system paid something back."""

    data: Refund
    timestamp: inputs.Time | None = None


class CustomerChurned(Input, frozen=True, kw_only=True, tag_field="type", tag="customer.churned"):
    """The customer is none any more."""

    data: Gone
    timestamp: inputs.Time | None = None


Message = StageChanged | SaleRecorded | SaleRefunded | CustomerChurned


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
        )
        known = self._sale(sale.id)
        if known:
            if _facts(known) != _facts(sale):
                raise AlreadyExistsError("this sale was reported with other facts")
            return self._answer("known")
        self._check_currency(sale.currency)
        referrals.add_sale(self._writes, self._before, sale)
        won = self._before.status in SOLD
        return self._apply(RecordSale(sale=sale) if won else Win(sale=sale))

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

    def _sale(self, sale: str) -> Sale | None:
        return next((each for each in self._detail.sales if each.id == sale), None)


def _facts(sale: Sale) -> tuple[int, str, Instant, str]:
    return sale.amount_minor, sale.currency, sale.occurred_at, sale.product


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
