"""Python values as DynamoDB attribute values and back; integers stay integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def encode(value: object) -> dict[str, Any]:
    """Return *value* as a DynamoDB attribute value.

    Raises:
        TypeError: It is a float, or of a kind DynamoDB has no place for.
    """
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": {key: encode(inner) for key, inner in value.items()}}
        case list() | tuple():
            return {"L": [encode(inner) for inner in value]}
        case None:
            return {"NULL": True}
    message = f"{type(value).__name__} is not stored"
    raise TypeError(message)


def decode(value: dict[str, Any]) -> Any:  # noqa: ANN401  (an attribute value is any of seven kinds)
    """Return the Python value of a DynamoDB attribute value; numbers are integers."""
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return int(inner)
        case "M":
            return {key: decode(attribute) for key, attribute in inner.items()}
        case "L":
            return [decode(attribute) for attribute in inner]
        case "NULL":
            return None
    return inner
