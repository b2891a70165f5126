"""What finance may call, behind the login: batches and the jobs that run by the clock."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import batches, jobs, rates

app = make_app("finance", batches.resource, jobs.resource, rates.resource)
