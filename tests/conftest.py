"""What the tests share.

``unit`` and ``property`` may not open a socket. ``aws`` is moto with the template's tables,
for handlers and small tables; ``engine`` is the embedded AWS with the template's tables and
nothing deployed, for money and for anything moto gets wrong (tokens, transactions, size).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import moto.kms.utils
import pytest
import time_machine
from moto import mock_aws

from infra.emulator import Emulator, credentials
from tests.support import tables
from tests.support.environment import BANK_BUCKET, FUNCTION, INTAKE_BUCKET, REGION, forget

_TESTS = Path(__file__).parent
_OFFLINE = (_TESTS / "unit", _TESTS / "property")
_suffixes = itertools.count(1)

# Every test makes its own clients, as every process does. What they are made from never changes:
# the SDK's description of each service (20 ms to read), and the RSA key that moto gives every KMS
# key, ours too, which use none (60 ms to make).
botocore.session.create_loader = cache(botocore.loaders.create_loader)
moto.kms.utils.rsa.generate_private_key = cache(moto.kms.utils.rsa.generate_private_key)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test but the offline ones its sockets back."""
    for item in items:
        if not any(item.path.is_relative_to(folder) for folder in _OFFLINE):
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture
def function_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a Lambda function without any store; the value changes it further."""
    for name, value in FUNCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    forget()
    yield monkeypatch
    forget()


@pytest.fixture
def aws(function_environment: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS in memory (moto): the template's five tables, two buckets and a key."""
    with mock_aws():
        _furnish(function_environment, endpoint=None)
        yield


@pytest.fixture(scope="session")
def engine_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One embedded AWS for a whole worker, nothing deployed."""
    with Emulator(log=tmp_path_factory.mktemp("engine") / "emulator.log") as emulator:
        yield emulator


@pytest.fixture
def engine(engine_process: Emulator, function_environment: pytest.MonkeyPatch) -> str:
    """The embedded AWS with fresh tables of the template, a bucket and a key; its endpoint."""
    for name, value in credentials().items():
        function_environment.setenv(name, value)
    function_environment.delenv("AWS_SESSION_TOKEN")
    function_environment.setenv("AWS_ENDPOINT_URL", engine_process.endpoint)
    suffix = f"-{next(_suffixes)}"
    _furnish(function_environment, endpoint=engine_process.endpoint, suffix=suffix)
    return engine_process.endpoint


@pytest.fixture
def frozen() -> Iterator[Callable[[str], None]]:
    """Stand the clock still; the value moves it: ``frozen("2026-11-22T11:17:00.000Z")``."""
    with time_machine.travel("2026-11-22T11:17:00+00:00", tick=False) as traveller:
        yield lambda instant: traveller.move_to(instant.replace("Z", "+00:00"))


def _furnish(monkeypatch: pytest.MonkeyPatch, *, endpoint: str | None, suffix: str = "") -> None:
    def client(service: str) -> Any:
        return boto3.client(service, region_name=REGION, endpoint_url=endpoint)

    for name, value in tables.create(client("dynamodb"), suffix=suffix).items():
        monkeypatch.setenv(name, value)
    for variable, bucket in (("BANK_BUCKET", BANK_BUCKET), ("INTAKE_BUCKET", INTAKE_BUCKET)):
        client("s3").create_bucket(Bucket=f"{bucket}{suffix}")
        monkeypatch.setenv(variable, f"{bucket}{suffix}")
    monkeypatch.setenv("KEY_ARN", client("kms").create_key()["KeyMetadata"]["Arn"])
