"""One embedded AWS with the template deployed, shared by all workers of a test run.

The first worker that needs it starts, deploys and seeds; the last one that is done stops it.
Tests keep apart by making their own partners and referrals.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from filelock import FileLock

from infra import seed
from infra.api import Stack
from infra.deploy import deploy_local
from infra.emulator import Emulator, credentials
from tests.support.journey import Journey


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed and seeded stack; ``stack["seed"]`` is what seeding remembers.

    While tests are written, ``SYSTEM_STACK`` may name the description of one that is kept up.
    """
    if kept := os.environ.get("SYSTEM_STACK"):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in credentials().items():
                patch.setenv(name, value)
            yield Stack.load(Path(kept))
        return
    shared = _shared(tmp_path_factory)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in credentials().items():
            patch.setenv(name, value)
        with FileLock(shared / "stack.lock"):
            state = _load(shared) or _up(shared)
            _save(shared, {**state, "users": state["users"] + 1})
        try:
            yield Stack(state["stack"])
        finally:
            with FileLock(shared / "stack.lock"):
                state = _load(shared)
                _save(shared, {**state, "users": state["users"] - 1})
                if state["users"] == 1:
                    os.kill(state["pid"], signal.SIGTERM)
                    (shared / "stack.json").unlink()


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For tests that start jobs: these work on every program, so the tests take turns."""
    with FileLock(_shared(tmp_path_factory) / "alone.lock"):
        yield


@pytest.fixture
def journey(stack: Stack) -> Journey:
    """A program of the test's own."""
    return Journey(stack)


@pytest.fixture
def client(stack: Stack) -> Any:
    """Make a client of the embedded AWS with its administrator's rights: ``client("sqs")``."""

    def make(service: str) -> Any:
        session = boto3.Session("test", "test", region_name=stack["region"])
        return session.client(service, endpoint_url=stack["endpoint"])

    return make


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ours = tmp_path_factory.getbasetemp()
    return ours.parent if os.environ.get("PYTEST_XDIST_WORKER") else ours


def _up(shared: Path) -> dict[str, Any]:
    # The run's main process: the worker that starts it may be done before the others.
    main = os.getppid() if os.environ.get("PYTEST_XDIST_WORKER") else os.getpid()
    emulator = Emulator(log=shared / "emulator.log", owner=main).start()
    try:
        outputs = deploy_local(emulator.endpoint)
        outputs["seed"] = seed.fill(Stack(outputs))
        seed.remember(Stack(outputs), outputs["seed"])
    except BaseException:
        emulator.stop()
        raise
    return {"stack": outputs, "pid": emulator.pid, "users": 0}


def _load(shared: Path) -> dict[str, Any]:
    path = shared / "stack.json"
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return state


def _save(shared: Path, state: dict[str, Any]) -> None:
    (shared / "stack.json").write_text(json.dumps(state))
