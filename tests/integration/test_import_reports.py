"""Conversions and accounts from a file: what their systems would tell us, told by row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from introducer.command import Accept, Assign, Clear
from introducer.referral import Share
from introducer.tables import referrals
from introducer.tables.store import Transaction
from tests.support import importing, life
from tests.support.importing import ended, outcomes, sheet, take
from tests.support.tables import everything

SALES = "type,source,email,external_id,sale,refund,amount,currency,occurred_at"


@pytest.fixture(autouse=True)
def program(
    aws: None,  # noqa: ARG001  (pytest orders fixtures by it)
    frozen: Callable[[str], None],  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program with two partners and a rep, and the queues of the function."""
    importing.furnish(monkeypatch)


def accepted() -> str:
    """Bring a lead so far that it may buy; return the referral's id."""
    header = "name,email,country,partner"
    (line,) = take("lead", "referrals", sheet(header, "L,lena@customers.example,DE,pia"))
    name = line["id"]
    life.move(name, Clear(partner="pia", audience="partners"))
    writes = Transaction()
    share = Share(partner="pia", basis_points=10_000, audience="partners")
    referrals.add_share(writes, referrals.get(name), share)
    writes.commit()
    life.move(name, Assign(rep="anna"))
    life.move(name, Accept())
    return name


def test_sales_and_refunds_of_a_file_are_those_of_a_webhook() -> None:
    """Found by any key, once each; told again they are known, told otherwise refused."""
    name = accepted()
    rows = (
        "sale.recorded,billing,Lena@customers.example,C-1,INV-1,,499.00,EUR,2026-11-21",
        "sale.recorded,billing,,C-1,INV-2,,1.00,EUR,2026-11-22T09:00:00Z",
        "sale.refunded,billing,,C-1,INV-1,RF-1,49.90,EUR,2026-11-22T10:00:00Z",
        "sale.recorded,billing,,C-1,INV-1,,500.00,EUR,2026-11-21",
        "sale.recorded,billing,,C-1,INV-3,,,EUR,2026-11-21",
        "sale.recorded,billing,,C-1,,,5.00,EUR,2026-11-21",
        "sale.stolen,billing,,C-1,INV-4,,5.00,EUR,2026-11-21",
    )
    assert [
        ("2", "created", "", ""),
        ("3", "created", "", ""),
        ("4", "created", "", ""),
        ("5", "refused", "differs", ""),
        ("6", "refused", "invalid_amount", "amount"),
        ("7", "refused", "missing_value", "sale"),
        ("8", "refused", "invalid_value", "type"),
    ] == outcomes(take("i1", "conversions", sheet(SALES, *rows)))
    found = referrals.detail(name)
    assert ("won", [("INV-1", 49_900, 4_990), ("INV-2", 100, 0)]) == (
        found.referral.status,
        [(sale.id, sale.amount_minor, sale.refunded_minor) for sale in found.sales],
    )
    take("i2", "conversions", sheet(SALES, *rows[:3]))
    assert {"known": 3} == ended("i2")[2]


def test_sale_that_nobody_explains_is_kept_once() -> None:
    """It waits under an id of its own, and the same row again is the same."""
    row = "sale.recorded,billing,who@customers.example,,INV-9,,5.00,EUR,2026-11-21"
    (first,) = take("i1", "conversions", sheet(SALES, row))
    assert ("created", "waiting") == (first["outcome"], first["code"])
    before = [each for each in everything() if "IMPORT#" not in each["pk"]]
    (again,) = take("i2", "conversions", sheet(SALES, row))
    assert ("known", first["id"]) == (again["outcome"], again["id"])
    assert before == [each for each in everything() if "IMPORT#" not in each["pk"]]


def test_accounts_are_listed_and_taken_off() -> None:
    """By any key; the same again is known; what cannot be is told by its own column."""
    header = "kind,email,domain,external_id,source,until,remove"
    rows = (
        "customer,kim@customers.example,,,,,",
        "Open,,prospect.example,0063X,crm,2027-12-31,",
        "named,,,0063X,,,",
        "friend,kim@customers.example,,,,,",
        "customer,,,,,,",
        "customer,kim@customers.example,,,,,true",
    )
    assert [
        ("2", "created", "", ""),
        ("3", "created", "", ""),
        ("4", "refused", "no_source", "source"),
        ("5", "refused", "invalid_value", "kind"),
        ("6", "refused", "no_key", "email"),
        ("7", "created", "", ""),
    ] == outcomes(take("i1", "accounts", sheet(header, *rows)))
    take("i2", "accounts", sheet(header, rows[1], rows[5]))
    assert {"known": 2} == ended("i2")[2]
