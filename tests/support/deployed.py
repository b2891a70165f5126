"""Looking into a deployed stack with its administrator's rights: tables, queues, logs, jobs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
from boto3.dynamodb.types import TypeDeserializer

from infra.api import Stack, http

T = TypeVar("T")
Item = dict[str, Any]

PATIENCE_S = 60
PLANTED = "planted"
"""Part of the ids of everything a test broke on purpose."""
_decode = TypeDeserializer().deserialize


def aws(stack: Stack, service: str) -> Any:
    """Return a client of the embedded AWS with its administrator's rights."""
    session = boto3.Session("test", "test", region_name=stack["region"])
    return session.client(service, endpoint_url=stack["endpoint"])


def until(read: Callable[[], T], held: Callable[[T], bool], patience_s: float = PATIENCE_S) -> T:
    """Return the first value of *read* for which *held* holds; fail after *patience_s*."""
    deadline = time.monotonic() + patience_s
    while True:
        value = read()
        if held(value):
            return value
        assert time.monotonic() < deadline, f"waited {patience_s} s, last seen: {value}"
        time.sleep(0.1)


def items(stack: Stack, table: str, containing: str = "") -> list[Item]:
    """Return the items of a table that hold the text *containing* anywhere, in key order."""
    pages = (
        aws(stack, "dynamodb")
        .get_paginator("scan")
        .paginate(TableName=stack["tables"][table], ConsistentRead=True)
    )
    found = [raw for page in pages for raw in page["Items"] if containing in str(raw)]
    plain = [{name: _decode(value) for name, value in raw.items()} for raw in found]
    return sorted(plain, key=lambda item: (item["pk"], item.get("sk", "")))


def item(stack: Stack, table: str, pk: str, sk: str) -> Item:
    """Return one item, empty when there is none."""
    answer = aws(stack, "dynamodb").get_item(
        TableName=stack["tables"][table],
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        ConsistentRead=True,
    )
    return {name: _decode(value) for name, value in answer.get("Item", {}).items()}


def messages(stack: Stack, queue: str) -> list[Any]:
    """Return what is in a queue, visible or not, without taking it."""
    name = stack["queues"][queue].rpartition("/")[2]
    answer = http("GET", f"{stack['endpoint']}/_ministack/sqs/messages").expect(200)
    return [
        message
        for regions in answer.body["messages"].values()
        for queues in regions.values()
        for url, held in queues.items()
        if url.endswith(f"/{name}")
        for message in held
    ]


def left_in_queues(stack: Stack) -> dict[str, list[Any]]:
    """Return what lies in the queues, dead ones among them, that no test put there."""
    found = {
        queue: [each for each in messages(stack, queue) if PLANTED not in json.dumps(each)]
        for queue in stack["queues"]
    }
    return {queue: held for queue, held in found.items() if held}


def logs(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield every line that the functions, the API and the state machine have logged."""
    client = aws(stack, "logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                for event in events["events"]:
                    yield name, event["message"]


def mails(stack: Stack, containing: str = "") -> list[Item]:
    """Return the mails sent so far that hold the text *containing*."""
    answer = http("GET", f"{stack['endpoint']}/_ministack/ses/messages").expect(200)
    found = [mail for account in answer.body["messages"].values() for mail in account]
    return [mail for mail in found if containing in json.dumps(mail)]


def run_job(stack: Stack, function: str, payload: Item | None = None) -> Any:
    """Run a function to its end, with its own rights, and return what it answered.

    Raises:
        AssertionError: It raised.
    """
    answer = invoke(stack, function, payload or {})
    assert "FunctionError" not in answer, answer
    return answer["answer"]


def invoke(stack: Stack, function: str, payload: Item) -> Item:
    """Run a function to its end; ``answer`` is its decoded answer, or what it raised."""
    answer = aws(stack, "lambda").invoke(
        FunctionName=stack["functions"][function], Payload=json.dumps(payload).encode()
    )
    decoded = json.loads(answer.pop("Payload").read())
    return {**answer, "answer": decoded}


def report(stack: Stack) -> Item:
    """Reconcile now and return the report that is then in the bank's bucket."""
    key = run_job(stack, "reconcile")["report"]
    bucket = stack["buckets"]["bank"]
    body = aws(stack, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    found: Item = json.loads(body)
    return found
