"""The right to work on one preview, and how far the work has come."""

from __future__ import annotations

from introducer.clock import Instant
from introducer.preview import Preview, Progress
from introducer.tables import leases
from introducer.tables.leases import Left

Lease = leases.Lease[Preview, Progress]


def take(job: Preview, left: Left, now: Instant) -> Lease | None:
    """Return the lease of *job*, None when another worker has it or takes it in this moment."""
    return leases.take(job, Progress, left, now)
