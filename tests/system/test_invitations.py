"""Invitations on the deployed template: told to a rep, sold, waiting, claimed, payable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from infra import seed
from infra.api import Stack
from introducer.ledger import ACCOUNTS
from tests.support.deployed import item, items, mails, until
from tests.support.journey import DUE_MINOR, Journey, Partner, unique

pytestmark = pytest.mark.usefixtures("alone")


def verbal(email: str) -> dict[str, Any]:
    """Return what the rep enters: somebody with this address named a lead to them."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "name": "Lena Lead",
        "email": f"{unique('lena')}@customers.example",
        "country": "DE",
        "product": "fibre",
        "consent": {"text_version": "2026-11", "given": True, "at": now},
        "partner": {
            "name": "Nina Neu",
            "email": email,
            "audience": "partners",
            "country": "DE",
            "locale": "de",
        },
    }


def sent_to(stack: Stack, address: str) -> list[str]:
    """Return the subjects of the mails to an address."""
    found = mails(stack, address)
    return [str(mail["Subject"]) for mail in found if mail["To"] == [address]]


def test_verbal_credit_waits_and_is_claimed(journey: Journey) -> None:
    """Verbal referral of somebody unknown → mail → sale → pending → sign-up → payable."""
    stack, email = journey.stack, f"{unique('nina')}@partners.example"
    made = stack.call("POST", "/v1/rep/referrals", verbal(email), token=journey.rep)
    referral, partner = made.expect(201).body["id"], made.body["partner"]
    assert "invited" == made.body["partner_status"]
    assert journey.rep_id == journey.until_status(referral, "assigned")["rep"]
    until(lambda: sent_to(stack, email), lambda found: len(found) == 1)

    journey.send("sale.recorded", journey.sale(referral)).expect(200)
    until(lambda: balance(stack, partner), lambda held: held.get("pending") == 4 * DUE_MINOR)
    journey.start("accrue")
    until(lambda: waiting(stack, referral), lambda found: "not_enrolled" in found)
    assert {"pending": 4 * DUE_MINOR} == balance(stack, partner)
    # The invitation, and once that credit waits; no word of stages or rewards.
    until(lambda: sent_to(stack, email), lambda found: len(found) == 2)

    stack.sign_up(email, seed.PASSWORD)
    token = stack.sign_in(email, seed.PASSWORD)
    assert partner == journey.enrol(token, email, name="Nina Neu").expect(201).body["id"]
    nina = Partner(id=partner, email=email, token=token)
    journey.start("accrue")
    statement = journey.until_balance(nina, pending=3 * DUE_MINOR, payable=DUE_MINOR)
    assert ["RewardReleased", "RewardEarned", "RewardEarned"] == [
        each["kind"] for each in statement["movements"]
    ]
    assert [referral] == [
        each["id"]
        for each in stack.call("GET", "/v1/me/referrals", token=token).expect(200).body["items"]
    ]


def test_invitations_and_asks_reach_people(stack: Stack) -> None:
    """A rep and a manager invite; a good score asks a partner, with a link of their own."""
    rule = {"event": "survey", "audience": "partners", "min_score": 9}
    journey = Journey(stack, advocacy={"promoters": rule})
    ida, employee = (f"{unique('ida')}@partners.example" for _ in range(2))
    body = {"name": "Ida", "email": ida, "audience": "partners", "country": "DE"}
    first = stack.call("POST", "/v1/rep/invitations", body, token=journey.rep).expect(201)
    again = stack.call("POST", "/v1/rep/invitations", body, token=journey.rep).expect(200)
    assert {"id": first.body["id"], "status": "known"} == again.body
    theirs = {**body, "email": employee, "organization": "neu", "owner": journey.rep_id}
    journey.post("invitations", theirs).expect(201)
    until(lambda: sent_to(stack, ida) + sent_to(stack, employee), lambda found: len(found) == 2)

    partner = journey.partner(iban="")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    act = {"event": "survey", "score": 10, "email": partner.email, "at": now}
    assert "applied" == journey.send("advocacy.recorded", act).expect(200).body["outcome"]
    chosen = {"audience": "partners", "people": [{"email": partner.email}]}
    assert 1 == journey.post("asks", chosen).expect(200).body["rested"]
    asked = stack.call("POST", "/v1/rep/asks", chosen, token=journey.rep).expect(200)
    assert 1 == asked.body["rested"]
    (link,) = [each for each in items(stack, "core", partner.id) if each["sk"] == "LINK"]
    assert ("ask", "promoters") == (link["channel"], link["campaign"])
    until(lambda: mails(stack, f"/r/{link['code']}"), lambda found: len(found) == 1)


def balance(stack: Stack, partner: str) -> dict[str, int]:
    """Return what a partner's accounts hold."""
    stored = item(stack, "ledger", f"PARTNER#{partner}", "BALANCE#EUR")
    return {name: int(stored[name]) for name in ACCOUNTS if stored.get(name)}


def waiting(stack: Stack, referral: str) -> set[str]:
    """Return why the rewards of a referral wait."""
    found = items(stack, "core", referral)
    return {each.get("waiting", "") for each in found if each["sk"].startswith("REWARD#")}
