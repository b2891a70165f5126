"""The way of the money with a fault at every single step: it always ends the same.

The clean run is done once and everything stored is kept. Then, for every AWS call of it
that writes, the run is done again with a crash right after it (which covers a crash between
any two calls, since reads store nothing), with its answer lost once, and with its answer
lost until the SDK gives up; then everything is simply done again from the start. What is
stored in the end must be equal, item by item and byte by byte.

Here, on the embedded AWS, every sixth of these runs, others for each kind of fault; all of
them, and more kinds of fault, on the store in memory: ``make crash-points``, of which a slice is
below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.clients import client
from introducer.settings import setting
from introducer.tables import batches, ledger
from introducer.tables.store import Table
from tests.simulation import crash_points
from tests.support import faults, money, rewind

Again = Callable[[], None]
SLICE = 6
"""One of so many runs is done."""


@pytest.fixture
def again(engine: str, frozen: Callable[[str], None]) -> Again:  # noqa: ARG001
    """Return what puts everything back to where the customers have bought and no more."""
    set_up()
    return rewind.point()


def set_up() -> None:
    """Two partners share one customer, and one of them has another who took half back.

    Tax is kept back from one, and a third is taken out of the batch.
    """
    tax = {"payer_country": "US", "missing": "withhold"}
    money.publish(payouts=[money.EUROS | {"approval_above_minor": 0}], tax=tax)
    money.enrol("pia", tax_country="DE", tax_form="w8ben", tax_form_at=money.SOLD)
    money.enrol("quin", email_key="key-quin", country="US")
    money.enrol("rob", email_key="key-rob", tax_form="w8ben", tax_form_at=money.SOLD)
    money.credit("rob", 4_000)
    money.sell("r1", 100_003, shares={"pia": 6_000, "quin": 4_000})
    money.sell("r2", 50_000, lead_key="other")
    money.refund("r2", "f1", 25_000)


def walk() -> None:
    """Earn, accrue, pay out and settle everything, as often as it is called."""
    _earn()
    money.release()
    batch = money.pay_out(until="close")
    batches.exclude(batch, "rob", reason="fraud_check", actor="user:fin", now=money.NOW)
    money.settle_all(money.pay_out(until="finish"))


def _earn() -> None:
    """Deliver until the queue is empty, as it does."""
    for _ in range(3):
        if not money.deliver("r1", "r2")["batchItemFailures"]:
            return
    pytest.fail("the messages cannot be taken in")


def stored() -> dict[str, Any]:
    """Return everything that is stored, in tables and bucket."""
    s3, bucket = client("s3"), setting("BANK_BUCKET")
    return {
        "ledger": money.everything(Table.LEDGER),
        "core": money.everything(Table.CORE),
        "files": {
            key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in rewind.files()
        },
    }


@pytest.fixture
def clean(again: Again) -> tuple[dict[str, Any], int]:
    """What a run without a fault stores, and how many AWS calls of it write."""
    again()
    with faults.counted_writes() as writes:
        walk()
    return stored(), len(writes)


def test_clean_run_pays_what_was_earned(clean: tuple[dict[str, Any], int]) -> None:
    """The run that the others are compared with is right: a quarter paid, the rest pending."""
    # 10 % of 1,000.03 in shares of 60 and 40 %, and of 500.00 of which half came back.
    assert money.accounts("pia") == {"pending": 4_500 + 1_875, "paid": 1_500 + 625}
    assert money.accounts("quin") == {"pending": 3_000, "paid": 760}  # 24 % for the tax office
    assert money.accounts("rob") == {"payable": 4_000}
    assert clean[1] > 15
    assert not ledger.halted("acme")


def test_walking_twice_changes_nothing(clean: tuple[dict[str, Any], int]) -> None:
    """Every message, job, step and bank file once more: not one item differs."""
    walk()

    assert clean[0] == stored()


def test_crash_between_any_two_calls_ends_the_same(
    again: Again, clean: tuple[dict[str, Any], int]
) -> None:
    """A crash after any write, then everything again: the same in the end."""
    expected, writes = clean
    for done in range(0, writes, SLICE):
        again()
        with pytest.raises(faults.Crash), faults.crash_after(done):
            walk()
        walk()

        assert expected == stored(), f"crash after {done} writes"


@pytest.mark.parametrize("times", [1, 9], ids=["once", "until_the_sdk_gives_up"])
def test_lost_reply_to_any_write_ends_the_same(
    again: Again, clean: tuple[dict[str, Any], int], times: int
) -> None:
    """AWS did it but the answer never came: the SDK, and we, find our own writes."""
    expected, writes = clean
    for number in range(2 if times == 1 else 4, writes, SLICE):
        again()
        with faults.lost_reply_to(number, times=times):
            faults.persist(walk)

        assert expected == stored(), f"lost reply to write {number}"


def test_any_fault_at_any_call_ends_the_same() -> None:
    """A slice of `make crash-points`: every kind of fault, reads and throttling included."""
    result = crash_points.enumerate_all(every=11)

    assert [] == result.differences
    assert result.runs > 100
