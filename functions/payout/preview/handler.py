"""Previews, run: a queue in, a report out.

A message names a job, and is acted on by what the job's items say now; it does not matter
whether it came from the bus, from the bucket when an upload arrived, or from the run before.
A run takes the job's lease, goes on where the last one stopped, and hands over to the next
before its time is up. What the data or the draft are to blame for ends the job as failed, for
a person to mend. What we are to blame for is tried again; a job that gets nowhere three times
is failed too, and put on the dead queue for us to look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, preview, streams
from introducer.clients import client
from introducer.errors import IntroducerError, StaleError, TransitionError
from introducer.preview import UPLOAD_LIMIT_BYTES, Finding, Preview, upload_key
from introducer.program import Program
from introducer.settings import setting
from introducer.streams import Answer, Delivery, Record
from introducer.tables import leases, previews, programs
from introducer.tables.leases import LeaseLostError, Left
from introducer.tables.store import Transaction
from payout.edge import logger
from payout.preview import bucket, gather, lease, result
from payout.preview.layout import BadDataError
from payout.preview.lease import Lease

MOST_ATTEMPTS = 3
REPORT_S = 200.0
"""So much of a run is kept for the report; with less, the next run makes it."""
LOOK_AGAIN_S = 30
"""So long a message waits that met somebody else at work."""


class NothingAchievedError(IntroducerError):
    """Run after run ended without having achieved anything, and without saying why."""


def handler(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Go on with the job of each message."""
    left = leases.timer(context.get_remaining_time_in_millis())

    def work(message: Record) -> None:
        if message["preview"]:
            go_on(message["preview"], left)

    return streams.from_queue(event, lambda batch: batch.each(work), read=read_message)


def read_message(delivery: Delivery) -> Record:
    """Return which job a message is about; none in the bucket's test of the queue."""
    body = json.loads(delivery["body"])
    if "detail" in body:
        return {"preview": body["detail"]["entity"].partition("#")[2]}
    if "Records" in body:
        key = unquote_plus(body["Records"][0]["s3"]["object"]["key"])
        return {"preview": key.split("/")[1]}
    return {"preview": body.get("preview", "")}


def go_on(name: str, left: Left) -> None:
    """Do as much of a job as there is time for."""
    now = clock.now()
    job = previews.find(name)
    if job is None or job.status != "requested" or now >= job.expires_at:
        logger.info("nothing to do", extra={"preview": name})
        return
    size = bucket.size(upload_key(name)) if job.kind == "upload" else 0
    if size is None:
        logger.info("its file has not come yet", extra={"preview": name})
        return
    if size > UPLOAD_LIMIT_BYTES:
        _fail(job, "upload_too_large", [])
        return
    held = lease.take(job, left, now)
    if held is None:
        # Its holder may die with the only other message there is, so this one stays about.
        _send_again(job, delay_s=LOOK_AGAIN_S)
        return
    try:
        _run(held)
    except BadDataError as failure:
        _fail(job, "invalid_data", _to_mend(failure))
    except LeaseLostError:
        raise  # whoever has it now goes on; the message comes again and finds the job ended
    except Exception as failure:
        if held.progress.attempts < MOST_ATTEMPTS:
            held.give_back(clock.now())
            raise
        _give_up(job, failure)


def _run(held: Lease) -> None:
    job = held.job
    if held.progress.attempts > MOST_ATTEMPTS:  # these were killed: memory, or time
        message = "the run was cut off every time"
        raise NothingAchievedError(message)
    draft = previews.draft(job.id)
    if not _has_facts(held, draft):
        held.hand_over(clock.now())
        _send_again(job, delay_s=0)
        return
    made = result.make(job, draft, held.progress, clock.now())
    _end(
        job,
        *preview.finish(
            job,
            live_version=made.live_version,
            referrals=made.referrals,
            summary=made.summary,
            now=clock.now(),
        ),
    )
    logger.info("preview done", extra={"preview": job.id, "referrals": made.referrals})


def _has_facts(held: Lease, draft: Program) -> bool:
    """Return whether everything is there to report on, and time to do it."""
    if held.job.kind == "upload" or held.progress.gathered:
        return True
    live = programs.current(held.job.program, clock.now()).document
    return gather.past(held, draft, live) and held.left() >= REPORT_S


def _send_again(job: Preview, *, delay_s: int) -> None:
    client("sqs").send_message(
        QueueUrl=setting("PREVIEW_QUEUE_URL"),
        MessageBody=json.dumps({"preview": job.id}),
        DelaySeconds=delay_s,
    )


def _to_mend(failure: BadDataError) -> list[Finding]:
    """Return the first faults of the data, each with its row; the header is row 1."""
    return [
        {name: str(value) for name, value in msgspec.structs.asdict(each).items()}
        for each in failure.findings.first
    ]


def _fail(job: Preview, code: str, findings: list[Finding]) -> None:
    _end(job, *preview.fail(job, code, now=clock.now(), findings=findings))
    logger.info("preview failed", extra={"preview": job.id, "code": code})


def _give_up(job: Preview, failure: Exception) -> None:
    """Put the job on the dead queue, which raises an alarm, and end it."""
    reason = streams.reason(failure)
    client("sqs").send_message(
        QueueUrl=setting("PREVIEW_DEAD_URL"),
        MessageBody=json.dumps({"preview": job.id, "reason": reason}),
    )
    _end(job, *preview.fail(job, "internal_error", now=clock.now(), reason=reason))
    logger.error("preview given up", extra={"preview": job.id, "reason": reason})


def _end(before: Preview, after: Preview, event: Any) -> None:  # noqa: ANN401
    writes = Transaction()
    previews.save(writes, before, after, event)
    try:
        writes.commit()
    except (StaleError, TransitionError):
        logger.info("it had ended already", extra={"preview": before.id})
