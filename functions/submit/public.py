"""What anybody may call: submit a referral, see what one earns, read the API's description."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import openapi, referrals, rewards_table

app = make_app("public", referrals.resource, rewards_table.resource, openapi.resource)
