"""Gift cards on the deployed template: ordered by signed calls, ended by signed answers."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from infra.api import Stack
from introducer.payout import reference
from tests.support import provider
from tests.support.deployed import item, report, run_job, until
from tests.support.journey import DUE_MINOR, Journey

pytestmark = pytest.mark.usefixtures("alone")

RULE = {
    "currency": "EUR",
    "method": "gift_card",
    "region": "eu",
    "provider": "shop",
    "threshold_minor": 1_000,
}


def configure(journey: Journey, url: str) -> dict[str, Any]:
    """Configure the program's own system as finance; return the answer, with both secrets."""
    path = f"/v1/programs/{journey.program}/providers/shop"
    body = {"kind": "fulfil", "url": url}
    return dict(journey.stack.call("PUT", path, body, token=journey.finance).expect(200).body)


def acknowledge(journey: Journey, set_up: dict[str, Any], order: dict[str, Any]) -> None:
    """Say that an order was handed out, as the program's own system."""
    message, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
    data = {each: order[each] for each in ("reference", "amount_minor", "unit")}
    raw = json.dumps({"type": "payout.fulfilled", "data": data})
    headers = {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(set_up["webhook_secret"]).sign(message, now, raw),
    }
    journey.stack.call("POST", set_up["inbound"], raw.encode(), headers=headers).expect(200)


def test_gift_cards_are_handed_out_once_though_an_answer_is_lost(stack: Stack) -> None:
    """Two partners: one answer comes, the other is lost; the clock asks again with its key."""
    journey = Journey(stack, payouts=[RULE])
    with provider.listening() as shop:
        shop.plan = ["lost"]
        set_up = configure(journey, shop.url)
        partners = [journey.partner(iban=""), journey.partner(iban="")]
        for each in partners:
            journey.payable(each)
        batch = journey.approved()
        references = {reference(batch, each.id) for each in partners}
        until(lambda: set(shop.keys()), lambda asked: asked == references)
        lost = shop.keys()[0]
        orders = {each.headers["webhook-id"]: json.loads(each.body) for each in shop.calls}
        assert [DUE_MINOR] * 2 == [each["amount_minor"] for each in orders.values()]
        for call in shop.calls:
            Webhook(set_up["secret"]).verify(call.body, call.headers)

        def asked_again() -> int:
            run_job(stack, "send")
            return shop.keys().count(lost)

        until(asked_again, lambda times: times > 1)
        assert dict.fromkeys(references, 1) == shop.paid
    for order in orders.values():
        acknowledge(journey, set_up, order)
    for each in partners:
        journey.until_balance(each, pending=3 * DUE_MINOR, paid=DUE_MINOR)
    assert "settled" == journey.until_batch("settled")["status"]
    payouts = [item(stack, "ledger", f"PAYOUT#{each}", "STATE") for each in sorted(references)]
    assert [("paid", "shop")] * 2 == [(each["status"], each["provider"]) for each in payouts]
    ids = {batch, *references, *(each.id for each in partners)}
    found = report(stack)["differences"]
    assert [] == [each for each in found if ids & {str(value) for value in each.values()}]
