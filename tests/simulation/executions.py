"""The state machine of a batch, as its definition says: tasks repeated, late, side by side.

It reads ``infra/payout_batch.asl.json`` and knows of Amazon's language what is used there. A
task that fails is tried again, or fails its execution, which the product then lets go on; now
and then a task runs twice, the second time whenever it likes.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payout import batch
from tests.simulation.job import Job

if TYPE_CHECKING:
    from tests.simulation.world import World

_PATH = Path(__file__).parents[2] / "infra" / "payout_batch.asl.json"
_FAILS = 0.1
"""The share of failed tasks that are not tried again."""
_REPEATS = 0.15


@cache
def definition() -> dict[str, Any]:
    """Return the state machine's definition."""
    found: dict[str, Any] = json.loads(_PATH.read_text())
    return found


class Execution:
    """One run of the machine: where it stands, what it knows, and which tasks are not done."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.name = name
        self.data = values
        self.at: str = definition()["StartAt"]
        self.visit = 0
        self.open: set[int] = set()
        self.token = ""
        self.since: datetime | None = None

    @property
    def state(self) -> dict[str, Any]:
        """Return the definition of the state it is in."""
        found: dict[str, Any] = definition()["States"][self.at]
        return found


class Executions:
    """All executions of a world.

    Args:
        world: Whose workers do the tasks.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Execution] = {}
        self._tokens = 0

    def take_up(self) -> None:
        """Begin what was started, let go on what was redriven, woken, or has waited too long."""
        machines = self._world.aws.stepfunctions
        while machines.started:
            name = machines.started.pop(0)
            self._known[name] = Execution(name, json.loads(machines.inputs[name]))
            self._enter(self._known[name])
        while machines.redriven:
            self._enter(self._known[machines.redriven.pop(0)])
        for each in list(self._known.values()):
            if not each.token:
                continue
            if each.token in machines.woken:
                self._leave(each, each.state["Next"])
            elif self._world.at >= self._until(each):
                machines.waiting.discard(each.token)
                self._leave(each, each.state["Catch"][0]["Next"])

    def _until(self, each: Execution) -> datetime:
        assert each.since is not None
        return each.since + timedelta(seconds=each.state["TimeoutSeconds"])

    def _enter(self, each: Execution) -> None:
        """Submit the tasks of the state that *each* is in; go through choices at once."""
        state = each.state
        each.visit += 1
        if state["Type"] == "Choice":
            self._leave(each, _chosen(state, each.data))
            return
        if state["Type"] in {"Succeed", "Fail"}:
            self._end(each, "SUCCEEDED" if state["Type"] == "Succeed" else "FAILED")
            return
        payloads = self._payloads(each, state)
        each.open = set(range(len(payloads)))
        for number, payload in enumerate(payloads):
            self._submit(each, each.visit, number, payload)
        if not payloads:
            self._next(each)

    def _payloads(self, each: Execution, state: dict[str, Any]) -> list[dict[str, Any]]:
        if state["Type"] == "Map":
            inner = state["ItemProcessor"]["States"]
            (task,) = inner.values()
            step = task["Arguments"]["Payload"]["step"]
            # Step Functions reads the list itself: none of our code, none of our faults.
            objects = self._world.aws.s3.objects
            content = objects[each.data["bucket"], each.data["key"]]
            items = json.loads(content)
            size = self._world.rng.choice([1, 2, 25])
            parts = [items[at : at + size] for at in range(0, len(items), size)]
            return [{"step": step, "batch": each.data["batch"], "Items": part} for part in parts]
        if state["Resource"].endswith("waitForTaskToken"):
            self._tokens += 1
            each.token, each.since = f"{each.name}:{self._tokens}", self._world.at
            self._world.aws.stepfunctions.waiting.add(each.token)
            return [_resolved(state["Parameters"]["Payload"], each)]
        return [_resolved(state["Parameters"], each)]

    def _submit(self, each: Execution, visit: int, number: int, payload: dict[str, Any]) -> None:
        state = each.state
        final = {name for retry in _retries(state) for name in retry}

        def run(now: str) -> None:
            answer = getattr(batch, payload["step"])(payload, now)
            if each.visit == visit and number in each.open:
                each.open.discard(number)
                if not each.open and not each.token:
                    self._next(each, answer)

        def failed(error: BaseException) -> bool:
            """Try again, or let the execution fail; the late repetition of a task may fail."""
            if each.visit != visit or number not in each.open:
                return True
            gives_up = not self._world.calm and self._world.rng.random() < _FAILS
            if type(error).__name__ in final or gives_up:
                each.visit += 1
                self._end(each, "FAILED")
            else:
                self._world.submit(job)
            return True

        job = Job(f"{payload['step']} {each.name}", run, failed=failed)
        self._world.submit(job)
        if not self._world.calm and self._world.rng.random() < _REPEATS:
            self._world.submit(job)

    def _next(self, each: Execution, answer: dict[str, Any] | None = None) -> None:
        """Take in what the task answered and go to the state that follows."""
        state = each.state
        result: Any = answer or {}
        if "ResultSelector" in state:
            result = {
                key.removesuffix(".$"): result[path.removeprefix("$.")]
                for key, path in state["ResultSelector"].items()
            }
        where = state.get("ResultPath", "$")
        if where == "$":
            each.data = result
        elif where is not None:
            each.data = {**each.data, where.removeprefix("$."): result}
        if state.get("End"):
            self._end(each, "SUCCEEDED")
        else:
            self._leave(each, state["Next"])

    def _leave(self, each: Execution, following: str) -> None:
        each.token, each.at = "", following
        self._enter(each)

    def _end(self, each: Execution, status: str) -> None:
        each.token = ""
        self._world.aws.stepfunctions.status[each.name] = status


def _retries(state: dict[str, Any]) -> list[list[str]]:
    """Return the errors that are not tried again."""
    if state["Type"] == "Map":
        (state,) = state["ItemProcessor"]["States"].values()
    return [each["ErrorEquals"] for each in state.get("Retry", ()) if each["MaxAttempts"] == 0]


def _resolved(parameters: dict[str, Any], each: Execution) -> dict[str, Any]:
    """Return *parameters* with the paths in them replaced by what lies there."""
    found = {}
    for key, value in parameters.items():
        if not key.endswith(".$"):
            found[key] = value
        elif value == "$$.Execution.Name":
            found[key[:-2]] = each.name
        elif value == "$$.Task.Token":
            found[key[:-2]] = each.token
        else:
            found[key[:-2]] = _at(each.data, value)
    return found


def _chosen(state: dict[str, Any], data: dict[str, Any]) -> str:
    for choice in state["Choices"]:
        ((_, wanted),) = ((key, value) for key, value in choice.items() if key.endswith("Equals"))
        if _at(data, choice["Variable"]) == wanted:
            return str(choice["Next"])
    return str(state["Default"])


def _at(data: dict[str, Any], path: str) -> Any:
    found: Any = data
    for step in path.removeprefix("$.").split("."):
        found = found[step]
    return found
