"""A change of rules on the deployed template: shown, announced, told, and in effect."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from infra.api import Stack
from tests.support.deployed import left_in_queues, mails, until
from tests.support.journey import Journey


def test_a_change_is_published_ahead_and_told_to_its_partners(
    stack: Stack, journey: Journey
) -> None:
    """Table and estimate stay what they are until the day; the partner has one mail before."""
    partner = journey.partner()
    start = datetime.now(UTC) + timedelta(days=30)
    better = [
        {**plan, "calculation": {"kind": "percent", "basis_points": 1200}}
        if plan["id"] == "commission"
        else plan
        for plan in journey.document["rewards"]
    ]
    at = start.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    made = journey.post(f"versions?effective_at={at}", {**journey.document, "rewards": better})
    assert {"program": journey.program, "version": 2, "effective_at": at} == (made.expect(201).body)
    (mail,) = until(lambda: _notices(stack, partner.email), bool)
    assert "12%" in json.dumps(mail)
    path = f"/v1/programs/{journey.program}"
    table = stack.call("GET", f"{path}/rewards?audience=partners&locale=de").expect(200)
    assert "public, max-age=300" == table.headers["cache-control"]
    assert (1, at) == (table.body["version"], table.body["changes_at"])
    asked = {"audience": "partners", "amount_minor": 500_000, "currency": "EUR"}
    estimate = stack.call("POST", f"{path}/estimate", asked).expect(200).body
    assert [50_000] == [total["amount_minor"] for total in estimate["totals"]]
    forecast = stack.call("GET", "/v1/me/forecast", token=partner.token).expect(200).body
    assert ([], 0) == (forecast["items"], forecast["left_out"])
    versions = stack.call("GET", f"{path}/versions", token=journey.manager).expect(200).body
    assert ["scheduled", "current"] == [row["state"] for row in versions["items"]]
    back = journey.post(f"versions/1/restore?effective_at={at}", {}).expect(201)
    assert 3 == back.body["version"]
    until(lambda: _notices(stack, partner.email), lambda found: len(found) == 2)
    until(lambda: left_in_queues(stack).get("notice"), lambda held: not held)


def _notices(stack: Stack, email: str) -> list[object]:
    return [mail for mail in mails(stack, email) if "The rules of" in json.dumps(mail)]
