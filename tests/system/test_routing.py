"""Routing on the deployed template: rules, capacity, the partner's own rep, leads nobody takes."""

from __future__ import annotations

from typing import Any

import pytest

from infra import seed
from infra.api import Stack
from tests.support.deployed import aws, mails, run_job, until
from tests.support.journey import Journey, Partner, unique

PAST = "2026-11-01T00:00:00.000Z"


class Office:
    """A program with two reps of its own who must take a lead within an hour."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.anna, self.ben = unique("anna"), unique("ben")
        rules = [
            {
                "id": "mobile",
                "reps": [self.ben],
                "condition": {"field": "lead.product", "op": "eq", "value": "mobile"},
            },
            {"id": "rest", "reps": [self.anna, self.ben]},
        ]
        sla = {"accept_within_hours": 1}
        self.journey = Journey(stack, routing={"rules": rules, "sla": sla, "owner_first": True})
        self.mail = {rep: f"{rep}@staff.example" for rep in (self.anna, self.ben)}
        for rep, mail in self.mail.items():
            person = seed.Person(mail, "rep", "Rita Rep", rep, "eu")
            subject = seed.add_login(stack, person)
            seed.add_rep(stack, self.journey.manager, self.journey.program, person, subject)

    def token(self, rep: str) -> str:
        """Sign a rep in."""
        return self.stack.sign_in(self.mail[rep], seed.PASSWORD)

    def given(self, partner: Partner, **lead: Any) -> tuple[str, dict[str, Any]]:
        """Submit a lead and return its id and how it was routed."""
        referral = self.journey.assigned(self.journey.link(partner), **lead)
        return referral, self.routing(referral)

    def routing(self, referral: str) -> dict[str, Any]:
        """Return how a lead was routed, as the manager reads it."""
        path = f"/v1/programs/{self.journey.program}/referrals/{referral}/routing"
        read = self.stack.call("GET", path, token=self.journey.manager).expect(200)
        return dict(read.body)

    def change(self, rep: str, **profile: Any) -> None:
        """Say anew which leads a rep takes."""
        path = f"/v1/programs/{self.journey.program}/reps/{rep}"
        self.stack.call("PUT", path, profile, token=self.journey.manager).expect(200)

    def run_out(self, referral: str) -> None:
        """Store that the time to take a lead is over; it is an hour, and nobody waits that long."""
        aws(self.stack, "dynamodb").update_item(
            TableName=self.stack["tables"]["core"],
            Key={"pk": {"S": f"REFERRAL#{referral}"}, "sk": {"S": "STATE"}},
            UpdateExpression="SET accept_by = :past, gsi3sk = :past",
            ExpressionAttributeValues={":past": {"S": PAST}},
        )


def test_leads_go_where_the_rules_say(stack: Stack) -> None:
    """By a condition, in turns, past who is full, and to the partner's own rep; all is told why."""
    office = Office(stack)
    partner = office.journey.partner()
    _, mobile = office.given(partner, product="mobile")
    assert (office.ben, "mobile") == (mobile["rep"], mobile["steps"][0]["rule"])
    office.change(office.anna, capacity=1)
    _, first = office.given(partner)
    assert (office.anna, "rest") == (first["rep"], first["steps"][0]["rule"])
    assert (office.ben, "rest") == _by(office.given(partner)[1])
    _, past = office.given(partner)
    assert (office.ben, "rest") == _by(past)
    assert [("mobile", "", "condition"), ("rest", office.anna, "full")] == [
        (each["rule"], each["rep"], each["code"]) for each in past["steps"][0]["passed_over"]
    ]
    office.change(office.anna)
    path = f"/v1/partners/{partner.id}/owner"
    stack.call("PUT", path, {"rep": office.anna}, token=office.journey.manager).expect(200)
    assert (office.anna, "owner") == _by(office.given(partner, product="mobile")[1])


@pytest.mark.usefixtures("alone")
def test_a_lead_nobody_takes_goes_to_somebody_else(stack: Stack) -> None:
    """The job does nothing early; when the time is over the next rep gets the lead and a mail."""
    office = Office(stack)
    partner = office.journey.partner()
    referral, before = office.given(partner)
    taken, _ = office.given(partner)
    kept, _ = office.given(partner)
    run_job(stack, "overdue")
    assert before == office.routing(referral)
    office.run_out(referral)
    office.run_out(kept)
    stack.call(
        "POST", f"/v1/rep/referrals/{kept}/accept", {}, token=office.token(office.anna)
    ).expect(200)
    run_job(stack, "overdue")
    run_job(stack, "overdue")
    after = until(
        lambda: office.routing(referral),
        lambda read: (read["status"], read["rep"]) == ("assigned", office.ben),
    )
    assert [office.anna] == after["handed_back_by"]
    assert [
        ("ReferralAssigned", office.anna, ""),
        ("ReferralReturned", office.anna, "sla"),
        ("ReferralAssigned", office.ben, ""),
    ] == [(step["type"], step["rep"], step["reason"]) for step in after["steps"]]
    assert ("accepted", office.anna) == _now(office.routing(kept))
    assert ("assigned", office.ben) == _now(office.routing(taken))
    until(lambda: mails(stack, office.mail[office.ben]), lambda sent: len(sent) == 2)


def test_rep_assesses_a_lead_and_money_may_ask_for_it(stack: Stack) -> None:
    """The rep's part of the story is stored with the share, until the sale."""
    office = Office(stack)
    partner = office.journey.partner()
    referral, _ = office.given(partner)
    path, token = f"/v1/rep/referrals/{referral}/assessment", office.token(office.anna)
    body = {"rating": 5, "involvement": {partner.id: "co_sold"}}
    said = stack.call("PUT", path, body, token=token).expect(200).body
    part = {"partner": partner.id, "share_basis_points": 10_000, "involvement": "co_sold"}
    assert {"rating": 5, "involvement": [part]} == said
    office.journey.send("sale.recorded", office.journey.sale(referral)).expect(200)
    office.journey.until_earned(partner)
    late = stack.call("PUT", path, {"rating": 1}, token=token)
    assert (409, "transition_not_allowed") == (late.status, late.body["code"])


def _by(read: dict[str, Any]) -> tuple[str, str]:
    return read["rep"], read["steps"][-1]["rule"]


def _now(read: dict[str, Any]) -> tuple[str, str]:
    return read["status"], read["rep"]
