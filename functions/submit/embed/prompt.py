"""What an embedded prompt shows to whom: pure of HTTP, so that it reads like any other view."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock, identity, keyring
from introducer.clock import Instant
from introducer.document.intake import Prompt
from introducer.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    SignatureError,
)
from introducer.partner import Partner
from introducer.program import Program
from introducer.settings import setting
from introducer.tables import partners, programs, rollups
from submit import inputs, own_links
from submit.exchange import Answer, Call, Endpoint
from submit.inputs import Input
from submit.signature import source_key

CHANNEL = "embed"
LONGEST_DAYS = 2
"""A token that lives longer than this was not made for one visit."""


class Asked(Input, frozen=True, kw_only=True):
    """Who looks at the page, as its server signed it, and in which language."""

    person: Annotated[str, Meta(min_length=20, max_length=2000)]
    locale: inputs.Locale = "en"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The signed part of a token: ``exp`` in seconds since 1970."""

    email: str
    exp: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What to show: a sentence, and the customer's own link, or where they can join.

    With ``show`` false the rest is empty: they have seen it often enough this week.
    """

    show: bool
    text: str = ""
    url: str = ""
    own: bool = False


class OriginError(ForbiddenError):
    """The page that asks is none the program names."""

    code = "origin_not_allowed"


ENDPOINT = Endpoint(
    method="POST",
    route="/e/{program}/{prompt}",
    roles=frozenset(),
    body=Asked,
    answer=Shown,
    status=200,
    once=False,
    limit_bytes=8_192,
    codes=("invalid_signature", "origin_not_allowed"),
    name="show_prompt",
    summary="Show an embedded prompt",
)


def show(call: Call[Asked, Any]) -> Answer:
    """Return what the prompt shows to the person who is signed for.

    Raises:
        NotFoundError: There is no such program or prompt.
        ForbiddenError: The page is none that may ask.
        SignatureError: Nobody we know signed, or its time is over.
    """
    document = programs.current(call.path["program"], call.now).document
    prompt = _prompt(document, call.path["prompt"])
    if call.headers.get("origin", "") not in prompt.origins:
        raise OriginError("this page may not show the prompt")
    person = _signed(call.body.person, document.id, call.now)
    key = identity.email_key(person.email, keyring.secret(keyring.IDENTITY))
    name = call.path["prompt"]
    if not rollups.shown(document.id, name, key, most=prompt.most_per_week, now=call.now):
        return Answer(body=Shown(show=False))
    partner = partners.of_mailbox(document.id, key, now=call.now)
    text = _text(prompt, call.body.locale)
    if partner is None or not partner.has_mailbox:
        portal = setting("PORTAL_URL").rstrip("/")
        url = f"{portal}/join/{document.id}/{prompt.audience}"
        return Answer(body=Shown(show=True, text=text, url=url))
    if partner.status not in {"active", "invited"}:
        return Answer(body=Shown(show=False))
    url = _own_url(partner, document, name, call.now)
    return Answer(body=Shown(show=bool(url), text=text if url else "", url=url, own=bool(url)))


def allowed_origin(path: dict[str, str], origin: str) -> str:
    """Return *origin* if the prompt's program lets it read the answer, else nothing."""
    if not origin or not inputs.PATH.fullmatch(path.get("program", "")):
        return ""
    try:
        document = programs.current(path["program"], clock.now()).document
    except NotFoundError:
        return ""
    prompt = document.prompts.get(path.get("prompt", ""))
    return origin if prompt and origin in prompt.origins else ""


def _prompt(document: Program, name: str) -> Prompt:
    prompt = document.prompts.get(name)
    if prompt is None:
        raise NotFoundError("no such prompt")
    return prompt


def _own_url(partner: Partner, document: Program, name: str, now: Instant) -> str:
    link = own_links.link_for(partner, document, channel=CHANNEL, asset=name, now=now)
    return own_links.url_of(link.code) if link.status == "active" else ""


def _text(prompt: Prompt, locale: str) -> str:
    """Return the sentence in *locale*, in its language, in English, or in the first there is."""
    language = locale.partition("-")[0]
    for each in (locale, language, "en"):
        if each in prompt.texts:
            return prompt.texts[each]
    return next(iter(prompt.texts.values()), "")


def _signed(token: str, program: str, now: Instant) -> Person:
    """Return whom a token ``{source}.{payload}.{signature}`` names.

    Payload and signature are base64url without padding; the signature is HMAC-SHA-256 over
    what stands before it, under the secret of one of the program's sources.

    Raises:
        SignatureError: It is not authentic or out of time. Which of these is not told.
    """
    refused = SignatureError("the signature does not hold")
    source, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    try:
        secret = keyring.existing_secret(source_key(program, source))
        given = _decoded(signature)
        person = msgspec.json.decode(_decoded(payload), type=Person)
        identity.check_email(person.email)
    except (
        NotFoundError,
        InvalidInputError,
        Base64Error,
        ValueError,
        msgspec.MsgspecError,
    ) as failure:
        raise refused from failure
    expected = hmac.digest(secret, f"{source}.{payload}".encode(), "sha256")
    seconds = clock.epoch_s(now)
    in_time = seconds < person.exp <= seconds + LONGEST_DAYS * 86_400
    if not hmac.compare_digest(expected, given) or not in_time:
        raise refused
    return person


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
