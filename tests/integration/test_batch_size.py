"""Batches of many partners: what a step costs grows by the hundred, and no file is too large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from introducer import keyring
from introducer.payout import reference
from introducer.rails.registry import file_rail
from introducer.tables import ledger, partners, payouts, people, programs
from introducer.tables.people import Payee
from introducer.tables.store import Transaction
from payout import batch, booking, files, members
from submit.resources import batches as resource
from tests.simulation.aws import Aws
from tests.support import life, money
from tests.support.api import call, login
from tests.support.money import NOW

AUDITOR = login("a", "auditor")
AFTER = "2026-11-22T12:00:00.000Z"


@pytest.fixture
def account(frozen: Callable[[str], None]) -> Iterator[Aws]:
    """An account with a program and nobody in it."""
    frozen(NOW)
    with Aws().installed() as aws:
        money.publish()
        yield aws


def partners_with_money(count: int, first: int = 0) -> list[str]:
    """Enrol partners to each of whom 50.00 EUR are payable; return their ids."""
    names = [f"p{number:04}" for number in range(first, first + count)]
    for name in names:
        money.enrol(name, email_key=f"key-{name}")
        money.credit(name, 5_000)
    return names


def counted(aws: Aws, step: Callable[[], object]) -> Counter[str]:
    """Return what *step* asks of AWS, by operation."""
    asked: Counter[str] = Counter()
    aws.turn = lambda operation: asked.update([operation])
    step()
    aws.turn = lambda _: None
    return asked


def reads(aws: Aws, run: int) -> Counter[str]:
    """Return how often closing a batch and writing its file read single items, and hundreds."""
    step = {"batch": money.pay_out(run, until="reserve")}
    asked = counted(aws, lambda: batch.close(step, NOW))
    money.pay_out(run, until="mark")
    keyring.secret.cache_clear()  # the file is written by another process
    keyring.existing_secret.cache_clear()
    return asked + counted(aws, lambda: batch.write(step, NOW))


def test_hundred_partners_more_cost_four_reads_more(account: Aws) -> None:
    """One to close; payouts, profiles and accounts to write. Not one for each partner."""
    partners_with_money(100)
    small = reads(account, 1)
    partners_with_money(300, first=100)
    large = reads(account, 2)

    assert small["GetItem"] == large["GetItem"]
    assert 1 == small["Decrypt"] == large["Decrypt"]
    assert 3 * 4 == large["BatchGetItem"]
    assert 4 == small["BatchGetItem"]


def test_file_is_the_one_that_single_reads_would_write(account: Aws) -> None:
    """Who changes the account after the batch has gone is paid where they were to be paid."""
    assert account
    names = partners_with_money(120)
    name = money.pay_out(until="mark")
    for changed in names[::10]:
        new_account(changed)
    money.pay_out(until="write")

    sent = payouts.get_batch(name)
    document = programs.version(sent.program, sent.program_version).document
    orders = []
    for holder in sorted(names, key=lambda each: reference(name, each)):
        found, profile = payouts.find(reference(name, holder)), partners.find_partner(holder)
        assert found is not None
        assert profile is not None
        payee = people.payee(profile.person, at=sent.submitted_at)
        assert payee is not None
        assert money.iban_of(holder) == payee.iban
        orders.append(files.payment(found, payee, document))
    order = files.order(sent, files.rule_of(document, sent), orders)
    assert files.read(sent.file) == file_rail(sent.method).write(order)
    assert "in_transit" == sent.status


def test_whoever_was_not_reserved_gets_a_note(account: Aws) -> None:
    """A reservation that was lost is told, and nobody joins later."""
    assert account
    partners_with_money(3)
    event = money.batch_event()
    batch.prepare(event, NOW)
    step = {"batch": event["batch"], "Items": [{"partner": "p0001"}]}
    batch.reserve(step, NOW)
    batch.close(step, NOW)

    closed = payouts.get_batch(event["batch"])
    assert (1, 5_000, 2, {"not_reserved": 2}) == (
        closed.count,
        closed.total_minor,
        closed.skipped,
        closed.findings,
    )


def test_who_does_not_fit_into_one_file_is_paid_by_the_next(
    account: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand fit; the rest waits, is counted, and is paid by the run after it."""
    assert account
    monkeypatch.setattr(members, "MOST_MEMBERS", 3)
    names = partners_with_money(5)

    first = payouts.get_batch(money.pay_out(until="write"))
    second = payouts.get_batch(money.pay_out(2, until="write"))

    assert (3, {"over_file_limit": 2}) == (first.count, first.findings)
    assert (2, {}) == (second.count, second.findings)
    assert {"in_transit": 5_000} == money.accounts(names[0]) == money.accounts(names[4])


def test_who_is_left_over_is_drawn_anew(account: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose name comes last in the alphabet is not left out each time."""
    assert account
    monkeypatch.setattr(members, "MOST_MEMBERS", 3)
    names = set(partners_with_money(5))
    document = programs.current(life.PROGRAM, NOW).document
    days = [f"2026-12-{day:02}T09:00:00.000Z" for day in range(1, 13)]

    chosen = [set(members.take_stock(document, document.payouts[0], day).members) for day in days]

    assert names == set().union(*chosen)
    assert {3} == {len(each) for each in chosen}


def test_large_batch_is_read_without_counting_its_payouts(
    account: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the batch itself knows is told, and that nobody has counted the rest."""
    partners_with_money(3)
    path = f"/v1/batches/{money.pay_out(until='write')}"
    small: Any = call("GET", path, claims=AUDITOR).body
    assert (True, 0, 3) == (small["tallied"], small["paid_minor"], small["payouts"][0]["count"])

    monkeypatch.setattr(resource, "MOST_TALLIED", 2)
    reply: list[Any] = []
    asked = counted(account, lambda: reply.append(call("GET", path, claims=AUDITOR).body))

    large = reply[0]
    assert (False, None, []) == (large["tallied"], large["paid_minor"], large["payouts"])
    assert (3, 15_000) == (large["file_count"], large["file_total_minor"])
    assert 0 == asked["BatchGetItem"]


def test_clawback_cancels_no_more_than_it_needs_where_tax_is_withheld(account: Aws) -> None:
    """90.00 are short: one payout of 100.00, of which 76.00 would have been paid, is enough."""
    assert account
    money.publish(tax={"payer_country": "US", "missing": "withhold"})
    money.enrol("pia", country="US")
    for run in (1, 2):
        money.credit("pia", 10_000, f"run {run}")
        money.pay_out(run, until="close")

    cancelled = booking._cancellations(ledger.balance("pia", "EUR"), 9_000, NOW)

    assert [10_000] == [entry.postings[0].amount_minor for entry in cancelled]


def new_account(holder: str) -> None:
    """Let a partner say where their money goes from now on."""
    found = partners.find_partner(holder)
    assert found is not None
    payee = Payee(name=holder, iban="DE02120300000000202051", town="Bonn", country="DE")
    writes = Transaction()
    partners.set_payee(writes, found, payee, now=AFTER, actor="user:1")
    writes.commit()
