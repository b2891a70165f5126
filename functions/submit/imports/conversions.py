"""What billing and CRM would report by webhook, from a file: sales, refunds, stages, events."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from introducer import identity, ids, keyring
from introducer.errors import AlreadyExistsError, InvalidInputError
from introducer.program import Program
from submit import conversions, facts, inputs
from submit.conversions import Plan
from submit.imports import amounts, rows
from submit.imports.rows import Context, Kind, Outcome
from submit.imports.sheet import Columns, Row
from submit.inputs import Input
from submit.messages import Message
from submit.problem import RequestError
from submit.told import Told

Type = Literal[
    "lead.created",
    "stage.changed",
    "sale.recorded",
    "event.recorded",
    "sale.refunded",
    "customer.churned",
]
_Key = Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")]
_Id = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/-]{0,99})?$(?!\n)")]
_ABOUT = ("referral", "external_id", "email", "click", "code")
_LEAD = ("name", "country", "company", "phone", "product", "locale")
_OWN: dict[Type, tuple[str, ...]] = {
    "lead.created": (),
    "stage.changed": ("stage",),
    "sale.recorded": ("sale", "product"),
    "event.recorded": ("event",),
    "sale.refunded": ("sale", "refund"),
    "customer.churned": (),
}
"""The columns of each type besides those that say who it is about, when and how much."""
_COLUMN = {"at": "occurred_at", "id": "event_id"}
"""The columns of what messages call otherwise."""
_PAID = frozenset({"sale.recorded", "sale.refunded"})


class ConversionRow(Input, frozen=True, kw_only=True):
    """Something that happened: its type, who it is about by any key, when, and how much.

    ``source`` is the system whose ids these are.
    """

    type: Type
    source: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$(?!\n)")]
    occurred_at: Annotated[str, Meta(min_length=1, max_length=40)]
    referral: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")] = ""
    external_id: _Id = ""
    email: inputs.Email = ""
    click: Annotated[str, Meta(max_length=64)] = ""
    code: Annotated[str, Meta(max_length=32)] = ""
    name: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)")] = ""
    company: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    phone: inputs.Phone = ""
    product: _Key = ""
    locale: inputs.Locale = "en"
    stage: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    sale: _Id = ""
    refund: _Id = ""
    event: _Key = ""
    event_id: _Id = ""
    amount: amounts.Amount = ""
    amount_minor: amounts.AmountMinor = None
    currency: Annotated[str, Meta(pattern=r"^([A-Z]{3})?$(?!\n)")] = ""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


def take(context: Context, row: Row, said: ConversionRow) -> Outcome:
    """Take in what happened, as if its system had told us.

    Raises:
        InvalidInputError: A cell cannot be accepted, or ``differs``: it was told otherwise.
        IntroducerError: As :func:`submit.conversions.plan`.
    """
    document = context.version.document
    told = Told(
        program=context.program,
        source=said.source,
        message=_message(said, document, context.now),
        message_id=_message_id(said),
        now=context.now,
        actor=context.job.requested_by,
        channel="csv",
    )
    try:
        plan = conversions.plan(told)
    except AlreadyExistsError as failure:
        raise InvalidInputError("", failure.message, code="differs") from failure
    taken = plan.taken
    target = taken.referral or taken.conversion
    if not len(plan.writes) or taken.outcome in {"known", "outdated"}:
        _commit(plan)
        return rows.known(target)
    done = context.commit(plan.writes, row, target)
    if taken.outcome != "waiting":
        return done
    message = "No referral explains it yet. It is kept, and applied when one does."
    return msgspec.structs.replace(done, code="waiting", message=message)


def _commit(plan: Plan) -> None:
    if len(plan.writes):
        plan.writes.commit()


def _message(said: ConversionRow, document: Program, now: str) -> Message:
    names = (*_ABOUT, *_OWN[said.type])
    data: dict[str, object] = {name: value for name in names if (value := getattr(said, name))}
    time = "occurred_at" if said.type == "sale.recorded" else "at"
    data[time] = rows.moment("occurred_at", said.occurred_at, now)
    if said.type == "event.recorded" and said.event_id:
        data["id"] = said.event_id
    if said.type in _PAID or said.amount or said.amount_minor:
        if not said.currency:
            message = "an amount has a currency"
            raise InvalidInputError("currency", message, code="missing_value")
        data["amount_minor"] = amounts.minor(said.amount, said.amount_minor, said.currency)
        if said.type != "sale.refunded":
            data["currency"] = said.currency
    lead = {name: value for name in _LEAD if (value := getattr(said, name))}
    if said.name:
        data["lead"] = lead
    if said.metadata:
        data["metadata"] = {
            name.removeprefix("metadata."): value
            for name, value in facts.of_metadata(document, said.metadata, from_form=True).items()
        }
    try:
        return inputs.from_plain({"type": said.type, "data": data}, Message)  # type: ignore[arg-type]
    except RequestError as failure:
        field = failure.faults[0].field.removeprefix("data.") if failure.faults else ""
        named = _COLUMN.get(field, field)
        raise RequestError(failure.code, failure.message, field=named) from failure


def _message_id(said: ConversionRow) -> str:
    """Return the id of the row, which the same row has again; an address is in it as a hash."""
    secret = keyring.secret(keyring.IDENTITY)
    whole = msgspec.json.encode(said, order="deterministic").decode()
    return ids.derived_id("row", identity.keyed_hash(whole, secret))


KIND = Kind(
    columns=Columns(
        known=ConversionRow.__struct_fields__[:-1],
        needed=("type", "occurred_at"),
        families=("metadata.",),
    ),
    shape=ConversionRow,
    act=take,
)
