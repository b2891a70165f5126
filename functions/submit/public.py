"""What anybody may call: submit a referral, read the API's description."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import openapi, referrals

app = make_app("public", referrals.resource, openapi.resource)
