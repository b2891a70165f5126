"""What reps may call, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import asks, consent, invitations, rep_work, verbal

app = make_app(
    "rep", rep_work.resource, invitations.resource, verbal.resource, asks.resource, consent.own
)
