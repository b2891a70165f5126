"""What was reported and waits: for a referral that explains it, or for a person to decide."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from introducer import conversion
from introducer.conversion import Conversion
from introducer.errors import AlreadyExistsError, NotFoundError
from introducer.tables import waiting
from introducer.tables.store import Transaction
from submit import conversions, inputs
from submit.acting import MANAGER, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging
from submit.messages import EventRecorded, Message, SaleRecorded, SaleRefunded
from submit.resources.webhooks import CODES
from submit.told import Taken

resource = Resource(__name__)


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits, and why.

    ``referral`` is the one it belongs to, if that is known: it is not ready yet, or over.
    ``keys`` name what it brings; an address is not shown, because it is not kept.
    """

    id: str
    type: str
    source: str
    channel: str
    reason: str
    referral: str
    happened_at: str
    kept_at: str
    external_id: str
    click: str
    code: str
    has_email: bool
    amount_minor: int
    currency: str
    name: str
    """The sender's id of the sale, or of the event."""


class UnmatchedList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what waits, longest waiting first; ``next`` is empty on the last."""

    items: list[Unmatched]
    next: str


class MatchWith(Input, frozen=True, kw_only=True):
    """Which referral it is about."""

    referral: inputs.Word


class Dismissal(Input, frozen=True, kw_only=True):
    """Why it will not be applied."""

    reason: Literal["not_referred", "reported_twice", "test", "wrong_data", "other"]


class ConversionMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion and what it is now."""

    id: str
    status: Literal["waiting", "applied", "dismissed"]


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/unmatched",
    roles=READERS,
    query=Paging,
    answer=UnmatchedList,
)
def list_unmatched(call: Call[Any, Paging]) -> Answer:
    """List the conversions that wait."""
    found, page = waiting.page(call.path["program"], limit=call.query.limit, start=call.start())
    return Answer(
        body=UnmatchedList(items=[_row(each) for each in found], next=call.next(page.next))
    )


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/unmatched/{conversion}/match",
    roles=MANAGER,
    body=MatchWith,
    answer=Taken,
    again=(AlreadyExistsError,),
    codes=CODES,
)
def match_conversion(call: Call[MatchWith, Any]) -> Answer:
    """Say which referral a waiting conversion is about; it is applied, or waits for that one."""
    planned = conversions.match_by_hand(
        _kept(call), call.body.referral, actor=call.caller.name, now=call.now
    )
    return Answer(body=planned.taken, writes=planned.writes)


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/unmatched/{conversion}/dismiss",
    roles=MANAGER,
    body=Dismissal,
    answer=ConversionMoved,
    codes=("transition_not_allowed",),
)
def dismiss_conversion(call: Call[Dismissal, Any]) -> Answer:
    """Put a waiting conversion aside, for a reason that is kept."""
    kept = _kept(call)
    after, event = conversion.dismissed(
        kept, reason=call.body.reason, now=call.now, actor=call.caller.name
    )
    writes = Transaction()
    waiting.save(writes, kept, after, event)
    return Answer(body=ConversionMoved(id=after.id, status=after.status), writes=writes)


def _kept(call: Call[Any, Any]) -> Conversion:
    found = waiting.find(call.path["conversion"])
    if found is None or found.program != call.path["program"]:
        raise NotFoundError("no such conversion")
    return found


def _row(kept: Conversion) -> Unmatched:
    message = msgspec.json.decode(kept.body, type=Message)
    amount_minor, currency, name = _told(message)
    about = message.data
    return Unmatched(
        id=kept.id,
        type=kept.type,
        source=kept.source,
        channel=kept.channel,
        reason=kept.reason,
        referral=kept.referral,
        happened_at=kept.at,
        kept_at=kept.kept_at,
        external_id=about.external_id or "",
        click=about.click or "",
        code=about.code or "",
        has_email=bool(kept.email_key),
        amount_minor=amount_minor,
        currency=currency,
        name=name,
    )


def _told(message: Message) -> tuple[int, str, str]:
    match message:
        case SaleRecorded(data=data):
            return data.amount_minor, data.currency, data.sale
        case EventRecorded(data=data):
            return data.amount_minor or 0, data.currency or "", data.id
        case SaleRefunded(data=data):
            return data.amount_minor, "", data.sale
        case _:
            return 0, "", ""
