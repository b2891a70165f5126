"""What providers tell of payouts: signed messages, kept for the books as they came."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from standardwebhooks import Webhook, WebhookVerificationError

from introducer import clock
from introducer.clients import client
from introducer.errors import NotFoundError, SignatureError
from introducer.rails import answers, reply
from introducer.rails.answers import Message
from introducer.rails.rail import Provider
from introducer.settings import setting
from introducer.tables import providers
from submit.caller import Caller
from submit.http import Answer, Arrival, Call, Resource

resource = Resource(__name__)

_TOLERANCE_S = 300


class MessageKept(msgspec.Struct, frozen=True, kw_only=True):
    """The message is kept; what it says is booked from there."""

    message: str


def signed_provider(arrival: Arrival) -> Caller:
    """Return the provider whose signature *arrival* bears; its key is the message's id.

    Raises:
        SignatureError: It is not authentic, too old, or from nobody we know. Which of
            these is not told.
    """
    program, name = arrival.path["program"], arrival.path["provider"]
    try:
        provider = providers.for_listening(program, name)
        message = (
            _stripe(arrival, provider)
            if provider.kind == "stripe"
            else _standard(arrival, provider)
        )
    except (NotFoundError, WebhookVerificationError, ValueError) as failure:
        raise SignatureError("the signature does not hold") from failure
    return Caller(name=f"provider:{program}/{name}", key=message)


@resource.endpoint(
    "POST",
    "/v1/payouts/inbound/{program}/{provider}",
    identify=signed_provider,
    body=dict[str, Any],
    answer=MessageKept,
    codes=("invalid_signature",),
)
def keep_message(call: Call[dict[str, Any], Any]) -> Answer:
    """Keep a signed message about a payout; one that comes again is known by its id."""
    program, name = call.path["program"], call.path["provider"]
    provider = providers.find(program, name)
    if provider is None:
        raise NotFoundError("no such provider")
    message = Message(
        program=program,
        provider=name,
        kind=provider.kind,
        id=call.caller.key,
        received_at=call.now,
        body=call.body,
    )
    _write_once(answers.key_of(message), msgspec.json.encode(message))
    return Answer(body=MessageKept(message=message.id))


def _standard(arrival: Arrival, provider: Provider) -> str:
    """Return the id of a message signed by Standard Webhooks."""
    headers = dict(arrival.headers)
    # One malformed signature among several would hide the good one from the library.
    parts = headers.get("webhook-signature", "").split(" ")
    headers["webhook-signature"] = " ".join(part for part in parts if part.startswith("v1,"))
    Webhook(provider.webhook_secret).verify(arrival.raw, headers, json_parse=False)
    return headers["webhook-id"]


def _stripe(arrival: Arrival, provider: Provider) -> str:
    """Return the id of an event signed as Stripe signs.

    Source: https://docs.stripe.com/webhooks#verify-manually.
    """
    header = arrival.headers.get("stripe-signature", "")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    signed_at = next((value for name, _, value in pairs if name == "t"), "")
    if abs(clock.epoch_s(arrival.now) - int(signed_at)) > _TOLERANCE_S:
        message = "the signature is too old"
        raise ValueError(message)
    signed = signed_at.encode() + b"." + arrival.raw
    expected = hmac.new(provider.webhook_secret.encode(), signed, hashlib.sha256).hexdigest()
    given = [value for name, _, value in pairs if name == "v1"]
    # Every one is compared: which of several holds is not told by the time it takes.
    holds = [hmac.compare_digest(expected.encode(), each.encode()) for each in given]
    event = reply.text(reply.read(arrival.raw), "id")
    if not any(holds) or not event:
        message = "no signature holds"
        raise ValueError(message)
    return event


def _write_once(key: str, content: bytes) -> None:
    """Write a file unless there is one: the first of several tellings counts."""
    try:
        client("s3").put_object(
            Bucket=setting("BANK_BUCKET"),
            Key=key,
            Body=content,
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as failure:
        if failure.response["Error"]["Code"] != "PreconditionFailed":
            raise
