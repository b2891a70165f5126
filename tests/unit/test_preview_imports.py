"""The columnar library stays where it is needed: in the preview."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "introducer.earning.evaluate",
        "introducer.check.document",
        "introducer.preview",
        "infra.program",
        "payout.earn",
        "payout.accrue",
        "payout.batch",
        "route.stream",
        "notify.publish",
        "submit.public",
        "submit.rules",
        "submit.staff",
    ],
)
def test_only_the_preview_loads_the_columnar_library(module: str) -> None:
    """Importing anything else loads neither the library nor the preview's engine."""
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    path = {"PYTHONPATH": ".:layers/core:functions", "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=path, check=True, capture_output=True)
    loaded = json.loads(ran.stdout)
    assert [] == [
        name
        for name in loaded
        if name.partition(".")[0] in {"polars", "_polars_runtime_32"}
        or name.startswith("payout.preview.")
    ]
