"""The right to work on one preview, and how far the work has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from introducer import clock, ids
from introducer.clock import Instant
from introducer.preview import Preview, Progress
from introducer.tables import previews
from introducer.tables.previews import LeaseLostError

_GRACE_S = 5
Left = Callable[[], float]
"""Seconds until the function's time is up."""


class Lease:
    """Held by one worker at a time. A worker that dies loses it when its time would be up."""

    def __init__(self, job: Preview, progress: Progress, left: Left) -> None:
        self.job = job
        self.progress = progress
        self.left = left

    def advance(self, **achieved: Any) -> None:  # noqa: ANN401  (the fields of Progress)
        """Store what was achieved, so that it is never done again.

        Raises:
            LeaseLostError: Somebody else works on the job now.
        """
        self._store(**{"attempts": 1, **achieved})

    def hand_over(self, now: Instant) -> None:
        """Let the next worker begin at once, where this one stopped.

        Raises:
            LeaseLostError: Somebody else works on the job already.
        """
        self._store(lease_until=now, attempts=0)

    def give_back(self, now: Instant) -> None:
        """Let another worker try what this one failed at.

        Raises:
            LeaseLostError: Somebody else works on the job already.
        """
        self._store(lease_until=now)

    def _store(self, **changes: Any) -> None:  # noqa: ANN401
        after = msgspec.structs.replace(self.progress, **changes)
        self.progress = previews.advance(self.job, self.progress, after)


def take(job: Preview, left: Left, now: Instant) -> Lease | None:
    """Return the lease of *job*, None when another worker has it or takes it in this moment."""
    until = clock.plus(now, seconds=int(left()) + _GRACE_S)
    try:
        progress = previews.claim(job, ids.new_id(), now=now, lease_until=until)
    except LeaseLostError:
        return None
    return Lease(job, progress, left) if progress is not None else None


def timer(milliseconds: int) -> Left:
    """Return what tells how much of *milliseconds*, which began now, is left."""
    end = time.monotonic() + milliseconds / 1000
    return lambda: end - time.monotonic()
