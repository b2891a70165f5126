"""A program that pays from an account no bank has is not published."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.documents import document, flat, found_in, payout, plan

COMPARE = "compare it with the bank"
ORIGINATOR = {
    "name": "Acme",
    "company_id": "1234567890",
    "routing": "021000021",
    "bank": "First Bank",
}


def ach(**changes: Any) -> dict[str, Any]:
    """Return a program that pays dollars by ACH; *changes* are the originator's."""
    rule = {"method": "ach", "currency": "USD", "originator": ORIGINATOR | changes}
    return document(plan(calculation=flat(5, "USD")), currency="USD", payouts=[rule])


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (document(payouts=[payout(iban="DE88370400440532013000")]), "debtor.iban"),
        (document(payouts=[payout(bic="COBAZZFF")]), "debtor.bic"),
        (ach(routing="021000022"), "originator.routing"),
    ],
)
def test_account_that_no_bank_has_is_found_when_published(sent: dict[str, Any], field: str) -> None:
    """A mistyped number is told at once, not by the first batch."""
    assert [(f"$.payouts[0].{field}", COMPARE)] == [
        (path, remedy) for path, _, remedy in found_in(sent)
    ]


def test_accounts_that_banks_could_have_are_published() -> None:
    """Well-formed numbers raise nothing."""
    assert [] == found_in(document(payouts=[payout()]))
    assert [] == found_in(ach())
