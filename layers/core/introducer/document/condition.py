"""Conditions: typed data, never code.

A condition is either a test (``field``, ``op``, ``value``) or a combination of others
(``all``, ``any``, ``not``). Which fields there are, and of which type, the catalogue says.

A test of something that is not known does not hold, whatever the operator, ``ne`` and
``not_in`` included; so ``not`` of it holds. ``exists`` asks whether it is known.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from introducer.document.base import Part

Op = Literal[
    "eq",
    "ne",
    "in",
    "not_in",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "contains",
    "contains_any",
    "starts_with",
    "ends_with",
    "exists",
]
Word = Annotated[str, Meta(max_length=200)]
Number = Annotated[int, Meta(ge=-(10**15), le=10**15)]
Value = bool | Word | Number | Annotated[list[Word | Number], Meta(min_length=1, max_length=1000)]

MAX_DEPTH = 8
"""How deep conditions may be nested."""
MAX_TESTS = 200
"""How many tests one condition may hold."""


class Condition(Part, frozen=True, rename={"not_": "not"}, omit_defaults=True):
    """A test, or a combination of conditions: exactly one of ``field``, ``all``, ``any``, ``not``.

    Attributes:
        field: A name from the catalogue.
        op: How it is compared. ``between`` includes both ends; ``contains`` is for lists.
        value: What with. A list for ``in``, ``not_in``, ``contains_any``; two numbers for
            ``between``; true or false for ``exists``.
        all: All of them hold.
        any: At least one of them holds.
        not_: It does not hold.
    """

    field: Annotated[str, Meta(max_length=80)] | None = None
    op: Op | None = None
    value: Value | None = None
    all: Annotated[list[Condition], Meta(min_length=1, max_length=100)] | None = None
    any: Annotated[list[Condition], Meta(min_length=1, max_length=100)] | None = None
    not_: Condition | None = None
