"""Who signed a message: the Standard Webhooks scheme (standardwebhooks.com).

``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` over the raw bytes; five
minutes of tolerance; several signatures, separated by spaces, while a secret is changed.
"""

from __future__ import annotations

from standardwebhooks import Webhook, WebhookVerificationError

from introducer import keyring
from introducer.errors import NotFoundError, SignatureError
from submit.caller import Caller
from submit.http import Arrival

_ID = "webhook-id"
_SIGNATURE = "webhook-signature"


def source_key(program: str, source: str) -> str:
    """Return the name of a source's secret in the keyring."""
    return f"inbound:{program}:{source}"


def signed_source(arrival: Arrival) -> Caller:
    """Return the source whose signature *arrival* bears; its key is the message's id.

    Raises:
        SignatureError: It is not authentic, too old, or from nobody we know. Which of
            these is not told.
    """
    program, source = arrival.path["program"], arrival.path["source"]
    headers = dict(arrival.headers)
    # One malformed signature among several would hide the good one from the library.
    parts = [part for part in headers.get(_SIGNATURE, "").split(" ") if part.startswith("v1,")]
    headers[_SIGNATURE] = " ".join(parts)
    try:
        secret = keyring.existing_secret(source_key(program, source))
        Webhook(secret).verify(arrival.raw, headers, json_parse=False)
    except (NotFoundError, WebhookVerificationError, ValueError) as failure:
        raise SignatureError("the signature does not hold") from failure
    return Caller(name=f"source:{program}/{source}", key=headers[_ID])
