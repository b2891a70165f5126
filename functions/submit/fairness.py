"""Whether credit is fair: its evidence, disputes over it, and what the audit of records found."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import audits, disputes, evidence, my_disputes

app = make_app(
    "fairness",
    evidence.resource,
    disputes.resource,
    my_disputes.resource,
    audits.resource,
)
