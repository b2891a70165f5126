"""What managers and auditors may call, behind the login: leads, reps, prospects, sources."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import (
    accounts,
    annulment,
    asks,
    assets,
    clicks,
    consent,
    conversions,
    imports,
    invitations,
    links,
    merging,
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
    asks.managed,
    queues.resource,
    accounts.resource,
    merging.resource,
    placements.resource,
    quality.resource,
    consent.resource,
    annulment.resource,
    clicks.resource,
    links.managed,
    assets.managed,
    conversions.resource,
    unmatched.resource,
    imports.resource,
)
