"""Reconciliation over months: from proved closings on, and statements that must join."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from introducer.bank.camt053 import Statement
from introducer.payout import reference
from introducer.tables import ledger, payouts, statements, store
from introducer.tables.store import Table
from payout import agreement, reconcile
from tests.simulation.aws import Aws
from tests.support import life, money

JANUARY = "2027-01-20T11:17:00.000Z"
DAYS = ("2026-11-22T11:17:00.000Z", "2026-12-15T11:17:00.000Z", JANUARY)


@pytest.fixture
def months(frozen: Callable[[str], None]) -> Iterator[list[str]]:
    """Pia is paid in November, December and January; returns the batches."""
    frozen(DAYS[0])
    with Aws().installed():
        money.publish()
        money.enrol("pia")
        batches = []
        for number, now in enumerate(DAYS):
            frozen(now)
            money.sell(f"r{number}", lead_key=f"k{number}", at=now)
            money.deliver(f"r{number}")
            money.release(now)
            batches.append(money.pay_out(now=now, until="finish"))
            money.debit(batches[-1], name=f"{number}.xml")
        yield batches


def run(**options: Any) -> reconcile.Report:
    """Reconcile in January."""
    return reconcile.reconcile(JANUARY, days=2, **options)


def kinds(**options: Any) -> list[str]:
    """The kinds of the differences found in January."""
    return sorted(str(each["kind"]) for each in run(**options).differences)


def overwrite(pk: str, sk: str, **changes: Any) -> None:
    """Change a stored item behind everybody's back."""
    stored = store.get(Table.LEDGER, pk, sk)
    assert stored is not None
    store.put(Table.LEDGER, pk, sk, {**stored, **changes})


@pytest.mark.usefixtures("months")
def test_window_reads_what_was_booked_since_the_proved_closing() -> None:
    """November was proved in December: January's run folds December and January only."""
    assert [] == kinds()
    assert [] == kinds(full=True)
    version = ledger.balance("pia", "EUR").version
    november = ledger.closing("pia", "EUR", "2026-11")
    assert november is not None
    assert version - november.version == run().journals < run(full=True).journals == version


@pytest.mark.usefixtures("months")
def test_window_leaves_old_journals_to_the_full_run() -> None:
    """A journal of November that was changed is found when all of them are read."""
    first = money.journals()[0]
    overwrite(f"JOURNAL#{first.id}", "JOURNAL", legs={"expense": -1, "pending": 1})

    assert [] == kinds()
    assert "journals_broken" in kinds(full=True)
    assert ledger.halted(life.PROGRAM)


@pytest.mark.usefixtures("months")
def test_window_proves_last_months_closing_on_its_way() -> None:
    """What December closed with must be what its journals add up to."""
    overwrite("PARTNER#pia", "BALANCE#EUR#2026-12", paid=1)

    assert ["balance_is_not_fold"] == kinds()
    assert ledger.halted(life.PROGRAM)


def test_window_finds_a_payout_that_is_not_what_its_journal_says(months: list[str]) -> None:
    """Set back by hand: neither the books nor the bank explain it."""
    overwrite(f"PAYOUT#{reference(months[-1], 'pia')}", "STATE", status="in_transit", booked_on="")

    assert ["debits_are_not_payouts", "payout_unexplained", "settled_with_open_payouts"] == kinds()


def test_window_finds_fees_that_no_statement_charged(months: list[str]) -> None:
    """The journal of a fee whose statement is gone cannot be explained."""
    (booked,) = payouts.bookings_of(months[-1])
    overwrite(f"BOOKING#{booked.key}", "STATE", fee_minor=30, fee_currency="EUR")
    assert [] == kinds()  # what the statement charges is booked on the way
    overwrite(f"BOOKING#{booked.key}", "STATE", fee_minor=0)

    assert ["costs_are_not_bookings"] == kinds()


def stated(number: int, opening: int, closing: int, **overrides: Any) -> Statement:
    """The statement of a day in January."""
    values: dict[str, Any] = {
        "account": "DE02120300000000202051",
        "currency": "EUR",
        "number": number,
        "day": f"2027-01-{number + 10}",
        "opening_minor": opening,
        "closing_minor": closing,
        "moved_minor": closing - opening,
    }
    return Statement(**{**values, **overrides})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([stated(1, 0, 5), stated(2, 5, 7), stated(3, 7, 7)], []),
        ([stated(1, 0, 5), stated(3, 5, 7)], ["statement_missing"]),
        ([stated(1, 0, 5), stated(2, 6, 7)], ["statement_opening_differs"]),
        ([stated(1, 0, 5, moved_minor=4)], ["statement_lacks_entries"]),
        ([stated(0, 0, 5, day="2027-01-11"), stated(0, 5, 7, day="2027-01-12")], []),
        ([stated(250, 0, 5, day="2026-12-31"), stated(1, 5, 7)], []),
        # In pages, which may arrive in any order; the first has no closing, the last no opening.
        (
            [
                stated(1, 2, 5, page=2, last=True, opening_minor=None, moved_minor=3),
                stated(1, 0, 2, page=1, last=False, closing_minor=None, moved_minor=2),
            ],
            [],
        ),
        ([stated(1, 0, 2, page=1, last=False, closing_minor=None)], ["statement_lacks_pages"]),
        ([stated(1, 2, 5, page=2, last=True)], ["statement_lacks_pages"]),
    ],
)
def test_statements_must_join(found: list[Statement], expected: list[str]) -> None:
    """Numbers, balances and pages; the account is named by its last characters only."""
    with Aws().installed():
        for each in [*found, *found]:
            statements.keep(each)
        differences = list(agreement.of_statements("2026-12-20"))
    assert expected == [each["kind"] for each in differences]
    assert {"2051"} >= {str(each["account"]) for each in differences}
