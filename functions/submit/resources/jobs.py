"""Starting by hand what a schedule starts otherwise."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer.clients import client
from introducer.errors import NotFoundError
from introducer.settings import setting
from submit.acting import FINANCE
from submit.http import Answer, Call, Resource
from submit.inputs import Nothing

JOBS = {
    "overdue": "OVERDUE_FUNCTION",
    "disputes": "ESCALATE_FUNCTION",
    "audit": "AUDIT_FUNCTION",
    "sweep": "SWEEP_FUNCTION",
    "accrue": "ACCRUE_FUNCTION",
    "payout": "START_FUNCTION",
    "seal": "SEAL_FUNCTION",
    "verify": "SEAL_FUNCTION",
    "recover": "RECOVER_FUNCTION",
    "reconcile": "RECONCILE_FUNCTION",
    "screen": "SCREEN_FUNCTION",
}
"""Each job and the variable that names its function."""

resource = Resource(__name__)


class JobStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is on its way."""

    job: str


@resource.endpoint(
    "POST",
    "/v1/jobs/{job}",
    roles=FINANCE,
    body=Nothing,
    answer=JobStarted,
    status=202,
)
def start_job(call: Call[Nothing, Any]) -> Answer:
    """Start a job.

    One of overdue, disputes, audit, sweep, accrue, payout, seal, verify, recover, reconcile and
    screen.
    """
    job = call.path["job"]
    if job not in JOBS:
        raise NotFoundError("no such job")
    # Every job may run twice without harm, so it is started first and claimed after.
    client("lambda").invoke(
        FunctionName=setting(JOBS[job]),
        InvocationType="Event",
        Payload=msgspec.json.encode({"started_by": call.caller.name, "job": job}),
    )
    return Answer(body=JobStarted(job=job))
