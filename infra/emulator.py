"""The laptop's AWS: one MiniStack process on 127.0.0.1, with IAM enforced.

It runs in its own virtual environment, ``.local/emulator``, because every Lambda function
runs on that interpreter and would see whatever else is installed there.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
ACCOUNT = "000000000000"
_PYTHON = ROOT / ".local/emulator/bin/python"
_START_S = 30
_STOP_S = 30


class EmulatorError(Exception):
    """The embedded AWS did not come up, or ended by itself."""


class Emulator:
    """A running embedded AWS; ``stop`` ends it with TERM, which is what saves its state.

    Args:
        port: Where it listens on 127.0.0.1; 0 takes a free one.
        state: Folder to keep the state in; without one everything is gone at the end.
        log: File its output goes to.
        owner: Process it must not outlive, however that one ends; ours by default.
    """

    def __init__(
        self, *, port: int = 0, state: Path | None = None, log: Path, owner: int | None = None
    ) -> None:
        self.port = port or _free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._state = state
        self._log = log
        self._owner = owner or os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch = Path()

    def start(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            EmulatorError: Somebody else is on the port, or it did not come up.
        """
        if answers(self.endpoint):
            message = f"something answers on {self.endpoint} already: `make stop`, or choose a port"
            raise EmulatorError(message)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._state:
            _rewind_streams(self._state)
        # It unpacks code and layers for every function's process and leaves them there.
        self._scratch = Path(tempfile.mkdtemp(prefix="introducer-emulator-"))
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [_PYTHON, "-m", "ministack"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we then stop it in good order
            )
        _stop_with(self._owner, self._process.pid, self._scratch)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            if answers(self.endpoint):
                return self
            time.sleep(0.05)
        self.stop()
        message = f"the embedded AWS did not start; its last words are in {self._log}"
        raise EmulatorError(message)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id; TERM ends it in good order."""
        if self._process is None:
            raise EmulatorError("not started")
        return self._process.pid

    def stop(self) -> None:
        """End it, giving it time to save."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        # Nothing of the caller's AWS settings, and nothing of a make that started us.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "MAKE", "MFLAGS", "PYTHON", "PYTEST"))
        }
        settings = (
            inherited
            | credentials()
            | {
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(self.port),
                "AUTH": "true",
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "MINISTACK_REGION": REGION,
                "ATHENA_ENGINE": "duckdb",
                "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
                "SFN_WAIT_SCALE": "0",
                "TMPDIR": str(self._scratch),
            }
        )
        if self._state:
            settings |= {
                "PERSIST_STATE": "1",
                "STATE_DIR": str(self._state),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(self._state / "s3"),
            }
        return settings


def _rewind_streams(state: Path) -> None:
    # It saves how far each consumer has read a stream, but not the streams: after a restart
    # consumers would sleep through as many new records as they had read before.
    path = state / "lambda.json"
    if not path.exists():
        return
    saved = json.loads(path.read_text())
    saved["payload"]["dynamodb_stream_positions"]["data"] = {}
    path.write_text(json.dumps(saved))


def credentials() -> dict[str, str]:
    """Return the environment of the emulator's administrator."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def answers(endpoint: str) -> bool:
    """Return whether an embedded AWS answers there."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _stop_with(owner: int, process: int, scratch: Path) -> None:
    # A test run that is killed cannot clean up after itself.
    watch = (
        "while kill -0 $0 && kill -0 $1; do sleep 2; done; kill -TERM $1;"
        " while kill -0 $1; do sleep 1; done; rm -rf $2"
    )
    subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", watch, str(owner), str(process), str(scratch)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
