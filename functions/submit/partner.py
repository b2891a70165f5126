"""What a partner may call, behind the login."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import (
    address,
    agreements,
    assets,
    cards,
    clicks,
    earnings,
    forecast,
    greeting,
    links,
    my_imports,
    my_referrals,
    partners,
    payees,
    qr,
    tax,
)

app = make_app(
    "partner",
    partners.resource,
    payees.resource,
    tax.resource,
    agreements.resource,
    links.resource,
    qr.resource,
    address.resource,
    cards.resource,
    assets.resource,
    clicks.own,
    greeting.resource,
    my_referrals.resource,
    my_imports.resource,
    earnings.resource,
    forecast.resource,
)
