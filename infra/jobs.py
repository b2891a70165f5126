"""Start a scheduled job by hand on the stack that runs: ``python -m infra.jobs accrue``.

Unlike ``POST /v1/jobs/{job}`` it waits, and prints what the job answers.
"""

from __future__ import annotations

import argparse
import json
import sys

import boto3

from infra.emulator import REGION
from infra.local import running

FUNCTIONS = {
    "overdue": "overdue",
    "disputes": "escalate",
    "audit": "audit",
    "sweep": "sweep",
    "accrue": "accrue",
    "payout": "start",
    "send": "send",
    "seal": "seal",
    "verify": "seal",
    "recover": "recover",
    "reconcile": "reconcile",
    "screen": "screen",
}
"""Each job and the function that does it."""


def main() -> None:
    """Run one job; leave with 1 when it fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=FUNCTIONS)
    job = parser.parse_args().job
    stack = running()
    if not stack:
        raise SystemExit("nothing runs: `make run` first")
    session = boto3.Session("test", "test", region_name=REGION)
    answer = session.client("lambda", endpoint_url=stack["endpoint"]).invoke(
        FunctionName=stack["functions"][FUNCTIONS[job]],
        Payload=json.dumps({"started_by": "operator", "job": job}),
    )
    print(f"{job}: {answer['Payload'].read().decode()}")
    sys.exit("FunctionError" in answer)


if __name__ == "__main__":
    main()
