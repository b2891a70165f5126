"""Bank files for any input: what is written is valid and exact, what is read is safe."""

from __future__ import annotations

import random
from typing import Any
from xml.etree import ElementTree

from hypothesis import example, given, settings
from hypothesis import strategies as st
from introducer import money
from introducer.bank import camt054, latin, pain001, pain002
from introducer.bank.pain001 import CreditTransferFile
from introducer.errors import InvalidInputError

from tests.support.bank_files import (
    OUTSIDE_IBAN,
    PAYEE_IBAN,
    assert_valid,
    credit_transfer_file,
    debtor,
    entry,
    notification,
    status_report,
    transfer,
)

TAGS = {"pain": pain001.NAMESPACE}
HOSTILE = st.text(max_size=200) | st.text(
    alphabet="<>&\"'/-?:().,+ \t\n\u202e\u0301ßŁΨЩé王\x00]", max_size=90
)
NAMES = st.builds(lambda before, after: f"{before}N{after}", HOSTILE, HOSTILE)
"""Anything with one letter in it that is not lost."""

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
                town="T" + draw(HOSTILE),
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
    # A name can be cut before its one letter; then the file is refused and not damaged.
    try:
        content = pain001.write(file)
    except InvalidInputError as refused:
        assert refused.field.rpartition(".")[2] in {"name", "town"}
        return
    assert content == pain001.write(file)
    assert_valid(content)
    sent = [
        (
            payment.findtext(".//pain:InstrId", "", TAGS),
            payment.findtext(".//pain:EndToEndId", "", TAGS),
            payment.findtext(".//pain:InstdAmt", "", TAGS),
        )
        for payment in ElementTree.fromstring(content).iterfind(".//pain:CdtTrfTxInf", TAGS)
    ]
    assert [
        (each.reference, each.reference, money.decimal_text(each.amount_minor, file.currency))
        for each in file.transfers
    ] == sent
    totals = {
        element.text
        for element in ElementTree.fromstring(content).iterfind(".//pain:CtrlSum", TAGS)
    }
    assert {
        money.decimal_text(sum(t.amount_minor for t in file.transfers), file.currency)
    } == totals


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
    for read in (pain002.read, camt054.read):
        try:
            assert isinstance(read(content), tuple)
        except InvalidInputError as refused:
            assert refused.code in {
                "bank_file_malformed",
                "bank_file_unexpected",
                "unknown_currency",
            }


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
    again = [each.key for each in camt054.read(notification(*shuffled, id="NOTE-2"))]
    assert sorted(first) == sorted(again)
    assert len(entries) == len(set(first))
