"""From the company's own list to a rewarded event on the deployed template, its rights enforced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra import seed
from infra.api import Stack
from tests.support.deployed import items, until
from tests.support.journey import Journey, unique

RULES: dict[str, Any] = {
    "intake": {},  # the telecom's page names questions of its own
    "partner_types": ["reseller"],
    "declarations": {"no_kickbacks": {"text": "I pay nobody for a recommendation."}},
    "agreements": {"code": {"name": "Code of conduct", "version": "2"}},
    "audiences": {
        "partners": {
            "name": "Resellers",
            "types": ["reseller"],
            "eligibility": {
                "listed_only": True,
                "min_account_days": 30,
                "declarations": ["no_kickbacks"],
            },
            "engagement": {"referrals": 1, "successes": 1, "agreements": ["code"]},
        }
    },
    "questions": {"seats": {"text": "How many seats?", "type": "number", "required": True}},
    "score": {
        "base": 10,
        "rules": [
            {
                "id": "many",
                "name": "Many seats",
                "condition": {"field": "answers.seats", "op": "gte", "value": 10},
                "points": 40,
            }
        ],
    },
    "events": {"demo_held": {"name": "A demonstration was held"}},
    "attribution": {"model": "fixed", "shares_basis_points": [8000, 2000]},
    "rewards": [
        {
            "id": "demo",
            "trigger": {"on": "event", "event": "demo_held"},
            "condition": {"field": "lead.score", "op": "gte", "value": 50},
            "variants": [
                {
                    "id": "gold",
                    "condition": {"field": "partner.segment", "op": "eq", "value": "gold"},
                    "calculation": {"kind": "flat", "amount_minor": 2_000, "currency": "EUR"},
                }
            ],
            "calculation": {"kind": "flat", "amount_minor": 1_000, "currency": "EUR"},
            "milestones": [{"id": "all", "share_basis_points": 10_000, "when": "earned"}],
        }
    ],
}


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """A program of listed resellers that pays for demonstrations to good leads."""
    return Journey(stack, **RULES)


def listed(journey: Journey, email: str, **facts: Any) -> dict[str, Any]:
    """Put somebody on the list."""
    path = f"/v1/programs/{journey.program}/prospects"
    entry = {"email": email, "customer_since": "2024-02-29", "type": "reseller", **facts}
    body = {"prospects": [entry]}
    answer = journey.stack.call("PUT", path, body, token=journey.manager).expect(200)
    return dict(answer.body)


def test_a_listed_reseller_comes_to_be_paid_for_a_demonstration(journey: Journey) -> None:
    """Refused without the list, let in with it; facts, score and shares decide what is paid."""
    stack, facts = journey.stack, {"declarations": ["no_kickbacks"]}
    rita_mail, olga_mail = (f"{unique(name)}@resellers.example" for name in ("rita", "olga"))
    stack.sign_up(rita_mail, seed.PASSWORD)
    token = stack.sign_in(rita_mail, seed.PASSWORD)
    refused = journey.enrol(token, rita_mail)
    assert (422, "not_eligible") == (refused.status, refused.body["code"])
    assert ["type_not_admitted", "declaration_missing", "not_listed", "account_too_young"] == [
        each["code"] for each in refused.body["errors"]
    ]

    new = {"listed": 1, "changed": 0, "known": 0}
    assert new == listed(journey, rita_mail, segment="gold", owner=journey.rep_id)
    assert new == listed(journey, olga_mail)
    rita_id = journey.enrol(token, rita_mail, **facts).expect(201).body["id"]
    olga = journey.partner(email=olga_mail, iban="", **facts)
    me = stack.call("GET", "/v1/me", token=token).expect(200).body
    assert ["code"] == [each["id"] for each in me["missing_agreements"]]
    assert ["referrals", "successes", "agreements.code"] == me["engagement"]["missing"]
    agreed = {"agreement": "code", "version": "2"}
    stack.call("POST", "/v1/me/agreements", agreed, token=token).expect(200)

    code = stack.call("POST", "/v1/me/links", {}, token=token).expect(201).body["code"]
    told = {"answers": {"seats": 12}, "co_referrers": [olga.id], "size": 40}
    referral = journey.assigned(code, **told)
    work = stack.call("GET", f"/v1/rep/referrals/{referral}", token=journey.rep).expect(200).body
    path = f"/v1/programs/{journey.program}/referrals/{referral}/quality"
    quality = stack.call("GET", path, token=journey.manager).expect(200).body
    assert work["quality"] == quality
    assert (50, ["Many seats"]) == (
        quality["score"]["score"],
        [each["name"] for each in quality["score"]["reasons"]],
    )

    now = datetime.now(UTC).isoformat(timespec="seconds")
    demo = {"referral": referral, "event": "demo_held", "id": unique("demo"), "at": now}
    assert "applied" == journey.send("event.recorded", demo).expect(200).body["outcome"]
    assert "known" == journey.send("event.recorded", demo).expect(200).body["outcome"]
    rewards = until(
        lambda: {
            each["partner"]: each["amount_minor"]
            for each in items(stack, "core", f"REFERRAL#{referral}")
            if each["sk"].startswith("REWARD#")
        },
        lambda found: len(found) == 2,
    )
    # Eight tenths of the gold rate, two tenths of the usual one.
    assert {rita_id: 1_600, olga.id: 200} == rewards

    sale = journey.sale(referral, items=[{"product": "fibre", "amount_minor": 500_000}])
    journey.send("sale.recorded", sale).expect(200)
    me = stack.call("GET", "/v1/me", token=token).expect(200).body
    assert (1, 1, []) == (
        me["engagement"]["referrals"],
        me["engagement"]["successes"],
        me["engagement"]["missing"],
    )
    path = f"/v1/programs/{journey.program}/prospects"
    funnel = stack.call("GET", path, token=journey.finance).expect(200).body
    assert (2, 2, 2) == (funnel["invited"], funnel["enrolled"], funnel["referred"])
    list_items = [each for each in items(stack, "core") if each["pk"].startswith("PROSPECT#")]
    assert list_items
    assert [] == [each for each in list_items if "resellers" in str(each)]
