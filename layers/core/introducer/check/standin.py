"""Stand-ins for what is missing or broken, made from the schema; they mean nothing."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]


class Fault(NamedTuple):
    """A value that breaks a rule of the schema: where, which, and what the rule demands."""

    keys: tuple[str | int, ...]
    rule: str
    schema: Json
    value: Any
    limit: Any
    of_key: bool
    """Whether it is an object's key that breaks the rule; ``keys`` lead to the object."""


_CONDITION = {"field": "partner.country", "op": "exists", "value": True}
# By the pattern's beginning: how such a text is written, and one that is.
_WRITTEN = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": (
        "write letters, digits, dots, hyphens and underscores, such as 2026-11",
        "x",
    ),
    r"^[a-z][a-z0-9_]{0,31}(\.": (
        "write names with dots between them, such as answers.size",
        "x.x",
    ),
    "^[a-z][a-z0-9_]{0,31}$": (
        "begin with a small letter; then small letters, digits and _, 32 at most",
        "x",
    ),
    "^[a-z][a-z0-9-]{1,30}[a-z0-9]$": ("write it like acme-partners", "xxx"),
    "^[A-Z]{2}$": ("use two capital letters, as in DE", "DE"),
    "^[A-Z]{3}$": ("use an ISO 4217 code, as in EUR", "EUR"),
    r"^[A-Z]{3}(\.": ("write a unit as the books do, as in EUR, PTS or EUR.credit", "EUR"),
    "^[a-z]{2}(-[A-Z]{2})?$": ("write it like en or de-AT", "en"),
    "^[0-9]{4}-": ("write it like 2026-11-22T11:17:00.000Z", "2026-11-22T11:17:00.000Z"),
    "^https://": ("write an address that begins with https://", "https://www.example.com"),
    "^[0-9]{1,9}": ('write a decimal number in quotes, as in "1.0842"', "1"),
    "^[A-Z]{2}[0-9]{2}": ("write an IBAN without spaces", "DE89370400440532013000"),
    "^([01][0-9]|2[0-3]):": ("write a time of day like 06:00", "06:00"),
    "^[0-9A-Z]{10}$": ("write ten digits or capital letters", "1234567890"),
    "^[0-9]{9}$": ("write the nine digits of an ABA number", "021000021"),
    "^[A-Z0-9]{8}": ("write a BIC of 8 or 11 characters", "COBADEFFXXX"),
}


def wanted(schema: Json) -> str:
    """Return in words how a text must be written that *schema* has a pattern for."""
    return _written(str(schema.get("pattern", "")))[0]


def mend(document: Json, fault: Fault, root: Json) -> None:
    """Put stand-ins where *fault* is, or take away what is too much."""
    keys = fault.keys
    if "condition" in keys:
        _put(document, keys[: keys.index("condition") + 1], dict(_CONDITION))
        return
    node = _at(document, keys)
    match fault.rule, node:
        case _, dict() if fault.of_key:
            node.pop(fault.value, None)
        case "additionalProperties", dict():
            for key in [key for key in node if key not in fault.schema["properties"]]:
                del node[key]
        case "required", dict():
            parts = fault.schema.get("properties", {})
            for key in fault.limit:
                node.setdefault(key, make(parts.get(key, {}), root))
        case "maxItems", list():
            del node[fault.limit :]
        case "maxProperties", dict():
            for key in list(node)[fault.limit :]:
                del node[key]
        case _:
            _put(document, keys, make(fault.schema, root))


def make(schema: Json, root: Json) -> Any:  # noqa: ANN401, PLR0911
    """Return the least value that *schema* admits; *root* is where its references lead."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return dict(_CONDITION) if name == "Condition" else make(root["$defs"][name], root)
    if "default" in schema:
        return copy.deepcopy(schema["default"])
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    if "null" in kinds and isinstance(kinds, list):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    match kinds if isinstance(kinds, str) else kinds[0]:
        case "integer":
            return max(0, schema.get("minimum", 0))
        case "boolean":
            return False
        case "array":
            return [make(schema["items"], root) for _ in range(schema.get("minItems", 0))]
        case "object":
            return _object(schema, root)
        case _:
            return _written(schema.get("pattern", ""))[1]


def _object(schema: Json, root: Json) -> Json:
    parts = schema.get("properties", {})
    made = {key: make(parts.get(key, {}), root) for key in schema.get("required", ())}
    for option in schema.get("allOf", ()):
        asked = option["if"]["properties"]
        if all(made.get(key) == part.get("const") for key, part in asked.items()):
            made = make(option["then"], root)
    if schema.get("minProperties"):
        made["x"] = make(schema["additionalProperties"], root)
    return made


def _written(pattern: str) -> tuple[str, str]:
    # The longest beginning wins: an IBAN's pattern begins like a country's.
    fitting = [start for start in _WRITTEN if pattern.startswith(start)]
    return _WRITTEN[max(fitting, key=len)] if fitting else ("see the published schema", "x")


def _at(document: Json, keys: Sequence[str | int]) -> Any:  # noqa: ANN401
    """Return what is at *keys*; None where an earlier mending took it away."""
    node: Any = document
    for key in keys:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _put(document: Json, keys: Sequence[str | int], value: Any) -> None:  # noqa: ANN401
    holder = _at(document, keys[:-1]) if keys else None
    match holder, keys[-1] if keys else None:
        case dict(), str(key):
            holder[key] = value
        case list(), int(index) if index < len(holder):
            holder[index] = value
