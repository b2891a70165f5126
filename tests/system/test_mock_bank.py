"""Our files against a real counterparty: the mock bank as its own process on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.bank import BankError, Decision, MockBank, bring_back, hand_over
from introducer.bank import camt054, pain001, pain002
from tests.support.bank_files import OWNER_IBAN, credit_transfer_file, debtor, transfer

MONDAY_MORNING = "2026-11-23T09:00"
CLOSED_IBAN = "NL84MOCK0000000003"
ACCEPTED = Decision(status="ACCP", reason="", accepted=1, rejected=0, findings=())


@pytest.fixture
def bank() -> Iterator[MockBank]:
    """A bank of our own on a business day before its cut-off; it holds the owner's account."""
    with MockBank(clock=MONDAY_MORNING) as running:
        running.open_account(
            "ACME", iban=OWNER_IBAN, name="Nordlink", currency="EUR", balance_minor=100_000
        )
        yield running


def payment_file(**overrides: Any) -> bytes:
    """A file to be paid on the bank's day."""
    return pain001.write(credit_transfer_file(**{"requested_date": "2026-11-23", **overrides}))


def statuses(bank: MockBank) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What the bank's status reports say: level, reference, verdict, reasons."""
    return [
        (report.level, report.end_to_end_id, report.verdict, report.reasons)
        for message in bank.fetch("pain.002")
        for report in pain002.read(message.content)
    ]


def bookings(bank: MockBank) -> list[tuple[str, int, str, str, str, str]]:
    """What the bank booked: reference, amount, currency, side, day, return reason."""
    return [
        (
            booking.end_to_end_id,
            booking.amount_minor,
            booking.currency,
            booking.direction,
            booking.booked_on,
            booking.return_reason,
        )
        for message in bank.fetch("camt.054")
        for booking in camt054.read(message.content)
    ]


def test_bank_pays_a_file_and_says_so_twice(bank: MockBank) -> None:
    """Accepted on receipt, booked the same day, with our references in both answers."""
    assert ACCEPTED == bank.submit(payment_file())
    assert [
        ("transfer", "P0000000000001A", "accepted", ()),
        ("payment", "", "accepted", ()),
        ("file", "", "accepted", ()),
    ] == statuses(bank)
    assert [("P0000000000001A", 1250, "EUR", "debit", "2026-11-23", "")] == bookings(bank)
    assert 100_000 - 1250 == bank.balance_minor("ACME")


def test_bank_books_a_later_file_when_its_clock_gets_there(bank: MockBank) -> None:
    """Nothing is booked before the requested day; over a weekend it is the Monday after."""
    bank.submit(payment_file(requested_date="2026-11-28"))
    assert [] == bookings(bank)
    assert "2026-11-30" == bank.settle()
    assert [("P0000000000001A", 1250, "EUR", "debit", "2026-11-30", "")] == bookings(bank)


def test_bank_refuses_one_payment_of_two(bank: MockBank) -> None:
    """A closed account is refused with its reason; the other payment goes through."""
    closed = transfer(reference="P2", iban=CLOSED_IBAN)
    decision = bank.submit(payment_file(transfers=(transfer(), closed)))
    assert Decision(status="PART", reason="", accepted=1, rejected=1, findings=()) == decision
    assert [
        ("transfer", "P0000000000001A", "accepted", ()),
        ("transfer", "P2", "rejected", ("AC04",)),
        ("payment", "", "partial", ()),
        ("file", "", "partial", ()),
    ] == statuses(bank)
    assert ["P0000000000001A"] == [reference for reference, *_ in bookings(bank)]


def test_bank_refuses_a_whole_file(bank: MockBank) -> None:
    """A file refused outright has one status and moves nothing."""
    bank.behave("ACME", "reject-file")
    assert "RJCT" == bank.submit(payment_file()).status
    assert [("file", "", "rejected", ("FF01",))] == statuses(bank)
    bank.settle()
    assert [] == bookings(bank)


def test_bank_recognises_a_file_it_already_has(bank: MockBank) -> None:
    """Handing a file over twice pays once, and the second answer is no reason to undo it."""
    bank.submit(payment_file())
    statuses(bank)
    assert ("RJCT", "DUPL") == (
        (second := bank.submit(payment_file())).status,
        second.reason,
    )
    assert [("file", "", "duplicate", ("DUPL",))] == statuses(bank)
    assert [("P0000000000001A", 1250, "EUR", "debit", "2026-11-23", "")] == bookings(bank)


def test_bank_sends_money_back_days_after_it_paid(bank: MockBank) -> None:
    """A payment that settled comes back as a credit with the same reference and a reason."""
    bank.return_later("ACME", days=3, reason="MD07", reference="P2")
    bank.submit(payment_file(transfers=(transfer(), transfer(reference="P2", amount_minor=1))))
    paid = bookings(bank)
    assert "2026-11-26" == bank.settle()
    assert [
        ("P0000000000001A", 1250, "EUR", "debit", "2026-11-23", ""),
        ("P2", 1, "EUR", "debit", "2026-11-23", ""),
    ] == paid
    assert [("P2", 1, "EUR", "credit", "2026-11-26", "MD07")] == bookings(bank)
    assert 100_000 - 1250 == bank.balance_minor("ACME")


def test_bank_finds_nothing_wrong_with_hostile_names(bank: MockBank) -> None:
    """The bank's own validation has no finding about names and texts from the outside."""
    hostile = ["<b>&'\"", "Щ\u202eΨ Łß", "x" * 500, "//:--", "=cmd|'/c'!A1", "\t\r\n]]>"]
    transfers = tuple(
        transfer(reference=f"P{index}", name=f"A {text}", remittance=text, amount_minor=1)
        for index, text in enumerate(hostile)
    )
    assert Decision(
        status="ACCP", reason="", accepted=len(hostile), rejected=0, findings=()
    ) == bank.submit(payment_file(transfers=transfers))


@pytest.mark.parametrize(("currency", "amount_minor"), [("JPY", 1250), ("USD", 1), ("BHD", 1001)])
def test_bank_reads_every_kind_of_minor_unit_as_we_do(
    bank: MockBank, currency: str, amount_minor: int
) -> None:
    """Currencies of 0, 2 and 3 digits arrive and come back as the same minor units."""
    iban = "NL14MOCK0000000002"
    bank.open_account("GLOBEX", iban=iban, name="G", currency=currency, balance_minor=10**9)
    content = payment_file(
        method="wire",
        currency=currency,
        debtor=debtor(iban=iban),
        transfers=(transfer(currency=currency, amount_minor=amount_minor),),
    )
    assert ACCEPTED == bank.submit(content)
    assert [("P0000000000001A", amount_minor, currency, "debit", "2026-11-23", "")] == bookings(
        bank
    )


def test_bank_files_travel_through_the_bucket(bank: MockBank) -> None:
    """From the outbox to the bank and from the bank to the inbox, each answer once."""
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="bank")
        s3.put_object(Bucket="bank", Key="outbox/batch-1.xml", Body=payment_file())
        assert ACCEPTED == hand_over(bank, s3, "bank", "outbox/batch-1.xml")
        keys = bring_back(bank, s3, "bank")
        assert [] == bring_back(bank, s3, "bank")
        found = {key: s3.get_object(Bucket="bank", Key=key)["Body"].read() for key in keys}
    assert ["inbox/pain.002.001.10", "inbox/camt.054.001.08"] == [
        key.rpartition("-")[0] for key in keys
    ]
    assert 3 == len(pain002.read(found[keys[0]]))
    assert 1 == len(camt054.read(found[keys[1]]))


def test_bank_opens_an_account_of_its_own(bank: MockBank) -> None:
    """An owner's account the bank has not seen before can pay at once."""
    iban = "DE75512108001245126199"
    bank.open_account("OWNER", iban=iban, name="Owner", currency="EUR", balance_minor=2000)
    assert ACCEPTED == bank.submit(payment_file(debtor=debtor(iban=iban)))
    assert 750 == bank.balance_minor("OWNER")


def test_bank_without_the_account_rejects_every_payment(bank: MockBank) -> None:
    """A debtor's account the bank does not hold is AC02 for each payment."""
    bank.submit(payment_file(debtor=debtor(iban="DE75512108001245126199")))
    assert [
        ("transfer", "P0000000000001A", "rejected", ("AC02",)),
        ("payment", "", "rejected", ()),
        ("file", "", "rejected", ()),
    ] == statuses(bank)


def test_bank_that_cannot_start_says_why() -> None:
    """A bank that ends before it listens is an error with its last words."""
    with pytest.raises(BankError, match="is not a moment in bank time"):
        MockBank(clock="yesterday").start()


def test_bank_refusing_a_call_is_an_error(bank: MockBank) -> None:
    """A behaviour the bank does not know is not silently ignored."""
    with pytest.raises(BankError, match="unknown behaviour"):
        bank.behave("ACME", "vanish")
