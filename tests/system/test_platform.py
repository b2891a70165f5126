"""What the gateway, the tables and the alarms do by themselves."""

from __future__ import annotations

import time
from typing import Any

from infra.api import Stack, http

PATIENCE_S = 20


def test_front_end_of_another_origin_may_ask(stack: Stack) -> None:
    """A browser asks first; the answer allows our headers and needs no login."""
    answer = http("OPTIONS", f"{stack['api_url']}/v1/me/links")
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET,POST,PUT"
    assert {"authorization", "content-type", "idempotency-key"} == set(
        answer.headers["access-control-allow-headers"].split(",")
    )


def test_tables_keep_what_the_template_asks_for(stack: Stack, client: Any) -> None:
    """Clicks end by themselves, and every table can be taken back to any second."""
    dynamodb = client("dynamodb")
    clicks = dynamodb.describe_time_to_live(TableName=stack["tables"]["clicks"])
    assert clicks["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expires",
    }
    for name in stack["tables"].values():
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


def test_broken_ledger_raises_the_alarm(stack: Stack, client: Any) -> None:
    """The metric that the code writes is the one the alarm watches."""
    cloudwatch = client("cloudwatch")
    (alarm,) = [
        found
        for found in cloudwatch.describe_alarms()["MetricAlarms"]
        if found["MetricName"] == "LedgerBroken"
    ]
    cloudwatch.put_metric_data(
        Namespace="Introducer",
        MetricData=[
            {
                "MetricName": "LedgerBroken",
                "Value": 1,
                "Dimensions": [{"Name": "service", "Value": "introducer-local"}],
            }
        ],
    )
    deadline = time.monotonic() + PATIENCE_S
    state = ""
    while state != "ALARM" and time.monotonic() < deadline:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
        state = found["StateValue"]
        time.sleep(0.2)
    assert state == "ALARM"
    assert [stack["alarm_topic"]] == found["AlarmActions"]
