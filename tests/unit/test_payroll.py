"""Payroll: the list we write, and the acknowledgement that comes back."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import money
from introducer.bank import payroll_ack
from introducer.bank.payroll_ack import Acknowledgement
from introducer.errors import InvalidInputError
from introducer.rails.registry import file_rail
from tests.support.payments import BATCH, order, payment

RAIL = file_rail("payroll")


def test_payroll_list_is_written_byte_for_byte() -> None:
    """Who, under which reference, how much, for which month and as what."""
    payments = (
        payment(holder="rep.r1", payee=None),
        payment(reference="P2", holder="p2", amount_minor=5, text="=1+1\r\nx", payee=None),
    )
    assert (
        "holder,reference,amount,currency,period,pay_date,wage_type,description,batch\r\n"
        "rep.r1,P0000000000001A,12.50,USD,2026-11,2026-11-23,referral reward,"
        f"Nordlink Telecom P0000000000001A,{BATCH}\r\n"
        f"p2,P2,0.05,USD,2026-11,2026-11-23,referral reward,'=1+1 x,{BATCH}\r\n"
    ) == RAIL.write(order("payroll", payments=payments)).decode()


@pytest.mark.parametrize(
    ("currency", "text"), [("JPY", "1250"), ("KWD", "1.250"), ("CLF", "0.1250")]
)
def test_payroll_amounts_are_found_again(currency: str, text: str) -> None:
    """Whatever the minor unit; another currency's are not found."""
    written = RAIL.write(
        order("payroll", currency=currency, payments=(payment(currency=currency),))
    )
    assert f",{text},{currency}," in written.decode()
    assert {"P0000000000001A": 1250} == RAIL.amounts_in(written, currency)
    assert {} == RAIL.amounts_in(written, "EUR")


REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("currency", {"currency": "PTS", "payments": (payment(currency="PTS"),)}),
    ("currency", {"currency": "EUR.credit", "payments": (payment(currency="EUR.credit"),)}),
    ("requested_date", {"requested_date": "20261123"}),
    ("payments", {"payments": ()}),
    ("payments[0].holder", {"payments": (payment(holder=""),)}),
    ("payments[0].reference", {"payments": (payment(reference="P-1"),)}),
    ("payments[0].currency", {"payments": (payment(currency="EUR"),)}),
    ("payments[0].amount_minor", {"payments": (payment(amount_minor=0),)}),
    ("payments[0].amount_minor", {"payments": (payment(amount_minor=money.MAX_MINOR + 1),)}),
    ("payments[1].reference", {"payments": (payment(), payment())}),
]


@pytest.mark.parametrize(("field", "overrides"), REFUSALS)
def test_payroll_list_that_cannot_be_booked_is_not_written(
    field: str, overrides: dict[str, Any]
) -> None:
    """Points, credit and everything without a reference or a person are refused by name."""
    with pytest.raises(InvalidInputError) as refused:
        RAIL.write(order("payroll", **overrides))
    assert field == refused.value.field


def test_acknowledgement_says_what_became_of_each_payment() -> None:
    """Paid, never paid, and paid but back; a line without a status says nothing yet."""
    told = payroll_ack.read(
        b"reference,status,date,reason\r\n"
        b"P1,paid,2026-11-30,\r\n"
        b"P2,Rejected,,left the company\r\n"
        b'P3,returned,2026-12-02,"account  closed, again"\r\n'
        b"P4,,,\r\n"
    )
    assert [
        ("P1", "paid", "2026-11-30", ""),
        ("P2", "rejected", "", "left the company"),
        ("P3", "returned", "2026-12-02", "account closed, again"),
    ] == [(each.reference, each.status, each.on, each.reason) for each in told]


def test_acknowledgement_may_be_our_list_with_a_status() -> None:
    """The list, a column added in a spreadsheet program that writes semicolons, is one."""
    lines = RAIL.write(order("payroll")).decode().splitlines()
    edited = f"\ufeff{lines[0]},Status\n{lines[1]},paid\n".replace(",", ";").encode()
    assert payroll_ack.recognise(edited)
    assert ["P0000000000001A"] == [each.reference for each in payroll_ack.read(edited)]


def test_acknowledgement_told_twice_is_one_statement() -> None:
    """The same words have the same key in every file; a line told twice counts once."""
    once = payroll_ack.read(b"reference,status\nP1,paid\n")
    again = payroll_ack.read(b"status\treference\tnote\npaid\tP1\tx\npaid\tP1\ty\n")
    assert once == again
    assert once[0].key != payroll_ack.read(b"reference,status\nP1,returned\n")[0].key
    assert [Acknowledgement] == [type(each) for each in once]


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("file.lines[1]", b""),
        ("file.lines[1]", b"reference,amount\nP1,1\n"),
        ("file.lines[1]", b"reference,status,status\nP1,paid,paid\n"),
        ("file.lines[2]", b"reference,status\nP1,done\n"),
        ("file.lines[2]", b"reference,status\np-1,paid\n"),
        ("file.lines[2]", b"reference,status,date\nP1,paid,30.11.2026\n"),
        ("file.lines[2]", b"reference,status,date\nP1,paid,2026-02-30\n"),
        ("file.lines[2]", b"reference,status\nP1,paid,,,\n"),
        ("file.lines[2]", b'reference,status\n"P1,paid\n'),
        ("file.lines[3]", b"reference,status\nP1,paid\nP1,rejected\n"),
        ("file.lines[2]", b"reference,status,reason\nP1,paid," + b"x" * 1001),
        ("file", b"reference,status\nP1,paid,\xff\n"),
    ],
)
def test_acknowledgement_that_cannot_be_trusted_is_refused_whole(
    place: str, content: bytes
) -> None:
    """A wrong line is named, and nothing of the file is used."""
    with pytest.raises(InvalidInputError) as refused:
        payroll_ack.read(content)
    assert (place, "bank_file_malformed") == (refused.value.field, refused.value.code)


def test_acknowledgement_longer_than_any_list_is_refused() -> None:
    """More lines than a batch can hold payments are not read to the end."""
    lines = b"reference,status\n" + b"P1,paid\n" * (payroll_ack.MAX_LINES + 1)
    with pytest.raises(InvalidInputError) as refused:
        payroll_ack.read(lines)
    assert "bank_file_too_large" == refused.value.code


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        (True, b"reference,status\n"),
        (True, b'\xef\xbb\xbf"Reference" ; "Status";"date"\r\n'),
        (False, b"reference,amount\n"),
        (False, b'<?xml version="1.0"?><Document>reference,status</Document>'),
        (False, b"101 999999992"),
        (False, b""),
    ],
)
def test_acknowledgement_is_recognised_by_its_columns(*, expected: bool, content: bytes) -> None:
    """Other files of the bank's folder are not taken for one."""
    assert expected is payroll_ack.recognise(content)
