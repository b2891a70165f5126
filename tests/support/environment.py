"""What a Lambda function finds around it, for handlers that run in the test's own process."""

from __future__ import annotations

import sys

REGION = "us-east-1"
BANK_BUCKET = "introducer-test-bank"
INTAKE_BUCKET = "introducer-test-intake"
_OURS = ("introducer", "submit", "route", "payout", "notify")

FUNCTION = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    # Otherwise a recent SDK derives host names from the account that moto does not know.
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_EC2_METADATA_DISABLED": "true",
    "BANK_BUCKET": BANK_BUCKET,
    "INTAKE_BUCKET": INTAKE_BUCKET,
    "CLICK_BASE_URL": "https://go.example.com",
    "PORTAL_URL": "https://portal.example.com",
    "MAIL_SENDER": "introducer@example.com",
    "POWERTOOLS_SERVICE_NAME": "introducer-test",
    "POWERTOOLS_METRICS_NAMESPACE": "Introducer",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
"""Variables every function has; tables and the key come with the store they live in."""


def forget() -> None:
    """Drop what our modules remember for the life of a process: clients, keys, settings."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in _OURS:
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
