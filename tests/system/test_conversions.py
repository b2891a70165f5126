"""Conversions on the deployed template: kept until something explains them, then paid."""

from __future__ import annotations

from typing import Any

import pytest

from infra.api import Stack, http
from tests.support.deployed import item, items, left_in_queues, until
from tests.support.journey import Journey, Partner, unique

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for the whole module: its tests keep apart by partners and leads."""
    return Journey(stack)


def click(stack: Stack, code: str) -> str:
    """Follow a link as a browser does; return the click id it hands out."""
    headers = {"user-agent": f"{FIREFOX} {unique('visitor')}", "accept": "text/html"}
    answer = http("GET", f"{stack['click_url']}/r/{code}", headers=headers)
    return answer.headers["location"].rpartition("introducer_click=")[2].partition("&")[0]


def sale(**about: Any) -> dict[str, Any]:
    """Return the data of a sale about whatever *about* names, and nothing else."""
    values = {"amount_minor": 500_000, "currency": "EUR", "occurred_at": "2026-11-20T10:00:00Z"}
    return {"sale": unique("INV"), **values, **about}


def unmatched(journey: Journey) -> dict[str, dict[str, Any]]:
    """Return what is listed as unmatched, by its id."""
    path = f"/v1/programs/{journey.program}/unmatched?limit=100"
    answer = journey.stack.call("GET", path, token=journey.manager).expect(200)
    return {each["id"]: each for each in answer.body["items"]}


def won(journey: Journey, partner: Partner, referral: str, name: str) -> None:
    """Wait until a referral is won by that one sale, and paid for once."""
    journey.until_status(referral, "won")
    under = items(journey.stack, "core", f"REFERRAL#{referral}")
    assert [name] == [each["id"] for each in under if each["sk"].startswith("SALE#")]
    journey.until_earned(partner)


def test_sale_by_click_alone_waits_for_the_form_and_is_paid(stack: Stack, journey: Journey) -> None:
    """Listed as unmatched first; the form with that click wins the referral and books rewards."""
    partner = journey.partner()
    seen = click(stack, journey.link(partner))
    sold = sale(click=seen)
    kept = journey.send("sale.recorded", sold).expect(200).body
    assert ("waiting", "", "") == (kept["outcome"], kept["referral"], kept["status"])
    row = until(lambda: unmatched(journey).get(kept["conversion"]), bool)
    assert row is not None
    assert ("unmatched", seen, sold["sale"]) == (row["reason"], row["click"], row["name"])
    referral = str(journey.submit("", clicks=[seen]).expect(201).body["id"])
    won(journey, partner, referral, sold["sale"])
    until(lambda: unmatched(journey), lambda listed: kept["conversion"] not in listed)
    stored = item(stack, "core", f"CONVERSION#{kept['conversion']}", "STATE")
    assert ("applied", referral) == (stored["status"], stored["referral"])


def test_sale_with_code_and_address_makes_a_referral_and_is_paid(
    stack: Stack, journey: Journey
) -> None:
    """Nobody filled in a form: the reported sale is the lead, and its refund finds it too."""
    partner = journey.partner()
    email = f"{unique('carl')}@customers.example"
    sold = sale(code=journey.link(partner), email=email, lead={"name": "Carl", "country": "DE"})
    taken = journey.send("sale.recorded", sold).expect(200).body
    assert ("waiting", "submitted") == (taken["outcome"], taken["status"])
    won(journey, partner, taken["referral"], sold["sale"])
    back = {"sale": sold["sale"], "refund": unique("CN"), "amount_minor": 1, "email": email}
    refunded = journey.send("sale.refunded", {**back, "at": "2026-11-21T10:00:00Z"}).expect(200)
    assert ("applied", taken["referral"]) == (
        refunded.body["outcome"],
        refunded.body["referral"],
    )
    assert email not in str(items(stack, "core", journey.program))


def test_sign_up_ties_an_id_that_a_waiting_sale_brought(stack: Stack, journey: Journey) -> None:
    """The tie itself brings the sale in; a manager settles what nothing explains."""
    partner = journey.partner()
    email, customer = f"{unique('dora')}@customers.example", unique("customer")
    referral = journey.assigned(journey.link(partner), email=email)
    sold, stray = sale(external_id=customer), sale(external_id=unique("nobody"))
    for each in (sold, stray):
        assert "waiting" == journey.send("sale.recorded", each).expect(200).body["outcome"]
    signed = {"external_id": customer, "email": email, "at": "2026-11-20T09:00:00Z"}
    assert referral == journey.send("lead.created", signed).expect(200).body["referral"]
    won(journey, partner, referral, sold["sale"])
    (left,) = [each["id"] for each in unmatched(journey).values() if each["name"] == stray["sale"]]
    matched = journey.post(f"unmatched/{left}/match", {"referral": referral}).expect(200)
    assert {"outcome": "applied", "referral": referral, "status": "won"} == matched.body
    again = journey.post(f"unmatched/{left}/dismiss", {"reason": "test"})
    assert (409, "transition_not_allowed") == (again.status, again.body["code"])
    assert [] == left_in_queues(stack).get("waiting_dead", [])
