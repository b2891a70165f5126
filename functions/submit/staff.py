"""What reps, managers, finance and auditors may call, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import batches, jobs, previews, programs, queues, rep_work, reps

app = make_app(
    "staff",
    rep_work.resource,
    programs.resource,
    previews.resource,
    reps.resource,
    queues.resource,
    batches.resource,
    jobs.resource,
)
