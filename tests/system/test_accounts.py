"""Leads that somebody else has a claim to, on the deployed template with its rights enforced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.api import Stack
from tests.support.deployed import items, until
from tests.support.journey import Journey, unique

FEE: dict[str, Any] = {
    "id": "fee",
    "trigger": {"on": "submitted"},
    "calculation": {"kind": "flat", "amount_minor": 2_000, "currency": "EUR"},
    "milestones": [{"id": "all", "share_basis_points": 10_000, "when": "won", "until_days": 90}],
}


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """A program that pays for every lead that is let through."""
    return Journey(stack, rewards=[FEE], budgets=[], caps=[])


def told(journey: Journey, token: str, referral: str) -> dict[str, Any]:
    """Return what a partner reads about a referral."""
    path = f"/v1/me/referrals/{referral}"
    return dict(journey.stack.call("GET", path, token=token).expect(200).body)


def test_customers_are_turned_down_and_open_accounts_go_to_their_rep(journey: Journey) -> None:
    """The list is kept as hashes; screening finds the lead there and says why, in plain words."""
    customer, account = (f"{unique('gmbh')}.example" for _ in range(2))
    path = f"/v1/programs/{journey.program}/accounts"
    entries = [
        {"kind": "customer", "domain": customer},
        {"kind": "open", "domain": account, "rep": journey.rep_id, "until": "2099-12-31"},
    ]
    body = {"accounts": entries}
    answer = journey.stack.call("PUT", path, body, token=journey.manager).expect(200)
    assert {"listed": 2, "changed": 0, "removed": 0, "known": 0} == answer.body
    counted = journey.stack.call("GET", path, token=journey.finance).expect(200).body
    assert 2 == counted["total"]
    listed = [each for each in items(journey.stack, "core") if each["pk"].startswith("ACCOUNT#")]
    assert customer not in str(listed)

    pia = journey.partner(iban="")
    code = journey.link(pia)
    bought = journey.submit(code, email=f"lena@{customer}").expect(201).body["id"]
    journey.until_status(bought, "ineligible")
    assert (
        "The lead is a customer already."
        == (told(journey, pia.token, bought)["referral"]["reason"]["text"])
    )
    opened = journey.assigned(code, email=f"lena@{account}")
    assert journey.rep_id == journey.state(opened)["reserved_for"]


def test_at_once_and_under_two_keys_a_lead_is_one_in_the_end(journey: Journey) -> None:
    """Many spellings at once make one referral; a second one is joined with it and pays nothing."""
    pia, emil = journey.partner(iban=""), journey.partner(iban="")
    codes = [journey.link(pia), journey.link(emil)]
    name = unique("lena").replace("-", "")

    def send(number: int) -> str:
        spelled = f"{name}+{number}@googlemail.com" if number % 2 else f"{name}@gmail.com"
        answer = journey.submit(codes[number % 2], email=spelled, phone="030 901820")
        return str(answer.expect(201).body["id"])

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(send, range(6)))
    states = [journey.until_status(each, "assigned", "duplicate") for each in made]
    (live,) = [each["id"] for each in states if each["status"] == "assigned"]
    assert {live} == {each["duplicate_of"] for each in states if each["status"] == "duplicate"}

    late = journey.assigned(codes[1], email=f"{unique('other')}@gmail.com")
    until(lambda: rewards(journey, late), lambda found: found == ["pending"])
    path = f"/v1/programs/{journey.program}/referrals/{late}/merge"
    merged = journey.stack.call("POST", path, {"into": live}, token=journey.manager).expect(200)
    assert {"id": late, "status": "duplicate", "into": live} == merged.body
    until(lambda: rewards(journey, late), lambda found: found == ["reversed"])
    assert ["pending"] == rewards(journey, live)
    read = told(journey, emil.token, late)
    assert "duplicate" == read["referral"]["reason"]["code"]
    assert live not in str(read)


def rewards(journey: Journey, referral: str) -> list[str]:
    """Return the states of a referral's rewards."""
    stored = items(journey.stack, "core", f"REFERRAL#{referral}")
    return [each.get("status", "pending") for each in stored if each["sk"].startswith("REWARD#")]
