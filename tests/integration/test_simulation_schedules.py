"""Any schedule, 2 to 10 times at once, does what it does once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from introducer import clock
from introducer.tables import payouts
from payout import accrue, reconcile, recover, seal, start, sweep
from tests.simulation.aws import Stored
from tests.simulation.crash_points import Course
from tests.simulation.overlap import overlapping
from tests.support import money

LATER = "2026-11-24T08:00:00.000Z"
SCHEDULES: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "accrue": accrue.handler,
    "start": start.handler,
    "seal": seal.handler,
    "verify": lambda _, context: seal.handler({"job": "verify"}, context),
    "recover": recover.handler,
    "reconcile": reconcile.handler,
    "sweep": sweep.handler,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedule_many_times_at_once_is_once(schedule: str) -> None:
    """Runs of a schedule that overlap call by call store what one alone stores."""
    run = SCHEDULES[schedule]
    with Course().begun() as course, patch.object(clock, "now", lambda: LATER):
        before = _prepared(course)
        run({}, money.CONTEXT)
        expected, started = _outcome(course)

        for times in (2, 3, 10):
            course.aws.restore(before)
            overlapping(course.aws, [partial(run, {}, money.CONTEXT)] * times, seed=times)

            assert (expected, started) == _outcome(course), f"{schedule} {times} times"


def test_batch_walked_many_times_at_once_is_once() -> None:
    """Every step of a batch by several machines at once: one payment each."""
    with Course().begun() as course:
        money.deliver("r1")
        money.deliver("r2")
        money.release()
        before = course.aws.stored()
        money.pay_out(until="finish")
        expected = _payments()

        for times in (2, 5):
            course.aws.restore(before)
            for step in ("prepare", "reserve", "close", "submit", "mark", "write", "finish"):
                jobs = [partial(money.pay_out, until=step)] * times
                overlapping(course.aws, jobs, seed=times)

            assert expected == _payments(), f"{times} times"


def _prepared(course: Course) -> Stored:
    """Return a world in which every schedule finds something: earned, due, paid and owed back."""
    for name in ("r1", "r2"):
        money.deliver(name)
    money.release()
    money.settle_all(money.pay_out(until="finish"))
    money.refund("r1", "f2", 50_000)
    money.sell("r3", 40_000, shares={"quin": 10_000}, lead_key="third")
    for name in ("r1", "r3"):
        money.deliver(name)
    assert money.accounts("pia")["receivable"] < 0 < money.accounts("quin")["pending"]
    return course.aws.stored()


def _outcome(course: Course) -> tuple[Stored, set[str]]:
    return course.aws.stored(), set(course.aws.stepfunctions.inputs)


def _payments() -> list[Any]:
    batch = money.batch_event()["batch"]
    found = [(each.reference, each.status, each.amount_minor) for each in payouts.of_batch(batch)]
    return [*found, money.accounts("pia"), money.accounts("quin")]
