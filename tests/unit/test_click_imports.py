"""What the click function may not load, by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.click import HOT

FORBIDDEN = [
    "asyncio",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "chalice",
    "dataclasses",
    "msgspec",
    "pydantic",
    "pynamodb",
    "typing",
]


@pytest.mark.parametrize("module", ["submit.click", "introducer.clickid", "introducer.lean"])
def test_click_imports_nothing_heavy(module: str) -> None:
    """The hottest function loads the standard library and four small modules of ours."""
    code = f"import sys\nimport {module}\nprint(' '.join(sys.modules))"
    path = [entry for entry in sys.path if entry]
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.split())
    assert module in loaded
    assert [name for name in FORBIDDEN if name in loaded] == []
    ours = {name for name in loaded if name.split(".")[0] in ("introducer", "submit")}
    measured = {path.removesuffix(".py").partition("/")[2].replace("/", ".") for path in HOT}
    assert ours <= {"submit", "introducer", *(name.removeprefix("core.") for name in measured)}
