"""Fill a running stack with the example program: ``python -m infra.seed``.

A telecom with five audiences and reps in two regions. Logins are made the way an
operator makes them (Cognito's admin calls), everything else through the HTTP API.
Running it again changes nothing.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from infra.api import Stack

PROGRAM_FILE = Path("infra/programs/telecom.json")
ASSETS_FILE = Path("infra/assets.json")
PASSWORD = "Example-Passw0rd!"  # noqa: S105  (of throw-away logins on a laptop)


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff: a login in one group and, for reps, a profile."""

    email: str
    group: str
    name: str
    rep: str = ""
    region: str = ""


STAFF = (
    Person("manager@northwind-telecom.example", "manager", "Mona Manager"),
    Person("finance@northwind-telecom.example", "finance", "Fritz Finance"),
    Person("auditor@northwind-telecom.example", "auditor", "Ada Auditor"),
    Person("anna@northwind-telecom.example", "rep", "Anna Berger", "anna-berlin", "eu"),
    Person("jean@northwind-telecom.example", "rep", "Jean Petit", "jean-paris", "eu"),
    Person("maria@northwind-telecom.example", "rep", "Maria Gomez", "maria-austin", "us"),
    Person("tom@northwind-telecom.example", "rep", "Tom Lee", "tom-toronto", "us"),
)


def main() -> None:
    """Seed the stack that runs, print who can log in."""
    stack = Stack.load()
    remember(stack, fill(stack, recall(stack)))
    show(stack)


def recall(stack: Stack) -> dict[str, str]:
    """Return what an earlier run on this very stack has told :func:`remember`."""
    ssm = boto3.client("ssm", endpoint_url=stack["endpoint"])
    try:
        stored = ssm.get_parameter(Name=_memory(stack), WithDecryption=True)
    except ssm.exceptions.ParameterNotFound:
        return {}
    known: dict[str, str] = json.loads(stored["Parameter"]["Value"])
    return known


def remember(stack: Stack, known: dict[str, str]) -> None:
    """Keep what must be known later beside the stack, so that both live and end together."""
    ssm = boto3.client("ssm", endpoint_url=stack["endpoint"])
    value = json.dumps(known)
    ssm.put_parameter(Name=_memory(stack), Value=value, Type="SecureString", Overwrite=True)


def _memory(stack: Stack) -> str:
    return f"/{stack['stack_name']}/seed"


def fill(stack: Stack, known: dict[str, str] | None = None) -> dict[str, str]:
    """Seed *stack* and return what must be remembered: the program and its billing secret.

    Args:
        stack: Where.
        known: What an earlier run returned; the API tells a secret only once.
    """
    subjects = {person.email: add_login(stack, person) for person in STAFF}
    manager = stack.sign_in(STAFF[0].email, PASSWORD)
    document = json.loads(PROGRAM_FILE.read_text())
    publish(stack, manager, document)
    add_assets(stack, manager, document["id"])
    for person in STAFF:
        if person.rep:
            add_rep(stack, manager, document["id"], person, subjects[person.email])
    secret = billing_secret(stack, manager, document["id"]) or (known or {})["billing_secret"]
    return {"program": document["id"], "billing_secret": secret}


def add_login(stack: Stack, person: Person) -> str:
    """Make the login if it is missing; return its subject."""
    cognito = boto3.client("cognito-idp", endpoint_url=stack["endpoint"])
    pool = stack["user_pool_id"]
    with suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=person.email,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": person.email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=person.email, Password=PASSWORD, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=person.email, GroupName=person.group)
    user = cognito.admin_get_user(UserPoolId=pool, Username=person.email)
    attributes = {entry["Name"]: entry["Value"] for entry in user["UserAttributes"]}
    return str(attributes["sub"])


def publish(stack: Stack, token: str, document: dict[str, Any]) -> None:
    """Publish the program unless this very document is already its newest version."""
    program = document["id"]
    current = stack.call("GET", f"/v1/programs/{program}", token=token).expect(200, 404)
    # The server fills in defaults, so what was sent must be contained in what it answers.
    if current.status == 200 and _contains(current.body["document"], document):
        return
    stack.call("POST", f"/v1/programs/{program}/versions", document, token=token).expect(201)


def add_rep(stack: Stack, token: str, program: str, person: Person, subject: str) -> None:
    """Add the rep's profile; one that exists is fine."""
    body = {
        "id": person.rep,
        "name": person.name,
        "email": person.email,
        "login": subject,
        "region": person.region,
    }
    stack.call("POST", f"/v1/programs/{program}/reps", body, token=token).expect(201, 409)


def add_assets(stack: Stack, token: str, program: str) -> None:
    """Publish the texts that partners share; one that is there already stays as it is."""
    for name, asset in json.loads(ASSETS_FILE.read_text()).items():
        path = f"/v1/programs/{program}/assets/{name}"
        stack.call("PUT", path, asset, token=token).expect(200)


def billing_secret(stack: Stack, token: str, program: str) -> str:
    """Return the signing secret of the billing system, empty when it was told before."""
    answer = stack.call(
        "POST", f"/v1/programs/{program}/sources", {"source": "billing"}, token=token
    ).expect(201, 409)
    if answer.status == 201:
        return str(answer.body["secret"])
    return ""


def show(stack: Stack) -> None:
    """Print the addresses and the log-ins."""
    print(f"\n  API        {stack['api_url']}/v1")
    print(f"  OpenAPI    {stack['api_url']}/v1/openapi.json")
    print(f"  Links      {stack['click_url']}/r/{{code}}")
    print(f"  Pages      {stack['click_url']}/p/{{code}}")
    print(f"  AWS        {stack['endpoint']}")
    print(f"\n  Password of every log-in: {PASSWORD}")
    for person in STAFF:
        print(f"  {person.group:8} {person.email}")
    print("  partner  sign up with any address, then POST /v1/partners\n")


def _contains(whole: Any, part: Any) -> bool:  # noqa: ANN401
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and _contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(whole) == len(part)
            and all(_contains(a, b) for a, b in zip(whole, part, strict=True))
        )
    return bool(whole == part)


if __name__ == "__main__":
    main()
