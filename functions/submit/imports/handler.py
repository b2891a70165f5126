"""Imports, run: a queue in, a line about every row out.

A message names a job: from the bucket when its file has come, or from the run before. A run
takes the job's lease, goes on at the row where the last one stopped, writes what came of a
piece of the file and then counts it, and hands over to the next run before its time is up. A
run cut off in the middle of a piece has it repeated, without a second effect of any row.

What the file as a whole is to blame for ends the job as failed. What we are to blame for is
tried again; a job that gets nowhere three times is failed too, and put on the dead queue.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, imports, spreadsheet, streams
from introducer.clients import client
from introducer.errors import IntroducerError, StaleError, TransitionError
from introducer.imports import UPLOAD_LIMIT_BYTES, Import, Progress, part_key, result_key
from introducer.settings import setting
from introducer.streams import Answer, Delivery, Record
from introducer.tables import imports as jobs
from introducer.tables import leases, programs
from introducer.tables.leases import Lease, LeaseLostError, Left
from introducer.tables.store import Transaction
from submit.imports import bucket, rows, sheet
from submit.imports.kinds import KINDS
from submit.imports.rows import Context, Outcome
from submit.imports.sheet import FileFaultError, Row
from submit.log import logger

MOST_ATTEMPTS = 3
PIECE_ROWS = 250
HAND_OVER_S = 30.0
"""So much of a run is kept for writing the last piece and handing over."""
LOOK_AGAIN_S = 30
"""So long a message waits that met somebody else at work."""
HEADER = ("row", "outcome", "id", "code", "field", "message")
_PIECE_S = 20.0
# A piece is written after so long at the latest: an interrupted run repeats no more.

Work = Lease[Import, Progress]


class NothingAchievedError(IntroducerError):
    """Run after run ended without having achieved anything, and without saying why."""


def handler(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Go on with the job of each message."""
    left = leases.timer(context.get_remaining_time_in_millis())

    def work(message: Record) -> None:
        if message["import"]:
            go_on(message["import"], left)

    return streams.from_queue(event, lambda batch: batch.each(work), read=read_message)


def read_message(delivery: Delivery) -> Record:
    """Return which job a message is about; none in the bucket's test of the queue."""
    body = json.loads(delivery["body"])
    if "Records" in body:
        key = unquote_plus(body["Records"][0]["s3"]["object"]["key"])
        return {"import": key.split("/")[1]}
    return {"import": body.get("import", "")}


def go_on(name: str, left: Left) -> None:
    """Do as much of a job as there is time for."""
    now = clock.now()
    job = jobs.find(name)
    if job is None or job.status != "requested" or now >= job.expires_at:
        logger().info("nothing to do", import_id=name)
        return
    found = bucket.size_and_mark(imports.upload_key(name))
    if found is None:
        logger().info("its file has not come yet", import_id=name)
        return
    if found[0] > UPLOAD_LIMIT_BYTES:
        _fail(job, "upload_too_large")
        return
    held = leases.take(job, Progress, left, now)
    if held is None:
        # Its holder may die with the only other message there is, so this one stays about.
        _send_again(job, delay_s=LOOK_AGAIN_S)
        return
    try:
        _run(held)
    except FileFaultError as failure:
        _fail(job, failure.code, findings=failure.findings)
    except LeaseLostError:
        raise  # whoever has it now goes on; the message comes again and finds the job ended
    except Exception as failure:
        if held.progress.attempts < MOST_ATTEMPTS:
            held.give_back(clock.now())
            raise
        _give_up(job, failure)


def _run(held: Work) -> None:
    job = held.job
    if held.progress.attempts > MOST_ATTEMPTS:  # these were killed: memory, or time
        message = "the run was cut off every time"
        raise NothingAchievedError(message)
    kind = KINDS[job.kind]
    todo = sheet.rows_of(_content(held), kind.columns)
    context = Context(job, programs.current(job.program, clock.now()))
    while held.progress.rows < len(todo):
        if held.left() < HAND_OVER_S:
            held.hand_over(clock.now())
            _send_again(job, delay_s=0)
            return
        _take_piece(held, context, todo[held.progress.rows :][:PIECE_ROWS])
    _finish(held)


def _content(held: Work) -> bytes:
    """Return the file, the same one that the run before has read.

    Raises:
        FileFaultError: ``file_changed``: another was sent while the first was worked on.
    """
    raw, mark = bucket.read(imports.upload_key(held.job.id))
    before = held.progress.etag
    if before and before != mark:
        message = "another file was sent while the first was worked on"
        raise FileFaultError("file_changed", message)
    if not before:
        held.advance(etag=mark, attempts=held.progress.attempts)
    return raw


def _take_piece(held: Work, context: Context, piece: list[Row]) -> None:
    """Take some rows, write what came of them, and count them then."""
    began = time.monotonic()
    before = held.progress
    lines, counts = [], Counter(before.counts)
    try:
        for row in piece:
            outcome = rows.take(context, KINDS[context.job.kind], row)
            lines.append(_line(row, outcome))
            counts[outcome.name] += 1
            if time.monotonic() - began > _PIECE_S or held.left() < HAND_OVER_S:
                break
    finally:
        # What a later row broke does not undo these.
        if lines:
            part = f"{before.rows:06}-{before.holder}-{before.revision}"
            bucket.write(part_key(held.job.id, part), spreadsheet.lines(lines))
            held.advance(
                rows=before.rows + len(lines), parts=[*before.parts, part], counts=dict(counts)
            )
    logger().info("rows taken", import_id=held.job.id, rows=held.progress.rows)


def _line(row: Row, outcome: Outcome) -> tuple[str, ...]:
    return (
        str(row.number),
        outcome.name,
        outcome.id,
        outcome.code,
        outcome.field,
        outcome.message,
    )


def _finish(held: Work) -> None:
    """Put the pieces together and end the job."""
    job, progress = held.job, held.progress
    pieces = [bucket.read(part_key(job.id, part))[0].decode() for part in progress.parts]
    bucket.write(result_key(job.id), "".join([spreadsheet.lines([HEADER]), *pieces]))
    if progress.counts.get("failed"):
        _tell_operators(job, "rows broke something of ours; the log says which and where")
    _end(
        job,
        *imports.finish(job, rows=progress.rows, counts=progress.counts, now=clock.now()),
    )
    logger().info("import done", import_id=job.id, rows=progress.rows, counts=progress.counts)


def _send_again(job: Import, *, delay_s: int) -> None:
    client("sqs").send_message(
        QueueUrl=setting("IMPORT_QUEUE_URL"),
        MessageBody=json.dumps({"import": job.id}),
        DelaySeconds=delay_s,
    )


def _fail(job: Import, code: str, *, findings: list[imports.Finding] | None = None) -> None:
    _end(job, *imports.fail(job, code, now=clock.now(), findings=findings))
    logger().info("import failed", import_id=job.id, code=code)


def _give_up(job: Import, failure: Exception) -> None:
    """Put the job on the dead queue, which raises an alarm, and end it."""
    reason = streams.reason(failure)
    _tell_operators(job, reason)
    _end(job, *imports.fail(job, "internal_error", now=clock.now(), reason=reason))
    logger().error("import given up", import_id=job.id, reason=reason)


def _tell_operators(job: Import, reason: str) -> None:
    client("sqs").send_message(
        QueueUrl=setting("IMPORT_DEAD_URL"),
        MessageBody=json.dumps({"import": job.id, "reason": reason}),
    )


def _end(before: Import, after: Import, event: Any) -> None:  # noqa: ANN401
    writes = Transaction()
    jobs.save(writes, before, after, event)
    try:
        writes.commit()
    except (StaleError, TransitionError):
        logger().info("it had ended already", import_id=before.id)
