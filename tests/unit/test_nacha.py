"""The NACHA file: its exact records, its days, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import achkit
import pytest

from introducer.bank import nacha, reserve_days
from introducer.errors import InvalidInputError
from introducer.rails.rail import Order
from introducer.rails.registry import file_rail
from tests.support.payments import ach_payee, order, originator, payment

FILE = """\
101 99999999200000000012611230400A094101MOCK BANK              NORDLINK TELECOM               
5220NORDLINK TELECOM8hq2m4x0k7v1c9d3s5fz0000000001PPDPAYOUT    261123261124   1999999990000001
6220210000210012345678       0000001250P0000000000001APETRA MUSTER            0999999990000001
822000000100021000020000000000000000000012500000000001                         999999990000001
5220NORDLINK TELECOM8hq2m4x0k7v1c9d3s5fz0000000001CCDPAYOUT    261123261124   1999999990000002
6320210000210012345678       0000000001P2             MULLER + SOHNE GMBH     0999999990000002
822000000100021000020000000000000000000000010000000001                         999999990000002
9000002000001000000020004200004000000000000000000001251                                       
9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999
9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999
"""  # noqa: W291  (a record is 94 characters, spaces at its end too)

RAIL = file_rail("ach")


def two_kinds() -> Order:
    """A person, and a company with a savings account."""
    company = ach_payee(name="Müller & Söhne GmbH", account_type="savings", holder_type="company")
    return order(payments=(payment(), payment(reference="P2", amount_minor=1, payee=company)))


def test_nacha_file_is_written_byte_for_byte() -> None:
    """People in a PPD batch, companies in a CCD batch, controls over each and over all."""
    assert FILE == RAIL.write(two_kinds()).decode("ascii")


def test_nacha_file_is_read_by_an_independent_parser() -> None:
    """Another program finds our values in our file and nothing wrong with its sums."""
    content = RAIL.write(two_kinds()).decode("ascii")
    assert {"ok": True, "errors": []} == achkit.validate(content)
    batches = achkit.parse(content)["batches"]
    assert [("PPD", 220, "261124"), ("CCD", 220, "261124")] == [
        (batch["sec"], batch["service_class"], batch["effective_date"]) for batch in batches
    ]
    assert [
        ("P0000000000001A", 1250, 22, "0012345678"),
        ("P2", 1, 32, "0012345678"),
    ] == [
        (each["id_number"], each["amount_cents"], each["txn_code"], each["account"])
        for batch in batches
        for each in batch["entries"]
    ]


def test_nacha_file_of_one_kind_has_one_batch() -> None:
    """Without companies there is no empty batch of them."""
    content = RAIL.write(order()).decode("ascii")
    assert ["PPD"] == [batch["sec"] for batch in achkit.parse(content)["batches"]]


@pytest.mark.parametrize("count", [6, 7, 16, 17])
def test_nacha_file_is_filled_to_blocks_of_ten(count: int) -> None:
    """Six entries fill a block with its four frame records exactly; one more starts another."""
    payments = tuple(payment(reference=f"P{index}") for index in range(count))
    lines = RAIL.write(order(payments=payments)).decode("ascii").splitlines()
    assert {94} == {len(line) for line in lines}
    assert 0 == len(lines) % 10
    assert 0 <= len(lines) - count - 4 < 10


def test_nacha_hash_keeps_its_last_ten_digits() -> None:
    """The sum of the banks' numbers overflows its field and is cut on the left."""
    payee = ach_payee(routing="322271627")
    payments = tuple(payment(reference=f"P{index}", payee=payee) for index in range(400))
    content = RAIL.write(order(payments=payments)).decode("ascii")
    assert f"{32227162 * 400 % 10**10:010}" == achkit.parse(content)["control"]["entry_hash"]
    assert 32227162 * 400 >= 10**10


def test_nacha_traces_rise_from_our_banks_number() -> None:
    """A trace number is our bank's eight digits and the entry's place in the file."""
    lines = RAIL.write(two_kinds()).decode("ascii").splitlines()
    assert ["999999990000001", "999999990000002"] == [
        line[79:] for line in lines if line.startswith("6")
    ]


def test_nacha_amounts_are_found_again() -> None:
    """Our own reader finds every payment, and none in another currency."""
    content = RAIL.write(two_kinds())
    assert {"P0000000000001A": 1250, "P2": 1} == RAIL.amounts_in(content, "USD")
    assert {} == RAIL.amounts_in(content, "EUR")
    assert {} == RAIL.amounts_in(b"\xff6 nothing of ours", "USD")


@pytest.mark.parametrize(
    ("expected", "created_at", "requested"),
    [
        ("2026-11-24", "2026-11-23T09:00:00.000Z", "2026-11-23"),
        ("2026-11-24", "2026-11-24T01:00:00.000Z", "2026-11-24"),  # still Monday in New York
        ("2026-11-30", "2026-11-27T15:00:00.000Z", "2026-11-27"),  # a weekend
        ("2026-11-27", "2026-11-25T15:00:00.000Z", "2026-11-25"),  # Thanksgiving
        ("2026-12-01", "2026-11-23T09:00:00.000Z", "2026-12-01"),  # asked for later
    ],
)
def test_nacha_payees_have_the_money_on_a_banking_day(
    expected: str, created_at: str, requested: str
) -> None:
    """Never the day the file is made, never a day on which the network rests."""
    assert date.fromisoformat(expected) == nacha.effective_date(created_at, requested)


def test_reserve_days_of_2026_and_a_sunday_holiday() -> None:
    """The Federal Reserve's published holidays; a Sunday's is kept on Monday."""
    closed = [
        f"{day:%m-%d}"
        for ordinal in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())
        if not reserve_days.is_open(day := date.fromordinal(ordinal)) and day.weekday() < 5
    ]
    # 4 July 2026 is a Saturday, and the Friday before is an ordinary day.
    assert [
        "01-01",
        "01-19",
        "02-16",
        "05-25",
        "06-19",
        "09-07",
        "10-12",
        "11-11",
        "11-26",
        "12-25",
    ] == closed
    assert not reserve_days.is_open(date(2027, 7, 5))
    assert reserve_days.is_open(date(2026, 7, 3))


ORDER_REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("batch", {"batch": "b" * 21}),
    ("batch", {"batch": "b-1"}),
    ("requested_date", {"requested_date": "2026-02-30"}),
    ("requested_date", {"created_at": "yesterday"}),
    ("payments", {"payments": ()}),
    ("payments[1].reference", {"payments": (payment(), payment())}),
    ("payments[0].currency", {"payments": (payment(currency="EUR"),)}),
    ("originator.name", {"originator": originator(name="王")}),
    ("originator.bank", {"originator": originator(bank="--")}),
    ("originator.company_id", {"originator": originator(company_id="000000000")}),
    ("originator.routing", {"originator": originator(routing="999999991")}),
]
PAYMENT_REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("reference", {"reference": "P" * 16}),
    ("reference", {"reference": "p1"}),
    ("reference", {"reference": ""}),
    ("amount_minor", {"amount_minor": 0}),
    ("amount_minor", {"amount_minor": nacha.MAX_ENTRY_MINOR + 1}),
    ("name", {"payee": ach_payee(name="王小明")}),
    ("routing", {"payee": ach_payee(routing="021000022")}),
    ("routing", {"payee": ach_payee(routing="")}),
    ("account", {"payee": ach_payee(account="123")}),
    ("account", {"payee": ach_payee(account="1" * 18)}),
    ("account", {"payee": ach_payee(account="12 345")}),
    ("account_type", {"payee": ach_payee(account_type="loan")}),
]


@pytest.mark.parametrize(("field", "overrides"), ORDER_REFUSALS)
def test_nacha_file_that_a_bank_would_refuse_is_not_written(
    field: str, overrides: dict[str, Any]
) -> None:
    """A wrong header, originator or list is refused by the name of the field."""
    with pytest.raises(InvalidInputError) as refused:
        RAIL.check(order(**overrides))
    assert (field, "invalid_payment") == (refused.value.field, refused.value.code)


@pytest.mark.parametrize(("field", "overrides"), PAYMENT_REFUSALS)
def test_nacha_entry_that_a_bank_would_refuse_is_not_written(
    field: str, overrides: dict[str, Any]
) -> None:
    """A wrong entry is refused by its place; the good one before it is not."""
    wrong = payment(**{"reference": "P2", **overrides})
    with pytest.raises(InvalidInputError) as refused:
        RAIL.write(order(payments=(payment(), wrong)))
    assert f"payments[1].{field}" == refused.value.field


def test_nacha_largest_entry_fills_its_field() -> None:
    """99,999,999.99 USD is ten digits; a hundred and one of them are more than a file totals."""
    largest = nacha.MAX_ENTRY_MINOR
    content = RAIL.write(order(payments=(payment(amount_minor=largest),)))
    assert {"P0000000000001A": largest} == RAIL.amounts_in(content, "USD")
    payments = tuple(payment(reference=f"P{index}", amount_minor=largest) for index in range(101))
    with pytest.raises(InvalidInputError) as refused:
        RAIL.check(order(payments=payments))
    assert "payments" == refused.value.field


def test_nacha_refusals_never_quote_what_they_refuse() -> None:
    """Errors end in logs, so they hold no name and no account number."""
    payee = ach_payee(name="Canary Personsdottir", account="Z-98765")
    with pytest.raises(InvalidInputError) as refused:
        RAIL.check(order(payments=(payment(payee=payee),)))
    said = f"{refused.value} {refused.value.data}"
    assert "Canary" not in said
    assert "98765" not in said
