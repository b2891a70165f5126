"""Money that leaves by NACHA file and by payroll: from earned to paid, and back again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.bank import MockBank
from introducer import payout
from introducer.payout import Batch, reference
from introducer.tables import partners, payouts
from introducer.tables.people import Payee
from introducer.tables.store import Transaction
from payout import batch, files, reconcile, settle
from tests.support import life, money
from tests.support.money import NOW
from tests.support.payments import ach_payee

AT_THIS_BANK = "999999992"
CLOSED = "0000000003"
DOLLARS = {
    "method": "ach",
    "currency": "USD",
    "region": "us",
    "approval_above_minor": 1_000_000,
    "originator": {
        "name": "Acme Inc",
        "company_id": "0000000001",
        "routing": AT_THIS_BANK,
        "bank": "Mock Bank",
    },
}
WAGES = {
    "method": "payroll",
    "currency": "EUR",
    "region": "eu",
    "approval_above_minor": 1_000_000,
}
STEPS = ("reserve", "close", "submit", "mark", "write", "finish")


@pytest.fixture
def bank() -> Iterator[MockBank]:
    """A bank that holds the originator's dollars; 22 November 2026 is a Sunday."""
    with MockBank(clock="2026-11-22T11:00") as running:
        running.open_account(
            "ACME",
            iban="NL41MOCK0000000001",
            name="Acme",
            currency="USD",
            balance_minor=100_000,
            number="0000000001",
            nacha=True,
        )
        yield running


def pay_out(rule: dict[str, Any]) -> Batch:
    """Run all steps of the batch of *rule* and return it."""
    name = {key: rule[key] for key in ("region", "currency", "method")}
    identity: dict[str, Any] = {"program": life.PROGRAM, "period": NOW[:10], **name}
    event = {**identity, "run": "1", "started_by": "schedule"}
    event["batch"] = payout.batch_id(**identity, run=1)
    prepared = batch.prepare(event, NOW)
    items = json.loads(files.read(str(prepared["key"])) or b"[]")
    for step in STEPS:
        getattr(batch, step)({"batch": event["batch"], "Items": items}, NOW)
    return payouts.get_batch(event["batch"])


def set_payee(name: str, payee: Payee) -> None:
    """Store where a partner's money goes."""
    found = partners.find_partner(name)
    assert found is not None
    writes = Transaction()
    partners.set_payee(writes, found, payee, now=life.NOW, actor="user:1")
    writes.commit()


def earn(rule: dict[str, Any], *names: str) -> None:
    """Let each partner have 25.00 payable under a program that pays by *rule*."""
    money.publish(currency=rule["currency"], payouts=[rule])
    for number, name in enumerate(names):
        money.enrol(name, payee=False)
        money.sell(
            f"r{number}",
            currency=rule["currency"],
            shares={name: 10_000},
            lead_key=f"lead{number}",
        )
        money.deliver(f"r{number}")
    money.release()


def told(bank: MockBank) -> None:
    """Take in everything the bank has sent."""
    for message in bank.fetch():
        settle.take_file(message.content, f"inbox/{message.name}", now=NOW)


def statuses(batch_id: str) -> dict[str, str]:
    """Return each payout's status by partner."""
    return {each.partner: each.status for each in payouts.of_batch(batch_id)}


@pytest.mark.usefixtures("aws")
def test_ach_batch_is_paid_and_returned_by_the_bank(
    bank: MockBank, frozen: Callable[[str], None]
) -> None:
    """One payment arrives, the other meets a closed account and is payable again; books agree."""
    frozen(NOW)
    earn(DOLLARS, "pia", "quin")
    set_payee("pia", ach_payee(name="Pia"))
    set_payee("quin", ach_payee(name="Quin", routing=AT_THIS_BANK, account=CLOSED))

    sent = pay_out(DOLLARS)
    assert ("in_transit", 2, f"outbox/{sent.id}.ach") == (sent.status, sent.file_count, sent.file)
    assert "PART" == bank.submit(files.read(sent.file) or b"").status
    bank.settle()
    told(bank)

    assert {"pia": "paid", "quin": "returned"} == statuses(sent.id)
    assert "settled" == payouts.get_batch(sent.id).status
    assert 2_500 == money.accounts("pia", "USD")["paid"]
    assert 2_500 == money.accounts("quin", "USD")["payable"]
    assert 100_000 - 2_500 == bank.balance_minor("ACME")
    assert [] == reconcile.reconcile(NOW, days=2, full=True).differences


@pytest.mark.usefixtures("aws")
def test_ach_batch_leaves_out_who_has_no_such_account(frozen: Callable[[str], None]) -> None:
    """A name no bank can print is found before money is reserved; the rest is paid."""
    frozen(NOW)
    earn(DOLLARS, "pia", "quin")
    set_payee("pia", ach_payee(name="Pia"))
    set_payee("quin", ach_payee(name="王小明", account="0098765432"))

    sent = pay_out(DOLLARS)

    assert {"pia": "in_transit", "quin": "skipped"} == statuses(sent.id)
    assert {"payable": 2_500} == {
        key: value for key, value in money.accounts("quin", "USD").items() if key != "pending"
    }


@pytest.mark.usefixtures("aws")
def test_payroll_list_is_settled_by_its_acknowledgement(frozen: Callable[[str], None]) -> None:
    """Partners without any account are on the list; what payroll says settles it, once."""
    frozen(NOW)
    earn(WAGES, "pia", "quin")

    sent = pay_out(WAGES)
    listed = (files.read(sent.file) or b"").decode().splitlines()
    assert (f"outbox/{sent.id}.csv", 3) == (sent.file, len(listed))
    paid = {reference(sent.id, "pia"): "paid", reference(sent.id, "quin"): "rejected"}
    lines = [f"{listed[0]},status"]
    lines += [f"{line},{paid[line.split(',')[1]]}" for line in listed[1:]]
    for name in ("ack.csv", "ack-again.csv"):
        settle.take_file("\n".join(lines).encode(), f"inbox/{name}", now=NOW)

    assert {"pia": "paid", "quin": "returned"} == statuses(sent.id)
    assert "settled" == payouts.get_batch(sent.id).status
    assert {"pending": 7_500, "paid": 2_500} == money.accounts("pia")
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("quin")
    assert [] == reconcile.reconcile(NOW, days=2, full=True).differences
