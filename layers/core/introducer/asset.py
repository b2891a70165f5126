"""The assets library: texts that partners share, with brand parts locked and open fields.

A text is plain: what stands in it is the company's word for word, but for placeholders.
``{link}`` is the partner's own link, ``{partner_name}``, ``{organization}`` and ``{program}``
say who recommends what, and every other one is an open field that the text declares.
HTML is made of it by escaping, so nothing a manager or partner writes is ever markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from introducer.clock import Instant
from introducer.errors import Fault, InvalidInputError
from introducer.event import Event

Kind = Literal["email", "introduction", "newsletter", "one_pager", "social", "survey"]
Channel = Literal[
    "email", "facebook", "linkedin", "other", "print", "sms", "telegram", "whatsapp", "x"
]
LINK = "link"
GIVEN = (LINK, "organization", "partner_name", "program")
"""Placeholders that are filled in without being declared."""

HOLE = re.compile(r"{([a-z][a-z0-9_]*)}")
_X_LIMIT = 280
_X_LINK = 23
"""What X counts for any link."""

_LINES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$(?!\n)"
Id = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$(?!\n)")]


class OpenField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in a text that the partner fills in, ``default`` unless they do."""

    id: Id
    label: Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE)]
    default: Annotated[str, Meta(max_length=1000, pattern=_LINES)] = ""
    max_length: Annotated[int, Meta(ge=1, le=1000)] = 200


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An asset in one language."""

    body: Annotated[str, Meta(min_length=1, max_length=8000, pattern=_LINES)]
    subject: Annotated[str, Meta(max_length=200, pattern=_LINE)] = ""
    fields: Annotated[list[OpenField], Meta(max_length=20)] = []


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the library. ``version`` is the number of its last event."""

    id: str
    program: str
    kind: Kind
    channel: Channel
    texts: dict[str, Text]
    """By locale."""
    audiences: list[str] = []
    """Who may use it; empty for everybody."""
    retired: bool = False
    published_at: Instant
    version: int = 1

    @property
    def entity(self) -> str:
        """Return the name its events carry."""
        return f"ASSET#{self.program}#{self.id}"


def published(asset: Asset, *, actor: str) -> Event:
    """Return the event of a new version, which is the first or a later one."""
    return Event(
        type="AssetPublished",
        entity=asset.entity,
        seq=asset.version,
        program=asset.program,
        at=asset.published_at,
        actor=actor,
        data={
            "asset": asset.id,
            "kind": asset.kind,
            "channel": asset.channel,
            "retired": int(asset.retired),
        },
    )


def is_for(asset: Asset, audience: str) -> bool:
    """Return whether a partner of *audience* may use *asset* now."""
    return not asset.retired and (not asset.audiences or audience in asset.audiences)


def locale_of(asset: Asset, wanted: Iterable[str]) -> str:
    """Return the locale of *asset* that comes first among those *wanted*.

    The same language elsewhere is better than another language; without any of them it is
    the first there is.
    """
    have = sorted(asset.texts)
    for locale in wanted:
        if locale in asset.texts:
            return locale
        near = [each for each in have if locale and each[:2] == locale[:2]]
        if near:
            return near[0]
    return have[0]


def faults(asset: Asset, audiences: Sequence[str]) -> list[Fault]:
    """Return everything that is wrong with *asset* in a program with these *audiences*."""
    found = [
        Fault("unknown_audience", "audiences", f"the program has no audience {each}")
        for each in asset.audiences
        if each not in audiences
    ]
    if not asset.texts:
        found.append(Fault("text_missing", "texts", "say it in one language at least"))
    for locale, text in asset.texts.items():
        found += _faults(text, asset, f"texts.{locale}")
    return found


def _faults(text: Text, asset: Asset, place: str) -> Iterator[Fault]:
    ids = [field.id for field in text.fields]
    holes = {
        name: set(HOLE.findall(value))
        for name, value in (("subject", text.subject), ("body", text.body))
    }
    for field in text.fields:
        if field.id in GIVEN or ids.count(field.id) > 1:
            yield Fault("field_taken", f"{place}.fields", f"{field.id} is named already")
        elif field.id not in holes["subject"] | holes["body"]:
            yield Fault("field_unused", f"{place}.fields", f"{{{field.id}}} stands nowhere")
        if len(field.default) > field.max_length:
            yield Fault("too_long", f"{place}.fields", f"the default of {field.id} is too long")
    for name, value in (("subject", text.subject), ("body", text.body)):
        for hole in sorted(holes[name] - {*ids, *GIVEN}):
            yield Fault("unknown_placeholder", f"{place}.{name}", f"{{{hole}}} is not declared")
        if set("{}") & set(HOLE.sub("", value)):
            yield Fault("stray_brace", f"{place}.{name}", "braces are for placeholders only")
    if LINK in holes["subject"]:
        yield Fault("link_misplaced", f"{place}.subject", "a subject holds no link")
    if LINK not in holes["body"]:
        yield Fault("link_missing", f"{place}.body", "the partner's own {link} has to be in it")
    if asset.channel == "x" and _shortest(text) > _X_LIMIT:
        yield Fault("too_long", f"{place}.body", f"X takes {_X_LIMIT} characters")


def _shortest(text: Text) -> int:
    """Return the length of a text with its defaults and without any name."""
    words = {field.id: len(field.default) for field in text.fields} | {LINK: _X_LINK}
    holes = HOLE.findall(text.body)
    return len(HOLE.sub("", text.body)) + sum(words.get(hole, 0) for hole in holes)


def values(text: Text, sent: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return what fills each placeholder of *text*.

    Args:
        text: The asset in one language.
        sent: What the partner wrote into open fields; the rest is the default.
        given: The values of :data:`GIVEN`.

    Raises:
        InvalidInputError: A field is not open, or its value is too long.
    """
    declared = {field.id: field for field in text.fields}
    for name, value in sent.items():
        if name not in declared:
            message = "this text has no such open field"
            raise InvalidInputError(f"fields.{name}", message, code="unknown_open_field")
        longest = declared[name].max_length
        if len(value) > longest:
            message = f"takes {longest} characters"
            raise InvalidInputError(f"fields.{name}", message, code="too_long")
    return {name: sent.get(name, field.default) for name, field in declared.items()} | {**given}
