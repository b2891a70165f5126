"""The system on a laptop: ``python -m infra.local run|demo|stop|status``.

* ``run`` starts the embedded AWS, deploys the template, seeds it and stays until Ctrl-C.
  What it stored is in ``.local/state`` and is there again at the next start.
* ``demo`` walks one referral from a click to money in the bank, on the stack that runs, or
  else on a fresh one that is gone afterwards.
* ``stop`` ends a stack that runs elsewhere; ``status`` says where it is.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from infra.deploy import DeployError, deploy_local, fingerprint
from infra.emulator import REGION, ROOT, Emulator, EmulatorError, answers, credentials

STACK_FILE = ROOT / ".local/stack.json"
_STATE = ROOT / ".local/state"
_DEPLOYED = "deployed.json"
_PORT = 4566
_TICK_S = 30


def run(port: int) -> None:
    """Start, deploy, seed and stay up; Ctrl-C or TERM ends it and saves the state."""
    stack = running()
    if stack:
        raise SystemExit(f"a stack runs already: {stack['api_url']}")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with _stack(port, state=_STATE) as (emulator, stack):
        _python("infra.seed")
        print("Up. Ctrl-C stops it; what it stored is kept in .local/state.", flush=True)
        while emulator.running and not stopped.wait(1):
            pass
        print("Stopping, saving the state.", flush=True)


def demo() -> None:
    """Walk the path on the running stack, or on a fresh one."""
    if running():
        _python("infra.demo")
        return
    with _stack(0, state=None):
        _python("infra.seed")
        _python("infra.demo")


def stop() -> None:
    """End the stack that ``run`` keeps up, and wait until its state is saved."""
    stack = running()
    if not stack:
        print("nothing runs")
        return
    os.kill(stack["pid"], signal.SIGTERM)
    deadline = time.monotonic() + 40
    while STACK_FILE.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    print("stopped")


def status() -> None:
    """Say where the running stack is."""
    stack = running()
    print(json.dumps(stack, indent=2) if stack else "nothing runs")


def running() -> dict[str, Any] | None:
    """Return the description of the stack that runs, or None."""
    try:
        stack: dict[str, Any] = json.loads(STACK_FILE.read_text())
    except FileNotFoundError:
        return None
    return stack if answers(stack["endpoint"]) else None


@contextmanager
def _stack(port: int, state: Path | None) -> Iterator[tuple[Emulator, dict[str, Any]]]:
    """Run an embedded AWS with the template deployed, described in ``.local/stack.json``."""
    with Emulator(port=port, state=state, log=ROOT / ".local/emulator.log") as emulator:
        _say(f"embedded AWS up at {emulator.endpoint}")
        stack = _kept(state, emulator.endpoint) or deploy_local(emulator.endpoint)
        STACK_FILE.write_text(json.dumps({**stack, "pid": os.getpid()}, indent=2))
        _say("template deployed")
        built = fingerprint(emulator.endpoint)
        threading.Thread(target=_tick, args=(emulator,), daemon=True).start()
        try:
            yield emulator, stack
        finally:
            emulator.stop()
            if state:
                (state / _DEPLOYED).write_text(json.dumps({"built": built, "stack": stack}))
            if (running() or {"pid": os.getpid()})["pid"] == os.getpid():
                STACK_FILE.unlink(missing_ok=True)  # not that of another that started meanwhile


def _kept(state: Path | None, endpoint: str) -> dict[str, Any] | None:
    """Return the stack that came back with the state, if it is what would be deployed now."""
    note = state / _DEPLOYED if state else None
    if not note or not note.exists():
        return None
    found: dict[str, Any] = json.loads(note.read_text())
    note.unlink()  # written again at a clean end only; after a crash the state is older
    return found["stack"] if found["built"] == fingerprint(endpoint) else None


def _tick(emulator: Emulator) -> None:
    # Alarms are looked at here only when somebody reports a metric.
    cloudwatch = boto3.Session("test", "test", region_name=REGION).client(
        "cloudwatch", endpoint_url=emulator.endpoint
    )
    while emulator.running:
        cloudwatch.put_metric_data(
            Namespace="Introducer/Local", MetricData=[{"MetricName": "Tick", "Value": 1}]
        )
        time.sleep(_TICK_S)


def _python(module: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", module], cwd=ROOT, env=os.environ | credentials(), check=False
    )
    if done.returncode:
        raise SystemExit(done.returncode)


_STARTED = time.monotonic()


def _say(what: str) -> None:
    print(f"{time.monotonic() - _STARTED:6.1f} s  {what}", flush=True)


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "demo", "stop", "status"])
    parser.add_argument(
        "--port", type=int, default=_PORT, help="where `run` listens; 0: a free port"
    )
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "run":
                run(arguments.port)
            case "demo":
                demo()
            case "stop":
                stop()
            case "status":
                status()
    except (DeployError, EmulatorError) as failure:
        raise SystemExit(str(failure)) from failure


if __name__ == "__main__":
    main()
