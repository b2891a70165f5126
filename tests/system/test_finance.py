"""Finance on the deployed template: every function of the books has the rights it needs."""

from __future__ import annotations

from typing import Any

from infra.api import Stack
from tests.support.journey import Journey


def test_two_people_adjust_and_finance_reads_the_books(stack: Stack, journey: Journey) -> None:
    """Proposed, refused to who proposed it, approved by another: booked once, seen everywhere."""
    partner = journey.partner()
    base = f"/v1/programs/{journey.program}"

    def ask(method: str, path: str, token: str, body: dict[str, Any] | None = None) -> Any:
        return stack.call(method, path, body, token=token)

    asked = {
        "holder": partner.id,
        "kind": "credit",
        "currency": "EUR",
        "amount_minor": 700,
        "reason": "goodwill",
        "accounting_class": "marketing_expense",
    }
    made = ask("POST", f"{base}/adjustments", journey.finance, asked).expect(201).body["id"]
    own = ask("POST", f"{base}/adjustments/{made}/approve", journey.finance, {})
    assert (403, "forbidden") == (own.status, own.body["code"])
    for _ in range(2):
        ask("POST", f"{base}/adjustments/{made}/approve", journey.manager, {}).expect(200)
    journey.until_balance(partner, payable=700)

    seen = ask("GET", f"{base}/journals?holder={partner.id}&currency=EUR", journey.finance)
    assert ["CreditAdjusted"] == [each["kind"] for each in seen.expect(200).body["items"]]
    for path in (f"{base}/balances/{partner.id}?currency=EUR", f"{base}/bookings", f"{base}/rates"):
        ask("GET", path, journey.finance).expect(200)
    hold = {"reason": "counsel_asked"}
    ask("POST", f"/v1/partners/{partner.id}/payout-hold", journey.finance, hold).expect(200)
    ask("POST", f"/v1/partners/{partner.id}/release-payout-hold", journey.finance, hold).expect(200)
