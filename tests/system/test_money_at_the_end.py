"""What the bank says after everything seemed done: refusals and money that comes back."""

from __future__ import annotations

from typing import Any

import pytest

from infra.api import Stack
from infra.bank import MockBank
from introducer.payout import reference
from tests.support.deployed import item, report
from tests.support.journey import DUE_MINOR, FUNDS_MINOR, Journey

pytestmark = pytest.mark.usefixtures("alone")

CLOSED_IBAN = "NL84MOCK0000000003"
PENDING = {"pending": 3 * DUE_MINOR}


def differences(stack: Stack, batch: str, partner: str) -> list[dict[str, Any]]:
    """Return what a reconciliation now finds about one batch or one partner."""
    found = report(stack)["differences"]
    return [each for each in found if {batch, partner} & set(each.values())]


def test_money_that_comes_back_after_it_was_paid_is_payable_again(
    stack: Stack, journey: Journey
) -> None:
    """A late return undoes the paid payout, tells its reason, and the books agree."""
    partner = journey.partner()
    journey.payable(partner)
    batch = journey.approved()
    with MockBank() as bank:
        journey.open_owner(bank)
        bank.return_later("OWNER", days=3, reason="MD07")
        journey.hand_over(bank, batch)
        while not any("camt.054" in key for key in journey.bring_back(bank)):
            bank.advance(days=1)
        journey.until_balance(partner, **PENDING, paid=DUE_MINOR)
        assert "settled" == journey.until_batch("settled")["status"]
        assert FUNDS_MINOR - DUE_MINOR == bank.balance_minor("OWNER")
        bank.settle()
        journey.bring_back(bank)
        statement = journey.until_balance(partner, **PENDING, payable=DUE_MINOR)
        assert FUNDS_MINOR == bank.balance_minor("OWNER")
    assert [
        ("PayoutReturned", {"payable": DUE_MINOR, "paid": -DUE_MINOR}, "MD07"),
        ("PayoutPaid", {"in_transit": -DUE_MINOR, "paid": DUE_MINOR}, ""),
        ("PayoutSubmitted", {"reserved": -DUE_MINOR, "in_transit": DUE_MINOR}, ""),
        ("PayoutCreated", {"payable": -DUE_MINOR, "reserved": DUE_MINOR}, ""),
        ("RewardReleased", {"pending": -DUE_MINOR, "payable": DUE_MINOR}, ""),
    ] == [(each["kind"], each["amounts"], each["reason"]) for each in statement["movements"][:5]]
    payout = item(stack, "ledger", f"PAYOUT#{reference(batch, partner.id)}", "STATE")
    assert ("returned", "MD07") == (payout["status"], payout["reason"])
    assert payout["booked_on"] < payout["returned_on"]
    assert [] == differences(stack, batch, partner.id)


def test_money_for_a_closed_account_is_payable_again(stack: Stack, journey: Journey) -> None:
    """A refused payment gives the money back, and the other payment of the file goes through."""
    refused, paid = journey.partner(iban=CLOSED_IBAN), journey.partner()
    journey.won(refused)
    journey.won(paid)
    journey.start("accrue")
    for partner in (refused, paid):
        journey.until_balance(partner, **PENDING, payable=DUE_MINOR)
    batch = journey.approved()
    with MockBank() as bank:
        journey.open_owner(bank)
        journey.hand_over(bank, batch)
        bank.settle()
        journey.bring_back(bank)
        journey.until_balance(paid, **PENDING, paid=DUE_MINOR)
        assert FUNDS_MINOR - DUE_MINOR == bank.balance_minor("OWNER")
    statement = journey.until_balance(refused, **PENDING, payable=DUE_MINOR)
    newest = statement["movements"][0]
    assert ("PayoutReturned", {"payable": DUE_MINOR, "in_transit": -DUE_MINOR}, "AC04") == (
        newest["kind"],
        newest["amounts"],
        newest["reason"],
    )
    journey.until_batch("settled")
    read = stack.call("GET", f"/v1/batches/{batch}", token=journey.finance).expect(200).body
    assert [
        {"status": "paid", "count": 1, "amount_minor": DUE_MINOR},
        {"status": "returned", "count": 1, "amount_minor": DUE_MINOR},
    ] == read["payouts"]
    for partner in (refused, paid):
        assert [] == differences(stack, batch, partner.id)
