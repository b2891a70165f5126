"""The embedded AWS with the template's tables, and around it what Lambda would do.

What a handler writes is handed on: new items through the filters of the template's stream
mappings, events through the bus to the queue of the rewards. Time is moved by hand. Mail is
left out.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session

from bench import (
    paths,  # noqa: F401  (it makes our code importable)
    units,
)
from bench.messages import record, rest_event
from bench.meter import Invocation, Meter
from infra import template
from infra.emulator import Emulator, credentials
from introducer import clock
from introducer.clock import Instant
from tests.support import tables
from tests.support.environment import FUNCTION, REGION, forget

_STEP_OF = {
    "ReferralSubmitted": "submit",
    "ReferralScreened": "screening",
    "ReferralAssigned": "assigned",
    "ReferralAccepted": "accepted",
    "ReferralWon": "won, sale",
    "ReferralRetained": "retained",
    "RewardEarned": "2 rewards",
    "RewardReleased": "accrual",
}
"""The step whose event this is; all others are the payout's."""


class World:
    """The embedded AWS with the template's tables, and the functions around them."""

    def __init__(self, emulator: Emulator, suffix: str) -> None:
        self.template = template.load()
        self._endpoint = emulator.endpoint
        self._session = botocore.session.get_session()
        os.environ.update(FUNCTION | credentials() | {"AWS_ENDPOINT_URL": emulator.endpoint})
        os.environ.pop("AWS_SESSION_TOKEN", None)
        forget()
        names = tables.create(self.client("dynamodb"), suffix=suffix)
        declared = template.resources(self.template, "AWS::DynamoDB::Table")
        schemas = {
            names[f"{logical.removesuffix('Table').upper()}_TABLE"]: units.table(properties)
            for logical, properties in declared.items()
        }
        self._streams = {names["CORE_TABLE"]: "CoreTable", names["LEDGER_TABLE"]: "LedgerTable"}
        os.environ.update(names | self._furniture(suffix))
        self.meter = Meter(schemas)
        self.extras: Counter[tuple[str, str]] = Counter()
        """What is billed but no call of ours, by step and kind."""
        self._numbers = itertools.count(1)
        self._earns = _rule(self.template, "EarnRule")
        self.now: Instant = clock.EPOCH

    def client(self, service: str) -> Any:  # noqa: ANN401
        """Return a client of the embedded AWS that no measurement sees."""
        return self._session.create_client(service, region_name=REGION, endpoint_url=self._endpoint)

    def _furniture(self, suffix: str) -> dict[str, str]:
        bucket, bus = f"bench-bank{suffix}", f"bench{suffix}"
        self.client("s3").create_bucket(Bucket=bucket)
        self.client("events").create_event_bus(Name=bus)
        queue = self.client("sqs").create_queue(QueueName=f"bench-retry{suffix}")["QueueUrl"]
        machine = self.client("stepfunctions").create_state_machine(
            name=f"bench{suffix}",
            definition='{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}',
            roleArn=self.client("iam").create_role(
                RoleName=f"bench{suffix}",
                AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}',
            )["Role"]["Arn"],
        )
        return {
            "BANK_BUCKET": bucket,
            "PROOF_BUCKET": bucket,
            "BUS_NAME": bus,
            "ROUTE_RETRY_URL": queue,
            "PUBLISH_RETRY_URL": queue,
            "BATCH_MACHINE_ARN": machine["stateMachineArn"],
            "KEY_ARN": self.client("kms").create_key()["KeyMetadata"]["Arn"],
        }

    # ---- functions

    def call(
        self,
        function: str,
        handler: Callable[[Any, Any], Any],
        event: dict[str, Any],
        step: str,
    ) -> Any:  # noqa: ANN401
        """Invoke a function and hand on what it wrote and published."""
        invocation, answer = self.meter.invoke(function, step, lambda: handler(event, CONTEXT))
        parked = [call for call in invocation.calls if call.service == "sqs"]
        assert not parked, parked[0].params
        self._deliver(invocation)
        return answer

    def http(
        self,
        function: str,
        method: str,
        route: str,
        body: object = None,
        *,
        step: str,
        path: dict[str, str] | None = None,
        claims: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request to one of the API's functions and return the answer's body."""
        app = _app(function)
        raw = body if isinstance(body, str) else json.dumps(body or {})
        event = rest_event(
            method,
            route,
            raw,
            path=path or {},
            claims=claims,
            headers=headers,
            number=self.number(),
        )
        self.extras[step, "api_request"] += 1
        answer = self.call(function, app, event, step)
        assert answer["statusCode"] in {200, 201}, answer
        document: dict[str, Any] = json.loads(answer["body"])
        return document

    def runs_a_day(self, function: str) -> float:
        """Return how often the template's schedule starts a function."""
        events = self.template["Resources"][function]["Properties"]["Events"]
        expression = events["Clock"]["Properties"]["ScheduleExpression"]
        if expression.startswith("cron(") and not set("/,-*") & set(
            "".join(expression[5:].split()[:2])
        ):
            return 1.0
        found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
        assert found, expression
        return 86_400 / (int(found[1]) * {"minute": 60, "hour": 3600, "day": 86_400}[found[2]])

    def number(self) -> int:
        """Return a number never returned before."""
        return next(self._numbers)

    # ---- what hangs off the tables

    def _deliver(self, invocation: Invocation) -> None:
        for table, logical in self._streams.items():
            records = [
                record(write.after, self.number())
                for call in invocation.calls
                for write in call.writes
                if write.table == table and write.before is None and write.after is not None
            ]
            for mapping in ("RouteFromCore", "PublishFromCore", "PublishFromLedger"):
                if mapping.endswith(logical.removesuffix("Table")):
                    self._feed(mapping, records)
        self._earn(invocation)

    def _feed(self, mapping: str, records: list[dict[str, Any]]) -> None:
        """Give a stream's consumer the records its filter lets through, a step at a time."""
        from notify import publish
        from route import stream

        properties = self.template["Resources"][mapping]["Properties"]
        patterns = [json.loads(each["Pattern"]) for each in properties["FilterCriteria"]["Filters"]]
        wanted = [each for each in records if any(matches(one, each) for one in patterns)]
        function, handler = (
            ("Route", stream.handler)
            if mapping.startswith("Route")
            else ("Publish", publish.handler)
        )
        for step, group in itertools.groupby(wanted, key=lambda each: _step(each, function)):
            batch = list(group)
            size = int(properties["BatchSize"])
            for begin in range(0, len(batch), size):
                self.call(function, handler, {"Records": batch[begin : begin + size]}, step)

    def _earn(self, invocation: Invocation) -> None:
        """Bring what was published to the queue of the rewards, as the bus's rule does."""
        from payout import earn

        for call in invocation.calls:
            if call.operation != "PutEvents":
                continue
            for entry in call.params["Entries"]:
                message = {
                    "source": entry["Source"],
                    "detail-type": entry["DetailType"],
                    "detail": json.loads(entry["Detail"]),
                }
                if matches(self._earns, message):
                    message_record = {"messageId": f"m{self.number()}", "body": json.dumps(message)}
                    step = "retained" if entry["DetailType"] == "ReferralRetained" else "2 rewards"
                    self.extras[step, "sqs_request"] += 3  # send, receive, delete
                    self.call("Earn", earn.handler, {"Records": [message_record]}, step)


CONTEXT = SimpleNamespace(
    function_name="bench",
    function_version="1",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:bench",
    aws_request_id="c8a1d1f8-6f0e-4c3e-9a51-0d6b5e1c2f33",
    get_remaining_time_in_millis=lambda: 30_000,
)


@contextmanager
def running(folder: Path) -> Iterator[Emulator]:
    """Yield an embedded AWS of our own, nothing deployed."""
    with Emulator(log=folder / "emulator.log") as emulator:
        yield emulator


@contextmanager
def measured(world: World) -> Iterator[World]:
    """Let *world*'s clock count and its meter see every call, inside."""
    real = clock.now
    clock.now = lambda: world.now
    try:
        with world.meter.attached():
            yield world
    finally:
        clock.now = real


def matches(pattern: Any, value: Any) -> bool:  # noqa: ANN401
    """Return whether an event filter of Lambda, or a rule of the bus, lets *value* through."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            any(matches(each, value) for each in inner)
            if name == "$or"
            else name in value and matches(inner, value[name])
            for name, inner in pattern.items()
        )
    return any(
        str(value).startswith(each["prefix"]) if isinstance(each, dict) else value == each
        for each in pattern
    )


def _app(function: str) -> Callable[[Any, Any], Any]:
    app: Callable[[Any, Any], Any] = import_module(f"submit.{function.lower()}").app
    return app


def _step(record: dict[str, Any], function: str) -> str:
    """Return the step that a consumer's work on *record* belongs to."""
    item = record["dynamodb"]["NewImage"]
    kind = (item.get("type") or item["kind"])["S"]
    if function == "Route":
        return "screening" if kind == "ReferralSubmitted" else "assigned"
    if kind == "ReferralAdvanced":
        return str(item["data"]["M"]["stage"]["S"])
    return _STEP_OF.get(kind, "payout" if kind.startswith(("Payout", "Batch")) else "")


def _rule(document: dict[str, Any], name: str) -> dict[str, Any]:
    pattern: dict[str, Any] = document["Resources"][name]["Properties"]["EventPattern"]
    return pattern
