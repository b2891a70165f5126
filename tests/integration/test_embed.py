"""Embedded prompts: a customer's own link for pages the program names, and not too often."""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from introducer import identity, keyring
from introducer.tables import links
from introducer.tables.people import Contact
from submit.embed.handler import handler
from submit.signature import source_key
from tests.support import life
from tests.support.tables import everything

APP = "https://app.acme.example"
NOW_S = 1_795_346_220  # 2026-11-22T11:17:00Z, where the clock stands
PIA = "pia@pias.example"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program whose app may show a prompt twice a week, with the partner Pia."""
    prompt = {
        "audience": "partners",
        "texts": {"en": "Know somebody?", "de": "Kennen Sie jemanden?"},
        "origins": [APP],
        "most_per_week": 2,
    }
    life.publish(prompts={"account": prompt})
    key = identity.email_key(PIA, keyring.secret(keyring.IDENTITY))
    life.enrol("pia", contact=Contact(name="Pia", email=PIA), email_key=key, verified=True)
    keyring.create_secret(source_key("acme", "app"))


def token(
    email: str = PIA, *, source: str = "app", expires: int = NOW_S + 600, secret: bytes = b""
) -> str:
    """Return a token as the host page's server signs it."""
    payload = _text(json.dumps({"email": email, "exp": expires}).encode())
    key = secret or keyring.existing_secret(source_key("acme", "app"))
    signature = hmac.digest(key, f"{source}.{payload}".encode(), "sha256")
    return f"{source}.{payload}.{_text(signature)}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def ask(
    person: str,
    *,
    locale: str = "en",
    origin: str = APP,
    prompt: str = "account",
    body: str = "",
    program: str = "acme",
) -> tuple[int, Any, dict[str, str]]:
    """Ask as the script does; return status, body and headers."""
    event = {
        "routeKey": "POST /e/{program}/{prompt}",
        "pathParameters": {"program": program, "prompt": prompt},
        "headers": {"Origin": origin, "content-type": "text/plain"},
        "requestContext": {"requestId": "r", "http": {"method": "POST"}},
        "body": body or json.dumps({"person": person, "locale": locale}),
    }
    answer = handler(event, None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_partner_sees_their_own_link_in_their_language() -> None:
    """Always the same link, whose channel and asset say where it was shown."""
    status, first, headers = ask(token(), locale="de-AT")
    code = first["url"].rpartition("/")[2]
    link = links.find(code)
    assert link is not None
    assert (200, True, True, "Kennen Sie jemanden?") == (
        status,
        first["show"],
        first["own"],
        first["text"],
    )
    assert ("pia", "embed", "account") == (link.partner, link.channel, link.asset)
    assert f"https://go.example.com/r/{code}" == first["url"]
    assert (APP, "origin", "no-store") == (
        headers["access-control-allow-origin"],
        headers["vary"],
        headers["cache-control"],
    )
    assert first["url"] == ask(token("Pia@PIAS.example"), locale="de-AT")[1]["url"]


def test_who_is_no_partner_is_shown_where_to_join() -> None:
    """Nobody is enrolled or written to because they looked at a page."""
    before = everything()
    _, answer, _ = ask(token("cara@customers.example"))
    assert {
        "show": True,
        "text": "Know somebody?",
        "url": "https://portal.example.com/join/acme/partners",
        "own": False,
    } == answer
    assert before == everything()
    (seen,) = boto3.client("dynamodb").scan(TableName=os.environ["ROLLUPS_TABLE"])["Items"]
    assert ("SHOWN#acme#account", "2026-W47") == (
        seen["pk"]["S"].rpartition("#")[0],
        seen["sk"]["S"],
    )
    assert "cara" not in json.dumps(seen)


def test_who_only_typed_an_address_is_not_shown_for_its_owner() -> None:
    """Cara, in whose name Eve enrolled, gets no link of Eve's to share."""
    cara = "cara@customers.example"
    key = identity.email_key(cara, keyring.secret(keyring.IDENTITY))
    life.enrol("eve", login="login-eve", email_key=key)
    before = everything()
    _, answer, _ = ask(token(cara))
    assert ("https://portal.example.com/join/acme/partners", False) == (
        answer["url"],
        answer["own"],
    )
    assert before == everything()


def test_one_person_sees_it_so_many_times_a_week(frozen: Callable[[str], None]) -> None:
    """Not the third time, again on Monday; somebody else is counted for themselves."""
    assert [True, True, False, False] == [ask(token())[1]["show"] for _ in range(4)]
    assert ask(token("cara@customers.example"))[1]["show"]
    frozen("2026-11-23T00:00:01.000Z")
    assert ask(token(expires=NOW_S + 86_400))[1]["show"]


def test_pages_that_are_not_named_get_nothing() -> None:
    """Refused, and the browser keeps even the refusal from them."""
    for origin in ("https://evil.example", "", "null", f"{APP}.evil.example", APP.upper()):
        status, body, headers = ask(token(), origin=origin)
        assert (403, "origin_not_allowed") == (status, body["code"])
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "forged",
    [
        {"expires": NOW_S},
        {"expires": NOW_S - 1},
        {"expires": NOW_S + 3 * 86_400},
        {"secret": b"x" * 32},
        {"source": "nobody"},
        {"email": "not an address"},
    ],
)
def test_token_that_is_forged_or_out_of_time_is_refused(forged: dict[str, Any]) -> None:
    """Whichever it is, the answer is the same, and nothing is counted."""
    before = everything()
    status, body, _ = ask(token(**forged))
    assert (401, "invalid_signature") == (status, body["code"])
    assert before == everything()


@pytest.mark.parametrize("person", ["x" * 30, "a.b.c" + "d" * 20, "app.e30.AAAA" + "A" * 20])
def test_nonsense_for_a_token_is_refused(person: str) -> None:
    """Neither base64 nor JSON nor a signature."""
    assert (401, "invalid_signature") == (ask(person)[0], ask(person)[1]["code"])


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"body": "{"}, 400, "malformed_json"),
        ({"body": '{"person":"' + "x" * 9_000 + '"}'}, 413, "body_too_large"),
        ({"prompt": "other"}, 404, "not_found"),
        ({"program": "nobodys"}, 404, "not_found"),
    ],
)
def test_bad_requests_say_why(asked: dict[str, str], status: int, code: str) -> None:
    """With a stable code."""
    found, body, _ = ask(token(), **asked)
    assert (status, code) == (found, body["code"])


def test_script_is_small_and_kept_by_browsers() -> None:
    """One request an hour, answered with nothing when it has not changed."""
    event: dict[str, Any] = {"routeKey": "GET /e.js", "requestContext": {}, "headers": {}}
    answer = handler(event, None)
    assert (200, "text/javascript; charset=utf-8") == (
        answer["statusCode"],
        answer["headers"]["content-type"],
    )
    assert len(answer["body"].encode()) < 6_000
    again = handler({**event, "headers": {"If-None-Match": answer["headers"]["etag"]}}, None)
    assert (304, "") == (again["statusCode"], again["body"])
