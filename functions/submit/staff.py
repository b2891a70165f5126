"""What managers and auditors may call, behind the login: leads, reps, prospects, sources."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import clicks, placements, prospects, quality, queues, reps

app = make_app(
    "staff",
    reps.resource,
    prospects.resource,
    queues.resource,
    placements.resource,
    quality.resource,
    clicks.resource,
)
