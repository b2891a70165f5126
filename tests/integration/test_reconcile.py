"""Reconciliation: the books agree after the whole way, and every disagreement is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from introducer.clients import client
from introducer.payout import reference
from introducer.settings import setting
from introducer.tables import ledger, payouts, referrals, store
from introducer.tables.store import Table
from payout import files, reconcile
from tests.support import life, money
from tests.support.money import NOW, booking, take


@pytest.fixture
def settled(engine: str, frozen: Callable[[str], None]) -> str:
    """Pia's 25.00 EUR went all the way; returns the batch."""
    assert engine
    assert frozen
    money.publish()
    money.enrol("pia")
    money.sell()
    money.deliver("r1")
    money.release()
    batch = money.pay_out(until="finish")
    money.debit(batch)
    return batch


def kinds() -> list[str]:
    """Return the kinds of the differences a run finds now."""
    return sorted(str(each["kind"]) for each in reconcile.reconcile(NOW, days=2).differences)


def overwrite(pk: str, sk: str, table: Table = Table.LEDGER, **changes: Any) -> None:
    """Change a stored item behind everybody's back."""
    stored = store.get(table, pk, sk)
    assert stored is not None
    store.put(table, pk, sk, {**stored, **changes})


def test_reconcile_reports_that_all_agree(settled: str) -> None:
    """After the whole way nothing differs; the report lies in the bucket."""
    assert settled

    answer = reconcile.handler({"started_by": "user:fin"}, money.CONTEXT)  # type: ignore[dict-item]

    assert {"differences": 0, "report": f"reports/reconcile/{NOW}.json"} == answer
    assert {
        "at": NOW,
        "balances": 1,
        "journals": 6,
        "batches": 1,
        "full": False,
        "totals": {
            "EUR": {
                "pending": 7_500,
                "payable": 0,
                "reserved": 0,
                "in_transit": 0,
                "paid": 2_500,
                "receivable": 0,
            }
        },
        "unmatched": 0,
        "differences": [],
    } == json.loads(files.read(str(answer["report"])) or b"")


def test_reconcile_twice_changes_nothing(settled: str) -> None:
    """It only compares: no item of any table differs afterwards."""
    assert settled
    before = money.everything(Table.LEDGER), money.everything(Table.CORE)

    kinds()
    kinds()

    assert before == (money.everything(Table.LEDGER), money.everything(Table.CORE))
    assert not ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("settled")
def test_reconcile_agrees_in_the_middle_of_everything() -> None:
    """Reserved, in transit, returned, clawed back: each state is explained by its payouts."""
    money.sell("r2", lead_key="other")
    money.deliver("r2")
    money.release()
    for until in ("reserve", "mark", "finish"):
        batch = money.pay_out(2, until=until)
        assert [] == kinds()
    take(booking(reference(batch, "pia"), 2_500))
    take(booking(reference(batch, "pia"), 2_500, returned="AC04"), name="camt-2.xml")
    money.refund("r1", "f1", 100_000)
    money.deliver("r1")

    assert [] == kinds()


def test_reconcile_finds_a_balance_that_is_not_its_fold(settled: str) -> None:
    """A changed balance halts payouts."""
    assert settled
    overwrite("PARTNER#pia", "BALANCE#EUR", paid=2_501)

    assert ["balance_is_not_fold", "paid_unexplained"] == kinds()
    assert "a balance is not the fold of its journals" == ledger.halted(life.PROGRAM)


def test_reconcile_finds_a_journal_that_was_changed(settled: str) -> None:
    """A changed journal halts payouts, however well it still adds up."""
    assert settled
    (first, *_) = money.journals()
    overwrite(f"JOURNAL#{first.id}", "JOURNAL", legs={"expense": -2_501, "pending": 2_501})

    assert "journals_broken" in kinds()
    assert ledger.halted(life.PROGRAM)


def test_reconcile_finds_a_reward_that_the_books_do_not_know(settled: str) -> None:
    """A reward changed behind the books shows as pending that nobody can explain."""
    assert settled
    reward = next(r for r in referrals.detail("r1").rewards if r["milestone"] == "loyalty")
    overwrite(reward["pk"], reward["sk"], Table.CORE, amount_minor=7_501)

    assert ["pending_unexplained"] == kinds()


def test_reconcile_finds_a_payout_that_the_books_do_not_know(settled: str) -> None:
    """A payout set to returned by hand: paid is unexplained, and so is the bank."""
    overwrite(f"PAYOUT#{reference(settled, 'pia')}", "STATE", status="in_transit", booked_on="")

    assert [
        "debits_are_not_payouts",
        "in_transit_unexplained",
        "paid_unexplained",
        "settled_with_open_payouts",
    ] == kinds()


def test_reconcile_finds_a_file_that_is_not_what_was_sent(settled: str) -> None:
    """A payment file that was exchanged afterwards."""
    key = files.order_key(payouts.get_batch(settled))
    changed = (files.read(key) or b"").replace(b"25.00", b"52.00")
    client("s3").put_object(Bucket=setting("BANK_BUCKET"), Key=key, Body=changed)

    assert ["file_is_not_batch", "file_is_not_payouts"] == kinds()


def test_reconcile_finds_a_payment_that_the_bank_never_booked(settled: str) -> None:
    """Paid by our books, but no booking says so."""
    (paid,) = payouts.bookings_of(settled)
    store.connection().delete_item(store.name(Table.LEDGER), f"BOOKING#{paid.key}", "STATE")

    assert ["debits_are_not_payouts"] == kinds()


def test_reconcile_lists_what_the_bank_booked_and_we_do_not_know(settled: str) -> None:
    """An unmatched booking stays in every report until it is matched."""
    assert settled
    take(booking("PUNKNOWN", 100))

    assert ["unmatched_booking"] == kinds() == kinds()


def test_reconcile_finds_money_left_in_a_cancelled_batch(settled: str) -> None:
    """The process died between cancelling a batch and giving its money back."""
    assert settled
    money.sell("r2", lead_key="other")
    money.deliver("r2")
    money.release()
    batch = money.pay_out(2, until="close")
    payouts.move_batch(batch, "cancelled", now=NOW, actor="user:mia", reason="too_late")

    assert ["cancelled_batch_holds_money"] == kinds()


def test_reconcile_takes_a_moving_balance_again(
    settled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A posting between two readings is no difference."""
    assert settled
    money.sell("r2", lead_key="other")
    real = reconcile.payouts.find_many
    moved = []

    def find_after(references: list[str]) -> dict[str, Any]:
        if not moved:
            moved.append(money.deliver("r2"))
            overwrite(f"PAYOUT#{references[0]}", "STATE", amount_minor=1)
            found = real(references)
            overwrite(f"PAYOUT#{references[0]}", "STATE", amount_minor=2_500)
            return found
        return real(references)

    monkeypatch.setattr(reconcile.payouts, "find_many", find_after)

    assert [] == kinds()
    assert moved
