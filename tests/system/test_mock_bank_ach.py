"""Our NACHA files against a real counterparty: the mock bank as its own process on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.bank import Decision, MockBank
from introducer.bank import camt054, nacha_return
from introducer.rails.rail import Payment
from introducer.rails.registry import file_rail
from tests.support.payments import ach_payee, order, payment

MONDAY_MORNING = "2026-11-23T09:00"
AT_THIS_BANK = "999999992"
CLOSED = "0000000003"
HOSTILE = ["<b>&'\"", "Щ\u202eΨ Łß", "x" * 500, "//:--", "=cmd|'/c'!A1", "\t\r\n]]>"]


@pytest.fixture
def bank() -> Iterator[MockBank]:
    """A bank on a business day before its cut-off; it holds the originator's account."""
    with MockBank(clock=MONDAY_MORNING) as running:
        running.open_account(
            "ACME",
            iban="NL41MOCK0000000001",
            name="Nordlink",
            currency="USD",
            balance_minor=100_000,
            number="0000000001",
            nacha=True,
        )
        yield running


def payment_file(*payments: Payment) -> bytes:
    """A NACHA file of *payments*, one when there are none."""
    return file_rail("ach").write(order(payments=payments or (payment(),)))


def debits(bank: MockBank) -> list[tuple[str, int, str, str]]:
    """What the bank booked: reference, amount, side, day."""
    return [
        (each.end_to_end_id, each.amount_minor, each.direction, each.booked_on)
        for message in bank.fetch("camt.054")
        for each in camt054.read(message.content)
    ]


def returns(bank: MockBank) -> list[tuple[str, int, str, str]]:
    """What came back: reference, amount, code, day."""
    return [
        (each.reference, each.amount_minor, each.code, each.on)
        for message in bank.fetch("nacha.return")
        for each in nacha_return.read(message.content)
    ]


def test_bank_pays_people_and_companies_on_the_next_banking_day(bank: MockBank) -> None:
    """Both batches are taken without a finding and booked on the effective entry date."""
    company = payment(reference="P2", amount_minor=1, payee=ach_payee(holder_type="company"))
    taken = Decision(status="ACCP", reason="", accepted=2, rejected=0, findings=())
    assert taken == bank.submit(payment_file(payment(), company))
    assert "2026-11-24" == bank.settle()
    assert [
        ("P0000000000001A", 1250, "debit", "2026-11-24"),
        ("P2", 1, "debit", "2026-11-24"),
    ] == debits(bank)
    assert 100_000 - 1251 == bank.balance_minor("ACME")


def test_bank_returns_a_payment_to_a_closed_account(bank: MockBank) -> None:
    """R02 comes back under our reference; the other payment goes through."""
    closed = payment(reference="P2", payee=ach_payee(routing=AT_THIS_BANK, account=CLOSED))
    assert "PART" == bank.submit(payment_file(payment(), closed)).status
    bank.settle()
    assert [("P2", 1250, "R02", "2026-11-24")] == returns(bank)
    assert ["P0000000000001A"] == [reference for reference, *_ in debits(bank)]


def test_bank_returns_money_days_after_it_paid(bank: MockBank) -> None:
    """A payment that settled comes back with the reason, and the account is as before."""
    bank.return_later("ACME", days=3, reason="R03")
    bank.submit(payment_file())
    # Thursday is Thanksgiving, which this bank does not keep; three days after Tuesday.
    assert "2026-11-27" == bank.settle()
    assert [("P0000000000001A", 1250, "R03", "2026-11-27")] == returns(bank)
    assert 100_000 == bank.balance_minor("ACME")


def test_bank_recognises_a_file_it_already_has(bank: MockBank) -> None:
    """The same bytes are refused the second time."""
    bank.submit(payment_file())
    assert "DUPL" == bank.submit(payment_file()).reason


def test_bank_finds_nothing_wrong_with_hostile_names(bank: MockBank) -> None:
    """Every name is ASCII in its field, whatever it was."""
    payments = [
        payment(reference=f"P{index}", amount_minor=1, payee=ach_payee(name=f"A {name}"))
        for index, name in enumerate(HOSTILE)
    ]
    count = len(HOSTILE)
    taken = Decision(status="ACCP", reason="", accepted=count, rejected=0, findings=())
    assert taken == bank.submit(payment_file(*payments))
