"""The whole path on the deployed template: what `make demo` walks, with IAM enforced."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.api import Stack
from infra.emulator import ROOT
from tests.support.deployed import PLANTED, left_in_queues, logs, until

STEPS = [
    "A partner enrols",
    "The partner gets a link",
    "A visitor clicks the link",
    "The visitor submits the form",
    "It is screened, credited and given to a rep",
    "The partner and the rep get e-mails",
    "The rep accepts",
    "Billing reports the sale by a signed webhook",
    "Rewards appear: 25 % now, 75 % held for retention",
    "Accrual",
    "Payout batch",
    "The manager approves it",
    "A pain.001.001.09 file lies in the bucket",
    "The bank takes it and answers pain.002 and camt.054",
    "The partner's statement shows paid",
    "The books agree",
]
_TROUBLE = re.compile(
    r"unexpected failure|AccessDenied|not authorized|Task timed out|Runtime\.|\"ERROR\""
    r"|^[\w.]*(Error|Exception)\b"  # the last line of a traceback; each line is one of the log
)
_MEANT = (PLANTED, "PayoutsHaltedError: payouts are halted")
"""What tests break on purpose says so in its log lines."""


def walk(stack: Stack, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo against *stack*, from a folder of its own."""
    (folder / ".local").mkdir()
    (folder / "infra").symlink_to(ROOT / "infra")
    (folder / ".local/stack.json").write_text(json.dumps(stack.outputs))
    return subprocess.run(
        [sys.executable, "-m", "infra.demo"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.usefixtures("alone")
def test_path_from_a_click_to_money_in_the_bank_holds(stack: Stack, tmp_path: Path) -> None:
    """Every step holds, the books agree, nothing is left in a queue, no function failed.

    That no function was refused anything proves that each policy grants enough.
    """
    done = walk(stack, tmp_path)
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    assert STEPS == re.findall(r"^ ?\d+\. (.*)$", done.stdout, re.MULTILINE)
    assert "Every step held and the books agree." == done.stdout.splitlines()[-1]
    assert '"pending": 37500' in done.stdout
    assert '"paid": 12500' in done.stdout
    until(lambda: left_in_queues(stack), lambda left: left == {})
    assert [] == [
        (group, line)
        for group, line in logs(stack)
        if _TROUBLE.search(line) and not any(word in line for word in _MEANT)
    ]
