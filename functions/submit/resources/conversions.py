"""Reporting a conversion by hand, or from a script that signs in: the same message, unsigned."""

from __future__ import annotations

from typing import Any

from introducer import ids
from introducer.errors import AlreadyExistsError
from submit import conversions
from submit.acting import MANAGER
from submit.http import Answer, Call, Resource
from submit.messages import Message
from submit.resources.webhooks import CODES
from submit.told import Taken, Told

SOURCE = "api"

resource = Resource(__name__)


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/conversions",
    roles=MANAGER,
    body=Message,
    answer=Taken,
    again=(AlreadyExistsError,),
    codes=CODES,
)
def report_conversion(call: Call[Message, Any]) -> Answer:
    """Report a sign-up, a stage, a sale, a refund, an event or a customer who left.

    It means what the same message means when a source signs it; the source is `api`.
    """
    planned = conversions.plan(
        Told(
            program=call.path["program"],
            source=SOURCE,
            message=call.body,
            message_id=ids.derived_id(call.caller.name, call.headers.get("idempotency-key", "")),
            now=call.now,
            actor=call.caller.name,
            channel="api",
        )
    )
    return Answer(body=planned.taken, writes=planned.writes)
