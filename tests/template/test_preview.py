"""Previews in the template: one function with large code, small rights, the limits of the code."""

from __future__ import annotations

from typing import Any

from infra import template
from introducer import preview
from payout.preview import gather, handler
from submit.resources import previews
from tests.support.template import FUNCTIONS, RULES, TEMPLATE, statements, target

BUCKET = template.resources(TEMPLATE, "AWS::S3::Bucket")["PreviewBucket"]


def grants(function: str) -> dict[str, Any]:
    """Return where a function may do what in the bucket of previews."""
    return {
        str(entry["Action"]): entry["Resource"]
        for entry in statements(function)
        if "PreviewBucket" in str(entry["Resource"])
    }


def test_columnar_library_is_in_one_function() -> None:
    """No other function starts with it, or fits it beside what it has."""
    assert ["Preview"] == [
        name
        for name, found in FUNCTIONS.items()
        if "ColumnsLayer" in [target(layer) for layer in found["Layers"]]
    ]


def test_preview_changes_its_own_jobs_only() -> None:
    """It reads every referral of a program and can write none."""
    writing = [entry for entry in statements("Preview") if "dynamodb:PutItem" in entry["Action"]]
    assert [
        {
            "Effect": "Allow",
            "Action": "dynamodb:PutItem",
            "Resource": {"Fn::GetAtt": ["CoreTable", "Arn"]},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "PREVIEW#*"}},
        }
    ] == writing
    touched = str(statements("Preview"))
    assert [] == [name for name in ("PeopleTable", "LedgerTable", "PersonKey") if name in touched]


def test_links_reach_uploads_and_results_and_nothing_between() -> None:
    """Who signs a link can give no more than they have: the facts are not among it."""
    arn = "${PreviewBucket.Arn}/"
    upload, results = preview.upload_key("*"), preview.result_keys("*").values()
    assert {
        "s3:PutObject": {"Fn::Sub": arn + upload},
        "s3:GetObject": [{"Fn::Sub": arn + key} for key in results],
    } == grants("Rules")
    assert [] == [name for name in FUNCTIONS if grants(name) and name not in {"Rules", "Preview"}]


def test_bucket_tells_the_queue_of_uploads_only() -> None:
    """The worker's own files start nothing."""
    (told,) = BUCKET["NotificationConfiguration"]["QueueConfigurations"]
    rules = {each["Name"]: each["Value"] for each in told["Filter"]["S3Key"]["Rules"]}
    assert "PreviewQueue" == target(told["Queue"])
    key, part = preview.upload_key("p1"), preview.part_key("p1", "facts")
    assert key.startswith(rules["prefix"])
    assert [True, False, False, False] == [
        each.endswith(rules["suffix"]) for each in (key, part, *preview.result_keys("p1").values())
    ]


def test_bucket_forgets_when_the_job_says_expired() -> None:
    """No link leads to nothing, and nothing lies there for ever."""
    (rule,) = BUCKET["LifecycleConfiguration"]["Rules"]
    assert (preview.KEPT_DAYS, "Enabled") == (rule["ExpirationInDays"], rule["Status"])
    assert "Prefix" not in rule


def test_bus_starts_what_the_bucket_does_not() -> None:
    """The rule's event is the one the code writes; a job about a file begins with the file."""
    assert {
        "source": ["introducer.core"],
        "detail-type": ["PreviewRequested"],
        "detail": {"data": {"kind": ["past"]}},
    } == RULES["PreviewRule"]["EventPattern"]


def test_run_has_time_for_a_report_and_to_hand_over() -> None:
    """A fresh run can always report; one that reads can always stop in time."""
    timeout_s = FUNCTIONS["Preview"]["Timeout"]
    assert timeout_s >= handler.REPORT_S + gather.HAND_OVER_S
    assert previews.LINK_S < preview.KEPT_DAYS * 86_400
