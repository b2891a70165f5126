"""Files of rows in the test's own process: announced, delivered, worked on, read back."""

from __future__ import annotations

import csv
import io
import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from introducer import imports as importing
from introducer.clients import client
from introducer.imports import Import, result_key, upload_key
from introducer.settings import setting
from introducer.tables import events, imports
from introducer.tables.store import Transaction
from submit.imports import handler
from tests.support import life
from tests.support.tables import everything

NOW = "2026-11-22T11:17:00.000Z"
CONSENT = {"consent_version": "2026-11"}
DONE = ["ImportRequested", "ImportFinished"]
HEADER = "name,email,country,partner"
THREE = f"""{HEADER}\r
Lena Lead,lena@customers.example,DE,pia\r
Leo Lead,leo@customers.example,DE,pia\r
Lia Lead,lia@customers.example,DE,paul\r
"""
"""Three leads of two partners."""


def furnish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store a program with two partners and a rep, and make the queues of the function."""
    life.publish()
    life.enrol("pia")
    life.enrol("paul", login="login-paul")
    life.add_rep("anna")
    own = uuid.uuid4().hex[:12]
    for name in ("IMPORT_QUEUE_URL", "IMPORT_DEAD_URL"):
        queue = client("sqs").create_queue(QueueName=f"{name[7:11]}-{own}")
        monkeypatch.setenv(name, queue["QueueUrl"])


def announce(name: str, kind: str, **overrides: Any) -> Import:
    """Store a job that awaits its file."""
    values = {
        "id": name,
        "program": life.PROGRAM,
        "version": 1,
        "status": "requested",
        "kind": kind,
        "requested_at": NOW,
        "requested_by": "user:mia",
        "updated_at": NOW,
        "expires_at": "2026-12-06T11:17:00.000Z",
        "upload_bytes": 1,
        "upload_until": NOW,
        "defaults": CONSENT if kind == "referrals" else {},
    }
    job = Import(**(values | overrides))
    writes = Transaction()
    imports.request(writes, job, importing.requested(job))
    writes.commit()
    return job


def upload(name: str, content: str | bytes) -> None:
    """Send a job's file."""
    raw = content.encode() if isinstance(content, str) else content
    client("s3").put_object(Bucket=setting("INTAKE_BUCKET"), Key=upload_key(name), Body=raw)


def deliver(name: str, left_s: float = 300) -> list[str]:
    """Hand the bucket's message to the function; return which messages stay in the queue."""
    context = SimpleNamespace(
        function_name="import",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:import",
        aws_request_id="request",
        get_remaining_time_in_millis=lambda: int(left_s * 1000),
    )
    body = {"Records": [{"s3": {"object": {"key": upload_key(name)}}}]}
    event = {"Records": [{"messageId": "m1", "body": json.dumps(body)}]}
    answer = handler.handler(event, context)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def take(name: str, kind: str, content: str | bytes, **overrides: Any) -> list[dict[str, str]]:
    """Announce, send and work on a file; return the lines of its result."""
    announce(name, kind, **overrides)
    upload(name, content)
    assert [] == deliver(name)
    return result(name)


def result(name: str) -> list[dict[str, str]]:
    """Return the lines of a job's result."""
    text = raw_result(name).decode()
    return list(csv.DictReader(io.StringIO(text)))


def raw_result(name: str) -> bytes:
    """Return a job's result as it lies in the bucket."""
    key = result_key(name)
    body: bytes = client("s3").get_object(Bucket=setting("INTAKE_BUCKET"), Key=key)["Body"].read()
    return body


def outcomes(lines: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
    """Return row, outcome, code and field of each line."""
    return [(each["row"], each["outcome"], each["code"], each["field"]) for each in lines]


def ended(name: str) -> tuple[str, str, dict[str, int], list[str]]:
    """Return how a job ended, why, its counts and its events."""
    job = imports.get(name)
    return job.status, job.code, job.counts, [each.type for each in events.of_entity(job.entity)]


def sheet(header: str, *rows: str) -> str:
    """Return a CSV file."""
    return "\r\n".join([header, *rows]) + "\r\n"


def waiting(queue: str = "IMPORT_QUEUE_URL") -> list[dict[str, Any]]:
    """Take every message that can be seen in a queue."""
    url = setting(queue)
    found = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"]) for each in found]


def made(kind: str) -> list[str]:
    """Return the ids of everything of a kind that was made, by its first event."""
    stored = [each for each in everything() if each["sk"] == "EVENT#000001"]
    return sorted(each["pk"].partition("#")[2] for each in stored if each["pk"].startswith(kind))
