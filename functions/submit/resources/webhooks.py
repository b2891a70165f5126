"""Signed messages from billing and CRM; what they mean is in :mod:`submit.conversions`.

State, event, sale and the claim of the message's id are one transaction.
"""

from __future__ import annotations

from typing import Any

from introducer.errors import AlreadyExistsError
from submit import asks, conversions
from submit.asks import AdvocacyRecorded
from submit.http import Answer, Call, Resource
from submit.messages import Message
from submit.signature import signed_source
from submit.told import Taken, Told

CODES = (
    "missing_field",
    "unknown_stage",
    "wrong_currency",
    "no_exchange_rate",
    "mixed_currencies",
    "unknown_product",
    "items_do_not_add_up",
    "unknown_metadata",
    "invalid_metadata",
    "unknown_event",
    "unexpected_amount",
    "refund_exceeds_sale",
    "invalid_time",
    "invalid_email",
    "invalid_phone",
    "transition_not_allowed",
    "already_exists",
)

resource = Resource(__name__)


@resource.endpoint(
    "POST",
    "/v1/inbound/{program}/{source}",
    identify=signed_source,
    body=Message | AdvocacyRecorded,
    answer=Taken,
    again=(AlreadyExistsError,),
    codes=("invalid_signature", *CODES),
)
def receive(call: Call[Message | AdvocacyRecorded, Any]) -> Answer:
    """Take a signed message about a lead or a sale, or an act of advocacy.

    What cannot be matched yet is kept, and applied once something explains it.
    """
    if isinstance(call.body, AdvocacyRecorded):
        taken, writes = asks.receive(
            call.path["program"],
            call.body,
            message_id=call.caller.key,
            actor=call.caller.name,
            now=call.now,
        )
        return Answer(body=taken, writes=writes)
    planned = conversions.plan(
        Told(
            program=call.path["program"],
            source=call.path["source"],
            message=call.body,
            message_id=call.caller.key,
            now=call.now,
            actor=call.caller.name,
        )
    )
    return Answer(body=planned.taken, writes=planned.writes)
