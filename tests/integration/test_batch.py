"""Payout batches: started once, approved by a second person, sent once, whatever repeats."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from introducer.payout import reference
from introducer.tables import ledger, partners, payouts, store
from introducer.tables.store import Table
from payout import batch, files, members
from tests.support import life, money
from tests.support.bank_files import validated
from tests.support.money import NOW


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


def statuses(batch_id: str) -> dict[str, str]:
    """Return status, and reason if any, of a batch's payouts by partner."""
    return {
        each.partner: f"{each.status} {each.reason}".strip() for each in payouts.of_batch(batch_id)
    }


def order(batch_id: str) -> bytes:
    """Return the payment file."""
    return files.read(files.order_key(payouts.get_batch(batch_id))) or b""


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
    assert [] == list(ledger.due_partners(life.PROGRAM, "EUR"))


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
def test_batch_that_sent_nothing_is_over_though_the_index_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody will ever answer it: it waits for no list."""
    name = money.pay_out(until="submit")
    store.connection().delete_item(store.name(Table.PEOPLE), "PERSON#person-pia", "PAYEE")
    monkeypatch.setattr(payouts, "each_of_batch", lambda _: iter(()))

    money.pay_out(until="finish")

    assert ("settled", 0) == ((done := money.the_batch(name)).status, done.file_count)


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
    money.intrude(
        monkeypatch,
        lambda: members.reserve(payouts.get_batch(second["batch"]), "pia", now=NOW),
    )

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
    money.intrude(
        monkeypatch,
        lambda: members.reserve(payouts.get_batch(event["batch"]), "pia", now=NOW),
    )
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


def _deactivate(name: str) -> None:
    found = partners.find_partner(name)
    assert found is not None
    stored = store.get(Table.CORE, found.entity, "PROFILE")
    assert stored is not None
    store.put(Table.CORE, found.entity, "PROFILE", {**stored, "status": "suspended"})
