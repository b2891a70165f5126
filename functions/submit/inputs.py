r"""From bytes to a checked value: strict, bounded, and naming the field that is wrong.

Shapes are msgspec structs that forbid unknown fields. The patterns end in ``$(?!\n)``
because Python's ``$`` alone would let a line feed through, and a name with a line feed
would be a header in a mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from introducer import clock
from introducer.clock import Instant
from introducer.errors import InvalidInputError
from submit.problem import MediaTypeError, RequestError, TooLargeError

T = TypeVar("T")
Pairs = list[tuple[str, str]]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 250
"""A form asks what the API asks, so up to a hundred questions and as many fields."""
QUERY_LIMIT = 4096

LINE = r"^(?=[\s\S]*\S)[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$(?!\n)"
LINE_OR_EMPTY = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$(?!\n)"
LINES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
"""One line of text with something in it; no control or direction-changing characters."""
ShortLine = Annotated[str, Meta(min_length=1, max_length=70, pattern=LINE)]
Lines = Annotated[str, Meta(max_length=1000, pattern=LINES)]
"""Text that may have several lines."""
Email = Annotated[
    str, Meta(min_length=3, max_length=254, pattern=r"^[^\s\x00-\x1f@]+@[^\s@]+$(?!\n)")
]
Phone = Annotated[str, Meta(max_length=40, pattern=r"^([0-9+(). /-]{4,40})?$(?!\n)")]
Country = Annotated[
    str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2", examples=["DE"])
]
Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217", examples=["EUR"])
]
Locale = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$(?!\n)", examples=["de-DE"])]
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)")]
"""A name or id of ours: letters, digits, dot, hyphen and underscore."""
External = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$(?!\n)")]
"""An id of somebody else's system."""
UtmName = Annotated[str, Meta(pattern=r"^utm_[a-z_]{1,20}$(?!\n)")]
UtmValue = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f@]+$(?!\n)")
]
"""A campaign tag. No ``@``: addresses belong to the People table alone."""
Utm = Annotated[dict[UtmName, UtmValue], Meta(max_length=10)]
Url = Annotated[str, Meta(min_length=9, max_length=1000, pattern=r"^https://[!-~]+$(?!\n)")]
Time = Annotated[
    str,
    Meta(
        min_length=16,
        max_length=40,
        description="RFC 3339 with an offset",
        examples=["2026-11-22T11:17:00Z"],
    ),
]
PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")
"""What a path parameter may look like; anything else names nothing we have."""


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body or query; unknown fields are an error."""


class Nothing(Input, frozen=True, kw_only=True):
    """No fields at all."""


class Paging(Input, frozen=True, kw_only=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=100, description="Most items to return")] = 25
    cursor: Annotated[str, Meta(max_length=2000, description="`next` of the page before")] = ""


def check_size(raw: bytes, limit_bytes: int) -> None:
    """Refuse a body above the limit.

    Raises:
        TooLargeError: It is larger than *limit_bytes*.
    """
    if len(raw) > limit_bytes:
        raise TooLargeError("body_too_large", f"the body may have {limit_bytes} bytes")


def media_type(header: str, raw: bytes, *, forms: bool) -> str:
    """Return the kind of body this is: :data:`JSON` or :data:`FORM`.

    Raises:
        MediaTypeError: The route does not take this kind.
    """
    kind = header.partition(";")[0].strip().lower()
    if kind == JSON or (not kind and not raw):
        return JSON
    if kind == FORM and forms:
        return FORM
    raise MediaTypeError("unsupported_media_type", f"send {JSON}{' or a form' if forms else ''}")


def from_json(raw: bytes, kind: type[T]) -> T:
    """Return the JSON document in *raw* as *kind*.

    Raises:
        RequestError: It is not JSON, or not of that shape.
    """
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as failure:
        raise _shape_error(failure) from failure
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise RequestError("malformed_json", "the body is not JSON in UTF-8") from failure


def from_plain(plain: Mapping[str, object], kind: type[T]) -> T:
    """Return form fields or query parameters, all text, as *kind*.

    Raises:
        RequestError: They are not of that shape.
    """
    try:
        return msgspec.convert(plain, kind, strict=False)
    except msgspec.ValidationError as failure:
        raise _shape_error(failure) from failure


def from_query(parameters: Mapping[str, Sequence[str]] | None, kind: type[T]) -> T:
    """Return the query parameters as *kind*.

    Raises:
        RequestError: One is unknown, given twice, or wrong.
    """
    given = parameters or {}
    for name, values in given.items():
        if len(values) != 1:
            raise RequestError("invalid_input", "given more than once", field=_safe(name))
    return from_plain({name: values[0] for name, values in given.items()}, kind)


def form_pairs(raw: bytes) -> Pairs:
    """Return the fields of an HTML form in their order.

    Raises:
        RequestError: It is not a form in UTF-8, or has too many fields.
    """
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as failure:  # UnicodeDecodeError is one
        raise RequestError("malformed_form", "the body is not a form in UTF-8") from failure


def query_pairs(raw: str) -> Pairs:
    """Return the parameters of a page's address in their order, none of a query that is absurd."""
    if len(raw) > QUERY_LIMIT:
        return []
    return parse_qsl(raw, keep_blank_values=True, errors="replace")


def instant(field: str, text: str, now: Instant) -> Instant:
    """Return a time that another system told us.

    Raises:
        InvalidInputError: It is no RFC 3339 time, or lies more than a day ahead.
    """
    try:
        at = clock.parse(text)
    except (ValueError, OverflowError) as failure:
        raise InvalidInputError(
            field, "not an RFC 3339 time with an offset", code="invalid_time"
        ) from failure
    # One time far ahead would make everything after it look outdated.
    if at > clock.plus(now, days=1):
        raise InvalidInputError(field, "lies in the future", code="invalid_time")
    return at


_FIELD = re.compile(r"field `([^`]*)`")
_UNKNOWN = "Object contains unknown field"
_MISSING = "Object missing required field"


def _shape_error(failure: msgspec.ValidationError) -> RequestError:
    # msgspec tells what is wrong only in words; a test holds them to these.
    problem, _, place = str(failure).partition(" - at ")
    path = place.replace("`", "").replace("key in ", "").removeprefix("$").removeprefix(".")
    named = _FIELD.search(problem)
    if named:
        field = _safe(f"{path}.{named[1]}" if path else named[1])
        if problem.startswith(_UNKNOWN):
            return RequestError("unknown_field", "there is no such field", field=field)
        if problem.startswith(_MISSING):
            return RequestError("missing_field", "this field is required", field=field)
    if problem.startswith("Invalid enum value"):
        problem = "Not one of the allowed values"
    return RequestError("invalid_input", problem, field=_safe(path) or "body")


def _safe(field: str) -> str:
    # A field's name comes from the caller too; it is answered, cut and cleaned.
    return re.sub(r"[^\w.$\[\]-]", "?", field)[:80]
