"""The landing page starts without what only the API, or only rare requests, need."""

from __future__ import annotations

import json
import subprocess
import sys

FORBIDDEN = {"chalice", "boto3", "cryptography", "phonenumbers", "email_validator", "pydantic"}
_PROBE = """
import json, os, sys
before = dict(os.environ)
import submit.landing_page.handler
from introducer.tables import store
print(json.dumps({
    "modules": sorted(sys.modules),
    "connections": store.connection.cache_info().currsize,
    "environment": before == dict(os.environ),
}))
"""


def test_page_imports_little() -> None:
    """Neither Chalice nor a checker of addresses is loaded before it is needed."""
    path = {"PYTHONPATH": "layers/core:functions", "PATH": ""}
    probe = [sys.executable, "-c", _PROBE]
    seen = json.loads(subprocess.run(probe, env=path, check=True, capture_output=True).stdout)
    assert (set(), 0, True) == (
        FORBIDDEN & set(seen["modules"]),
        seen["connections"],
        seen["environment"],
    )
