"""Payout batches: started once, approved by a second person, sent once, whatever repeats."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
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
from introducer.ledger import Balance
from introducer.payout import reference
from introducer.settings import setting
from introducer.tables import ledger, partners, payouts, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Table
from payout import batch, files, members, start
from tests.support import life, money
from tests.support.bank_files import validated
from tests.support.money import EUROS, NOW


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


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    """The service, in memory."""
    fake = States()
    monkeypatch.setenv("BATCH_MACHINE_ARN", "arn:machine")
    for module in (start, payouts):
        monkeypatch.setattr(module, "client", lambda name: {"stepfunctions": fake}[name])
    return fake


def statuses(batch_id: str) -> dict[str, str]:
    """Return status, and reason if any, of a batch's payouts by partner."""
    return {
        each.partner: f"{each.status} {each.reason}".strip() for each in payouts.of_batch(batch_id)
    }


def order(batch_id: str) -> bytes:
    """Return the payment file."""
    return files.read(files.order_key(batch_id)) or b""


# ---------------------------------------------------------------- the whole way


@pytest.mark.usefixtures("payable")
def test_batch_sends_one_valid_file_for_what_is_payable() -> None:
    """Money is in transit, the file is schema-valid, and each move left one event."""
    name = money.pay_out(until="finish")

    done = money.the_batch(name)
    assert ("in_transit", 1, 2_500, 0, 1, 2_500) == (
        done.status,
        done.count,
        done.total_minor,
        done.skipped,
        done.file_count,
        done.file_total_minor,
    )
    assert {"pending": 7_500, "in_transit": 2_500} == money.accounts()
    text = validated(order(name)).xpath("string()")
    assert reference(name, "pia") in text
    assert money.IBAN in text
    assert ["BatchPrepared", "BatchApproved", "BatchSubmitted", "BatchSent"] == [
        event.type for event in payouts.batch_events(name)
    ]
    assert [done] == payouts.list_batches(life.PROGRAM)[0]
    (sent,), _ = payouts.of_partner("pia", limit=10)
    assert ("in_transit", 2_500, name) == (sent.status, sent.amount_minor, sent.batch)
    assert [] == list(ledger.due_partners(life.PROGRAM, "EUR", "sepa"))


@pytest.mark.usefixtures("payable")
@pytest.mark.parametrize("until", ["reserve", "close", "submit", "mark", "write", "finish"])
def test_batch_step_again_changes_nothing(until: str) -> None:
    """Every step, done twice, leaves exactly what it left the first time."""
    money.pay_out(until=until)
    before = money.everything(Table.LEDGER)

    money.pay_out(until=until)

    assert before == money.everything(Table.LEDGER)


@pytest.mark.usefixtures("payable")
def test_batch_holds_no_personal_data_outside_its_file() -> None:
    """Tables, work list and answers name nobody; only the file for the bank does."""
    event = money.batch_event()
    answer = batch.handler({**event, "step": "prepare"}, money.CONTEXT)
    money.pay_out(until="finish")

    work = files.read(str(answer["key"])) or b""
    stored = json.dumps(money.everything(Table.LEDGER)) + json.dumps(answer) + work.decode()
    assert b"Pia" in order(event["batch"])
    assert not any(private in stored for private in ("Pia", money.IBAN, "@", "Berlin"))


@pytest.mark.usefixtures("payable")
def test_batch_takes_items_one_by_one_or_together() -> None:
    """The map hands over lists of partners; its answers are counts."""
    event = money.batch_event()
    batch.handler({**event, "step": "prepare"}, money.CONTEXT)
    step = {"batch": event["batch"], "Items": [{"partner": "pia"}, {"partner": "pia"}]}

    assert {"batch": event["batch"], "count": 2} == batch.handler(
        {**step, "step": "reserve"}, money.CONTEXT
    )
    assert {"pending": 7_500, "reserved": 2_500} == money.accounts()


# ---------------------------------------------------------------- who is in it


@pytest.mark.usefixtures("payable")
def test_batch_leaves_out_who_cannot_be_paid() -> None:
    """No account, too little, no longer active: none of them is in the list."""
    for name in ("bare", "poor", "gone"):
        money.enrol(name, payee=name != "bare", email_key=f"key-{name}")
        amount_minor = 39_900 if name == "poor" else 80_000
        money.sell(f"r-{name}", amount_minor, shares={name: 10_000}, lead_key=name)
        money.deliver(f"r-{name}")
    money.release()
    _deactivate("gone")

    prepared = batch.prepare(money.batch_event(), NOW)

    assert [{"partner": "pia"}] == json.loads(files.read(str(prepared["key"])) or b"")
    assert 1 == prepared["count"]


@pytest.mark.usefixtures("payable")
def test_batch_skips_with_its_reason_who_changed_meanwhile() -> None:
    """Between list and reservation an account went, a partner left, a balance shrank."""
    for name in ("bare", "gone", "poor"):
        money.enrol(name, email_key=f"key-{name}")
        money.sell(f"r-{name}", 80_000, shares={name: 10_000}, lead_key=name)
        money.deliver(f"r-{name}")
    money.release()
    event = money.batch_event()
    batch.prepare(event, NOW)
    store.connection().delete_item(store.name(Table.PEOPLE), "PERSON#person-bare", "PAYEE")
    _deactivate("gone")
    money.refund("r-poor", "f1", 60_000)
    money.deliver("r-poor")

    name = money.pay_out(until="finish")

    assert {
        "pia": "in_transit",
        "bare": "skipped no_payee",
        "gone": "skipped partner_not_active",
        "poor": "skipped below_threshold",
    } == statuses(name)
    done = money.the_batch(name)
    assert (1, 2_500, 3) == (done.count, done.total_minor, done.skipped)
    assert 2_000 == money.accounts("gone")["payable"]


@pytest.mark.usefixtures("payable")
def test_batch_skips_an_account_the_bank_would_refuse() -> None:
    """A check digit that does not agree must not stop the others' file."""
    money.enrol("typo", email_key="key-typo")
    money.set_payee("typo", "DE00370400440532013000")
    money.sell("r2", shares={"typo": 10_000}, lead_key="other")
    money.deliver("r2")
    money.release()

    name = money.pay_out(until="finish")

    assert {"pia": "in_transit", "typo": "skipped payee_not_payable"} == statuses(name)
    assert 2_500 == money.accounts("typo")["payable"]


@pytest.mark.usefixtures("payable")
def test_batch_gives_back_what_cannot_be_sent_any_more() -> None:
    """An account that went after the reservation: the money is payable again."""
    name = money.pay_out(until="submit")
    store.connection().delete_item(store.name(Table.PEOPLE), "PERSON#person-pia", "PAYEE")

    money.pay_out(until="finish")

    assert {"pia": "cancelled no_payee"} == statuses(name)
    assert {"pending": 7_500, "payable": 2_500} == money.accounts()
    assert ("settled", "", 0) == (
        (done := money.the_batch(name)).status,
        done.file,
        done.file_total_minor,
    )


@pytest.mark.usefixtures("payable")
def test_batch_admits_nobody_after_it_is_closed() -> None:
    """A reservation that comes late, even one that read the batch while it was open."""
    event = money.batch_event()
    batch.prepare(event, NOW)
    still_open = payouts.get_batch(event["batch"])
    batch.close({"batch": event["batch"]}, NOW)

    members.reserve(still_open, "pia", now=NOW)

    assert {"pia": "skipped not_reserved"} == statuses(event["batch"])
    assert {"pending": 7_500, "payable": 2_500} == money.accounts()
    assert ("cancelled", "nothing_payable") == (
        (done := money.the_batch(event["batch"])).status,
        done.reason,
    )


def test_batch_of_nobody_is_cancelled(engine: str, frozen: Callable[[str], None]) -> None:
    """Nothing is payable: the batch ends with its reason and no file."""
    assert engine
    assert frozen
    money.publish()

    name = str(batch.prepare(money.batch_event(), NOW)["batch"])

    assert {"batch": name, "status": "cancelled"} == batch.finish({"batch": name}, NOW)
    assert "nothing_payable" == money.the_batch(name).reason
    assert b"" == order(name)


# ---------------------------------------------------------------- two at once


@pytest.mark.usefixtures("payable")
def test_two_batches_at_once_pay_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run reserves between what the first one reads and what it writes."""
    first, second = money.batch_event(1), money.batch_event(2)
    for event in (first, second):
        batch.prepare(event, NOW)
    real = ledger._post

    def post_after(before: Balance, entries: Sequence[Entry], now: str) -> None:
        monkeypatch.setattr(ledger, "_post", real)
        members.reserve(payouts.get_batch(second["batch"]), "pia", now=NOW)
        real(before, entries, now)

    monkeypatch.setattr(ledger, "_post", post_after)

    members.reserve(payouts.get_batch(first["batch"]), "pia", now=NOW)
    money.pay_out(1, until="finish")
    money.pay_out(2, until="finish")

    assert {"pia": "skipped below_threshold"} == statuses(first["batch"])
    assert {"pia": "in_transit"} == statuses(second["batch"])
    assert {"pending": 7_500, "in_transit": 2_500} == money.accounts()
    assert (b"", True) == (order(first["batch"]), bool(order(second["batch"])))


@pytest.mark.usefixtures("payable")
def test_one_batch_run_twice_at_once_pays_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same batch is reserved by two processes at the same moment."""
    event = money.batch_event()
    batch.prepare(event, NOW)
    real = ledger._post

    def post_after(before: Balance, entries: Sequence[Entry], now: str) -> None:
        monkeypatch.setattr(ledger, "_post", real)
        members.reserve(payouts.get_batch(event["batch"]), "pia", now=NOW)
        real(before, entries, now)

    monkeypatch.setattr(ledger, "_post", post_after)
    members.reserve(payouts.get_batch(event["batch"]), "pia", now=NOW)

    assert {"pending": 7_500, "reserved": 2_500} == money.accounts()
    assert 1 == len(payouts.of_batch(event["batch"]))
    assert not ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("payable")
def test_batch_keeps_its_first_list() -> None:
    """Somebody becomes payable between two attempts to prepare: the next run's matter."""
    first = batch.prepare(money.batch_event(), NOW)
    money.enrol("quin", email_key="key-quin")
    money.sell("r2", shares={"quin": 10_000}, lead_key="other")
    money.deliver("r2")
    money.release()

    again = batch.prepare(money.batch_event(), NOW)

    assert first == again
    assert ["pia"] == files.read_list(str(first["batch"]))


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
    assert {"batch": name} == batch.write({"batch": name}, NOW)
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
    assert b"" == order(money.batch_event()["batch"])


@pytest.mark.usefixtures("payable")
def test_file_that_says_something_else_halts_payouts() -> None:
    """A file under the batch's name that we would not write: nobody goes on."""
    name = money.pay_out(until="mark")
    client("s3").put_object(
        Bucket=setting("BANK_BUCKET"), Key=files.order_key(name), Body=b"<forged/>"
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
    """Started by schedule and by hand: the same name, the first starter's."""
    name = money.batch_event()["batch"]

    assert {"batches": [name]} == start.handler({"started_by": "user:fin"}, money.CONTEXT)
    assert {"batches": [name]} == start.handler({}, money.CONTEXT)

    assert {
        name: {
            "program": life.PROGRAM,
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
    assert {"batches": []} == start.handler({}, money.CONTEXT)
    money.sell("r2", lead_key="other")
    money.deliver("r2")
    money.release()

    assert {"batches": [money.batch_event(2)["batch"]]} == start.handler({}, money.CONTEXT)
    assert ["2"] == [each["run"] for each in states.started.values()]


@pytest.mark.usefixtures("payable")
def test_start_goes_by_the_programs_own_day(states: States) -> None:
    """Half past midnight in Berlin is the next day, whatever the date in UTC."""
    money.publish(time_zone="Europe/Berlin")

    start.start_all("2026-11-22T23:30:00.000Z", started_by="schedule")

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


def _deactivate(name: str) -> None:
    found = partners.find_partner(name)
    assert found is not None
    stored = store.get(Table.CORE, found.entity, "PROFILE")
    assert stored is not None
    store.put(Table.CORE, found.entity, "PROFILE", {**stored, "status": "suspended"})
