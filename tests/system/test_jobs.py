"""Jobs by hand: each may start twice, or twice at once, and the sweep holds what it finds."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.api import Stack
from infra.bank import MockBank
from tests.support.deployed import aws, item, run_job, until
from tests.support.journey import DUE_MINOR, Journey, unique

pytestmark = pytest.mark.usefixtures("alone")

PENDING = {"pending": 3 * DUE_MINOR}


def holdings(journey: Journey) -> dict[str, Any]:
    """Return what a job may touch of the program; not its mails, nor the seals of earlier days."""
    yesterday = max((seal["day"] for seal in _seals(journey)), default="")
    return {
        "core": [each for each in journey.stored("core") if each.get("kind") != "mail"],
        "ledger": [
            each
            for each in journey.stored("ledger")
            if not each["pk"].startswith("SEAL#") or each["day"] == yesterday
        ],
    }


def executions(stack: Stack, batch: str) -> list[str]:
    """Return the status of every execution of a batch."""
    pages = (
        aws(stack, "stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=stack["machine_arn"])
    )
    found = [each for page in pages for each in page["executions"]]
    return [each["status"] for each in found if each["name"] == batch]


def test_job_changes_nothing_the_second_time(stack: Stack, journey: Journey) -> None:
    """Accrual, payout, sweep, seal and reconciliation: started again, all stays as it was."""
    partner = journey.partner()
    journey.won(partner)
    key = unique("key")
    first, again = journey.start("accrue", key=key), journey.start("accrue", key=key)
    assert ({"job": "accrue"}, {"job": "accrue"}) == (first.body, again.body)
    assert "true" == again.headers["idempotent-replayed"]
    journey.until_balance(partner, **PENDING, payable=DUE_MINOR)
    _stays(stack, journey, "accrue")
    journey.start("payout")
    batch = journey.until_batch("awaiting_approval")
    assert (1, DUE_MINOR) == (batch["count"], batch["total_minor"])
    _stays(stack, journey, "start")
    path = f"/v1/batches/{batch['id']}/approve"
    stack.call("POST", path, {}, token=journey.manager).expect(200)
    journey.until_batch("in_transit")
    until(lambda: executions(stack, batch["id"]), lambda read: read == ["SUCCEEDED"])
    stack.call("POST", path, {}, token=journey.manager).expect(200)  # by another key
    _stays(stack, journey, "start")
    assert ["SUCCEEDED"] == executions(stack, batch["id"])
    with MockBank() as bank:
        journey.open_owner(bank)
        journey.hand_over(bank, batch["id"])
        bank.settle()
        answers = journey.bring_back(bank)
        journey.until_balance(partner, **PENDING, paid=DUE_MINOR)
    journey.until_batch("settled")
    _stays(stack, journey, "settle", _notification(stack, answers))
    for job in ("overdue", "sweep", "seal", "recover", "reconcile"):
        run_job(stack, job, {"days": 3})
        _stays(stack, journey, job, {"days": 3})
        assert {"job": job} == journey.start(job).body
    assert [0] == [each["count"] for each in _seals(journey)[-1:]]
    _stays(stack, journey, "seal", {"job": "verify"})
    roots = aws(stack, "s3").list_objects_v2(
        Bucket=stack["buckets"]["proof"], Prefix=f"roots/{journey.program}/"
    )
    assert len(_seals(journey)) == roots["KeyCount"]


def _seals(journey: Journey) -> list[dict[str, Any]]:
    return [each for each in journey.stored("ledger") if each["pk"].startswith("SEAL#")]


def _stays(
    stack: Stack, journey: Journey, function: str, payload: dict[str, Any] | None = None
) -> None:
    before = holdings(journey)
    run_job(stack, function, payload or {"started_by": "user:somebody-else"})
    assert before == holdings(journey)


def _notification(stack: Stack, keys: list[str]) -> dict[str, Any]:
    """Return what the bucket says when these files arrive once more."""
    bucket = {"name": stack["buckets"]["bank"]}
    return {"Records": [{"s3": {"bucket": bucket, "object": {"key": key}}} for key in keys]}


def test_payout_started_many_times_at_once_is_one_batch(stack: Stack, journey: Journey) -> None:
    """Eight starts at once: one batch, one execution, one payment of what was payable."""
    partner = journey.partner()
    journey.payable(partner)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: journey.start("payout"), range(8)))
    assert [202] * 8 == [answer.status for answer in answers]
    batch = journey.until_batch("awaiting_approval")
    run_job(stack, "start", {"started_by": "user:somebody-else"})
    journey.until_balance(partner, **PENDING, reserved=DUE_MINOR)
    assert [batch["id"]] == [each["id"] for each in journey.batches()]
    assert (1, 0, DUE_MINOR) == (batch["count"], batch["skipped"], batch["total_minor"])
    assert ["RUNNING"] == executions(stack, batch["id"])
    kinds = [movement["kind"] for movement in journey.statement(partner)["movements"]]
    assert 1 == kinds.count("PayoutCreated")


def test_batch_is_not_approved_by_who_started_it(stack: Stack, journey: Journey) -> None:
    """Four eyes: the starter's approval is a 403 and the money stays reserved."""
    partner = journey.partner()
    journey.payable(partner)
    journey.start("payout")
    batch = journey.until_batch("awaiting_approval")
    path = f"/v1/batches/{batch['id']}/approve"
    refused = stack.call("POST", path, {}, token=journey.finance)
    assert (403, "forbidden") == (refused.status, refused.body["code"])
    journey.until_balance(partner, **PENDING, reserved=DUE_MINOR)
    stack.call("POST", path, {}, token=journey.manager).expect(200)
    journey.until_balance(partner, **PENDING, in_transit=DUE_MINOR)


def test_partner_who_refers_their_own_mailbox_is_not_paid(journey: Journey) -> None:
    """A disguised address of the partner's own: the reward is earned, held, and told why."""
    name = unique("pia").replace("-", "")
    partner = journey.partner(email=f"{name}@gmail.com")
    disguised = f"{name[:4]}.{name[4:]}+friend@googlemail.com"
    referral = journey.won(partner, email=disguised)
    assert "self_referral" == journey.state(referral)["hold"]
    _held(journey, partner.token, referral)


def test_sweep_holds_the_reward_of_a_partner_who_turns_out_to_be_the_lead(
    stack: Stack, journey: Journey
) -> None:
    """The lead's mailbox becomes known as the partner's only later: swept, held, not paid."""
    partner = journey.partner()
    referral = journey.won(partner)
    assert "hold" not in journey.state(referral)
    _know_mailbox(stack, journey.state(referral), partner.id)
    journey.start("sweep")
    until(lambda: journey.state(referral).get("hold"), lambda hold: hold == "self_referral")
    event = item(stack, "core", f"REFERRAL#{referral}", f"EVENT#{5:06}")
    assert ("ReferralHeld", "system", "self_referral") == (
        event["type"],
        event["actor"],
        event["data"]["reason"],
    )
    _held(journey, partner.token, referral)


def _know_mailbox(stack: Stack, referral: dict[str, Any], partner: str) -> None:
    """Store that the lead's mailbox is the partner's; no request can say so yet."""
    claim = {
        "pk": f"CLAIM#{referral['program']}#partner_email#{referral['lead_key']}",
        "sk": "CLAIM",
        "scope": referral["program"],
        "kind": "partner_email",
        "value": referral["lead_key"],
        "target": partner,
    }
    aws(stack, "dynamodb").put_item(
        TableName=stack["tables"]["core"], Item={name: {"S": text} for name, text in claim.items()}
    )


def _held(journey: Journey, token: str, referral: str) -> None:
    """Check that accrual releases nothing and the partner is told why."""
    journey.start("accrue")

    def due() -> dict[str, Any]:
        rewards = journey.stack.call("GET", "/v1/me/rewards", token=token).expect(200).body["items"]
        return next(each for each in rewards if each["milestone"] == "purchase")

    reward = until(due, lambda read: read["waiting"] != "")
    assert ("pending", "on_hold", DUE_MINOR) == (
        reward["status"],
        reward["waiting"],
        reward["amount_minor"],
    )
    path = f"/v1/me/referrals/{referral}"
    told = journey.stack.call("GET", path, token=token).expect(200).body["referral"]["held"]
    assert {"code": "self_referral", "text": "The lead seems to be the partner."} == told
    statement = journey.stack.call("GET", "/v1/me/statement?currency=EUR", token=token).body
    held = {name: amount for name, amount in statement["balance"].items() if amount}
    assert {"pending": 4 * DUE_MINOR} == held, json.dumps(statement)
