"""Who may do what: every role against every route, in process."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from submit.http import Endpoint
from tests.support.api import APPS, REQUEST_ID, call, login

ROLES = ("partner", "org_manager", "rep", "manager", "finance", "auditor")
SPECS = [spec for app in APPS for spec in app.endpoints]
GUARDED = [spec for spec in SPECS if spec.roles]

ALLOWED: dict[str, set[str]] = {
    "POST /v1/partners": {"partner"},
    "GET /v1/me": {"partner"},
    "PUT /v1/me/payee": {"partner"},
    "GET /v1/me/payee": {"partner"},
    "POST /v1/me/payee/confirm": {"partner"},
    "GET /v1/me/tax": {"partner"},
    "PUT /v1/me/tax": {"partner"},
    "GET /v1/programs/{program}/tax/{year}": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/tax/{year}/export": {"manager", "finance"},
    "PUT /v1/programs/{program}/screening-list": {"manager", "finance"},
    "GET /v1/programs/{program}/screening": {"manager", "finance", "auditor"},
    "POST /v1/partners/{partner}/screening/clear": {"manager", "finance"},
    "POST /v1/me/agreements": {"partner"},
    "GET /v1/me/address": {"partner"},
    "GET /v1/me/links": {"partner"},
    "POST /v1/me/links": {"partner"},
    "PUT /v1/me/links/{code}": {"partner"},
    "GET /v1/me/links/{code}/qr": {"partner"},
    "GET /v1/me/links/{code}/qr.svg": {"partner"},
    "GET /v1/me/assets": {"partner"},
    "POST /v1/me/assets/{asset}/render": {"partner"},
    "PUT /v1/programs/{program}/assets/{asset}": {"manager"},
    "GET /v1/programs/{program}/assets": {"manager", "finance", "auditor"},
    "GET /v1/me/cards": {"partner"},
    "POST /v1/me/cards": {"partner"},
    "GET /v1/me/cards/{batch}": {"partner"},
    "GET /v1/me/cards/{batch}/sheet": {"partner"},
    "PUT /v1/programs/{program}/links/{code}": {"manager"},
    "GET /v1/me/links/{code}/clicks": {"partner"},
    "GET /v1/me/referrals": {"partner"},
    "GET /v1/me/referrals/{referral}": {"partner"},
    "GET /v1/me/rewards": {"partner"},
    "GET /v1/me/forecast": {"partner"},
    "GET /v1/me/statement": {"partner"},
    "GET /v1/me/statement/file": {"partner"},
    "GET /v1/me/payable": {"partner"},
    "GET /v1/me/payouts": {"partner"},
    "GET /v1/me/payouts/{payout}": {"partner"},
    "GET /v1/me/payouts/{payout}/file": {"partner"},
    "GET /v1/programs/{program}/statements/{holder}": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/statements/{holder}/file": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/rates": {"manager", "finance", "auditor"},
    "PUT /v1/programs/{program}/rates": {"manager", "finance"},
    "GET /v1/me/imports": {"partner"},
    "POST /v1/me/imports": {"partner"},
    "GET /v1/me/imports/{import}": {"partner"},
    "GET /v1/programs/{program}/imports": {"manager", "auditor"},
    "POST /v1/programs/{program}/imports": {"manager"},
    "GET /v1/programs/{program}/imports/{import}": {"manager", "auditor"},
    "GET /v1/me/page": {"partner"},
    "PUT /v1/me/page": {"partner"},
    "GET /v1/rep/referrals": {"rep"},
    "GET /v1/rep/referrals/{referral}": {"rep"},
    "POST /v1/rep/referrals/{referral}/accept": {"rep"},
    "POST /v1/rep/referrals/{referral}/reject": {"rep"},
    "POST /v1/rep/referrals/{referral}/withdraw": {"rep"},
    "PUT /v1/rep/referrals/{referral}/assessment": {"rep"},
    "POST /v1/rep/invitations": {"rep"},
    "POST /v1/rep/referrals": {"rep"},
    "POST /v1/rep/asks": {"rep"},
    "POST /v1/programs/{program}/versions": {"manager"},
    "GET /v1/programs/{program}/versions": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/versions/{version}": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/versions/{version}/restore": {"manager"},
    "POST /v1/programs/{program}/validate": {"manager"},
    "GET /v1/programs/{program}": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/previews": {"manager"},
    "GET /v1/programs/{program}/previews": {"manager", "auditor"},
    "GET /v1/previews/{preview}": {"manager", "auditor"},
    "GET /v1/programs/{program}/prospects": {"manager", "finance", "auditor"},
    "PUT /v1/programs/{program}/prospects": {"manager"},
    "GET /v1/programs/{program}/accounts": {"manager", "finance", "auditor"},
    "PUT /v1/programs/{program}/accounts": {"manager"},
    "POST /v1/programs/{program}/referrals/{referral}/merge": {"manager"},
    "POST /v1/programs/{program}/invitations": {"manager"},
    "POST /v1/programs/{program}/asks": {"manager"},
    "GET /v1/programs/{program}/referrals/{referral}/quality": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/sources": {"manager"},
    "POST /v1/programs/{program}/conversions": {"manager"},
    "GET /v1/programs/{program}/unmatched": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/unmatched/{conversion}/match": {"manager"},
    "POST /v1/programs/{program}/unmatched/{conversion}/dismiss": {"manager"},
    "POST /v1/programs/{program}/reps": {"manager"},
    "GET /v1/programs/{program}/reps": {"manager", "finance", "auditor"},
    "PUT /v1/programs/{program}/reps/{rep}": {"manager"},
    "PUT /v1/partners/{partner}/owner": {"manager"},
    "GET /v1/programs/{program}/queues/{queue}": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/referrals/{referral}/assign": {"manager"},
    "POST /v1/programs/{program}/referrals/{referral}/withdraw": {"manager"},
    "POST /v1/programs/{program}/referrals/{referral}/annul": {"manager"},
    "GET /v1/programs/{program}/referrals/{referral}/routing": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/clicks": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/referrals/{referral}/attribution": {
        "manager",
        "finance",
        "auditor",
    },
    "GET /v1/programs/{program}/disputes": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/disputes": {"manager"},
    "GET /v1/programs/{program}/disputes/{dispute}": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/disputes/{dispute}/comments": {"manager"},
    "POST /v1/programs/{program}/disputes/{dispute}/decide": {"manager"},
    "POST /v1/rep/referrals/{referral}/disputes": {"rep"},
    "GET /v1/me/disputes": {"partner"},
    "POST /v1/me/disputes": {"partner"},
    "GET /v1/me/disputes/{dispute}": {"partner"},
    "POST /v1/me/disputes/{dispute}/comments": {"partner"},
    "POST /v1/me/disputes/{dispute}/withdraw": {"partner"},
    "GET /v1/programs/{program}/audits": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/audits/{day}": {"manager", "finance", "auditor"},
    "GET /v1/batches": {"manager", "finance", "auditor"},
    "GET /v1/batches/{batch}": {"manager", "finance", "auditor"},
    "POST /v1/batches/{batch}/approve": {"manager", "finance"},
    "POST /v1/batches/{batch}/exclude": {"manager", "finance"},
    "POST /v1/batches/{batch}/cancel": {"manager", "finance"},
    "GET /v1/batches/{batch}/payouts": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/payouts": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/payouts/start": {"manager", "finance"},
    "POST /v1/programs/{program}/payouts/resume": {"manager", "finance"},
    "POST /v1/partners/{partner}/payout-hold": {"manager", "finance"},
    "POST /v1/partners/{partner}/release-payout-hold": {"manager", "finance"},
    "GET /v1/programs/{program}/bookings": {"manager", "finance", "auditor"},
    "POST /v1/bookings/{booking}/resolve": {"manager", "finance"},
    "GET /v1/programs/{program}/providers": {"manager", "finance", "auditor"},
    "PUT /v1/programs/{program}/providers/{provider}": {"manager", "finance"},
    "POST /v1/jobs/{job}": {"manager", "finance"},
    "GET /v1/programs/{program}/journals": {"manager", "finance", "auditor"},
    "GET /v1/journals/{journal}": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/balances/{holder}": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/trial-balance": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/general-ledger": {"manager", "finance", "auditor"},
    "GET /v1/programs/{program}/adjustments": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/adjustments": {"manager", "finance"},
    "GET /v1/programs/{program}/adjustments/{adjustment}": {"manager", "finance", "auditor"},
    "POST /v1/programs/{program}/adjustments/{adjustment}/approve": {"manager", "finance"},
    "POST /v1/programs/{program}/adjustments/{adjustment}/reject": {"manager", "finance"},
}

pytestmark = pytest.mark.usefixtures("function_environment")


def path(spec: Endpoint) -> str:
    """Return a path of the route."""
    return re.sub(r"{\w+}", "x", spec.route)


def test_every_route_is_in_the_table() -> None:
    """A route without a login is one of six; every other stands in the table above."""
    assert ALLOWED == {f"{spec.method} {spec.route}": set(spec.roles) for spec in GUARDED}
    assert {
        "POST /v1/programs/{program}/referrals",
        "POST /v1/payouts/inbound/{program}/{provider}",
        "GET /v1/programs/{program}/rewards",
        "POST /v1/programs/{program}/estimate",
        "GET /v1/openapi.json",
        "POST /v1/inbound/{program}/{source}",
    } == {f"{spec.method} {spec.route}" for spec in SPECS if not spec.roles}


@pytest.mark.parametrize("spec", GUARDED, ids=lambda spec: f"{spec.method} {spec.route}")
def test_role_is_required(spec: Endpoint) -> None:
    """Every role not named is refused before anything is read, body and store included."""
    wrong = [role for role in ROLES if role not in spec.roles]
    for groups in [*([role] for role in wrong), wrong, ["Partner"], ["x-partner"]]:
        reply = call(spec.method, path(spec), "{", claims=login("sub-1", *groups))
        assert (403, "forbidden") == reply.problem()


@pytest.mark.parametrize("spec", GUARDED, ids=lambda spec: f"{spec.method} {spec.route}")
def test_no_group_is_a_partner_and_nothing_else(spec: Endpoint) -> None:
    """Who registered alone has no group; that opens the partners' routes only."""
    reply = call(spec.method, path(spec), "{", claims=login("sub-1"))
    assert (reply.status == 403) == ("partner" not in spec.roles)


@pytest.mark.parametrize("spec", GUARDED, ids=lambda spec: f"{spec.method} {spec.route}")
def test_login_is_required(spec: Endpoint) -> None:
    """Without verified claims, or with an access token's, nobody is anybody."""
    claims: list[dict[str, Any] | None] = [
        None,
        {},
        {"sub": ""},
        {**login("sub-1", *spec.roles), "token_use": "access"},
    ]
    for each in claims:
        assert (401, "unauthenticated") == call(spec.method, path(spec), claims=each).problem()


@pytest.mark.parametrize("text", ["rep", "[rep]", "rep,partner", "[rep, partner]", "[partner rep]"])
def test_groups_are_read_in_every_spelling(text: str) -> None:
    """API Gateway and the embedded AWS spell lists differently; roles pass either way.

    Passing shows as the next refusal: nothing is stored, so the path names nothing.
    """
    claims = {**login("sub-1"), "cognito:groups": text}
    reply = call("POST", "/v1/rep/referrals/@/accept", {}, claims=claims)
    assert (404, "not_found") == reply.problem()


def test_who_you_are_is_not_taken_from_headers_or_body() -> None:
    """Claims sent by the caller are not claims."""
    forged = {"cognito:groups": "manager", "x-amzn-oidc-identity": "sub-1", "authorization": "x"}
    reply = call("POST", "/v1/jobs/accrue", {"claims": forged}, headers=forged)
    assert (401, "unauthenticated") == reply.problem()


def test_answers_carry_the_safe_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is cached or sniffed; each names its request; other origins are let in by name."""
    monkeypatch.setenv("ALLOW_ORIGIN", "https://portal.example.com")
    reply = call("GET", "/v1/openapi.json")
    assert {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": REQUEST_ID,
        "access-control-allow-origin": "https://portal.example.com",
        "access-control-expose-headers": "idempotent-replayed,location,x-request-id,retry-after",
        "content-type": "application/json",
    } == reply.headers
    assert (200, "3.1.0") == (reply.status, reply.body["openapi"])


def test_chalice_answers_in_our_words() -> None:
    """A method the route does not have is a problem document too."""
    event = {
        "requestContext": {
            "requestId": REQUEST_ID,
            "httpMethod": "DELETE",
            "resourcePath": "/v1/me",
        },
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
    }
    answer = next(app for app in APPS if app.app_name == "partner")(event, None)
    body = json.loads(answer["body"])
    assert (405, "method_not_allowed", REQUEST_ID) == (
        answer["statusCode"],
        body["code"],
        body["request_id"],
    )


def test_unexpected_failures_say_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody thought of is an internal error whose text, perhaps personal, goes nowhere."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError("lena@customers.example")

    monkeypatch.setattr("introducer.tables.partners.partner_of_login", broken)
    reply = call("GET", "/v1/me", claims=login("sub-1", "partner"))
    assert (500, "internal_error") == reply.problem()
    logged = str([vars(record) for record in caplog.records])
    assert ("customers" in str(reply.body), "customers" in logged) == (False, False)
    assert ("KeyError" in logged, REQUEST_ID in logged) == (True, True)
