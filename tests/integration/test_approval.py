"""Batches are started once, approved by a second person, and stopped when anything is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.clients import client
from introducer.errors import (
    ForbiddenError,
    InvalidInputError,
    LedgerError,
    PayoutsHaltedError,
    StaleError,
    TransitionError,
)
from introducer.payout import reference
from introducer.settings import setting
from introducer.tables import ledger, payouts, store
from introducer.tables.store import Table
from payout import batch, files, start
from tests.support import life, money, rewind
from tests.support.money import EUROS, NOW
from tests.support.states import States

BY_HAND = {"started_by": "user:fin"}


@pytest.fixture
def payable(engine: str, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """25.00 EUR are payable to Pia; returns what moves the clock."""
    assert engine
    money.publish()
    money.enrol("pia")
    money.sell()
    money.deliver("r1")
    money.release()
    return frozen


@pytest.fixture
def above_limit(payable: Callable[[str], None]) -> None:  # noqa: ARG001
    """As *payable*, and every batch needs an approval."""
    money.publish(payouts=[EUROS | {"approval_above_minor": 0}])


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    """The service, in memory."""
    fake = States()
    monkeypatch.setenv("BATCH_MACHINE_ARN", "arn:machine")
    for module in (start, payouts):
        monkeypatch.setattr(module, "client", lambda name: {"stepfunctions": fake}[name])
    return fake


def order(batch_id: str) -> bytes:
    """Return the payment file."""
    return files.read(files.order_key(payouts.get_batch(batch_id))) or b""


# ---------------------------------------------------------------- approval


@pytest.mark.usefixtures("above_limit")
def test_batch_above_the_limit_waits_for_a_second_person(states: States) -> None:
    """The starter may not approve; somebody else may, once, and the machine is woken."""
    name = money.pay_out(until="close", started_by="user:fin")
    batch.await_approval({"batch": name, "token": "token-1"}, NOW)
    assert "awaiting_approval" == money.the_batch(name).status

    with pytest.raises(ForbiddenError):
        payouts.approve(name, approver="user:fin", now=NOW)
    assert [] == states.woken
    approved = payouts.approve(name, approver="user:mia", now=NOW)

    assert ("approved", "user:mia") == (approved.status, approved.approved_by)
    assert ["token-1"] == states.woken
    assert ["BatchPrepared", "BatchApprovalRequested", "BatchApproved"] == [
        event.type for event in payouts.batch_events(name)
    ]


@pytest.mark.usefixtures("above_limit")
def test_approval_again_wakes_again_and_changes_nothing(states: States) -> None:
    """The answer of the first call was lost: the same person repeats it; another may not."""
    name = money.pay_out(until="close")
    batch.await_approval({"batch": name, "token": "token-1"}, NOW)
    first = payouts.approve(name, approver="user:mia", now=NOW)
    states.gone = True

    assert first == payouts.approve(name, approver="user:mia", now=NOW)
    assert ["token-1", "token-1"] == states.woken
    with pytest.raises(TransitionError):
        payouts.approve(name, approver="user:max", now=NOW)


@pytest.mark.usefixtures("above_limit")
def test_approval_before_the_machine_waits_is_not_lost(states: States) -> None:
    """Approved between close and wait: the wait hands its own token back at once."""
    name = money.pay_out(until="close")
    payouts.approve(name, approver="user:mia", now=NOW)
    assert [] == states.woken

    batch.await_approval({"batch": name, "token": "token-1"}, NOW)

    assert ["token-1"] == states.woken


@pytest.mark.usefixtures("above_limit", "states")
def test_submit_without_approval_is_refused() -> None:
    """No way leads around the approval."""
    name = money.pay_out(until="close")

    with pytest.raises(InvalidInputError):
        batch.submit({"batch": name}, NOW)
    assert {"batch": name, "calls": False} == batch.write({"batch": name}, NOW)
    assert b"" == order(name)
    assert {"pending": 7_500, "reserved": 2_500} == money.accounts()


@pytest.mark.usefixtures("above_limit", "states")
def test_cancelled_batch_gives_everything_back() -> None:
    """A batch nobody approves is given up by hand; the next run pays the same money."""
    name = money.pay_out(until="close")

    for _ in range(2):
        batch.handler({"step": "cancel", "batch": name, "reason": "too_late"}, money.CONTEXT)

    assert ("cancelled", "too_late") == (
        (done := money.the_batch(name)).status,
        done.reason,
    )
    assert {"pending": 7_500, "payable": 2_500} == money.accounts()
    with pytest.raises(TransitionError):
        payouts.approve(name, approver="user:mia", now=NOW)
    money.pay_out(2, until="finish")
    assert {"pending": 7_500, "in_transit": 2_500} == money.accounts()


@pytest.mark.usefixtures("payable")
def test_submitted_batch_cannot_be_cancelled() -> None:
    """Past the point of no return nothing is given back by hand."""
    name = money.pay_out(until="mark")

    with pytest.raises(TransitionError):
        batch.cancel({"batch": name}, NOW)
    assert {"pending": 7_500, "in_transit": 2_500} == money.accounts()


# ---------------------------------------------------------------- halted, and worse


@pytest.mark.usefixtures("payable")
@pytest.mark.parametrize("until", ["", "close", "submit", "mark"])
def test_halted_program_moves_no_money_to_the_bank(until: str) -> None:
    """Wherever the halt hits a batch: no step of it goes on, and no file appears."""
    if until:
        money.pay_out(until=until)
    before = money.accounts()
    ledger.halt(life.PROGRAM, "books are broken", now=NOW)

    with pytest.raises(PayoutsHaltedError):
        money.pay_out(until="finish")

    assert before == money.accounts()
    assert [] == [key for key in rewind.files() if key.startswith("outbox/")]


@pytest.mark.usefixtures("payable")
def test_file_that_says_something_else_halts_payouts() -> None:
    """A file under the batch's name that we would not write: nobody goes on."""
    name = money.pay_out(until="mark")
    client("s3").put_object(
        Bucket=setting("BANK_BUCKET"),
        Key=files.order_key(payouts.get_batch(name)),
        Body=b"<forged/>",
    )

    with pytest.raises(LedgerError):
        batch.write({"batch": name}, NOW)

    assert b"<forged/>" == order(name)
    assert ledger.halted(life.PROGRAM)
    assert "submitted" == money.the_batch(name).status


@pytest.mark.usefixtures("payable")
def test_file_is_not_written_before_everybody_is_marked() -> None:
    """Money is in transit before the file appears."""
    name = money.pay_out(until="submit")

    with pytest.raises(StaleError):
        batch.write({"batch": name}, NOW)
    assert b"" == order(name)


@pytest.mark.usefixtures("payable")
def test_file_never_orders_more_than_was_approved() -> None:
    """A stored payout that grew behind the batch's back stops everything."""
    name = money.pay_out(until="mark")
    stored = payouts.find(reference(name, "pia"))
    assert stored is not None
    store.put(
        Table.LEDGER,
        f"PAYOUT#{stored.reference}",
        "STATE",
        {**store.get(Table.LEDGER, f"PAYOUT#{stored.reference}", "STATE"), "amount_minor": 9_999},
    )

    with pytest.raises(LedgerError):
        batch.write({"batch": name}, NOW)
    assert b"" == order(name)
    assert ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("payable")
def test_execution_under_another_name_is_refused() -> None:
    """A batch id that is not derived from what it stands for starts nothing."""
    event: dict[str, Any] = {**money.batch_event(), "batch": "somethingelse"}

    with pytest.raises(InvalidInputError):
        batch.prepare(event, NOW)
    assert None is payouts.find_batch("somethingelse")


# ---------------------------------------------------------------- start


@pytest.mark.usefixtures("payable")
def test_start_starts_one_execution_a_day(states: States) -> None:
    """Started by two people: the same name, the first starter's."""
    name = money.batch_event()["batch"]

    assert {"batches": [name]} == start.handler({"started_by": "user:fin"}, money.CONTEXT)
    again = start.handler({"started_by": "user:mia"}, money.CONTEXT)
    assert {"batches": [name]} == again

    assert {
        name: {
            "program": life.PROGRAM,
            "region": "eu",
            "currency": "EUR",
            "method": "sepa",
            "period": "2026-11-22",
            "run": "1",
            "started_by": "user:fin",
        }
    } == states.started


@pytest.mark.usefixtures("payable")
def test_start_takes_the_next_run_when_one_is_over(states: States) -> None:
    """After the first file has gone, what became payable since goes into a second run."""
    money.pay_out(until="finish")
    assert {"batches": []} == start.handler(BY_HAND, money.CONTEXT)
    money.sell("r2", lead_key="other")
    money.deliver("r2")
    money.release()

    assert {"batches": [money.batch_event(2)["batch"]]} == start.handler(BY_HAND, money.CONTEXT)
    assert ["2"] == [each["run"] for each in states.started.values()]


@pytest.mark.usefixtures("payable")
def test_start_goes_by_the_programs_own_day(states: States) -> None:
    """Half past midnight in Berlin is the next day, whatever the date in UTC."""
    money.publish(time_zone="Europe/Berlin")

    start.start_all("2026-11-22T23:30:00.000Z", started_by="user:fin")

    assert ["2026-11-23"] == [each["period"] for each in states.started.values()]


@pytest.mark.usefixtures("payable")
def test_start_leaves_a_halted_program_alone(states: States) -> None:
    """No batch is started while the books do not agree."""
    ledger.halt(life.PROGRAM, "books are broken", now=NOW)

    assert {"batches": []} == start.handler({}, money.CONTEXT)
    assert {} == states.started


@pytest.mark.usefixtures("above_limit")
def test_start_wakes_a_batch_whose_approval_was_not_heard(states: States) -> None:
    """The process that approved died before it could tell the machine."""
    name = money.pay_out(until="close")
    batch.await_approval({"batch": name, "token": "token-1"}, NOW)
    payouts.move_batch(name, "approved", now=NOW, actor="user:mia", approved_by="user:mia")

    start.handler({}, money.CONTEXT)

    assert ["token-1"] == states.woken
