"""Configuration from the environment, read on first use and failing by name."""

from __future__ import annotations

import os


class MissingSettingError(RuntimeError):
    """A function was deployed without a variable it needs."""


def setting(name: str) -> str:
    """Return the environment variable *name*.

    Raises:
        MissingSettingError: It is absent or empty; the message names it.
    """
    value = os.environ.get(name, "")
    if not value:
        message = f"environment variable {name} is not set"
        raise MissingSettingError(message)
    return value
