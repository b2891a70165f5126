"""What a worker of a world does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


def _forgotten(_: BaseException) -> bool:
    """Leave what failed: the next run does it."""
    return True


class Job(NamedTuple):
    """Something to be done, and what is done about a failure.

    Attributes:
        run: Does it, given what the worker's clock shows.
        failed: Told of an error that any caller meets by calling again, or of a crash, or a
            refusal; False when such a refusal may not be.
    """

    name: str
    run: Callable[[str], object]
    failed: Callable[[BaseException], bool] = _forgotten
