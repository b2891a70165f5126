"""What the API and the router cost the processor: ``make bench NAME=submit``.

Start-up is taken in new processes, compiled beforehand; warm work in this one, against the
embedded AWS, which runs in another. The baseline of warm work is the very same calls of the
store, sent by botocore alone: what is above it is ours.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from bench import life, paths, rates, report
from bench.messages import click_of, new_referral, record, rest_event
from bench.meter import Call, Invocation
from bench.world import CONTEXT, World, measured, running
from introducer import clock
from tests.support import tables

STARTS = 11
ROUNDS = 6
A_ROUND = 40
PARTNERS = 4

FLOOR = """
from chalice.app import Chalice
from pynamodb.connection.base import Connection
app = Chalice(app_name="floor", configure_logs=False)
connection = Connection(region="us-east-1", connect_timeout_seconds=1, read_timeout_seconds=2)
key = {"pk": {"S": "x"}, "sk": {"S": "x"}}
connection.client._make_api_call("GetItem", {"TableName": TABLE, "Key": key})
"""
OURS = """
from submit.public import app
from introducer.tables import store
store.get(store.Table.CORE, "x", "x")
"""
FUNCTIONS = {
    "Public": "submit.public",
    "Partner": "submit.partner",
    "Rep": "submit.rep",
    "Staff": "submit.staff",
    "Rules": "submit.rules",
    "Finance": "submit.finance",
    "Inbound": "submit.inbound",
    "Click": "submit.click",
    "Route": "route.stream",
    "Count": "route.count",
    "Publish": "notify.publish",
    "Mail": "notify.mail",
    "Earn": "payout.earn",
    "Accrue": "payout.accrue",
    "Batch": "payout.batch",
    "Settle": "payout.settle",
}
"""Functions of the template and what each imports."""

Times = dict[str, list[float]]


def main() -> None:
    """Measure, print the tables, write the figures."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as emulator:
        world = World(emulator, "-submit")
        code = {"floor": FLOOR.replace("TABLE", repr(os.environ["CORE_TABLE"])), "ours": OURS}
        code |= {name: f"import {module}" for name, module in FUNCTIONS.items()}
        starts = start_cpu_ms(code, f"{folder}/compiled")
        cohort = life.Cohort(world, PARTNERS)
        warm = warm_cpu_us(cohort)
        rate = rates.submissions(cohort, after=2 * ROUNDS * A_ROUND)
    figures = {
        "submit_init_cpu_ms": min(starts["ours"]),
        "submit_init_median_cpu_ms": statistics.median(starts["ours"]),
        "submit_init_floor_cpu_ms": min(starts["floor"]),
        "submit_init_floor_median_cpu_ms": statistics.median(starts["floor"]),
        **{f"{name}_cpu_us": min(times) for name, times in warm.items()},
        "submit_rps_c10": rate,
        **{f"{name.lower()}_import_cpu_ms": min(starts[name]) for name in FUNCTIONS},
    }
    show(figures, starts)
    report.write("submit", figures)


def start_cpu_ms(code: dict[str, str], compiled: str) -> Times:
    """Return the processor time of each piece of code in new processes, taken in turn."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times: Times = {name: [] for name in code}
    for attempt in range(STARTS + 1):
        for name, text in code.items():
            timed = (
                f"import sys, time\nsys.path[:0] = {[str(each) for each in paths.SOURCES]!r}\n"
                f"began = time.process_time()\n{text}\nprint(time.process_time() - began)"
            )
            ran = subprocess.run(  # noqa: S603  (ourselves)
                [sys.executable, "-c", timed],
                env=environment,
                capture_output=True,
                check=True,
                text=True,
            )
            if attempt:  # the first one compiles
                times[name].append(float(ran.stdout) * 1000)
    return times


def warm_cpu_us(cohort: life.Cohort) -> Times:
    """Return the processor time of a submission and of routing it, ours and the baseline's.

    One value for each round, the mean of its submissions.
    """
    world = cohort.world
    world.now = clock.now()
    with measured(world):
        cohort.prepare()
        before = dict(world.meter.items)
        world.meter.invocations.clear()
        for number in range(ROUNDS * A_ROUND):
            _submit(cohort, number)
    replay = _Replay(world, before)
    recorded = world.meter.invocations
    calls = {
        "submit_warm": [_dynamodb(each) for each in recorded if each.function == "Public"],
        "route_warm": _pairs([_dynamodb(each) for each in recorded if each.function == "Route"]),
    }
    times: Times = {}
    for turn in range(ROUNDS):
        numbers = range((ROUNDS + turn) * A_ROUND, (ROUNDS + turn + 1) * A_ROUND)
        for name, seconds in _ours(cohort, numbers).items():
            times.setdefault(name, []).append(seconds / A_ROUND * 1e6)
        part = slice(turn * A_ROUND, (turn + 1) * A_ROUND)
        for name, each in calls.items():
            seconds = replay.cpu_s(call for group in each[part] for call in group)
            times.setdefault(f"{name}_botocore", []).append(seconds / A_ROUND * 1e6)
    return times


def show(figures: dict[str, float], starts: Times) -> None:
    """Print what was found, each figure beside its baseline."""

    def compared(value: str, baseline: str, what: str) -> str:
        return f"{figures[value] / figures[baseline]:.2f} x {what}"

    report.table(
        "Start-up and warm work of the API and the router (CPU)",
        [
            (
                "submit: start-up, app made and store connected, ms",
                figures["submit_init_cpu_ms"],
                compared("submit_init_cpu_ms", "submit_init_floor_cpu_ms", "the floor; aim 1.2"),
            ),
            (
                "  floor: bare chalice and PynamoDB connected, ms",
                figures["submit_init_floor_cpu_ms"],
                "",
            ),
            (
                "  medians, ms",
                " / ".join(f"{statistics.median(starts[name]):.1f}" for name in ("ours", "floor")),
                "",
            ),
            (
                "submit: one submission, us",
                figures["submit_warm_cpu_us"],
                compared("submit_warm_cpu_us", "submit_warm_botocore_cpu_us", "the same calls"),
            ),
            (
                "  baseline: its calls by botocore alone, us",
                figures["submit_warm_botocore_cpu_us"],
                "",
            ),
            (
                "route: one referral screened and assigned, us",
                figures["route_warm_cpu_us"],
                compared("route_warm_cpu_us", "route_warm_botocore_cpu_us", "the same calls"),
            ),
            (
                "  baseline: its calls by botocore alone, us",
                figures["route_warm_botocore_cpu_us"],
                "",
            ),
            (
                "submissions a second, 10 connections",
                figures["submit_rps_c10"],
                "a process each; embedded AWS",
            ),
        ],
    )
    report.table(
        "What each function's modules cost to import, ms (CPU)",
        [
            (name, min(starts[name]), f"median {statistics.median(starts[name]):.1f}")
            for name in FUNCTIONS
        ],
    )


def _submit(cohort: life.Cohort, number: int) -> None:
    """Submit one more referral through the meter, and hand on what it wrote."""
    body = new_referral(number, click_of(cohort.links[number % PARTNERS], cohort.world.now))
    cohort.world.http(
        "Public",
        "POST",
        "/v1/programs/{program}/referrals",
        body,
        path={"program": life.PROGRAM},
        step="submit",
    )


def _ours(cohort: life.Cohort, numbers: Iterable[int]) -> dict[str, float]:
    """Submit and route referrals with nothing in between; return the seconds of each."""
    from route import stream
    from submit import public

    world = cohort.world
    dynamodb = world.client("dynamodb")
    seconds = {"submit_warm": 0.0, "route_warm": 0.0}
    for number in numbers:
        click = click_of(cohort.links[number % PARTNERS], world.now)
        event = rest_event(
            "POST",
            "/v1/programs/{program}/referrals",
            json.dumps(new_referral(number, click)),
            path={"program": life.PROGRAM},
            number=world.number(),
        )
        answer, took_s = _timed(lambda event=event: public.app(event, CONTEXT))
        assert answer["statusCode"] == 201, answer
        seconds["submit_warm"] += took_s
        entity = f"REFERRAL#{json.loads(answer['body'])['id']}"
        for seq in (1, 2):
            key = {"pk": {"S": entity}, "sk": {"S": f"EVENT#{seq:06}"}}
            item = dynamodb.get_item(TableName=os.environ["CORE_TABLE"], Key=key)["Item"]
            delivery = {"Records": [record(item, world.number())]}
            _, took_s = _timed(lambda event=delivery: stream.handler(event, CONTEXT))
            seconds["route_warm"] += took_s
    return seconds


class _Replay:
    """Sends recorded calls again, to tables that hold what was there before them."""

    def __init__(self, world: World, items: dict[tuple[str, ...], Any]) -> None:
        self._client = world.client("dynamodb")
        made = tables.create(self._client, suffix="-replay")
        self._names = {os.environ[variable]: name for variable, name in made.items()}
        for (table, *_), item in items.items():
            self._client.put_item(TableName=self._names[table], Item=item)

    def cpu_s(self, calls: Iterable[Call]) -> float:
        """Return the processor time of sending *calls*."""
        ready = [(each.operation, self._moved(each.params)) for each in calls]
        _, took_s = _timed(
            lambda: [self._client._make_api_call(operation, params) for operation, params in ready]
        )
        return took_s

    def _moved(self, value: Any) -> Any:  # noqa: ANN401
        """Return *value* with the names of the tables it was recorded on replaced."""
        if isinstance(value, dict):
            return {
                self._names.get(key, key): self._names.get(inner, inner)
                if key == "TableName"
                else self._moved(inner)
                for key, inner in value.items()
                if key != "ClientRequestToken"
            }
        return [self._moved(inner) for inner in value] if isinstance(value, list) else value


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    with redirect_stdout(io.StringIO()):
        began = time.process_time()
        answer = run()
        return answer, time.process_time() - began


def _dynamodb(invocation: Invocation) -> list[Call]:
    return [call for call in invocation.calls if call.service == "dynamodb"]


def _pairs(groups: list[list[Call]]) -> list[list[Call]]:
    """Return screening and assigning of one referral together."""
    return [first + second for first, second in zip(groups[::2], groups[1::2], strict=True)]


if __name__ == "__main__":
    main()
