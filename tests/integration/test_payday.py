"""Calendars start batches: every hour is asked, one batch a day is made, what stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from introducer import metric
from introducer.errors import NotFoundError
from introducer.tables import batches, ledger, payouts, programs
from introducer.tables.batches import Asked, asked, keep_asked
from introducer.tables.store import Transaction
from payout import batch, members, recover, start
from tests.support import life, money
from tests.support.api import call, login
from tests.support.money import EUROS
from tests.support.states import States

FINANCE = login("fin", "finance")
BEFORE = "2026-11-23T05:59:59.000Z"
CUTOFF = "2026-11-23T06:00:00.000Z"
NOON = "2026-11-23T12:00:00.000Z"
TOMORROW = "2026-11-24T06:00:00.000Z"
BY_HAND = "user:fin"


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> None:
    """A program that pays every day at six, and Pia; it is noon."""
    del aws
    money.publish()
    money.enrol("pia")
    frozen(NOON)


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    """The service of state machines, in memory."""
    fake = States()
    monkeypatch.setenv("BATCH_MACHINE_ARN", "arn:machine")
    for module in (start, payouts):
        monkeypatch.setattr(module, "client", lambda name: {"stepfunctions": fake}[name])
    return fake


def ask(now: str, by: str = start.SCHEDULE) -> list[str]:
    """Start what is due."""
    return start.start_all(now, started_by=by)


def name(day: str = "2026-11-23", run: int = 1) -> str:
    """Return the id of a batch."""
    return str(money.batch_event(run, now=f"{day}T12:00:00.000Z")["batch"])


def test_schedule_starts_one_batch_a_day_however_often_it_asks(states: States) -> None:
    """Ten times, some at once, and after the batch has gone: one execution, one payment."""
    money.credit("pia", 5_000)

    assert [] == ask(BEFORE)
    assert [[name()]] * 5 == [ask(CUTOFF) for _ in range(5)]
    money.pay_out(now=CUTOFF, until="finish")
    money.credit("pia", 7_000, "later")

    assert [[]] * 5 == [ask(NOON) for _ in range(5)]
    assert [name()] == list(states.started)
    assert {"payable": 7_000, "in_transit": 5_000} == money.accounts()


def test_what_is_payable_after_the_cutoff_waits_for_the_next_day(states: States) -> None:
    """Nobody was to be paid at six: the day is over, whoever comes at noon is paid tomorrow."""
    assert [] == ask(CUTOFF)
    money.credit("pia", 5_000)

    assert [] == ask(NOON)
    assert [name("2026-11-24")] == ask(TOMORROW)
    assert [name("2026-11-24")] == list(states.started)


def test_who_starts_by_hand_gets_another_run(states: States) -> None:
    """After the day's batch has gone, by hand there is a second; the calendar makes no third."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    money.pay_out(now=CUTOFF, until="finish")
    money.credit("pia", 7_000, "later")

    assert [name(run=2)] == ask(NOON, BY_HAND)
    assert [name(run=2)] == ask(NOON, BY_HAND)
    money.pay_out(2, now=NOON, until="finish", started_by=BY_HAND)

    assert [] == ask(NOON)
    assert [] == ask(NOON, BY_HAND)
    assert [name(), name(run=2)] == list(states.started)
    assert {"in_transit": 12_000} == money.accounts()


def test_schedule_joins_the_batch_that_somebody_started_before_it(states: States) -> None:
    """One that waits for its approval is the day's; nobody's money is in two."""
    money.publish(payouts=[EUROS | {"approval_above_minor": 0}])
    money.credit("pia", 5_000)
    ask(BEFORE, BY_HAND)
    money.pay_out(now=BEFORE, until="close", started_by=BY_HAND)

    assert [name()] == ask(CUTOFF)
    assert [name()] == list(states.started)
    assert BY_HAND == money.the_batch(name()).started_by


def test_day_that_was_missed_is_made_up_for_once(states: States) -> None:
    """Nobody asked for two days: the batch of Friday is made on Sunday, under Friday's date."""
    friday = {"every": "week", "on": 5}
    rule = money.publish(payouts=[EUROS | {"calendar": friday}]).payouts[0]
    before = Asked(period="2026-11-13", batch="", run=1, at=BEFORE)
    assert before == keep_asked(life.PROGRAM, rule, before)
    money.credit("pia", 5_000)

    assert [name("2026-11-20")] == ask("2026-11-22T23:00:00.000Z")
    assert [name("2026-11-20")] == ask("2026-11-22T23:30:00.000Z")
    assert [] == ask("2026-11-23T00:00:00.000Z")
    assert 1 == len(states.started)


def test_rule_that_is_not_automatic_waits_for_a_person(states: States) -> None:
    """The calendar asks for nothing; by hand it is paid."""
    money.publish(payouts=[EUROS | {"automatic": False}])
    money.credit("pia", 5_000)

    assert [] == ask(NOON)
    assert [name()] == ask(NOON, BY_HAND)
    assert 1 == len(states.started)


def test_one_rule_is_started_by_hand_and_no_other(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function is asked for that rule alone; a rule nobody has is refused."""
    asked: list[dict[str, str]] = []

    class Lambda:
        """Takes invocations down."""

        def invoke(self, **call: Any) -> None:
            """Take one down."""
            assert ("fn-start", "Event") == (call["FunctionName"], call["InvocationType"])
            asked.append(json.loads(call["Payload"]))

    monkeypatch.setenv("START_FUNCTION", "fn-start")
    monkeypatch.setattr("submit.resources.payout_holds.client", lambda _: Lambda())
    payroll = {"currency": "EUR", "method": "payroll", "holders": ["rep"], "automatic": False}
    money.publish(payouts=[EUROS, payroll])
    money.credit("pia", 5_000)
    money.credit("rep.anna", 5_000)
    rule = {"region": "default", "currency": "EUR", "method": "payroll"}
    path = f"/v1/programs/{life.PROGRAM}/payouts/start"

    assert (202, {"program": life.PROGRAM, **rule}) == (
        (reply := call("POST", path, rule, claims=FINANCE)).status,
        reply.body,
    )
    wrong = call("POST", path, {**rule, "method": "ach"}, claims=FINANCE)
    assert (404, "not_found") == wrong.problem()
    for _ in range(2):
        start.handler(asked[0], money.CONTEXT)

    assert ["payroll"] == [each["method"] for each in states.started.values()]
    assert [{"started_by": "user:fin", "program": life.PROGRAM, **rule}] == asked


def test_two_who_ask_at_once_agree_on_one_batch() -> None:
    """Whoever keeps the day first decides; a slower one with another run takes the first's."""
    rule = money.publish().payouts[0]
    first = Asked(period="2026-11-23", batch="one", run=1, at=CUTOFF)

    assert first == keep_asked(life.PROGRAM, rule, first)
    later = Asked(period="2026-11-23", batch="two", run=2, at=NOON)
    assert first == keep_asked(life.PROGRAM, rule, later)
    older = Asked(period="2026-11-22", batch="old", run=1, at=NOON)
    assert first == keep_asked(life.PROGRAM, rule, older)
    assert first == asked(life.PROGRAM, rule)


def test_execution_that_was_never_started_is_started_by_the_next_hour(states: States) -> None:
    """A crash between keeping the day and starting the execution loses nothing."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    states.started.clear()

    assert [name()] == ask(NOON)
    assert [name()] == list(states.started)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
@pytest.mark.parametrize("until", ["reserve", "close", "submit", "mark"])
def test_execution_that_stopped_goes_on_with_the_same_batch(
    states: States, status: str, until: str
) -> None:
    """Redriven, and in the end paid once."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    money.pay_out(now=CUTOFF, until=until)
    states.status[name()] = status

    ask("2026-11-23T07:00:00.000Z")
    ask("2026-11-23T08:00:00.000Z")

    assert [name()] == states.redriven
    assert [name()] == list(states.started)
    money.pay_out(now=CUTOFF, until="finish")
    assert {"in_transit": 5_000} == money.accounts()


def test_execution_that_cannot_be_redriven_is_taken_over(states: States) -> None:
    """Another execution, once a day, does the steps of the same batch."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    money.pay_out(now=CUTOFF, until="submit")
    states.status[name()] = "FAILED"
    states.can_redrive = False

    for _ in range(3):
        ask(NOON)

    assert [name(), f"{name()}-2026-11-23"] == list(states.started)
    assert states.started[name()] == states.started[f"{name()}-2026-11-23"]
    event = {**states.started[name()], "batch": f"{name()}-2026-11-23"}
    assert (name(), 1) == ((done := batch.prepare(event, NOON))["batch"], done["count"])
    money.pay_out(now=CUTOFF, until="finish")
    assert {"in_transit": 5_000} == money.accounts()


def test_execution_that_a_person_aborted_stays_as_it_is(states: States) -> None:
    """Somebody stopped it for a reason."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    money.pay_out(now=CUTOFF, until="submit")
    states.status[name()] = "ABORTED"

    ask(NOON)

    assert [] == states.redriven


def test_execution_that_stopped_goes_on_however_long_ago(states: States) -> None:
    """Payouts were halted for two months: what was under way is not forgotten."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    money.pay_out(now=CUTOFF, until="submit")
    states.status[name()] = "FAILED"

    ask("2027-01-31T07:00:00.000Z")

    assert [name()] == states.redriven


@pytest.mark.parametrize("status", ["SUCCEEDED", "ABORTED", "FAILED", "gone"])
def test_cancelled_batch_whose_money_was_not_given_back_is_finished(
    states: States, status: str
) -> None:
    """Whoever was to give it back died: another execution does, and then it is over."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    money.pay_out(now=CUTOFF, until="close")
    batches.cancel(name(), reason="wrong_rate", actor=BY_HAND, now=CUTOFF)
    states.status[name()] = status
    if status == "gone":
        del states.started[name()]
    states.can_redrive = False

    assert [] == start.start_all(CUTOFF, started_by=start.SCHEDULE)
    assert [name()] == [each.id for each in batches.under_way(life.PROGRAM)]
    for _ in range(2):
        ask(NOON)
    event = {**states.started[f"{name()}-2026-11-23"], "batch": f"{name()}-2026-11-23"}
    batch.prepare(event, NOON)
    batch.finish({"batch": name()}, NOON)

    assert {"payable": 5_000} == money.accounts()
    assert [] == batches.under_way(life.PROGRAM)
    states.started.clear()
    ask(NOON)
    assert [] == list(states.started)


def test_batch_that_has_gone_is_not_looked_at_again(states: States) -> None:
    """The list of those under way is as short as what is under way."""
    money.credit("pia", 5_000)
    assert [name()] == ask(CUTOFF)
    batch.prepare(money.batch_event(now=CUTOFF), CUTOFF)
    assert [name()] == [each.id for each in batches.under_way(life.PROGRAM)]
    money.pay_out(now=CUTOFF, until="finish")

    assert [] == batches.under_way(life.PROGRAM)
    assert [name()] == list(states.started)


def test_missing_rate_stops_its_rule_and_no_other(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule in dollars makes no batch and counts a metric; its day stays open for the rate."""
    counted: list[str] = []
    monkeypatch.setattr(metric, "count", counted.append)
    dollars = EUROS | {"region": "us", "method": "wire", "pays_in": "USD", "countries": ["AT"]}
    money.publish(payouts=[dollars, EUROS])
    money.enrol("alma", email_key="key-alma", country="AT")
    money.credit("pia", 5_000)
    money.credit("alma", 5_000)

    assert [name()] == ask(CUTOFF)
    assert ["RatesMissing"] == counted
    rate = {"from": "EUR", "to": "USD", "rate": "1.1", "source": "ECB", "at": CUTOFF}
    path = f"/v1/programs/{life.PROGRAM}/rates"
    assert 200 == call("PUT", path, {"rates": [rate]}, claims=FINANCE).status

    assert 2 == len(ask(NOON))
    assert ["us", "eu"] == [each["region"] for each in states.started.values()][::-1]
    document = money.publish(payouts=[dollars, EUROS])
    assert ["alma"] == list(members.eligible(document, document.payouts[0], NOON))


def test_state_of_payouts_tells_calendars_and_halts() -> None:
    """When each rule pays next, what the calendar asked last, and who let payouts go on."""
    money.credit("pia", 5_000)
    ask(CUTOFF)
    path = f"/v1/programs/{life.PROGRAM}/payouts"
    read: Any = call("GET", path, claims=login("a", "auditor")).body
    assert ("", "", []) == (read["halted_for"], read["halted_at"], read["resumptions"])
    (rule,) = read["rules"]
    assert (TOMORROW, "2026-11-23", name()) == (
        rule["next_run"],
        rule["last_period"],
        rule["last_batch"],
    )

    ledger.halt(life.PROGRAM, "books are broken", now=NOON)
    assert [] == ask(TOMORROW)
    assert "books are broken" == call("GET", path, claims=FINANCE).body["halted_for"]
    for expected in ("resumed", "running"):
        reply = call("POST", f"{path}/resume", {"reason": "books_mended"}, claims=FINANCE)
        assert (200, expected) == (reply.status, reply.body["status"])

    assert [name("2026-11-24")] == ask(TOMORROW)
    (told,) = call("GET", path, claims=FINANCE).body["resumptions"]
    assert ("user:fin", "books_mended", "books are broken", NOON) == (
        told["by"],
        told["reason"],
        told["halted_for"],
        told["halted_at"],
    )
    ledger.halt(life.PROGRAM, "again", now=TOMORROW)
    assert "again" == ledger.halted(life.PROGRAM)


def test_program_that_has_not_begun_keeps_nobody_waiting(states: States) -> None:
    """One that begins next month comes first in the list: the others are paid all the same."""
    writes = Transaction()
    later = life.document(id="aaa-later", rewards=[money.COMMISSION], payouts=[EUROS])
    month = "2026-12-31T00:00:00.000Z"
    programs.publish(writes, later, now=NOON, actor="user:mia", effective_at=month)
    writes.commit()
    money.credit("pia", 5_000)

    assert [name()] == ask(NOON)
    assert [name()] == list(states.started)
    assert {"debts": 0, "written_off": 0} == recover.recover(NOON)


def test_program_that_fails_keeps_nobody_else_waiting(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands against one is told when everybody else has been looked at."""
    money.credit("pia", 5_000)
    writes = Transaction()
    first = life.document(id="aaa-broken", rewards=[money.COMMISSION], payouts=[EUROS])
    programs.publish(writes, first, now=NOON, actor="user:mia")
    writes.commit()
    real = start.start_due

    def broken(document: Any, *rest: Any) -> str:
        if document.id == "aaa-broken":
            raise NotFoundError("no such provider")
        return real(document, *rest)

    monkeypatch.setattr(start, "start_due", broken)
    with pytest.raises(NotFoundError, match="no such provider"):
        ask(NOON)
    assert [name()] == list(states.started)
