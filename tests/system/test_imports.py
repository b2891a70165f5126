"""Imports on the deployed template, IAM enforced: a partner's leads, and another system's past."""

from __future__ import annotations

import csv
import io
import urllib.error
import urllib.request
from typing import Any

import pytest

from infra.api import Stack, http
from tests.support.deployed import item, logs, messages, until
from tests.support.journey import Journey, unique

Lines = list[dict[str, str]]


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as it is."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return no request to follow."""


def bring_in(
    stack: Stack, path: str, token: str, kind: str, content: str, **options: str
) -> dict[str, Any]:
    """Announce a file, send it and wait until the job has ended; return the job."""
    raw = content.encode()
    body = {"kind": kind, "bytes": len(raw), **options}
    asked = stack.call("POST", path, body, token=token).expect(202).body
    http("PUT", asked["upload"], raw, {"content-type": "text/csv"}).expect(200)

    def read() -> dict[str, Any]:
        return dict(stack.call("GET", asked["path"], token=token).expect(200).body)

    return until(read, lambda seen: seen["job"]["status"] in {"done", "failed"})


def lines(job: dict[str, Any]) -> Lines:
    """Return the result of a job as its link gives it, without any token."""
    text = http("GET", job["result"]).expect(200).body
    return list(csv.DictReader(io.StringIO(text)))


def sheet(header: str, *rows: str) -> str:
    """Return a CSV file."""
    return "\r\n".join([header, *rows]) + "\r\n"


def told(found: Lines) -> list[tuple[str, str, str, str]]:
    """Return row, outcome, code and field of each line."""
    return [(each["row"], each["outcome"], each["code"], each["field"]) for each in found]


def test_partner_brings_in_leads_and_gets_a_line_for_each(stack: Stack, journey: Journey) -> None:
    """Five rows by a presigned link: the good ones reach the rep, the others say why not."""
    partner, other = journey.partner(iban=""), journey.partner(iban="")
    lead, rival = unique("lena"), unique("leo")
    journey.assigned(journey.link(other), email=f"{rival}@customers.example")
    content = sheet(
        "name;email;country;product;partner",
        f"Lena Lead;{lead}@customers.example;DE;fibre;",
        f"Leo Lead;{rival}@customers.example;DE;fibre;",
        f"Lia Lead;{unique('lia')}@customers.example;DE;fibre;{other.id}",
        '"=cmd|calc";not an address;DE;;',
        f"Lena Again;{lead.upper()}@customers.example;DE;fibre;",
    )
    path = "/v1/me/imports"
    job = bring_in(stack, path, partner.token, "referrals", content, consent_version="2026-11")
    found = lines(job)
    assert [
        ("2", "created", "", ""),
        ("3", "duplicate", "referred_before", ""),
        ("4", "refused", "not_allowed", "partner"),
        ("5", "refused", "invalid_value", "email"),
        ("6", "known", "", ""),
    ] == told(found)
    assert {"created": 1, "duplicate": 1, "refused": 2, "known": 1} == job["job"]["counts"]
    state = journey.until_status(found[0]["id"], "assigned")
    assert (partner.id, "csv") == (state["partner"], state["channel"])
    assert "duplicate" == journey.until_status(found[1]["id"], "duplicate")["status"]
    theirs = stack.call("GET", f"{path}/{job['id']}", token=other.token)
    assert (404, "not_found") == (theirs.status, theirs.body["code"])
    assert 403 == http("GET", job["result"].replace("result.csv", "upload.csv")).status


def test_manager_migrates_a_partner_with_code_referral_and_reward(
    stack: Stack, journey: Journey
) -> None:
    """The old code redirects, the partner enrols as the same and sees what was paid."""
    email, code, mark = f"{unique('ada')}@partners.example", unique("old").upper(), unique("x")
    files = {
        "partners": sheet(
            "external_id,name,email,audience,country,enrolled_at,code",
            f"P-{mark},Ada Alt,{email},partners,DE,2021-03-04,{code}",
        ),
        "links": sheet("partner,code,campaign", f"P-{mark},{code}-2,flyer"),
        "past_referrals": sheet(
            "external_id,partner,status,submitted_at,name,email,country,won_at,amount,currency",
            f"R-{mark},P-{mark},won,2026-10-01,Old One,{mark}@customers.example,DE,"
            "2026-10-20,1250.00,EUR",
        ),
        "paid_rewards": sheet(
            "reward_id,partner,amount,currency,paid_at,referral",
            f"W-{mark},P-{mark},125.00,EUR,2026-11-01,R-{mark}",
        ),
    }
    path = f"/v1/programs/{journey.program}/imports"
    made = {}
    for outcome in ("created", "known"):
        for kind, content in files.items():
            job = bring_in(stack, path, journey.manager, kind, content)
            assert {outcome: 1} == job["job"]["counts"], (kind, job, lines(job))
            made[kind] = lines(job)[0]["id"]
    click = f"{stack['click_url']}/r/{code}"
    opener = urllib.request.build_opener(_Stay)
    with pytest.raises(urllib.error.HTTPError) as redirect:
        opener.open(click)
    assert 302 == redirect.value.code
    assert redirect.value.headers["location"].startswith(journey.document["landing_url"])
    partner = journey.partner(email=email, iban="")
    assert made["partners"] == partner.id
    statement = journey.statement(partner)
    (movement,) = statement["movements"]
    assert ("RewardImported", {"paid": 12_500}, "2026-11-01T00:00:00.000Z") == (
        movement["kind"],
        movement["amounts"],
        movement["at"],
    )
    assert made["past_referrals"] == movement["referral"]
    assert {"paid": 12_500} == {name: held for name, held in statement["balance"].items() if held}
    listed = stack.call("GET", "/v1/me/referrals", token=partner.token).expect(200).body["items"]
    assert [(made["past_referrals"], "won")] == [(each["id"], each["status"]) for each in listed]
    profile = item(stack, "core", f"PARTNER#{partner.id}", "PROFILE")
    # A profile without a status is active.
    assert ("", "2021-03-04T00:00:00.000Z") == (profile.get("status", ""), profile["member_since"])


def test_company_tells_of_sales_and_customers_by_file(stack: Stack, journey: Journey) -> None:
    """A sale of a referral is booked as if billing had told it; a customer goes on the list."""
    partner = journey.partner(iban="")
    address = f"{unique('lena')}@customers.example"
    journey.assigned(journey.link(partner), email=address)
    path = f"/v1/programs/{journey.program}/imports"
    sale = sheet(
        "type,email,sale,amount,currency,occurred_at",
        f"sale.recorded,{address},{unique('INV')},5000.00,EUR,2026-11-22T09:00:00Z",
        f"sale.recorded,{unique('who')}@customers.example,{unique('INV')},1.00,EUR,2026-11-22",
    )
    job = bring_in(stack, path, journey.manager, "conversions", sale, source="billing")
    assert [("2", "created", "", ""), ("3", "created", "waiting", "")] == told(lines(job))
    journey.until_earned(partner)
    customers = sheet("kind,email", f"customer,{unique('kim')}@customers.example")
    job = bring_in(stack, path, journey.manager, "accounts", customers)
    assert {"created": 1} == job["job"]["counts"]


def test_file_that_cannot_be_read_is_told_and_alarms_nobody(stack: Stack, journey: Journey) -> None:
    """The reason is in plain words; the log says nothing of what the file holds."""
    secret = unique("geheim")
    content = f"name,email,country,{secret}\r\nX,x@customers.example,DE,y\r\n"
    path = f"/v1/programs/{journey.program}/imports"
    job = bring_in(stack, path, journey.manager, "invitations", content)
    assert ("failed", "unknown_column", "") == (
        job["job"]["status"],
        job["job"]["code"],
        job["result"],
    )
    assert {"column": "4"} == job["findings"][1]
    assert [] == [each for each in messages(stack, "import_dead") if job["id"] in str(each)]
    assert [] == [line for _, line in logs(stack) if secret in line]
