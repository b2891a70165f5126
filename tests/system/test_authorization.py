"""Who may call what, over HTTP: every registered endpoint against every role."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra import openapi, seed
from infra.api import Answer, Stack
from submit.http import Endpoint
from tests.support.deployed import aws, until
from tests.support.journey import Journey, staff_token, unique

ENDPOINTS = [spec for app in openapi.APPS.values() for spec in app.endpoints]
GUARDED = [spec for spec in ENDPOINTS if spec.roles]
OPEN = [spec for spec in ENDPOINTS if not spec.roles]
ROLES = ("partner", "rep", "manager", "finance", "auditor")
UNAUTHENTICATED = {
    "type": "about:blank",
    "title": "Unauthorized",
    "status": 401,
    "code": "unauthenticated",
}
"""The authorizer's own answer; API Gateway makes it, from the template."""


@pytest.fixture(scope="module")
def tokens(stack: Stack) -> dict[str, str]:
    """One ID token for each role."""
    email = f"{unique('somebody')}@partners.example"
    stack.sign_up(email, seed.PASSWORD)
    found = {role: staff_token(stack, role) for role in ROLES if role != "partner"}
    return {**found, "partner": stack.sign_in(email, seed.PASSWORD)}


def call(stack: Stack, spec: Endpoint, token: str = "") -> Answer:
    """Call an endpoint about things that do not exist, with an empty body."""
    path = "/".join("nothing" if part.startswith("{") else part for part in spec.route.split("/"))
    return stack.call(spec.method, path, None if spec.method == "GET" else {}, token=token)


def forged(token: str) -> Iterator[str]:
    """Yield tokens that say they are a manager's and were not issued so."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "==="))
    raised = _part({**claims, "cognito:groups": ["manager"]})
    yield f"{header}.{raised}.{signature}"
    yield f"{_part({'alg': 'none', 'typ': 'JWT'})}.{raised}."
    yield f"{header}.{payload}.{signature[:-8]}AAAAAAAA"
    yield "not-a-token"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def expired(stack: Stack) -> str:
    """Return a manager's token whose second is over."""
    cognito = aws(stack, "cognito-idp")
    made = cognito.create_user_pool_client(
        UserPoolId=stack["user_pool_id"],
        ClientName=unique("short"),
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        IdTokenValidity=1,
        TokenValidityUnits={"IdToken": "seconds"},
    )["UserPoolClient"]
    short = Stack({**stack.outputs, "client_id": made["ClientId"]})
    token = short.sign_in(seed.STAFF[0].email, seed.PASSWORD)
    probe = "/v1/programs/telecom"
    until(lambda: stack.call("GET", probe, token=token).status, lambda status: status != 200)
    return token


def test_authorizer_refuses_whoever_has_no_valid_token(
    stack: Stack, tokens: dict[str, str]
) -> None:
    """Without a token, with a forged or an expired one, every guarded route is the same 401."""
    bad = ["", *forged(tokens["partner"]), expired(stack)]
    pairs = [(spec, token) for spec in GUARDED for token in bad]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda pair: call(stack, *pair), pairs))
    assert [(401, UNAUTHENTICATED, "application/problem+json")] * len(pairs) == [
        (each.status, each.body, each.headers["content-type"]) for each in answers
    ]


def test_every_route_admits_its_roles_and_nobody_else(stack: Stack, tokens: dict[str, str]) -> None:
    """A role that a route does not name is a 403; one that it names gets past the door."""
    pairs = [(spec, role) for spec in GUARDED for role in ROLES]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda pair: call(stack, pair[0], tokens[pair[1]]), pairs))
    seen = {
        (spec.method, spec.route, role): _outcome(answer)
        for (spec, role), answer in zip(pairs, answers, strict=True)
    }
    assert {
        (spec.method, spec.route, role): "admitted" if role in spec.roles else "403 forbidden"
        for spec, role in pairs
    } == seen


def _outcome(answer: Answer) -> str:
    if answer.status >= 400:
        assert "application/problem+json" == answer.headers["content-type"], answer
        assert answer.status == answer.body["status"]
        assert {"type", "title", "code", "detail", "request_id"} <= answer.body.keys()
    if answer.status in {401, 403}:
        return f"{answer.status} {answer.body['code']}"
    assert answer.status < 500, answer
    return "admitted"


def test_public_routes_need_no_token(stack: Stack) -> None:
    """Submission, table, estimate and description are open; an unsigned message is refused."""
    assert {
        ("POST", "/v1/programs/{program}/referrals"): (400, "missing_field"),
        ("GET", "/v1/programs/{program}/rewards"): (404, "not_found"),
        ("POST", "/v1/programs/{program}/estimate"): (400, "missing_field"),
        ("GET", "/v1/openapi.json"): (200, ""),
        ("POST", "/v1/inbound/{program}/{source}"): (401, "invalid_signature"),
        ("POST", "/v1/payouts/inbound/{program}/{provider}"): (401, "invalid_signature"),
    } == {
        (spec.method, spec.route): (answer.status, answer.body.get("code", ""))
        for spec in OPEN
        for answer in [call(stack, spec)]
    }


def test_rights_do_not_come_from_the_body_or_a_header(stack: Stack, tokens: dict[str, str]) -> None:
    """A partner who calls themselves a manager is still a partner."""
    headers = {"x-amzn-oidc-identity": "manager", "cognito-groups": "manager"}
    answer = stack.call(
        "POST",
        "/v1/jobs/payout",
        {"groups": ["manager"]},
        token=tokens["partner"],
        headers=headers,
    )
    assert (403, "forbidden") == (answer.status, answer.body["code"])


def test_staff_login_is_no_partner_and_a_partner_no_rep(journey: Journey) -> None:
    """A login acts for one person only; it cannot take a second part."""
    partner = journey.partner(iban="")
    again = journey.enrol(partner.token, f"{unique('other')}@partners.example")
    assert 422 == again.status
    assert "email_mismatch" == again.body["code"]
    again = journey.enrol(partner.token, partner.email)
    assert (409, "already_exists") == (again.status, again.body["code"])
    rep = journey.enrol(journey.rep, journey.rep_mail)
    assert (403, "forbidden") == (rep.status, rep.body["code"])
