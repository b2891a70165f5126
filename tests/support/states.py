"""The state machine service in memory: what it was told, and what it refuses."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError


class States:
    """The state machine service: remembers what it was told, refuses what it started."""

    class exceptions:  # noqa: N801  (as the SDK calls it)
        """The errors that are caught."""

        class ExecutionAlreadyExists(Exception):  # noqa: N818
            """An execution of that name exists."""

        class ExecutionDoesNotExist(Exception):  # noqa: N818
            """There is no such execution."""

        class TaskTimedOut(Exception):  # noqa: N818
            """The task has ended."""

        class TaskDoesNotExist(Exception):  # noqa: N818
            """There is no such task."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, str]] = {}
        self.inputs: dict[str, str] = {}
        self.woken: list[str] = []
        self.status: dict[str, str] = {}
        """By name, of executions that do not run any more."""
        self.redriven: list[str] = []
        self.can_redrive = True
        self.gone = False

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        """Start an execution, once."""
        assert "arn:machine" == stateMachineArn
        if name in self.started:
            raise self.exceptions.ExecutionAlreadyExists
        self.started[name] = json.loads(input)
        self.inputs[name] = input

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803
        """Tell how an execution fares."""
        name = executionArn.rpartition(":")[2]
        if name not in self.started:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": self.status.get(name, "RUNNING"), "input": self.inputs[name]}

    def redrive_execution(self, *, executionArn: str, clientToken: str) -> None:  # noqa: N803
        """Continue an execution that stopped."""
        assert clientToken
        if not self.can_redrive:
            raise ClientError({"Error": {"Code": "InvalidAction"}}, "RedriveExecution")
        name = executionArn.rpartition(":")[2]
        assert self.status.pop(name) in {"FAILED", "TIMED_OUT", "ABORTED"}
        self.redriven.append(name)

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803
        """End a waiting task."""
        assert "{}" == output
        self.woken.append(taskToken)
        if self.gone:
            raise self.exceptions.TaskTimedOut
