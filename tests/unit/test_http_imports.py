"""The API functions start lean: what they must not import, by name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FORBIDDEN = (
    "pydantic",
    "aws_xray_sdk",
    "boto3",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.idempotency",
    "jinja2",
    "cryptography",
    "phonenumbers",
    "email_validator",
    "dns",
    "stdnum",
    "chalice.cli",
    "requests",
    "polars",
    "_polars_runtime_32",
    "payout",
    "yaml",
)
_PROBE = """
import json, os, sys
before = dict(os.environ)
import submit.{module}
from introducer import clients
from introducer.tables import store
print(json.dumps({{
    "modules": sorted(sys.modules),
    "clients": clients.client.cache_info().currsize,
    "connections": store.connection.cache_info().currsize,
    "environment": before == dict(os.environ),
}}))
"""


@pytest.mark.parametrize(
    "module", ["public", "partner", "rep", "staff", "rules", "finance", "inbound"]
)
def test_api_functions_import_little(module: str) -> None:
    """Nothing heavy is loaded, no client is built and the environment is left alone."""
    path = {"PYTHONPATH": "layers/core:functions", "PATH": ""}
    probe = [sys.executable, "-c", _PROBE.format(module=module)]
    seen = json.loads(subprocess.run(probe, env=path, check=True, capture_output=True).stdout)
    loaded = [
        name
        for name in seen["modules"]
        if any(name == each or name.startswith(f"{each}.") for each in FORBIDDEN)
    ]
    assert ([], 0, 0, True) == (
        loaded,
        seen["clients"],
        seen["connections"],
        seen["environment"],
    )
