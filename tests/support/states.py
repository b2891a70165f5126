"""The state machine service in memory: what it was told, and what it refuses."""

from __future__ import annotations

import json


class States:
    """The state machine service: remembers what it was told, refuses what it started."""

    class exceptions:  # noqa: N801  (as the SDK calls it)
        """The errors that are caught."""

        class ExecutionAlreadyExists(Exception):  # noqa: N818
            """An execution of that name exists."""

        class TaskTimedOut(Exception):  # noqa: N818
            """The task has ended."""

        class TaskDoesNotExist(Exception):  # noqa: N818
            """There is no such task."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, str]] = {}
        self.woken: list[str] = []
        self.gone = False

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        """Start an execution, once."""
        assert "arn:machine" == stateMachineArn
        if name in self.started:
            raise self.exceptions.ExecutionAlreadyExists
        self.started[name] = json.loads(input)

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803
        """End a waiting task."""
        assert "{}" == output
        self.woken.append(taskToken)
        if self.gone:
            raise self.exceptions.TaskTimedOut
