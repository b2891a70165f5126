"""Bank files for any input: what is written is valid and exact, what is read is safe."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from introducer import money
from introducer.bank import camt054, latin, pain001, pain002
from introducer.bank.pain001 import CreditTransferFile
from introducer.errors import InvalidInputError
from tests.support.bank_files import (
    OUTSIDE_IBAN,
    PAYEE_IBAN,
    credit_transfer_file,
    debtor,
    entry,
    notification,
    status_report,
    transfer,
    validated,
)

TAGS = {"pain": pain001.NAMESPACE}
SENT = ("InstrId", "EndToEndId", "InstdAmt")
HOSTILE = st.text(max_size=200) | st.text(
    alphabet="<>&\"'/-?:().,+ \t\n\u202e\u0301ßŁΨЩé王\x00]", max_size=90
)
NAMES = HOSTILE.map("N".__add__)
"""Anything that begins with a letter, so that something is left to write."""

AMOUNTS = st.integers(1, 10**11)


@st.composite
def files(draw: st.DrawFn) -> CreditTransferFile:
    """Any file a program could produce: SEPA in EUR, or a wire in 0, 2 or 3 digits."""
    method = draw(st.sampled_from(["sepa", "wire"]))
    currency = "EUR" if method == "sepa" else draw(st.sampled_from(["EUR", "JPY", "BHD", "USD"]))
    references = draw(
        st.lists(
            st.from_regex(r"[A-Z0-9]{1,15}", fullmatch=True), min_size=1, max_size=5, unique=True
        )
    )
    ibans = [PAYEE_IBAN, "CH9300762011623852957"]
    if method == "wire":
        ibans.append(OUTSIDE_IBAN)
    amounts = AMOUNTS if method == "wire" else st.integers(1, 10**11 - 1)
    return credit_transfer_file(
        method=method,
        currency=currency,
        debtor=debtor(name=draw(NAMES), town=draw(NAMES)),
        transfers=tuple(
            transfer(
                reference=reference,
                amount_minor=draw(amounts),
                currency=currency,
                name=draw(NAMES),
                iban=draw(st.sampled_from(ibans)),
                bic="BOMLAEAD",
                town=draw(NAMES),
                country="CH",
                remittance=draw(HOSTILE),
            )
            for reference in references
        ),
    )


@settings(deadline=None)
@given(files())
def test_payment_file_is_valid_repeatable_and_exact(file: CreditTransferFile) -> None:
    """Whatever the names: schema-valid, the same twice, every cent and reference in place."""
    content = pain001.write(file)
    assert content == pain001.write(file)
    document = validated(content)
    assert [
        (each.reference, each.reference, money.decimal_text(each.amount_minor, file.currency))
        for each in file.transfers
    ] == [
        tuple(payment.findtext(f".//pain:{tag}", "", TAGS) for tag in SENT)
        for payment in document.iterfind(".//pain:CdtTrfTxInf", TAGS)
    ]
    total_minor = sum(each.amount_minor for each in file.transfers)
    assert [money.decimal_text(total_minor, file.currency)] * 2 == [
        total.text for total in document.iterfind(".//pain:CtrlSum", TAGS)
    ]


@given(HOSTILE, st.integers(0, 140))
def test_converted_text_stays_inside_the_banks_set(value: str, limit: int) -> None:
    """Only allowed characters, no longer than allowed, and converting again changes nothing."""
    converted = latin.convert(value, limit)
    assert set() == set(converted) - latin.ALLOWED
    assert len(converted) <= limit
    assert converted == latin.convert(converted, limit)


REPORT = status_report(
    "<OrgnlGrpInfAndSts><OrgnlMsgId>b</OrgnlMsgId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>"
)
NOTIFICATION = notification(entry(), entry(reference=""))


@given(
    st.binary(max_size=300)
    | st.builds(
        lambda content, at, byte: content[:at] + bytes([byte]) + content[at + 1 :],
        st.sampled_from([REPORT, NOTIFICATION]),
        st.integers(0, max(len(REPORT), len(NOTIFICATION))),
        st.integers(0, 255),
    )
    | st.builds(
        lambda content, start, end: content[start:end],
        st.sampled_from([REPORT, NOTIFICATION]),
        st.integers(0, 400),
        st.integers(0, 1200),
    )
)
@example(b'<?xml version="1.0" encoding="utf-7"?><Document/>')
def test_readers_either_read_or_refuse_by_name(content: bytes) -> None:
    """No bytes make a reader fail in any way but the one its caller is prepared for."""
    allowed = {"", "bank_file_malformed", "bank_file_unexpected", "unknown_currency"}
    assert {refusal(pain002.read, content), refusal(camt054.read, content)} <= allowed


def refusal(read: Callable[[bytes], object], content: bytes) -> str:
    """The code *read* refuses *content* with, empty when it reads it."""
    try:
        read(content)
    except InvalidInputError as refused:
        return refused.code
    return ""


@given(AMOUNTS, st.sampled_from(["JPY", "EUR", "BHD", "CLF"]))
def test_amount_survives_writing_and_reading(amount_minor: int, currency: str) -> None:
    """What is written as a decimal is read as the same minor units, whatever the exponent."""
    decimal = money.decimal_text(amount_minor, currency)
    content = notification(entry(amount=f'<Amt Ccy="{currency}">{decimal}</Amt>', details=""))
    assert [(amount_minor, currency)] == [
        (each.amount_minor, each.currency) for each in camt054.read(content)
    ]


ENTRIES = st.lists(
    st.sampled_from(
        [
            entry(),
            entry(reference="<AcctSvcrRef>BANKREF-2</AcctSvcrRef>"),
            entry(amount='<Amt Ccy="EUR">12.51</Amt>', details=""),
            entry(booked="<BookgDt><Dt>2026-11-25</Dt></BookgDt>"),
            entry(direction="<CdtDbtInd>CRDT</CdtDbtInd>", details=""),
        ]
    ),
    max_size=12,
)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_booking_keys_do_not_depend_on_order_or_file(
    entries: list[Any], chance: random.Random
) -> None:
    """The same entries in any order and under any notification have the same, distinct keys."""
    shuffled = list(entries)
    chance.shuffle(shuffled)
    first = [each.key for each in camt054.read(notification(*entries))]
    again = [each.key for each in camt054.read(notification(*shuffled, note="NOTE-2"))]
    assert sorted(first) == sorted(again)
    assert len(entries) == len(set(first))
