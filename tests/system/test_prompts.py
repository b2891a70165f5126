"""An embedded prompt on the deployed template, its rights enforced."""

from __future__ import annotations

import base64
import hmac
import json
import time

from infra.api import Stack, http
from tests.support.journey import Journey

APP = "https://app.example.com"


def test_prompt_shows_the_partners_own_link_and_not_too_often(stack: Stack) -> None:
    """A page of the company asks with a signed customer; the link it gets can be followed."""
    prompt = {
        "audience": "partners",
        "texts": {"en": "Know somebody?"},
        "origins": [APP],
        "most_per_week": 2,
    }
    journey = Journey(stack, prompts={"account": prompt})
    partner = journey.partner()
    url = f"{stack['click_url']}/e/{journey.program}/account"
    body = json.dumps({"person": _token(journey.secret, partner.email)}).encode()
    headers = {"origin": APP, "content-type": "text/plain"}
    answers = [http("POST", url, body, headers) for _ in range(3)]
    assert [200, 200, 200] == [each.status for each in answers]
    first, second, third = (each.body for each in answers)
    assert (True, True, "Know somebody?") == (first["show"], first["own"], first["text"])
    assert (first, False) == (second, third["show"])
    code = first["url"].rpartition("/")[2]
    links = stack.call("GET", "/v1/me/links", token=partner.token).expect(200).body["items"]
    assert code in [each["code"] for each in links]
    elsewhere = http("POST", url, body, {**headers, "origin": "https://evil.example"})
    assert 403 == elsewhere.status


def _token(secret: str, email: str) -> str:
    payload = _text(json.dumps({"email": email, "exp": int(time.time()) + 600}).encode())
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.digest(key, f"billing.{payload}".encode(), "sha256")
    return f"billing.{payload}.{_text(signature)}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
