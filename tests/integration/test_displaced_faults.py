"""A late sale that displaces others, with a fault at every single write: it ends the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.tables import ledger
from introducer.tables.store import Table
from tests.support import faults, life, money, rewind, tallied

NAMES = ("late", "r1", "r2", "r3")
_COUNTED = {"version", "seen", "moved", "changes"}
"""How many steps a tally took, which is another number when one was taken twice."""


@pytest.fixture
def again(engine: str, frozen: Callable[[str], None]) -> Callable[[], None]:  # noqa: ARG001
    """Return what puts everything back to where three sales are booked and a late one is not."""
    money.publish(
        rewards=[tallied.plan(escalation=tallied.tiers((3, 2_000)), caps=[tallied.cap(45_000)])],
        budgets=[tallied.budget(50_000)],
    )
    money.enrol("pia")
    for number in range(1, 4):
        tallied.sell(f"r{number}", 100_000, number * 10)
        tallied.converge(f"r{number}")
    money.release()
    tallied.sell("late", 100_000, 5)
    money.refund("r1", "f1", 50_000)
    return rewind.point()


def walk() -> None:
    """Deliver the messages, as often as the queue does."""
    for _ in range(3):
        if not money.deliver("late", "r1")["batchItemFailures"]:
            return
    pytest.fail("the messages cannot be taken in")


def stored() -> dict[str, Any]:
    """Return everything stored, but how many steps the tallies took."""
    return {
        "ledger": money.everything(Table.LEDGER),
        "core": [
            {key: value for key, value in each.items() if key not in _COUNTED}
            if "TALLY#" in (each["pk"] + each["sk"])
            else each
            for each in money.everything(Table.CORE)
        ],
    }


@pytest.fixture
def clean(again: Callable[[], None]) -> tuple[dict[str, Any], int]:
    """What a run without a fault stores, and how many AWS calls of it write."""
    again()
    with faults.counted_writes() as writes:
        walk()
    return stored(), len(writes)


def test_clean_run_corrects_both_ways(clean: tuple[dict[str, Any], int]) -> None:
    """The run the others are compared with is right: the tier raises, then the cap cuts."""
    assert {"late": 10_000, "r1": 5_000, "r2": 20_000, "r3": 5_000} == tallied.left(*NAMES)
    assert 45_000 >= tallied.highest()
    assert clean[1] > 8
    assert not ledger.halted(life.PROGRAM)


def test_crash_between_any_two_calls_ends_the_same(
    again: Callable[[], None], clean: tuple[dict[str, Any], int]
) -> None:
    """A crash after any write, then the messages again: the same books in the end."""
    expected, writes = clean
    for done in range(writes):
        again()
        with pytest.raises(faults.Crash), faults.crash_after(done):
            walk()
        walk()

        assert expected == stored(), f"crash after {done} writes"


@pytest.mark.parametrize("times", [1, 9], ids=["once", "until_the_sdk_gives_up"])
def test_lost_reply_to_any_write_ends_the_same(
    again: Callable[[], None], clean: tuple[dict[str, Any], int], times: int
) -> None:
    """AWS did it but the answer never came: every step finds what it did itself."""
    expected, writes = clean
    for number in range(writes):
        again()
        with faults.lost_reply_to(number, times=times):
            faults.persist(walk)

        assert expected == stored(), f"lost reply to write {number}"
