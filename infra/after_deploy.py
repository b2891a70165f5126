"""Set by API what the template says, AWS keeps and the embedded AWS drops.

Time to live and point-in-time recovery of the tables, the lock of a bucket, the gateway's own
answers and the CORS answers of the REST API. It only brings the laptop nearer to the cloud: no
feature depends on it, and nothing here runs in the cloud.
"""

from __future__ import annotations

from typing import Any

import boto3

from infra.emulator import REGION
from infra.template import resources

_STAGE = "api"


def restore(stack_name: str, template: dict[str, Any], endpoint: str) -> None:
    """Bring the deployed stack up to what *template* says. Running it again changes nothing."""
    session = boto3.Session("test", "test", region_name=REGION)
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack["Parameters"]}
    physical = {
        entry["LogicalResourceId"]: entry["PhysicalResourceId"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack_name
        )
        for entry in page["StackResourceSummaries"]
    }
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        _table(dynamodb, physical[name], table)
    s3 = session.client("s3", endpoint_url=endpoint)
    for name, bucket in resources(template, "AWS::S3::Bucket").items():
        if bucket.get("ObjectLockEnabled"):
            _lock(s3, physical[name], bucket["ObjectLockConfiguration"], parameters)
    gateway = session.client("apigateway", endpoint_url=endpoint)
    for name, api in resources(template, "AWS::Serverless::Api").items():
        _gateway_answers(gateway, physical[name], api.get("GatewayResponses", {}), parameters)
        _cors(gateway, physical[name], api.get("Cors", {}), parameters)
        gateway.create_deployment(restApiId=physical[name], stageName=_STAGE)


def _table(dynamodb: Any, name: str, properties: dict[str, Any]) -> None:  # noqa: ANN401
    if "PointInTimeRecoverySpecification" in properties:
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"],
        )
    wanted = properties.get("TimeToLiveSpecification")
    known = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if wanted and known["TimeToLiveStatus"] != "ENABLED":
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)


def _lock(
    s3: Any,  # noqa: ANN401
    bucket: str,
    wanted: dict[str, Any],
    parameters: dict[str, str],
) -> None:
    """Make *bucket* anew with its lock, which cannot be added later; one that has it is kept."""
    try:
        s3.get_object_lock_configuration(Bucket=bucket)
    except s3.exceptions.ClientError:
        pass  # it has none
    else:
        return
    if s3.list_object_versions(Bucket=bucket, MaxKeys=1).get("Versions"):
        return  # of an earlier start: what is in it is worth more than the lock
    retention = wanted["Rule"]["DefaultRetention"]
    rule = {
        "Mode": _text(retention["Mode"], parameters),
        "Days": int(_text(retention["Days"], parameters)),
    }
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={**wanted, "Rule": {"DefaultRetention": rule}},
    )


def _gateway_answers(
    gateway: Any,  # noqa: ANN401
    api: str,
    answers: dict[str, Any],
    parameters: dict[str, str],
) -> None:
    for kind, answer in answers.items():
        headers = answer.get("ResponseParameters", {}).get("Headers", {})
        arguments = {
            "restApiId": api,
            "responseType": kind,
            "responseTemplates": answer.get("ResponseTemplates", {}),
            "responseParameters": {
                f"gatewayresponse.header.{name}": _text(value, parameters)
                for name, value in headers.items()
            },
        }
        if "StatusCode" in answer:
            arguments["statusCode"] = str(answer["StatusCode"])
        gateway.put_gateway_response(**arguments)


def _cors(gateway: Any, api: str, cors: dict[str, Any], parameters: dict[str, str]) -> None:  # noqa: ANN401
    names = {
        "AllowOrigin": "Access-Control-Allow-Origin",
        "AllowMethods": "Access-Control-Allow-Methods",
        "AllowHeaders": "Access-Control-Allow-Headers",
        "MaxAge": "Access-Control-Max-Age",
    }
    headers = {
        f"method.response.header.{names[name]}": _text(value, parameters)
        for name, value in cors.items()
    }
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api)
    for resource in (entry for page in pages for entry in page["items"]):
        if "OPTIONS" not in resource.get("resourceMethods", {}):
            continue
        method = {"restApiId": api, "resourceId": resource["id"], "httpMethod": "OPTIONS"}
        gateway.put_method_response(
            **method, statusCode="200", responseParameters=dict.fromkeys(headers, False)
        )
        gateway.put_integration_response(
            **method,
            statusCode="200",
            responseParameters=headers,
            responseTemplates={"application/json": "{}"},
        )


def _text(value: Any, parameters: dict[str, str]) -> str:  # noqa: ANN401
    """Return a string of the template, ``!Ref`` or ``!Sub`` of parameters filled in."""
    if isinstance(value, dict) and "Ref" in value:
        return parameters[value["Ref"]]
    if isinstance(value, dict):
        value = value["Fn::Sub"]
        for name, given in parameters.items():
            value = value.replace(f"${{{name}}}", given)
    return str(value)
