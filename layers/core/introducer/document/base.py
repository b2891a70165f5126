"""What every part of a program document is made of: strictness and the small types."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from introducer import money

Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ProgramId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
Locale = Annotated[str, Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
At = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        description="An instant, UTC, with milliseconds",
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
LongText = Annotated[str, Meta(min_length=1, max_length=2000)]
Minor = Annotated[int, Meta(ge=0, le=money.MAX_MINOR, description="Minor units of the currency")]
BasisPoints = Annotated[int, Meta(ge=0, le=money.BASIS_POINTS, description="10000 is all")]
Factor = Annotated[int, Meta(ge=0, le=100_000, description="Basis points; 10000 is once")]
Days = Annotated[int, Meta(ge=0, le=3650)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the document: strict, so that a typo is a finding and not a silence."""
