"""What finance may call, behind the login: batches, the books, and jobs that run by the clock."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import (
    adjustments,
    batches,
    bookings,
    general_ledger,
    jobs,
    journals,
    payout_holds,
    providers,
    rates,
    screening,
    tax,
)

app = make_app(
    "finance",
    batches.resource,
    bookings.resource,
    payout_holds.resource,
    jobs.resource,
    rates.resource,
    journals.resource,
    general_ledger.resource,
    adjustments.resource,
    tax.managed,
    screening.resource,
    providers.resource,
)
