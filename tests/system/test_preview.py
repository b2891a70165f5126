"""Previews on the deployed template, IAM enforced: by past referrals, by upload, for managers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import boto3
from botocore.exceptions import ClientError

from infra.api import Answer, Stack, http
from tests.support.deployed import PLANTED, aws, invoke, item, messages, until
from tests.support.journey import SALE_MINOR, Journey, staff_token, unique

PAID_MINOR = SALE_MINOR // 10
UPLOAD = {"kind": "upload", "bytes": 10}
HEADER = "referral,partner,occasion,at,amount_minor,currency,audience"


def draft(journey: Journey) -> dict[str, Any]:
    """Return the program, paying twice the percentage and everything at once."""
    plans = [
        {**plan, "calculation": {**plan["calculation"], "basis_points": 2_000}}
        if plan["calculation"]["kind"] == "percent"
        else plan
        for plan in journey.document["rewards"]
    ]
    return {**journey.document, "rewards": plans}


def past(journey: Journey, *referrals: str) -> dict[str, Any]:
    """Return a request about the days on which the referrals were submitted."""
    days = sorted(journey.state(referral)["submitted_at"][:10] for referral in referrals)
    return {
        "document": draft(journey),
        "data": {"kind": "past", "from": days[0], "until": days[-1]},
    }


def upload(journey: Journey, content: bytes) -> tuple[str, str]:
    """Ask for a preview of a file; return the job's path and the link to send the file to."""
    body = {"document": draft(journey), "data": {"kind": "upload", "bytes": len(content)}}
    asked = journey.post("previews", body).expect(202)
    assert "awaiting_upload" == asked.body["status"]
    return asked.body["path"], asked.body["upload"]


def send(link: str, content: bytes, kind: str = "text/csv") -> Answer:
    """Send a file as a browser does."""
    return http("PUT", link, content, {"content-type": kind})


def ended(journey: Journey, path: str) -> dict[str, Any]:
    """Wait until a job has ended; return it."""

    def read() -> dict[str, Any]:
        answer = journey.stack.call("GET", path, token=journey.manager).expect(200)
        return dict(answer.body)

    return until(read, lambda seen: seen["job"]["status"] in {"done", "failed"})


def files(job: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return the result of a job as its links give it, without any token."""
    result = http("GET", job["links"]["json"]).expect(200).body
    rows = http("GET", job["links"]["csv"]).expect(200).body
    return result, list(csv.DictReader(io.StringIO(rows)))


def facts(stack: Stack, job: str) -> bytes:
    """Return everything that lies in the bucket about a job."""
    s3, bucket = aws(stack, "s3"), stack["buckets"]["preview"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"previews/{job}/")["Contents"]
    read = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed]
    return b"".join(read)


def test_preview_over_past_referrals_sees_its_own_program_only(stack: Stack) -> None:
    """Twice the percentage for what was sold; the neighbour's sales of that day are not there."""
    mine, theirs = Journey(stack), Journey(stack)
    partner, other = mine.partner(iban=""), theirs.partner(iban="")
    sold, neighbour = mine.won(partner), theirs.won(other)
    asked = mine.post("previews", past(mine, sold)).expect(202)
    found = urljoin(
        f"{stack['api_url']}/v1/programs/{mine.program}/previews", asked.headers["location"]
    )
    assert f"{stack['api_url']}{asked.body['path']}" == found
    job = ended(mine, asked.body["path"])
    assert ("done", 1, 1) == (job["job"]["status"], job["job"]["referrals"], job["live_version"])
    summary = job["summary"]
    assert (2 * PAID_MINOR, PAID_MINOR, 1, 0) == (
        summary["gross_minor"],
        summary["live_gross_minor"],
        summary["winners"],
        summary["losers"],
    )
    result, rows = files(job)
    assert (mine.program, 1) == (result["report"]["program"], result["report"]["referrals"])
    row = {"holder": partner.id, "unit": "EUR", "live_minor": str(PAID_MINOR)}
    assert [{**row, "draft_minor": str(2 * PAID_MINOR), "change_minor": str(PAID_MINOR)}] == rows
    stored = facts(stack, job["id"])
    assert sold.encode() in stored
    forbidden = [neighbour, other.id, theirs.program, partner.email, "Pia Partner", "Lena Lead"]
    assert [] == [word for word in forbidden if word.encode() in stored]
    listed = stack.call(
        "GET", f"/v1/programs/{mine.program}/previews", token=staff_token(stack, "auditor")
    ).expect(200)
    assert [job["job"]] == listed.body["items"]


def test_preview_of_an_upload_takes_the_file_that_was_announced(journey: Journey) -> None:
    """Another type or length is refused by the bucket; the right file is computed."""
    rows = [
        "r-1,p-1,s-1,2026-10-20T09:00:00Z,100000,EUR,partners",
        "r-2,p-2,s-2,2026-10-21T09:00:00Z,50000,EUR,partners",
    ]
    content = "\n".join([HEADER, *rows]).encode()
    path, link = upload(journey, content)
    assert [403, 403, 403] == [
        send(link, content, "text/html").status,
        send(link, content + b"\n").status,
        send(link.replace("upload.csv", "result.json"), content).status,
    ]
    send(link, content).expect(200)
    job = ended(journey, path)
    assert ("done", 2, 30_000, 15_000) == (
        job["job"]["status"],
        job["job"]["referrals"],
        job["summary"]["gross_minor"],
        job["summary"]["live_gross_minor"],
    )
    _, rows = files(job)
    assert [("p-1", "20000"), ("p-2", "10000")] == [
        (row["holder"], row["draft_minor"]) for row in rows
    ]
    assert 403 == http("GET", job["links"]["json"].replace("result.json", "upload.csv")).status


def test_preview_of_bad_rows_fails_with_each_of_them(journey: Journey) -> None:
    """The rows are named, nothing is computed, and no alarm is raised about it."""
    content = f"{HEADER}\nr-1,p-1,s-1,soon,100000,EUR,partners\nr-2,p-2\n".encode()
    path, link = upload(journey, content)
    send(link, content).expect(200)
    job = ended(journey, path)
    assert ("failed", "invalid_data", {"json": "", "csv": ""}) == (
        job["job"]["status"],
        job["job"]["code"],
        job["links"],
    )
    assert {("2", "at"), ("3", "")} == {(each["row"], each["column"]) for each in job["findings"]}
    dead = [each for each in messages(journey.stack, "preview_dead") if job["id"] in str(each)]
    assert [] == dead


def test_preview_is_no_business_of_partners_reps_and_finance(
    stack: Stack, journey: Journey
) -> None:
    """A draft and what partners would earn by it are the manager's secret."""
    job = journey.post("previews", {"document": draft(journey), "data": UPLOAD}).expect(202)
    tokens = [
        journey.partner(iban="").token,
        staff_token(stack, "rep"),
        staff_token(stack, "finance"),
    ]
    path = f"/v1/programs/{journey.program}/previews"
    body = {"document": draft(journey), "data": UPLOAD}
    for token in tokens:
        answers = [
            stack.call("POST", path, body, token=token),
            stack.call("GET", path, token=token),
            stack.call("GET", job.body["path"], token=token),
        ]
        assert [(403, "forbidden")] * 3 == [(each.status, each.body["code"]) for each in answers]
    auditor = stack.call("POST", path, body, token=staff_token(stack, "auditor"))
    assert (403, "forbidden") == (auditor.status, auditor.body["code"])


def test_preview_that_can_never_succeed_ends_failed_and_in_the_dead_queue(stack: Stack) -> None:
    """Its draft is gone: tried three times, then given up where the alarm looks."""
    name = unique(PLANTED)
    job = {
        "pk": f"PREVIEW#{name}",
        "sk": "STATE",
        "id": name,
        "program": PLANTED,
        "status": "requested",
        "kind": "past",
        "first_day": "2026-11-01",
        "last_day": "2026-11-01",
        "requested_at": "2026-11-22T11:17:00.000Z",
        "requested_by": "user:mia",
        "updated_at": "2026-11-22T11:17:00.000Z",
        "expires_at": "2999-01-01T00:00:00.000Z",
    }
    raw = {**{key: {"S": value} for key, value in job.items()}, "version": {"N": "1"}}
    aws(stack, "dynamodb").put_item(TableName=stack["tables"]["core"], Item=raw)
    message = {"messageId": "m1", "body": json.dumps({"preview": name})}
    answers = [invoke(stack, "preview", {"Records": [message]})["answer"] for _ in range(4)]
    stays, gone = [{"itemIdentifier": "m1"}], []
    assert [stays, stays, gone, gone] == [each["batchItemFailures"] for each in answers]
    stored = item(stack, "core", job["pk"], "STATE")
    assert ("failed", "internal_error") == (stored["status"], stored["code"])
    until(lambda: _dead(stack, name), lambda found: len(found) == 1)
    assert [{"preview": name, "reason": stored["reason"]}] == _dead(stack, name)
    assert "NotFoundError: the draft is gone" == stored["reason"]


def _dead(stack: Stack, name: str) -> list[dict[str, str]]:
    held = [json.loads(each["Body"]) for each in messages(stack, "preview_dead")]
    return [each for each in held if each.get("preview") == name]


def test_preview_function_reaches_its_own_table_and_files_only(stack: Stack) -> None:
    """With its very rights the platform refuses every other table, file and deed.

    Which items it may write is a condition that the embedded AWS does not look at; that it is
    there is checked in the template.
    """
    dynamodb, s3 = _with_rights_of(stack, "preview")
    key = {"pk": {"S": f"PREVIEW#{unique('x')}"}, "sk": {"S": "PROGRESS"}}
    dynamodb.put_item(TableName=stack["tables"]["core"], Item=key)
    attempts = [
        lambda: dynamodb.delete_item(TableName=stack["tables"]["core"], Key=key),
        lambda: dynamodb.scan(TableName=stack["tables"]["core"]),
        lambda: dynamodb.get_item(TableName=stack["tables"]["people"], Key=key),
        lambda: dynamodb.put_item(TableName=stack["tables"]["people"], Item=key),
        lambda: dynamodb.get_item(TableName=stack["tables"]["ledger"], Key=key),
        lambda: s3.put_object(Bucket=stack["buckets"]["preview"], Key="elsewhere", Body=b"x"),
        lambda: s3.list_objects_v2(Bucket=stack["buckets"]["bank"]),
    ]
    assert ["AccessDenied"] * len(attempts) == [_refusal(attempt) for attempt in attempts]


def _refusal(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except ClientError as failure:
        return str(failure.response["Error"]["Code"]).removesuffix("Exception")
    return "allowed"


def _with_rights_of(stack: Stack, function: str) -> tuple[Any, Any]:
    """Return a table and a file client in a role that has the function's policies."""
    iam, name = aws(stack, "iam"), unique("twin")
    found = aws(stack, "lambda").get_function(FunctionName=stack["functions"][function])
    role = found["Configuration"]["Role"]
    account = role.split(":")[4]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
        ],
    }
    twin = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    own = role.rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=own)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=own, PolicyName=policy)["PolicyDocument"]
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    taken = aws(stack, "sts").assume_role(RoleArn=twin["Arn"], RoleSessionName="test")
    keys = taken["Credentials"]
    session = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], stack["region"]
    )
    dynamodb, s3 = (
        session.client(service, endpoint_url=stack["endpoint"]) for service in ("dynamodb", "s3")
    )
    return dynamodb, s3
