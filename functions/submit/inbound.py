"""What other systems may send: signed messages from billing and CRM."""

from __future__ import annotations

from submit.app import make_app
from submit.resources import webhooks

app = make_app("inbound", webhooks.resource)
