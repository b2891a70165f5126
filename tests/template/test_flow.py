"""Streams, queues and rules: nothing is lost, nothing blocks, and filters match the code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.template import ROOT
from notify.messages import MESSAGES
from payout.batch import handler as batch_handler
from route.stream import STEPS
from tests.support.template import (
    FUNCTIONS,
    MAPPINGS,
    QUEUES,
    RULES,
    TEMPLATE,
    source,
    statements,
    target,
)

DEAD = {name for name in QUEUES if name.endswith("DeadQueue")}
FROM_STREAM = {name for name, mapping in MAPPINGS.items() if source(mapping).endswith("Table")}
FROM_QUEUE = set(MAPPINGS) - FROM_STREAM
COUNTING = {"CountFromClicks"}
FORTNIGHT_S = 14 * 86_400
MACHINE = json.loads((ROOT / "infra/payout_batch.asl.json").read_text())


def filters(mapping: str) -> list[dict[str, Any]]:
    """Return the filter patterns of a mapping."""
    return [json.loads(each["Pattern"]) for each in MAPPINGS[mapping]["FilterCriteria"]["Filters"]]


@pytest.mark.parametrize("mapping", sorted(FROM_STREAM - COUNTING))
def test_stream_mapping_gives_up_in_the_end_and_isolates_what_fails(mapping: str) -> None:
    """The defaults retry for ever and block a shard behind one bad record."""
    found = MAPPINGS[mapping]
    assert ["ReportBatchItemFailures"] == found["FunctionResponseTypes"]
    assert found["BisectBatchOnFunctionError"] is True
    assert 1 <= found["MaximumRetryAttempts"] <= 20
    assert found["MaximumRecordAgeInSeconds"] == {"Fn::If": ["IsLocal", 60, 3600]}
    assert target(found["DestinationConfig"]["OnFailure"]["Destination"]) in DEAD
    assert all(each["eventName"] == ["INSERT"] for each in filters(mapping))


@pytest.mark.parametrize("mapping", sorted(COUNTING))
def test_counting_mapping_never_cuts_a_batch(mapping: str) -> None:
    """A batch is counted under its first record, so it must come back whole or not at all."""
    found = MAPPINGS[mapping]
    assert "FunctionResponseTypes" not in found
    assert found["BisectBatchOnFunctionError"] is False
    assert target(found["DestinationConfig"]["OnFailure"]["Destination"]) in DEAD
    assert found["MaximumRecordAgeInSeconds"] == {"Fn::If": ["IsLocal", 60, 86_400]}


@pytest.mark.parametrize("table", ["CoreTable", "LedgerTable", "ClicksTable"])
def test_stream_has_two_readers_at_most(table: str) -> None:
    """A third reader of a stream is throttled; everything else hangs off the bus."""
    assert 1 <= sum(source(MAPPINGS[name]) == table for name in FROM_STREAM) <= 2


@pytest.mark.parametrize("mapping", sorted(FROM_QUEUE))
def test_queue_mapping_reports_single_failures_and_has_a_dead_queue(mapping: str) -> None:
    """One bad message neither repeats its neighbours nor circles for ever."""
    found = MAPPINGS[mapping]
    assert ["ReportBatchItemFailures"] == found["FunctionResponseTypes"]
    redrive = QUEUES[source(found)]["RedrivePolicy"]
    assert target(redrive["deadLetterTargetArn"]) in DEAD
    assert redrive["maxReceiveCount"] == {"Fn::If": ["IsLocal", 3, 6]}


@pytest.mark.parametrize("mapping", sorted(FROM_QUEUE))
def test_queue_hides_a_message_longer_than_its_function_may_take(mapping: str) -> None:
    """Six times the time limit, as Lambda's documentation asks."""
    found = MAPPINGS[mapping]
    timeout_s = FUNCTIONS[target(found["FunctionName"])]["Timeout"]
    _, _, hidden_s = QUEUES[source(found)]["VisibilityTimeout"]["Fn::If"]
    assert hidden_s >= 6 * timeout_s


@pytest.mark.parametrize("queue", sorted(DEAD))
def test_dead_queue_keeps_for_long_and_raises_an_alarm(queue: str) -> None:
    """Somebody is told, and has a fortnight."""
    assert QUEUES[queue]["MessageRetentionPeriod"] == FORTNIGHT_S
    alarm = TEMPLATE["Resources"][queue.replace("Queue", "Alarm")]["Properties"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Threshold"] == 1
    assert [{"Ref": "AlarmTopic"}] == alarm["AlarmActions"]
    assert [queue] == [dimension["Value"]["Fn::GetAtt"][0] for dimension in alarm["Dimensions"]]


def test_every_queue_is_read_or_is_dead() -> None:
    """A queue nobody reads would fill in silence."""
    assert set(QUEUES) == DEAD | {source(MAPPINGS[name]) for name in FROM_QUEUE}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_rule_keeps_what_it_cannot_deliver(rule: str) -> None:
    """An event that the bus cannot hand over goes to the dead queue."""
    (found,) = RULES[rule]["Targets"]
    assert target(found["DeadLetterConfig"]["Arn"]) in DEAD


@pytest.mark.parametrize(
    "function", sorted(name for name, found in FUNCTIONS.items() if "EventInvokeConfig" in found)
)
def test_asynchronous_function_keeps_what_failed(function: str) -> None:
    """What a schedule or the bucket asked for is not forgotten after the last retry."""
    config = FUNCTIONS[function]["EventInvokeConfig"]
    assert config["MaximumRetryAttempts"] == 2
    assert target(config["DestinationConfig"]["OnFailure"]["Destination"]) in DEAD


def test_every_clock_and_file_trigger_has_a_failure_destination() -> None:
    """Schedules and bucket events call asynchronously; such a function says where failures go."""
    called = {
        name
        for name, found in FUNCTIONS.items()
        for event in found.get("Events", {}).values()
        if event["Type"] in ("ScheduleV2", "S3")
    }
    ordered = {"Taxes"}  # by a route, which answers before the work is done
    assert called | ordered == {
        name for name, found in FUNCTIONS.items() if "EventInvokeConfig" in found
    }


def test_route_gets_exactly_the_events_it_handles() -> None:
    """One more would be an error in the code, one fewer a referral that stands still."""
    (pattern,) = filters("RouteFromCore")
    assert sorted(STEPS) == sorted(pattern["dynamodb"]["NewImage"]["type"]["S"])


def test_mail_gets_exactly_the_events_it_writes_about() -> None:
    """The rule and the messages agree."""
    assert sorted(MESSAGES) == sorted(RULES["MailRule"]["EventPattern"]["detail-type"])


def test_earning_hears_of_all_that_earns_or_takes_back() -> None:
    """Moves before the sale only where they are marked: elsewhere they would cost for nothing."""
    always, marked = RULES["EarnRule"]["EventPattern"]["$or"]
    assert {
        "detail-type": [
            "ReferralScreened",
            "ReferralAssigned",
            "ReferralAccepted",
            "ReferralAdvanced",
            "ReferralDuplicate",
        ],
        "detail": {"data": {"earns": [1]}},
    } == marked
    assert {
        "ReferralEventRecorded",
        "ReferralAssessed",
        "ReferralWon",
        "SaleRecorded",
        "SaleRefunded",
        "ReferralRefunded",
        "ReferralRetained",
        "ReferralChurned",
        "ReferralRecredited",
        "ReferralAnnulled",
    } == set(always["detail-type"])


def test_waiting_conversions_are_looked_at_whenever_something_may_explain_them() -> None:
    """New leads, leads that may be sold to now, sales, tied ids, and the kept message itself."""
    always, tied = RULES["WaitingRule"]["EventPattern"]["$or"]
    assert {"detail": {"data": {"tied": [1]}}} == tied
    assert {
        "ReferralSubmitted",
        "ReferralImported",
        "ReferralAssigned",
        "ReferralDuplicate",
        "ReferralWon",
        "SaleRecorded",
        "ConversionKept",
        "ConversionMatched",
    } == set(always["detail-type"])


def test_every_step_of_the_machine_is_one_the_function_knows() -> None:
    """Each task names a step of the code and retries; no fault is caught but nobody's approval."""
    tasks = [state for state in _states(MACHINE) if state["Type"] == "Task"]
    steps = {_step(task) for task in tasks}
    known = set(batch_handler.__globals__["_STEPS"])
    assert steps == known - {"cancel"}  # by hand only
    assert all(task["Retry"] for task in tasks)
    caught = [(_step(task), task["Catch"]) for task in tasks if "Catch" in task]
    timed_out = {"ErrorEquals": ["States.Timeout"], "ResultPath": None, "Next": "Expire"}
    assert [("await_approval", [timed_out])] == caught
    assert "Submit" == MACHINE["States"]["Expire"]["Next"]  # which finds it approved, or given up
    assert "Finish" == MACHINE["States"]["GivenUp"]["Choices"][0]["Next"]


def test_only_the_batch_is_started_with_ids() -> None:
    """The machine is started by one function and may call one function."""
    starters = [
        name
        for name in FUNCTIONS
        for entry in statements(name)
        if "states:StartExecution" in entry["Action"]
    ]
    assert ["Start"] == starters


def _states(machine: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for state in machine["States"].values():
        found.append(state)
        if "ItemProcessor" in state:
            found += _states(state["ItemProcessor"])
    return found


def _step(task: dict[str, Any]) -> str:
    arguments = task.get("Parameters") or task["Arguments"]
    return str(arguments.get("Payload", arguments)["step"])
