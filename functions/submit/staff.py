"""What reps, managers, finance and auditors may call, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import batches, jobs, programs, queues, rep_work

app = make_app(
    "staff",
    rep_work.resource,
    programs.resource,
    queues.resource,
    batches.resource,
    jobs.resource,
)
