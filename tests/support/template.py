"""The template as the tests ask about it, before and after the SAM transform."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

from infra import template
from infra.template import ROOT

TEMPLATE = template.load()
FUNCTIONS = template.resources(TEMPLATE, "AWS::Serverless::Function")
QUEUES = template.resources(TEMPLATE, "AWS::SQS::Queue")
MAPPINGS = template.resources(TEMPLATE, "AWS::Lambda::EventSourceMapping")
RULES = template.resources(TEMPLATE, "AWS::Events::Rule")

# The transform needs the tool's own environment; code and definitions are taken as uploaded.
_TRANSFORM = """
import json, sys
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
document = json.load(sys.stdin)
for resource in document["Resources"].values():
    for name in ("CodeUri", "ContentUri", "DefinitionUri"):
        if name in resource.get("Properties", {}):
            resource["Properties"][name] = "s3://bucket/key"
document["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
names = ["AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess"]
managed = {name: "arn:aws:iam::aws:policy/" + name for name in names}
translator = Translator(managed, Parser())
json.dump(translator.translate(document, parameter_values={}), sys.stdout)
"""


@cache
def transformed() -> dict[str, Any]:
    """Return the template as CloudFormation gets it, transformed by SAM."""
    done = subprocess.run(
        [ROOT / ".local/sam/bin/python", "-c", _TRANSFORM],
        input=json.dumps(TEMPLATE),
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def target(value: dict[str, Any]) -> str:
    """Return the logical id that a ``!Ref`` or ``!GetAtt`` names."""
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def source(mapping: dict[str, Any]) -> str:
    """Return the logical id of the table or queue that feeds an event source mapping."""
    return target(mapping["EventSourceArn"])


def statements(function: str) -> list[dict[str, Any]]:
    """Return the policy statements that the template grants a function."""
    policies = FUNCTIONS[function].get("Policies", [])
    return [entry for policy in policies for entry in policy["Statement"]]


def as_list(value: Any) -> list[Any]:
    """Return a policy element as the list it is in the cloud; one value may stand alone there."""
    values = [_in_cloud(each) for each in (value if isinstance(value, list) else [value])]
    return [each for each in values if each != {"Ref": "AWS::NoValue"}]


def _in_cloud(value: Any) -> Any:
    if isinstance(value, dict) and value.get("Fn::If", [""])[0] == "IsLocal":
        return value["Fn::If"][2]
    return value
