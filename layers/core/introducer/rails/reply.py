"""Reading what a provider answers, without believing that it has any shape."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_LONGEST = 100
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_success(status: int) -> bool:
    """Return whether *status* is one of the 2xx."""
    return status // 100 == 2  # noqa: PLR2004  (the class of status)


def read(body: bytes) -> dict[str, Any]:
    """Return the JSON object in *body*, an empty one when there is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def inner(told: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return the object at *path*, an empty one when there is none."""
    for name in path:
        found = told.get(name)
        if not isinstance(found, dict):
            return {}
        told = found
    return told


def text(told: dict[str, Any], name: str) -> str:
    """Return the text called *name*, empty when there is none; what is stored stays short."""
    found = told.get(name)
    return found[:_LONGEST] if isinstance(found, str) else ""


def as_code(said: str) -> str:
    """Return *said* if it looks like a code, else nothing.

    Why money came back is kept in journals and events for ever. What somebody wrote there may
    name somebody; the file or message that it came in is kept for its time.
    """
    return said if _CODE.fullmatch(said) else ""


def code(told: dict[str, Any], name: str) -> str:
    """Return the code called *name*, empty when there is none or it does not look like one."""
    found = told.get(name)
    return as_code(found) if isinstance(found, str) else ""


def secret(told: dict[str, Any], name: str) -> str:
    """Return the text called *name* in full, empty when there is none."""
    found = told.get(name)
    return found if isinstance(found, str) else ""


def whole(told: dict[str, Any], name: str) -> int:
    """Return the whole number called *name*, 0 when there is none."""
    found = told.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
