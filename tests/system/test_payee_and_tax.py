"""Who may be paid, on the deployed template: each function opens the secrets it needs."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from infra import seed
from infra.api import Stack
from introducer.ids import shard
from tests.support.deployed import aws, item, mails, run_job, until
from tests.support.journey import Journey, Partner

pytestmark = pytest.mark.usefixtures("alone")

OTHER = {"name": "Petra Platzhalter", "iban": "DE75512108001245126199"}
LIST = "id,name,aliases,country\r\nL-1,Platzhalter Petra,,DE\r\n"
YEAR = 2025


def test_secrets_open_to_those_who_need_them(stack: Stack) -> None:
    """A code by mail, a tax form, a hit on the list, and an export with the number in it."""
    telecom = seed.PROGRAM_FILE.read_bytes()
    (rule,) = json.loads(telecom)["payouts"]
    journey = Journey(stack, payouts=[{**rule, "screening": True}], tax={"payer_country": "US"})
    partner = journey.partner()
    _change_account(stack, partner)
    _give_form(stack, partner)
    _be_found(journey, partner)
    _export(journey, partner)


def _change_account(stack: Stack, partner: Partner) -> None:
    body = OTHER | {"town": "Hamburg", "country": "DE"}
    asked = stack.call("PUT", "/v1/me/payee", body, token=partner.token).expect(200)
    assert asked.body["confirm_by"]
    (mail,) = until(lambda: mails(stack, "ends in 6199"), lambda found: len(found) == 1)
    found = re.search(r"The code is ([0-9A-Z]{4}-[0-9A-Z]{4})", str(mail))
    assert found
    wrong, right = {"code": "0000-0000"}, {"code": found[1]}
    path = "/v1/me/payee/confirm"
    assert 422 == stack.call("POST", path, wrong, token=partner.token).status
    assert stack.call("POST", path, right, token=partner.token).expect(200).body["usable_at"]
    shown = stack.call("GET", "/v1/me", token=partner.token).expect(200)
    assert "6199" == shown.body["payee_last4"]


def _give_form(stack: Stack, partner: Partner) -> None:
    form = {
        "country": "DE",
        "entity": "individual",
        "name": OTHER["name"],
        "street": "Hafenstr. 1",
        "city": "Hamburg",
        "birth_date": "1990-02-03",
        "foreign_tin": "36574261809",
        "signed_by": OTHER["name"],
        "signed_on": datetime.now(UTC).date().isoformat(),
        "certified": True,
    }
    given = stack.call("PUT", "/v1/me/tax", form, token=partner.token).expect(200)
    assert ("w8ben", True, "1809") == tuple(
        given.body[name] for name in ("form_needed", "counts", "last4")
    )


def _be_found(journey: Journey, partner: Partner) -> None:
    stack, path = journey.stack, f"/v1/programs/{journey.program}"
    stack.call("PUT", f"{path}/screening-list", {"csv": LIST}, token=journey.finance).expect(200)
    journey.payable(partner)
    assert {"hit": 1} == run_job(stack, "screen", {"program": journey.program})
    listed = stack.call("GET", f"{path}/screening", token=journey.finance).expect(200)
    assert [(partner.id, ["L-1"])] == [
        (each["partner"], each["entries"]) for each in listed.body["items"]
    ]
    clear = f"/v1/partners/{partner.id}/screening/clear"
    reason = {"entries": ["L-1"], "reason": "other_person"}
    stack.call("POST", clear, reason, token=journey.finance).expect(200)
    assert "cleared" == item(stack, "core", f"PARTNER#{partner.id}", "PROFILE")["screening"]


def _export(journey: Journey, partner: Partner) -> None:
    """Order the export of a year in which the partner was paid."""
    stack, path = journey.stack, f"/v1/programs/{journey.program}/tax/{YEAR}"
    total: dict[str, dict[str, Any]] = {
        "pk": {"S": f"PARTNER#{partner.id}"},
        "sk": {"S": f"TAX#{journey.program}#{YEAR}#USD"},
        "gsi1pk": {"S": f"TAX#{journey.program}#{YEAR}#{shard(partner.id, 4)}"},
        "gsi1sk": {"S": f"{partner.id}#USD"},
        "partner": {"S": partner.id},
        "program": {"S": journey.program},
        "year": {"N": str(YEAR)},
        "currency": {"S": "USD"},
        "version": {"N": "1"},
        "paid": {"M": {"wire": {"N": "60000"}}},
        "payouts": {"N": "1"},
    }
    aws(stack, "dynamodb").put_item(TableName=stack["tables"]["ledger"], Item=total)
    ordered = stack.call("POST", f"{path}/export", {}, token=journey.finance).expect(202)
    told = until(
        lambda: stack.call("GET", path, token=journey.finance).expect(200).body["items"],
        lambda rows: bool(rows[0]["exported_at"]),
    )
    assert ("yes", False) == (told[0]["threshold_reached"], told[0]["corrected"])
    bucket, key = stack["buckets"]["bank"], ordered.body["file"]
    content = aws(stack, "s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    (row,) = csv.DictReader(io.StringIO(content))
    assert (partner.id, "36574261809", "60000") == (
        row["partner"],
        row["foreign_tin"],
        row["paid_minor"],
    )
