"""Who pays out for a program by calls: where they are and what they are called with."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import outbound
from introducer.errors import InvalidInputError
from introducer.tables import programs, providers
from introducer.tables.providers import Configured, Kind
from introducer.tables.store import Transaction
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PREFIX = "whsec_"
_SECRET_BYTES = 32
_SHORTEST_BYTES, _LONGEST_BYTES = 24, 64

Secret = Annotated[str, Meta(max_length=500, pattern=r"^[!-~]*$")]


class ProviderGiven(Input, frozen=True, kw_only=True):
    """A provider. A secret that is left out stays; where there is none yet, one may be made.

    ``secret`` is what payouts are ordered with: an API key, ``client:secret``, or for ``fulfil``
    what our messages are signed with. ``webhook_secret`` is what its messages are signed with.
    """

    kind: Kind
    url: Annotated[str, Meta(min_length=8, max_length=2000)]
    secret: Secret = ""
    webhook_secret: Secret = ""
    new_webhook_secret: bool = False
    """Make a new one; the old one no longer counts."""


class ProviderSet(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it is now. Secrets that we made are shown this once, others never."""

    provider: str
    kind: str
    url: str
    last4: str
    inbound: str
    """Where it sends its messages, below the API's address."""
    secret: str
    webhook_secret: str


class ProviderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A provider in the list; of its secret the last four characters."""

    provider: str
    kind: str
    url: str
    last4: str
    inbound: str
    set_at: str
    set_by: str


class ProviderList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a program's providers by name; ``next`` is empty on the last."""

    items: list[ProviderRow]
    next: str


@resource.endpoint(
    "PUT",
    "/v1/programs/{program}/providers/{provider}",
    roles=FINANCE,
    body=ProviderGiven,
    answer=ProviderSet,
    codes=("invalid_url", "invalid_secret", "missing_field", "kind_is_fixed"),
)
def set_provider(call: Call[ProviderGiven, Any]) -> Answer:
    """Say where a provider is and what it is called with; payout rules name it."""
    program = programs.current(call.path["program"], call.now).program
    before = providers.find(program, call.path["provider"])
    given = call.body
    _check_names(call.path["provider"], given)
    _check_change(given, before)
    made, made_webhook = _made(given, before)
    secret, webhook_secret = given.secret or made, given.webhook_secret or made_webhook
    _check_secrets(given)
    after = Configured(
        program=program,
        name=call.path["provider"],
        kind=given.kind,
        url=given.url,
        last4=secret[-4:] if secret else before.last4 if before else "",
        version=before.version + 1 if before else 1,
        set_at=call.now,
        set_by=call.caller.name,
    )
    answer = ProviderSet(
        provider=after.name,
        kind=after.kind,
        url=after.url,
        last4=after.last4,
        inbound=_inbound(after),
        secret=made,
        webhook_secret=made_webhook,
    )
    if before and not secret and not webhook_secret and given.url == before.url:
        return Answer(body=answer)
    writes = Transaction()
    providers.save(writes, after, secret=secret, webhook_secret=webhook_secret)
    return Answer(body=answer, writes=writes)


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/providers",
    roles=READERS,
    query=Paging,
    answer=ProviderList,
)
def list_providers(call: Call[Any, Paging]) -> Answer:
    """List who pays out for a program by calls."""
    found, page = providers.of_program(
        call.path["program"], limit=call.query.limit, start=call.start()
    )
    rows = [
        ProviderRow(
            provider=each.name,
            kind=each.kind,
            url=each.url,
            last4=each.last4,
            inbound=_inbound(each),
            set_at=each.set_at,
            set_by=each.set_by,
        )
        for each in found
    ]
    return Answer(body=ProviderList(items=rows, next=call.next(page.next)))


def _check_names(name: str, given: ProviderGiven) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInputError("provider", "a name is a to z, 0 to 9 and _, as rules write it")
    outbound.target(given.url, outbound.opened())
    if given.kind != "fulfil" and "?" in given.url:
        message = "is the address below which the interface lies"
        raise InvalidInputError("url", message, code="invalid_url")


def _check_change(given: ProviderGiven, before: Configured | None) -> None:
    if before is not None and before.kind != given.kind:
        message = "a provider stays of its kind; give the new one another name"
        raise InvalidInputError("kind", message, code="kind_is_fixed")
    moved = before is not None and before.url != given.url
    if not given.secret and (moved or (before is None and given.kind != "fulfil")):
        # Whoever may not know a secret must not have it sent to an address of their own.
        message = "give the secret together with a new address"
        raise InvalidInputError("secret", message, code="missing_field")


def _made(given: ProviderGiven, before: Configured | None) -> tuple[str, str]:
    """Return the secrets that are made now: what we sign with, what the provider signs with."""
    fresh = before is None
    secret = _new_secret() if fresh and given.kind == "fulfil" and not given.secret else ""
    wanted = (fresh or given.new_webhook_secret) and not given.webhook_secret
    return secret, _new_secret() if wanted else ""


def _check_secrets(given: ProviderGiven) -> None:
    if given.kind == "fulfil":
        _check_standard("secret", given.secret)
    if given.kind != "stripe":
        _check_standard("webhook_secret", given.webhook_secret)


def _check_standard(field: str, secret: str) -> None:
    """Refuse what is no secret of Standard Webhooks."""
    if not secret:
        return
    try:
        length = len(base64.b64decode(secret.removeprefix(_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if not secret.startswith(_PREFIX) or not _SHORTEST_BYTES <= length <= _LONGEST_BYTES:
        message = "is whsec_ and 24 to 64 bytes in base64"
        raise InvalidInputError(field, message, code="invalid_secret")


def _new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _inbound(each: Configured) -> str:
    return f"/v1/payouts/inbound/{each.program}/{each.name}"
