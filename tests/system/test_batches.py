"""Batches on the deployed template: given up, changed, stopped half-way and taken over."""

from __future__ import annotations

import pytest

from infra.api import Stack
from introducer import clock
from tests.support.deployed import aws, item, run_job, until
from tests.support.journey import DUE_MINOR, Journey

pytestmark = pytest.mark.usefixtures("alone")


def executions(stack: Stack, batch: str) -> dict[str, str]:
    """Return the status of every execution of a batch, by name."""
    pages = (
        aws(stack, "stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=stack["machine_arn"])
    )
    found = [each for page in pages for each in page["executions"]]
    return {each["name"]: each["status"] for each in found if each["name"].startswith(batch)}


def change(journey: Journey, batch: str, verb: str, **body: str) -> None:
    """Change a batch as finance."""
    path = f"/v1/batches/{batch}/{verb}"
    journey.stack.call("POST", path, body, token=journey.finance).expect(200)


def test_batch_is_given_up_and_the_next_run_leaves_somebody_out(
    stack: Stack, journey: Journey
) -> None:
    """The execution ends well, the money is payable; the next run pays who was not taken out."""
    pia, quin = journey.partner(), journey.partner(iban="DE02120300000000202051")
    for each in (pia, quin):
        journey.payable(each)
    journey.start("payout")
    first = journey.until_batch("awaiting_approval")["id"]
    change(journey, first, "cancel", reason="wrong_month")
    until(lambda: executions(stack, first), lambda read: read == {first: "SUCCEEDED"})
    for each in (pia, quin):
        journey.until_balance(each, pending=3 * DUE_MINOR, payable=DUE_MINOR)

    journey.start("payout")
    second = until(journey.batches, lambda read: read[0]["status"] == "awaiting_approval")[0]
    assert (2, 2) == (second["run"], second["count"])
    change(journey, second["id"], "exclude", holder=quin.id, reason="fraud_check")
    journey.until_balance(quin, pending=3 * DUE_MINOR, payable=DUE_MINOR)
    path = f"/v1/batches/{second['id']}/approve"
    refused = stack.call("POST", path, {}, token=journey.finance)
    assert (403, "forbidden") == (refused.status, refused.body["code"])
    stack.call("POST", path, {}, token=journey.manager).expect(200)
    assert 1 == journey.until_batch("in_transit")["count"]
    journey.until_balance(pia, pending=3 * DUE_MINOR, in_transit=DUE_MINOR)


def test_batch_that_stopped_half_way_is_taken_over(stack: Stack, journey: Journey) -> None:
    """Its execution fails and payouts are halted; once they go on, another one pays it, once."""
    pia = journey.partner()
    journey.payable(pia)
    journey.start("payout")
    batch = journey.until_batch("awaiting_approval")["id"]
    waiting = until(lambda: item(stack, "ledger", f"BATCH#{batch}", "TOKEN"), bool)
    aws(stack, "stepfunctions").send_task_failure(taskToken=waiting["token"], error="Test")
    until(lambda: executions(stack, batch), lambda read: read == {batch: "FAILED"})
    path = f"/v1/batches/{batch}/approve"
    stack.call("POST", path, {}, token=journey.manager).expect(200)
    halt(stack, journey.program)
    run_job(stack, "start")
    assert {batch: "FAILED"} == executions(stack, batch)

    state = f"/v1/programs/{journey.program}/payouts"
    read = stack.call("GET", state, token=journey.finance).expect(200).body
    assert "a test" == read["halted_for"]
    resumed = stack.call("POST", f"{state}/resume", {"reason": "was_a_test"}, token=journey.finance)
    assert "resumed" == resumed.expect(200).body["status"]
    for _ in range(2):
        run_job(stack, "start")

    journey.until_batch("in_transit")
    journey.until_balance(pia, pending=3 * DUE_MINOR, in_transit=DUE_MINOR)
    # The embedded AWS knows no redrive; AWS would have continued the first.
    taken_over = f"{batch}-{clock.day(clock.now())}"
    until(lambda: executions(stack, batch).get(taken_over), lambda status: status == "SUCCEEDED")
    assert 2 == len(executions(stack, batch))


def halt(stack: Stack, program: str) -> None:
    """Halt the payouts of a program, as the books do when they are broken."""
    key = {"pk": {"S": f"PROGRAM#{program}"}, "sk": {"S": "HALT"}}
    said = {"reason": {"S": "a test"}, "at": {"S": clock.now()}, "program": {"S": program}}
    aws(stack, "dynamodb").put_item(TableName=stack["tables"]["ledger"], Item={**key, **said})
