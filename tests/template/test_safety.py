"""Rights, encryption, retention and size: what must hold for every resource of a kind."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra import template
from infra.template import ROOT
from tests.support.template import (
    FUNCTIONS,
    TEMPLATE,
    as_list,
    statements,
    target,
    transformed,
)

TABLES = template.resources(TEMPLATE, "AWS::DynamoDB::Table")
BUCKETS = template.resources(TEMPLATE, "AWS::S3::Bucket")
LOG_GROUPS = template.resources(TEMPLATE, "AWS::Logs::LogGroup")
MOST_RESOURCES = 450
MONEY = {
    *("Earn", "Accrue", "Start", "Batch", "Send", "Settle"),
    *("Seal", "Recover", "Reconcile", "Import", "Screen", "Taxes"),
}

WHOLE_ACCOUNT = {
    # Actions that know no resource, by the service's own authorization reference.
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


def every_statement() -> list[tuple[str, dict[str, Any]]]:
    """Return every statement granted to a function or a role, with its owner."""
    found = [(name, entry) for name in FUNCTIONS for entry in statements(name)]
    for name, role in template.resources(TEMPLATE, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            found += [(name, entry) for entry in policy["PolicyDocument"]["Statement"]]
    return found


def test_no_right_is_a_wildcard() -> None:
    """Every action is spelled out."""
    actions = {action for _, entry in every_statement() for action in as_list(entry["Action"])}
    assert [] == [action for action in sorted(actions) if "*" in action]


def test_no_right_covers_every_resource() -> None:
    """A bare `*` stands only where a service knows no resource."""
    wide = {
        action
        for _, entry in every_statement()
        if "*" in as_list(entry["Resource"])
        for action in as_list(entry["Action"])
    }
    assert set() == wide - WHOLE_ACCOUNT


def test_no_function_gets_rights_from_a_managed_policy_but_logs_and_traces() -> None:
    """What SAM adds by itself to a role is known: writing logs and traces."""
    roles = template.resources(transformed(), "AWS::IAM::Role")
    added = {
        arn if isinstance(arn, str) else arn["Fn::Sub"]
        for name, role in roles.items()
        if name.removesuffix("Role") in FUNCTIONS
        for arn in role.get("ManagedPolicyArns", [])
    }
    assert {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"} == {
        arn.rpartition("/")[2] for arn in added
    }


def test_nobody_deletes_money() -> None:
    """No function may delete an item of the ledger."""
    deleting = {
        name
        for name, entry in every_statement()
        if "dynamodb:DeleteItem" in as_list(entry["Action"])
        and "LedgerTable" in str(entry["Resource"])
    }
    assert set() == deleting


def test_click_reads_links_and_salts_only() -> None:
    """The most exposed function sees two kinds of item and writes one table."""
    first, second = statements("Click")
    assert first["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["LINK#*", "SALT#*"]}
    }
    assert ["dynamodb:BatchGetItem", "dynamodb:PutItem"] == [first["Action"], second["Action"]]


def test_payee_secret_opens_to_those_who_need_it() -> None:
    """Bank data is written by the partner's function, read by who pays and by who screens."""
    assert {"Partner", "Batch", "Send", "Screen"} == readers_of("payee")


def test_tax_secret_opens_to_those_who_need_it() -> None:
    """Tax forms are written by the partner's function and read by the export, by nobody else."""
    assert {"Partner", "Taxes"} == readers_of("tax")


def test_secret_of_the_codes_opens_to_who_mails_and_who_checks_them() -> None:
    """Who mails the codes for changes of bank data cannot read any."""
    assert {"Partner", "Mail"} == readers_of("confirm")


def test_provider_secrets_open_to_those_who_need_them() -> None:
    """Who orders payouts cannot sign their answers, and who takes answers in orders nothing."""
    assert {"Finance", "Batch", "Send"} == readers_of("provider")
    assert {"Finance", "Inbound"} == readers_of("provider_webhook")


def readers_of(secret: str) -> set[str]:
    """Return the functions that may unwrap a secret of the keyring."""
    return {
        name
        for name, entry in every_statement()
        if "kms:Decrypt" in as_list(entry["Action"])
        and secret in as_list(next(iter(entry["Condition"].values()))["kms:EncryptionContext:name"])
    }


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_function_logs_into_its_own_group_with_an_end(function: str) -> None:
    """Nothing logs into a group that keeps its lines for ever."""
    group = target(FUNCTIONS[function]["LoggingConfig"]["LogGroup"])
    assert f"{function}Log" == group
    assert LOG_GROUPS[group]["RetentionInDays"] == {"Ref": "LogDays"}


@pytest.mark.parametrize("function", sorted(MONEY))
def test_fault_of_a_money_function_raises_an_alarm(function: str) -> None:
    """Somebody is told the first time."""
    alarm = TEMPLATE["Resources"][f"{function}ErrorsAlarm"]["Properties"]
    assert ("AWS/Lambda", "Errors", 1) == (
        alarm["Namespace"],
        alarm["MetricName"],
        alarm["Threshold"],
    )


@pytest.mark.parametrize("metric", ["LedgerBroken", "PayoutsHalted", "RatesMissing"])
def test_broken_books_raise_an_alarm(metric: str) -> None:
    """The ledger's own metrics are watched under the one dimension they are written with."""
    alarm = TEMPLATE["Resources"][f"{metric}Alarm"]["Properties"]
    assert ("Introducer", metric) == (alarm["Namespace"], alarm["MetricName"])
    assert [{"Name": "service", "Value": {"Fn::Sub": "introducer-${Stage}"}}] == alarm["Dimensions"]


@pytest.mark.parametrize("table", sorted(TABLES))
def test_table_is_on_demand_recoverable_encrypted_and_kept(table: str) -> None:
    """What a table must be, whatever is in it."""
    found = TABLES[table]
    assert found["BillingMode"] == "PAY_PER_REQUEST"
    assert found["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert found["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": ["StoreKey", "Arn"]}
    assert found["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert TEMPLATE["Resources"][table]["DeletionPolicy"] == "Retain"


def test_personal_data_has_no_stream() -> None:
    """What is in People never leaves it as an event."""
    assert ["PeopleTable", "RollupsTable"] == sorted(
        name for name, found in TABLES.items() if "StreamSpecification" not in found
    )


@pytest.mark.parametrize("bucket", sorted(BUCKETS))
def test_bucket_is_private_encrypted_versioned_and_tls_only(bucket: str) -> None:
    """What a bucket must be, whatever is in it."""
    found = BUCKETS[bucket]
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in found
    first = TEMPLATE["Resources"][f"{bucket}Policy"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert ("Deny", {"Bool": {"aws:SecureTransport": "false"}}) == (
        first["Effect"],
        first["Condition"],
    )


def test_roots_of_the_books_are_locked_for_years() -> None:
    """Nobody may take them away early, and who writes them may not unlock them."""
    lock = BUCKETS["ProofBucket"]
    assert lock["ObjectLockEnabled"] is True
    assert {"Mode": {"Ref": "ProofMode"}, "Days": {"Ref": "ProofDays"}} == (
        lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    )
    granted = {
        (name, action)
        for name, entry in every_statement()
        if "ProofBucket" in str(entry["Resource"])
        for action in as_list(entry["Action"])
    }
    assert {"PutObject", "GetObject", "GetObjectVersion", "ListBucketVersions"} == {
        action.removeprefix("s3:") for _, action in granted
    }
    assert {"Seal"} == {name for name, _ in granted}


def test_stack_stays_below_the_limit_of_resources() -> None:
    """CloudFormation takes 500; what is left is room for the next pieces."""
    assert len(transformed()["Resources"]) <= MOST_RESOURCES


def test_every_exception_from_the_scan_has_its_reason() -> None:
    """A skipped check stands under a comment, or carries one."""
    lines = (ROOT / ".checkov.yaml").read_text().splitlines()
    skipped = [number for number, line in enumerate(lines) if re.match(r"\s*- CKV", line)]
    assert skipped
    assert all(lines[number - 1].lstrip().startswith("# ") for number in skipped)
    for resource in TEMPLATE["Resources"].values():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert skip["comment"]
