"""What a partner may call, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import agreements, clicks, earnings, forecast, links, my_referrals, partners

app = make_app(
    "partner",
    partners.resource,
    agreements.resource,
    links.resource,
    clicks.own,
    my_referrals.resource,
    earnings.resource,
    forecast.resource,
)
