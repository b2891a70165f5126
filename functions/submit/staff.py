"""What managers and auditors may call, behind the login: leads, reps, prospects, sources."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import (
    clicks,
    conversions,
    invitations,
    links,
    placements,
    prospects,
    quality,
    queues,
    reps,
    unmatched,
)

app = make_app(
    "staff",
    reps.resource,
    prospects.resource,
    invitations.managed,
    queues.resource,
    placements.resource,
    quality.resource,
    clicks.resource,
    links.managed,
    conversions.resource,
    unmatched.resource,
)
