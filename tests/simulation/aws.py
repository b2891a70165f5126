"""AWS in memory under the real code: put in place of the client objects, with faults by plan.

:class:`Aws` stands under PynamoDB's connection and under :mod:`introducer.clients`. It repeats
what the SDK repeats (the same request with the same token), so that what a lost answer does is
what it does there. Before every call it lets others go on, if somebody schedules.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError, ReadTimeoutError

from introducer import clients, metric
from introducer.tables import programs, store
from payout import edge
from tests.simulation import faults
from tests.simulation.dynamodb import DynamoDB
from tests.simulation.faults import Call, Crash, Fault, Faults
from tests.simulation.services import S3, Kms, StepFunctions
from tests.simulation.storage import NO_LAG, Lag, refused
from tests.support import tables
from tests.support.environment import FUNCTION, forget

_ATTEMPTS = {"dynamodb": 4, "s3": 3, "kms": 3, "stepfunctions": 3}
"""How often the SDK sends a request, as the clients are configured."""
MACHINE = "arn:machine"
Stored = dict[str, dict[Any, Any]]
"""Items by table and key, and files."""


class Aws:
    """One account: a DynamoDB with the template's tables, a bucket, a key, state machines.

    Args:
        seed: Of everything that is random in it.
        lag: How late indexes and reads may be.
    """

    def __init__(self, seed: int = 0, lag: Lag = NO_LAG) -> None:
        self.environment, properties = tables.schemas()
        self.rng = random.Random(seed)
        self.dynamodb = DynamoDB(properties, self.rng, lag)
        self.s3 = S3(self._call)
        self.kms = Kms(self._call)
        self.stepfunctions = StepFunctions(self._call)
        self.faults: Faults = faults.none
        self.turn: Callable[[str], None] = _nobody
        """Called before everything that is sent: whoever schedules lets others go on."""
        self.calls = 0
        self.met = 0
        """How many calls met a fault."""
        self.metrics: dict[str, int] = {}
        self._tokens = 0

    @contextmanager
    def installed(self) -> Iterator[Aws]:
        """Be the AWS of everything that runs inside."""
        forget()
        with ExitStack() as stack:
            environment = {**FUNCTION, **self.environment, "KEY_ARN": "arn:key"}
            environment |= {"BATCH_MACHINE_ARN": MACHINE, "PROOF_BUCKET": "proofs"}
            environment["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
            stack.enter_context(patch.dict("os.environ", environment))
            session = SimpleNamespace(create_client=self._client)
            stack.enter_context(patch.object(clients, "_session", lambda: session))
            stack.enter_context(patch.object(metric, "count", self._count))
            stack.enter_context(patch.object(time, "sleep", self._sleep))
            stack.enter_context(patch.object(store, "_pause", self._pause))
            stack.callback(edge.logger.setLevel, edge.logger.log_level)
            edge.logger.setLevel("CRITICAL")
            store.connection()._client = _Client(self)
            yield self
        forget()
        programs.version.cache_clear()

    def stored(self) -> Stored:
        """Return everything that is stored, to compare it or to come back to it."""
        return {
            **{name: dict(sorted(self.dynamodb.everything(name))) for name in self.dynamodb.tables},
            "files": dict(sorted(self.s3.objects.items())),
        }

    def restore(self, stored: Stored) -> None:
        """Put everything back to how it was *stored*, and forget executions and tokens."""
        for name in self.dynamodb.tables:
            self.dynamodb.replace(name, list(stored[name].values()))
        self.s3.objects = dict(stored["files"])
        self.stepfunctions = StepFunctions(self._call)
        clients.client.cache_clear()
        self.calls = 0

    def dynamodb_call(self, operation: str, params: dict[str, Any]) -> Any:
        """Do what PynamoDB asks, as botocore would: with a token, repeated when no answer came."""
        if operation == "TransactWriteItems" and "ClientRequestToken" not in params:
            self._tokens += 1
            params = {**params, "ClientRequestToken": str(self._tokens)}
        return self._call("dynamodb", operation, lambda: self.dynamodb.call(operation, params))

    def _call(self, service: str, operation: str, run: Callable[[], Any]) -> Any:
        self.turn(operation)
        call = Call(self.calls, service, operation)
        self.calls += 1
        fault = self.faults(call)
        self.met += fault is not Fault.NONE
        match fault:
            case Fault.NONE:
                return run()
            case Fault.NEVER_SENT:
                raise ReadTimeoutError(endpoint_url=service)
            case Fault.LOST_ONCE:
                _unheard(run)
                self.turn(operation)
                return run()
            case Fault.LOST:
                for _ in range(_ATTEMPTS[service]):
                    _unheard(run)
                    self.turn(operation)
                raise ReadTimeoutError(endpoint_url=service)
            case Fault.THROTTLED:
                raise refused("ThrottlingException", "Rate exceeded", operation)
            case Fault.CONFLICT:
                raise _conflict(call)
            case Fault.CRASH_BEFORE:
                raise Crash(operation)
            case Fault.CRASH_AFTER:
                _unheard(run)
                raise Crash(operation)
            case Fault.UNPROCESSED:
                return _partly(run(), operation, self.rng)
        raise AssertionError

    def _client(self, service: str, **_: Any) -> Any:
        return getattr(self, service)

    def _count(self, name: str, value: int = 1) -> None:
        self.metrics[name] = self.metrics.get(name, 0) + value

    def _sleep(self, _seconds: float) -> None:
        self.turn("sleep")

    def _pause(self, _attempt: int) -> None:
        self.turn("sleep")


class _Client:
    """What PynamoDB takes for a botocore client."""

    _request_signer = SimpleNamespace(_credentials=True)

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.meta = SimpleNamespace(endpoint_url="memory")

    def _make_api_call(self, operation: str, params: dict[str, Any]) -> Any:
        return self._aws.dynamodb_call(operation, params)


def _nobody(_: str) -> None:
    """Let nobody go on: there is only one."""


def _unheard(run: Callable[[], Any]) -> None:
    """Let it be done; whether it was, nobody hears."""
    try:
        run()
    except ClientError:
        return


def _conflict(call: Call) -> ClientError:
    if call.operation == "TransactWriteItems":
        return refused(
            "TransactionCanceledException",
            "Transaction cancelled",
            call.operation,
            CancellationReasons=[{"Code": "TransactionConflict", "Message": "ongoing"}],
        )
    if call.writes and call.service == "dynamodb":
        return refused("TransactionConflictException", "ongoing", call.operation)
    return refused("ThrottlingException", "Rate exceeded", call.operation)


def _partly(answer: Any, operation: str, rng: random.Random) -> Any:
    """Return the answer to a read of many with some of them left unread."""
    if operation != "BatchGetItem":
        return answer
    responses: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for table, items in answer["Responses"].items():
        kept = rng.randint(0, len(items))
        responses[table] = items[:kept]
        keys = [{name: each[name] for name in ("pk", "sk")} for each in items[kept:]]
        if keys:
            left[table] = {"Keys": keys, "ConsistentRead": True}
    return {"Responses": responses, "UnprocessedKeys": left}
