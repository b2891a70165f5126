"""What reps, managers, finance and auditors may call, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import (
    batches,
    jobs,
    placements,
    previews,
    programs,
    prospects,
    quality,
    queues,
    rep_work,
    reps,
    versions,
)

app = make_app(
    "staff",
    rep_work.resource,
    programs.resource,
    versions.resource,
    previews.resource,
    reps.resource,
    prospects.resource,
    queues.resource,
    placements.resource,
    quality.resource,
    batches.resource,
    jobs.resource,
)
