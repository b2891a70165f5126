"""What the stream and queue functions may not load, by name."""

import subprocess
import sys

import pytest

ALWAYS = [
    "aws_lambda_powertools",  # the logger comes with the first line that is logged
    "aws_xray_sdk",
    "boto3",
    "chalice",
    "cryptography",
    "email_validator",
    "phonenumbers",
    "pydantic",
]


@pytest.mark.parametrize(
    ("module", "more"),
    [
        ("route.stream", ["jinja2", "notify"]),
        ("route.retry", ["jinja2", "notify"]),
        ("notify.publish", ["jinja2", "introducer.program", "introducer.tables.referrals"]),
        ("notify.retry", ["jinja2", "introducer.program", "introducer.tables.referrals"]),
        ("notify.mail", ["route", "idna"]),
        ("notify.notice", ["route", "idna"]),
    ],
)
def test_a_stream_function_imports_only_what_it_needs(module: str, more: list[str]) -> None:
    """Start-up is paid by the first record of a shard, so nothing is loaded that it never uses."""
    code = f"import sys; sys.path[:0] = {sys.path!r}; import {module}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert module in loaded
    assert [name for name in [*ALWAYS, *more] if name in loaded] == []
