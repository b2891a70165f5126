"""The store of the simulation answers as an engine does, and fails as it is told to."""

from __future__ import annotations

import pytest
from pynamodb.expressions.operand import Path

from introducer.errors import StaleError, UncertainError
from introducer.tables import store
from introducer.tables.store import Table, Transaction
from tests.simulation import faults, operations
from tests.simulation.aws import Aws
from tests.simulation.faults import Crash, Fault
from tests.simulation.storage import Lag

OPERATIONS = 350


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("engine")
def test_store_answers_as_the_engine_does(seed: int) -> None:
    """The same random operations on both: every answer and every refusal is the same."""
    expected = operations.results(seed, OPERATIONS)
    with Aws().installed():
        found = operations.results(seed, OPERATIONS)

    for number, (theirs, ours) in enumerate(zip(expected, found, strict=True)):
        assert theirs == ours, f"operation {number} of seed {seed}"


def one_more(*, condition: object = None) -> None:
    """Count one more on an item, in a transaction."""
    writes = Transaction()
    writes.update(
        Table.LEDGER,
        "COUNT",
        "STATE",
        [Path("times").add(1)],
        condition=condition or (store.absent() | Path("pk").exists()),
        error=StaleError("not now"),
    )
    writes.commit()


@pytest.mark.parametrize(
    ("fault", "raised", "times"),
    [
        (Fault.NEVER_SENT, UncertainError, None),
        (Fault.LOST_ONCE, None, 1),
        (Fault.LOST, UncertainError, 1),
        (Fault.THROTTLED, None, 1),
        (Fault.CONFLICT, None, 1),
        (Fault.CRASH_BEFORE, Crash, None),
        (Fault.CRASH_AFTER, Crash, 1),
    ],
)
def test_fault_on_a_transaction_is_what_the_sdk_makes_of_it(
    fault: Fault, raised: type[BaseException] | None, times: int | None
) -> None:
    """A transaction counts once however often the SDK sends it; what is known of it differs."""
    aws = Aws()
    with aws.installed():
        aws.faults = faults.at(0, fault)
        if raised:
            with pytest.raises(raised):
                one_more()
        else:
            one_more()
        aws.faults = faults.none

        assert times == (store.get(Table.LEDGER, "COUNT", "STATE") or {}).get("times")


def test_lost_reply_to_a_put_meets_itself() -> None:
    """The SDK's own repetition of a put-if-absent is refused by what it wrote itself."""
    aws = Aws()
    with aws.installed():
        aws.faults = faults.at(0, Fault.LOST_ONCE)
        with pytest.raises(StaleError):
            store.put(
                Table.LEDGER, "A", "B", {"n": 1}, condition=store.absent(), error=StaleError("mine")
            )

        assert {"pk": "A", "sk": "B", "n": 1} == store.get(Table.LEDGER, "A", "B")


def test_keys_left_unread_are_read_again() -> None:
    """A read of many that is answered in part is asked again; what never comes is contention."""
    aws = Aws(seed=5)
    with aws.installed():
        keys = [("A", str(number)) for number in range(60)]
        for pk, sk in keys:
            store.put(Table.CORE, pk, sk, {"n": int(sk)})
        aws.faults = faults.at(aws.calls, Fault.UNPROCESSED)
        found = store.batch_get(Table.CORE, keys)
        aws.faults = lambda _: Fault.THROTTLED

        assert set(keys) == found.keys()
        with pytest.raises(Exception, match="ThrottlingException"):
            store.batch_get(Table.CORE, keys)


def test_indexes_and_reads_are_as_late_as_told() -> None:
    """What lags shows what was; a consistent read never does, and in the end all agree."""
    aws = Aws(seed=3, lag=Lag(share=1.0, most=50))
    with aws.installed():
        index = {"gsi1pk": "I", "gsi1sk": "1"}
        store.put(Table.LEDGER, "A", "B", {"n": 1, **index})
        listed = [bool(store.query(Table.LEDGER, "I", index="gsi1").items) for _ in range(60)]
        store.put(Table.LEDGER, "A", "B", {"n": 2, **index})
        fresh = store.get(Table.LEDGER, "A", "B", consistent=True)
        seen = {
            (store.get(Table.LEDGER, "A", "B", consistent=False) or {}).get("n") for _ in range(60)
        }

        assert sorted(listed) == listed
        assert {False, True} == set(listed)
        assert fresh is not None
        assert 2 == fresh["n"]
        assert {1, 2} <= seen
        aws.dynamodb.settle()
        aws.dynamodb.fresh = True
        assert 2 == (store.get(Table.LEDGER, "A", "B", consistent=False) or {}).get("n")


def test_stream_tells_every_change_with_both_images() -> None:
    """A reader gets what was and what is, in the order of the changes of an item."""
    aws = Aws()
    with aws.installed():
        for number in (1, 2):
            store.put(Table.LEDGER, "A", "B", {"n": number})
        stream = aws.dynamodb.tables[aws.environment["LEDGER_TABLE"]].stream

        told = [
            tuple(store.item(image)["n"] if image else None for image in (each.before, each.after))
            for each in stream
        ]
        assert [(None, 1), (1, 2)] == told
