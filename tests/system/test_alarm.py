"""Books that do not add up: payouts of the program stop and the alarm is raised."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.api import Stack
from introducer import clock, payout
from tests.support.deployed import aws, invoke, item, logs, report, run_job, until
from tests.support.journey import DUE_MINOR, Journey, Partner

REASON = "a balance is not the fold of its journals"


def set_payable(stack: Stack, partner: Partner, amount_minor: int) -> None:
    """Overwrite what a balance says is payable, as no code of ours would."""
    aws(stack, "dynamodb").update_item(
        TableName=stack["tables"]["ledger"],
        Key={"pk": {"S": f"PARTNER#{partner.id}"}, "sk": {"S": "BALANCE#EUR"}},
        UpdateExpression="SET payable = :amount",
        ExpressionAttributeValues={":amount": {"N": str(amount_minor)}},
    )


def prepare(journey: Journey) -> dict[str, Any]:
    """Return what the first step of a batch answers or raises."""
    period = clock.day(clock.now())
    rule = {"region": "eu", "currency": "EUR", "method": "sepa"}
    identity = {"program": journey.program, **rule, "period": period, "run": 1}
    step = {"step": "prepare", "batch": payout.batch_id(**identity), "started_by": "schedule"}
    return invoke(journey.stack, "batch", {**identity, **step, "run": "1"})


@pytest.mark.usefixtures("alone")
def test_broken_balance_halts_payouts_until_a_person_lets_them_go_on(
    stack: Stack, journey: Journey
) -> None:
    """Reconciliation finds it, raises LedgerBroken, halts; nothing is paid until it is lifted."""
    partner = journey.partner()
    journey.payable(partner)
    set_payable(stack, partner, DUE_MINOR + 1)
    try:
        found = report(stack)["differences"]
    finally:
        set_payable(stack, partner, DUE_MINOR)
    assert [
        {"kind": "balance_is_not_fold", "partner": partner.id, "currency": "EUR"},
    ] == [each for each in found if each.get("partner") == partner.id]
    halt = item(stack, "ledger", f"PROGRAM#{journey.program}", "HALT")
    assert (journey.program, REASON) == (halt["program"], halt["reason"])
    # The metric travels in a log line; CloudWatch reads it from there, the embedded AWS does not.
    metrics = [
        json.loads(line)
        for group, line in logs(stack)
        if group.endswith("/Reconcile") and "LedgerBroken" in line
    ]
    assert {"service": "introducer-local", "LedgerBroken": [1.0]} == {
        name: metrics[-1][name] for name in ("service", "LedgerBroken")
    }
    (sent,) = metrics[-1]["_aws"]["CloudWatchMetrics"]
    assert ("Introducer", [["service"]]) == (sent["Namespace"], sent["Dimensions"])
    refused = prepare(journey)
    assert ("Unhandled", "payouts are halted until a person has looked at the books") == (
        refused["FunctionError"],
        refused["answer"]["errorMessage"],
    )
    run_job(stack, "start")
    assert [] == journey.batches()
    journey.until_balance(partner, pending=3 * DUE_MINOR, payable=DUE_MINOR)
    # What docs/runbooks/ledger-broken.md tells an operator to do when the books are right again.
    path = f"/v1/programs/{journey.program}/payouts/resume"
    stack.call("POST", path, {"reason": "books_mended"}, token=journey.finance).expect(200)
    journey.start("payout")
    batch = journey.until_batch("awaiting_approval")
    assert DUE_MINOR == batch["total_minor"]
    until(lambda: report(stack)["differences"], lambda left: partner.id not in json.dumps(left))


def test_broken_ledger_metric_has_an_alarm_that_somebody_hears(stack: Stack) -> None:
    """The alarm watches exactly the metric and dimension that the functions write."""
    alarms = aws(stack, "cloudwatch").describe_alarms()["MetricAlarms"]
    watching = [each for each in alarms if each["MetricName"] == "LedgerBroken"]
    assert [("Introducer", [{"Name": "service", "Value": "introducer-local"}], 1.0, "Sum")] == [
        (each["Namespace"], each["Dimensions"], each["Threshold"], each["Statistic"])
        for each in watching
    ]
    assert [[stack["alarm_topic"]]] == [each["AlarmActions"] for each in watching]
