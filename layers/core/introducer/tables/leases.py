"""The right to work on a job, and how far the work has come.

``{the job's}`` / ``PROGRESS``: written on its own, conditional on its revision, so that one
worker at a time holds it. A worker that dies loses it when its time would be up. Progress is
scratch and no event: the store forgets it some time after the job.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from pynamodb.expressions.operand import Path

from introducer import clock, ids
from introducer.clock import Instant
from introducer.errors import StaleError
from introducer.lease import Held
from introducer.tables import store
from introducer.tables.store import Table

_SCRATCH_DAYS = 7
_GRACE_S = 5

Left = Callable[[], float]
"""Seconds until the function's time is up."""


class Job(Protocol):
    """What is worked on: a thing with events that is done with some day."""

    @property
    def entity(self) -> str:
        """The name its events carry, and the key its progress lies under."""

    @property
    def expires_at(self) -> Instant:
        """When nobody asks for it any more."""


J = TypeVar("J", bound=Job)
P = TypeVar("P", bound=Held)


class LeaseLostError(StaleError):
    """Somebody else works on the job now."""


class Lease(Generic[J, P]):
    """Held by one worker at a time. A worker that dies loses it when its time would be up."""

    def __init__(self, job: J, progress: P, left: Left) -> None:
        self.job = job
        self.progress = progress
        self.left = left

    def advance(self, **achieved: Any) -> None:  # noqa: ANN401  (the fields of the progress)
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
        self.progress = advance(self.job, self.progress, after)


def take(job: J, kind: type[P], left: Left, now: Instant) -> Lease[J, P] | None:
    """Return the lease of *job*, None when another worker has it or takes it in this moment."""
    until = clock.plus(now, seconds=int(left()) + _GRACE_S)
    try:
        progress = claim(job, kind, ids.new_id(), now=now, lease_until=until)
    except LeaseLostError:
        return None
    return Lease(job, progress, left) if progress is not None else None


def timer(milliseconds: int) -> Left:
    """Return what tells how much of *milliseconds*, which began now, is left."""
    end = time.monotonic() + milliseconds / 1000
    return lambda: end - time.monotonic()


def progress(entity: str, kind: type[P]) -> P | None:
    """Return how far a job has come, None when nobody has begun."""
    stored = store.get(Table.CORE, entity, "PROGRESS")
    return store.load(kind, stored) if stored else None


def claim(job: J, kind: type[P], holder: str, *, now: Instant, lease_until: Instant) -> P | None:
    """Take the lease of a job and return how far it has come, None when another has it.

    Args:
        job: The job.
        kind: What its progress is.
        holder: A name that no other worker has.
        now: The present instant.
        lease_until: When the lease ends by itself.

    Raises:
        LeaseLostError: Another took it in this moment.
    """
    before = progress(job.entity, kind)
    if before is not None and before.lease_until > now:
        return None
    seen = before or kind()
    after = msgspec.structs.replace(
        seen,
        revision=seen.revision + 1,
        holder=holder,
        lease_until=lease_until,
        attempts=seen.attempts + 1,
    )
    _write(job, before, after)
    return after


def advance(job: J, before: P, after: P) -> P:
    """Store what was achieved and return it as stored.

    Raises:
        LeaseLostError: Somebody else works on the job now; nothing was stored.
    """
    stored = msgspec.structs.replace(after, revision=before.revision + 1)
    _write(job, before, stored)
    return stored


def scratch_until(job: Job) -> int:
    """Return when the store may forget what belongs to *job*, as the store wants it."""
    return clock.epoch_s(clock.plus(job.expires_at, days=_SCRATCH_DAYS))


def _write(job: Job, before: P | None, after: P) -> None:
    """Put the progress unless it changed since *before*; an own lost answer is no change."""
    revision = Path("revision")
    try:
        store.put(
            Table.CORE,
            job.entity,
            "PROGRESS",
            {**msgspec.structs.asdict(after), "ttl": scratch_until(job)},
            condition=revision == before.revision if before else store.absent(),
            error=LeaseLostError("somebody else works on this job"),
        )
    except LeaseLostError:
        # The SDK's own retry of a write whose answer was lost meets that write.
        if progress(job.entity, type(after)) != after:
            raise
