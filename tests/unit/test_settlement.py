"""What a statement means for a payout: amounts, fees, exchange, and what nobody may guess."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import settlement
from introducer.ledger import Kind
from introducer.payout import Batch, Payout
from introducer.settlement import Booking

NOW = "2026-11-24T10:00:00.000Z"


def payout(**overrides: Any) -> Payout:
    """100.00 EUR in transit."""
    values: dict[str, Any] = {
        "reference": "P0000000000000A",
        "batch": "b" * 20,
        "program": "acme",
        "partner": "pia",
        "currency": "EUR",
        "amount_minor": 10_000,
        "status": "in_transit",
        "version": 2,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Payout(**{**values, **overrides})


def booking(**overrides: Any) -> Booking:
    """The debit of it."""
    values: dict[str, Any] = {
        "key": "k",
        "fact": "paid",
        "status": "matched",
        "at": NOW,
        "file": "f",
        "kind": "camt.054",
        "amount_minor": 10_000,
        "currency": "EUR",
        "booked_on": "2026-11-24",
        "reference": "P0000000000000A",
    }
    return Booking(**{**values, **overrides})


def batch(**overrides: Any) -> Batch:
    """The batch that it travelled in."""
    values: dict[str, Any] = {
        "id": "b" * 20,
        "program": "acme",
        "program_version": 1,
        "region": "eu",
        "currency": "EUR",
        "method": "wire",
        "period": "2026-11-24",
        "run": 1,
        "status": "in_transit",
        "version": 4,
        "started_by": "schedule",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Batch(**{**values, **overrides})


IN_DOLLARS = {"sent_minor": 11_000, "sent_currency": "USD"}


@pytest.mark.parametrize(
    ("found", "said", "problem", "fee_minor", "exchange_minor"),
    [
        ({}, {}, "", 0, 0),
        ({}, {"amount_minor": 9_999}, "amount_differs", 0, 0),
        ({}, {"amount_minor": 0, "currency": ""}, "", 0, 0),
        ({}, {"currency": "USD"}, "amount_differs", 0, 0),
        ({}, {"fee_minor": 25, "fee_currency": "EUR"}, "", 25, 0),
        ({"status": "paid"}, {}, "payout_is_paid", 0, 0),
        ({"status": "cancelled"}, {"fact": "rejected"}, "payout_is_cancelled", 0, 0),
        ({}, {"fact": "rejected", "amount_minor": 0}, "", 0, 0),
        # A return that lost money on its way, with and without the bank saying so.
        ({"status": "paid"}, {"fact": "returned"}, "", 0, 0),
        ({"status": "paid"}, {"fact": "returned", "amount_minor": 9_500}, "amount_differs", 0, 0),
        (
            {"status": "paid"},
            {
                "fact": "returned",
                "amount_minor": 9_500,
                "instructed_minor": 10_000,
                "instructed_currency": "EUR",
            },
            "",
            500,
            0,
        ),
        # Sent in dollars: booked in dollars to the cent, or in the books' euros about right.
        (IN_DOLLARS, {"amount_minor": 11_000, "currency": "USD"}, "", 0, 0),
        (IN_DOLLARS, {"amount_minor": 11_001, "currency": "USD"}, "amount_differs", 0, 0),
        (IN_DOLLARS, {"amount_minor": 10_120}, "", 0, 120),
        (IN_DOLLARS, {"amount_minor": 9_900}, "", 0, -100),
        (IN_DOLLARS, {"amount_minor": 10_500}, "", 0, 500),
        (IN_DOLLARS, {"amount_minor": 10_501}, "amount_differs", 0, 0),
        (IN_DOLLARS, {"amount_minor": 10_000, "currency": "GBP"}, "amount_differs", 0, 0),
        (IN_DOLLARS, {"fact": "returned", "amount_minor": 9_800}, "", 0, 200),
    ],
)
def test_judge(
    found: dict[str, Any],
    said: dict[str, Any],
    problem: str,
    fee_minor: int,
    exchange_minor: int,
) -> None:
    """To the minor unit in what was sent; a rate may differ a little, a fee must be told."""
    judged = settlement.judge(payout(**found), booking(**said))
    assert (problem, fee_minor, exchange_minor) == (
        judged.problem,
        judged.fee_minor,
        judged.exchange_minor,
    )


def test_judge_of_nobody() -> None:
    """A reference that is no payout's is listed."""
    assert "unknown_reference" == settlement.judge(None, booking()).problem


def test_costs_are_journals_of_the_batch() -> None:
    """A fee and a loss by exchange, each under an id that the statement alone gives."""
    said = booking(fee_minor=25, fee_currency="USD", exchange_minor=120)
    fee, lost = settlement.costs(said, batch(), NOW)
    assert ("fee:k", Kind.FEE_CHARGED, "USD", 25, "batch." + "b" * 20) == (
        fee.id,
        fee.kind,
        fee.currency,
        fee.amount_minor,
        fee.partner,
    )
    assert ("exchange:k", Kind.EXCHANGE_LOST, "EUR", 120, "2026-11-24T00:00:00.000Z") == (
        lost.id,
        lost.kind,
        lost.currency,
        lost.amount_minor,
        lost.at,
    )
    (gained,) = settlement.costs(booking(exchange_minor=-7), batch(), NOW)
    assert (Kind.EXCHANGE_GAINED, 7) == (gained.kind, gained.amount_minor)


@pytest.mark.parametrize(
    "code", ["AC01", "AC04", "AC06", "MD07", "R02", "R03", "R04", "no_account"]
)
def test_reasons_about_the_payee(code: str) -> None:
    """These say that the account cannot be paid."""
    assert code in settlement.PAYEE_REASONS


@pytest.mark.parametrize("code", ["AM04", "AC02", "R01", "CUST", "FF01", "MS03", "R09"])
def test_reasons_about_us_or_nobody(code: str) -> None:
    """Too little on our account, or no reason at all: the payee has nothing to do."""
    assert code not in settlement.PAYEE_REASONS
