"""What the functions for disputes and audit may do, and who hears of findings."""

from __future__ import annotations

from typing import Any

from tests.support.template import FUNCTIONS, TEMPLATE, as_list, statements


def granted(function: str, action: str) -> list[dict[str, Any]]:
    """Return the statements that let a function do *action*."""
    return [each for each in statements(function) if action in as_list(each["Action"])]


def test_findings_of_an_audit_raise_an_alarm() -> None:
    """Under the one dimension they are counted with, from the first one on."""
    alarm = TEMPLATE["Resources"]["AuditFindingsAlarm"]["Properties"]
    assert ("Introducer", "AuditFindings", 1, [{"Ref": "AlarmTopic"}]) == (
        alarm["Namespace"],
        alarm["MetricName"],
        alarm["Threshold"],
        alarm["AlarmActions"],
    )
    assert [{"Name": "service", "Value": {"Fn::Sub": "introducer-${Stage}"}}] == alarm["Dimensions"]


def test_audit_writes_reports_and_nothing_else() -> None:
    """It may look at everything and change nothing that it looks at."""
    (put,) = granted("Audit", "dynamodb:PutItem")
    assert {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["AUDITS#*"]}} == put["Condition"]
    assert [] == granted("Audit", "dynamodb:DeleteItem") + granted("Audit", "dynamodb:UpdateItem")
    (store,) = granted("Audit", "s3:PutObject")
    assert {"Fn::Sub": "${BankBucket.Arn}/reports/audit/*"} == store["Resource"]


def test_disputes_remove_marks_of_successes_alone() -> None:
    """A decision moves a success; nothing else of a partner or referral is ever removed."""
    (delete,) = granted("Fairness", "dynamodb:DeleteItem")
    assert {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["PARTNER#*"]}} == (
        delete["Condition"]
    )
    assert "LedgerTable" not in str(statements("Fairness"))


def test_disputes_reach_what_was_written_and_secrets_alone() -> None:
    """Of people's data: comments of disputes and wrapped secrets, nobody's address or account."""
    reached = [each for each in statements("Fairness") if "PeopleTable" in str(each["Resource"])]
    assert [
        (["dynamodb:Query", "dynamodb:PutItem"], ["DISPUTE#*"]),
        (["dynamodb:GetItem", "dynamodb:PutItem"], ["KEY#*"]),
    ] == [
        (each["Action"], each["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
        for each in reached
    ]


def test_disputes_go_up_within_the_hour() -> None:
    """A day too late is late enough."""
    (clock,) = FUNCTIONS["Escalate"]["Events"].values()
    assert "rate(1 hour)" == clock["Properties"]["ScheduleExpression"]
