"""What other systems may send: signed messages from billing, CRM and those who pay out."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import payout_answers, webhooks

app = make_app("inbound", webhooks.resource, payout_answers.resource)
