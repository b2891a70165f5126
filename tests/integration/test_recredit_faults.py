"""A decision that moves money, with a fault at every single write: the books end the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.tables import ledger
from introducer.tables.store import Table
from tests.support import fair, faults, life, money, rewind, tallied

_COUNTED = {"version", "seen", "moved", "changes"}
"""How many steps a tally took, which is another number when one was taken twice."""
_KEY = "decide-the-dispute-of-quin"


@pytest.fixture
def again(engine: str, frozen: Callable[[str], None]) -> Callable[[], str]:  # noqa: ARG001
    """Return what puts everything back to where a dispute waits; its value is the dispute's id."""
    money.publish(
        rewards=[tallied.plan(escalation=tallied.tiers((2, 2_000)))],
        budgets=[tallied.budget(50_000)],
    )
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    tallied.converge("r1", "r2")
    money.release()
    money.debit(money.pay_out())
    dispute = fair.opened_by_manager("quin")
    back = rewind.point()

    def put_back() -> str:
        back()
        return dispute

    return put_back


def walk(dispute: str) -> None:
    """Decide with one key until there is an answer, and deliver the message until it is done."""
    for _ in range(4):
        if fair.decide(dispute, key=_KEY).status == 200:
            break
    else:
        pytest.fail("the decision got no answer")
    for _ in range(4):
        if not money.deliver("r1", "r1")["batchItemFailures"]:
            return
    pytest.fail("the messages cannot be taken in")


def stored() -> dict[str, Any]:
    """Return everything stored, but how many steps the tallies took."""
    return {
        "ledger": money.everything(Table.LEDGER),
        "people": money.everything(Table.PEOPLE),
        "core": [
            {key: value for key, value in each.items() if key not in _COUNTED}
            if "TALLY#" in (each["pk"] + each["sk"])
            else each
            for each in money.everything(Table.CORE)
        ],
    }


@pytest.fixture
def clean(again: Callable[[], str]) -> tuple[dict[str, Any], int]:
    """What a run without a fault stores, and how many AWS calls of it write."""
    dispute = again()
    with faults.counted_writes() as writes:
        walk(dispute)
    return stored(), len(writes)


def test_clean_run_moves_the_money(clean: tuple[dict[str, Any], int]) -> None:
    """The run the others are compared with is right: one owes what they were paid too much."""
    assert {"r1": 10_000, "r2": 10_000} == tallied.left("r1", "r2")
    assert {"paid": 30_000, "receivable": -20_000} == money.accounts("pia")
    assert {"pending": 10_000} == money.accounts("quin")
    assert 0 == fair.trial_balance("pia", "quin")
    assert not ledger.halted(life.PROGRAM)
    assert clean[1] > 5


def test_crash_between_any_two_calls_ends_the_same(
    again: Callable[[], str], clean: tuple[dict[str, Any], int]
) -> None:
    """A crash after any write, then the decision and the messages again: the same books."""
    expected, writes = clean
    for done in range(writes):
        dispute = again()
        with pytest.raises(faults.Crash), faults.crash_after(done):
            walk(dispute)
        walk(dispute)

        assert expected == stored(), f"crash after {done} writes"


@pytest.mark.parametrize("times", [1, 9], ids=["once", "until_the_sdk_gives_up"])
def test_lost_reply_to_any_write_ends_the_same(
    again: Callable[[], str], clean: tuple[dict[str, Any], int], times: int
) -> None:
    """AWS did it but the answer never came: every step finds what it did itself."""
    expected, writes = clean
    for number in range(writes):
        dispute = again()
        with faults.lost_reply_to(number, times=times):
            walk(dispute)

        assert expected == stored(), f"lost reply to write {number}"


def test_decision_repeated_or_decided_twice_changes_nothing(again: Callable[[], str]) -> None:
    """The same key gets the same answer; another decision is too late."""
    dispute = again()
    walk(dispute)
    before = stored()

    replayed = fair.decide(dispute, key=_KEY)
    other = fair.decide(dispute, "rejected")

    assert (200, "true") == (replayed.status, replayed.headers["idempotent-replayed"])
    assert (409, "transition_not_allowed") == other.problem()
    assert before == stored()
