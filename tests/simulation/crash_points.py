"""Every AWS call of the way of the money with every fault: it always ends the same.

The way is earn, accrue, batch, submit, settle, return, and a refund of what was paid. It is
walked once without a fault; then, for each of its calls and each kind of fault, once more from
the same beginning, and simply again from the start until it works. What is stored in the end
must be what the clean walk stored, item by item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from introducer import clock
from introducer.errors import ContentionError, StaleError, UncertainError
from introducer.tables import payouts
from payout import sweep
from tests.simulation import faults
from tests.simulation.aws import Aws, Stored
from tests.simulation.faults import Crash, Fault
from tests.support import money

RETRIED = (
    UncertainError,
    ContentionError,
    StaleError,
    PynamoDBException,
    BotoCoreError,
    ClientError,
)
"""What queue, schedule and state machine meet by calling again."""
_MOST_ROUNDS = 6


class Difference(NamedTuple):
    """A fault that changed the outcome."""

    call: int
    fault: Fault
    what: str


class Course:
    """A world in which two partners share one customer, and one of them has another."""

    def __init__(self) -> None:
        self.aws = Aws()
        self._batch = ""

    @contextmanager
    def begun(self) -> Iterator[Course]:
        """Be in the world, with everything sold and nothing earned."""
        with self.aws.installed(), patch.object(clock, "now", lambda: money.NOW):
            money.publish(recovery={"write_off_below_minor": {"EUR": 1_000}})
            money.enrol("pia")
            money.enrol("quin", email_key="key-quin")
            money.sell("r1", 100_003, shares={"pia": 6_000, "quin": 4_000})
            money.sell("r2", 50_000, lead_key="other")
            money.refund("r2", "f1", 25_000)
            self._start = self.aws.stored()
            yield self

    def again(self) -> None:
        """Go back to the beginning."""
        self.aws.faults = faults.none
        self.aws.restore(self._start)

    def walk(self) -> None:
        """Go the whole way, as often as it is called."""
        _earn()
        sweep.sweep(money.NOW, days=1)
        money.release()
        batch = money.pay_out(until="finish")
        money.settle_all(batch)
        sent = {each.partner: each for each in payouts.of_batch(batch)}
        back = sent["quin"]
        money.take(
            money.booking(back.reference, back.amount_minor, batch_id=batch, returned="AC04"),
            name="camt-2.xml",
        )

    def clean(self) -> tuple[Stored, int]:
        """Return what a walk without a fault stores, and how many calls it makes."""
        self.again()
        self.walk()
        return self.aws.stored(), self.aws.calls

    def with_fault(self, number: int, fault: Fault) -> Stored:
        """Return what is stored in the end when call *number* meets *fault*."""
        self.again()
        self.aws.faults = faults.at(number, fault)
        for _ in range(_MOST_ROUNDS):
            try:
                self.walk()
            except (Crash, *RETRIED):
                continue
            return self.aws.stored()
        message = f"the walk does not come to its end: call {number}, {fault}"
        raise AssertionError(message)


def enumerate_all(every: int = 1, tell: Callable[[int, int], None] | None = None) -> Result:
    """Walk with every fault at every call, or at each *every*-th combination.

    Returns:
        How many walks there were, and the faults that changed what is stored.
    """
    found: list[Difference] = []
    runs = 0
    with Course().begun() as course:
        expected, calls = course.clean()
        course.walk()
        if course.aws.stored() != expected:
            found.append(Difference(-1, Fault.NONE, "walking twice"))
        combinations = [(number, fault) for number in range(calls) for fault in faults.EVERY]
        for number, fault in combinations[::every]:
            runs += 1
            stored = course.with_fault(number, fault)
            if stored != expected:
                found.append(Difference(number, fault, _first_difference(expected, stored)))
            if tell:
                tell(runs, len(combinations[::every]))
    return Result(runs, calls, found)


class Result(NamedTuple):
    """What an enumeration came to."""

    runs: int
    calls: int
    differences: list[Difference]


def _earn() -> None:
    """Deliver one message after the other until it is taken in, so that their order is one."""
    for name in ("r1", "r2"):
        if money.deliver(name)["batchItemFailures"]:
            message = "the message was not taken in"
            raise ContentionError(message)


def _first_difference(expected: Stored, found: Stored) -> str:
    for place, items in expected.items():
        for key in sorted({*items, *found[place]}):
            if items.get(key) != found[place].get(key):
                return f"{place} {key}: {items.get(key)} became {found[place].get(key)}"
    return "nothing"
