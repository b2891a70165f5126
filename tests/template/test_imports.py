"""Imports in the template: whose files the bucket tells of, and who may touch which."""

from __future__ import annotations

from typing import Any

import yaml

from infra import template
from infra.template import ROOT
from introducer import imports
from submit.imports import handler
from tests.support.template import FUNCTIONS, TEMPLATE, statements, target

BUCKET = template.resources(TEMPLATE, "AWS::S3::Bucket")["IntakeBucket"]


def grants(function: str) -> list[tuple[Any, Any]]:
    """Return what a function may do with the files of imports."""
    return [
        (entry["Action"], entry["Resource"]["Fn::Sub"])
        for entry in statements(function)
        if "${IntakeBucket.Arn}/imports" in str(entry["Resource"])
    ]


def test_template_names_nothing_twice() -> None:
    """A second key of the same name would silently take the place of the first."""

    class Loader(yaml.SafeLoader):
        """Reads the template's own tags as what they stand before."""

    def once(loader: Loader, node: yaml.MappingNode) -> list[str]:
        names = [str(key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = [name for name in names if names.count(name) > 1]
        found = [
            one for _, value in node.value for one in loader.construct_object(value, deep=True)
        ]
        return twice + [one for one in found if isinstance(one, str)]

    def each(loader: Loader, node: yaml.SequenceNode) -> list[str]:
        return [one for part in node.value for one in loader.construct_object(part, deep=True)]

    def nothing(_loader: Loader, *_: Any) -> list[str]:
        return []

    Loader.add_constructor("tag:yaml.org,2002:map", once)
    Loader.add_constructor("tag:yaml.org,2002:seq", each)
    for kind in ("str", "int", "float", "bool", "null", "timestamp"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", nothing)
    Loader.add_multi_constructor("!", nothing)
    assert [] == yaml.load((ROOT / "template.yaml").read_text(), Loader)  # noqa: S506


def test_bucket_tells_each_queue_of_its_own_files() -> None:
    """Uploads wake the imports; pieces and results wake nobody."""
    told = BUCKET["NotificationConfiguration"]["QueueConfigurations"]
    rules = {
        target(each["Queue"]): {
            rule["Name"]: rule["Value"] for rule in each["Filter"]["S3Key"]["Rules"]
        }
        for each in told
    }
    assert {"prefix": "imports/", "suffix": "/upload.csv"} == rules["ImportQueue"]
    keys = (imports.upload_key("i"), imports.part_key("i", "p"), imports.result_key("i"))
    assert [True, False, False] == [key.endswith("/upload.csv") for key in keys]
    prefixes = [rule["prefix"] for rule in rules.values()]
    assert len(prefixes) == len(set(prefixes))


def test_links_reach_uploads_and_results_and_nothing_between() -> None:
    """Who signs a link can give no more than they have."""
    arn = "${IntakeBucket.Arn}/"
    signed = [
        ("s3:PutObject", arn + imports.upload_key("*")),
        ("s3:GetObject", arn + imports.result_key("*")),
    ]
    assert signed == grants("Partner") == grants("Staff")
    assert [(["s3:GetObject", "s3:PutObject"], f"{arn}imports/*")] == grants("Import")
    others = set(FUNCTIONS) - {"Partner", "Staff", "Import"}
    assert [] == [name for name in sorted(others) if grants(name)]


def test_files_are_forgotten_when_the_job_says_expired() -> None:
    """No link leads to nothing, and nobody's name lies there for longer."""
    (rule,) = BUCKET["LifecycleConfiguration"]["Rules"]
    assert (imports.KEPT_DAYS, "Enabled") == (rule["ExpirationInDays"], rule["Status"])


def test_run_has_time_to_work_before_it_hands_over() -> None:
    """Most of a run is work."""
    assert FUNCTIONS["Import"]["Timeout"] >= 5 * handler.HAND_OVER_S
