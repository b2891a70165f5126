"""Links that lead to their own hosted page, and what partners say there, by the API."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.tables import links, partners, people
from tests.support import life, pages
from tests.support.api import call, login
from tests.support.tables import everything

PIA = login("login-pia", "partner")
NOW = "2026-11-22T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program whose links lead to the page here."""
    pages.program(hosted=True)
    life.enrol("pia")


def made(**wish: Any) -> str:
    """Make a link and return its code."""
    return str(call("POST", "/v1/me/links", wish, claims=PIA).body["code"])


def test_link_without_a_destination_leads_to_its_own_page() -> None:
    """It is stored relative, and shown as the whole address it is; with one it leads there."""
    code = made()
    stored = links.find(code)
    assert stored is not None
    assert f"../p/{code}" == stored.destination
    elsewhere = made(destination="https://www.acme.example/fibre")
    listed = call("GET", "/v1/me/links", claims=PIA).body["items"]
    assert {
        code: f"https://go.example.com/p/{code}",
        elsewhere: "https://www.acme.example/fibre",
    } == {each["code"]: each["destination"] for each in listed}


def test_link_to_its_own_page_can_be_changed() -> None:
    """Switched off and on it leads there still; nobody can write such a destination by hand."""
    code = made()
    path = f"/v1/me/links/{code}"
    for status in ("suspended", "active"):
        reply = call("PUT", path, {"status": status, "campaign": status}, claims=PIA)
        assert (200, f"https://go.example.com/p/{code}") == (
            reply.status,
            reply.body["destination"],
        )
    for forged in (f"../p/{code}", "https://go.example.com/p/other", f"/p/{code}"):
        reply = call("PUT", path, {"destination": forged}, claims=PIA)
        assert reply.status in {400, 422}


def test_greeting_is_kept_in_people_with_one_event() -> None:
    """What is said is personal; the partner's history says only whether it is shown."""
    said = {"display_name": "Pia P.", "message": "Good people.\nReally.", "show": True}
    nothing = {"display_name": "", "message": "", "show": False, "set_at": ""}
    assert nothing == call("GET", "/v1/me/page", claims=PIA).body
    assert said | {"set_at": NOW} == call("PUT", "/v1/me/page", said, claims=PIA).body
    assert said | {"set_at": NOW} == call("GET", "/v1/me/page", claims=PIA).body
    found = partners.find_partner("pia")
    assert found is not None
    events = [each for each in everything() if each.get("type") == "GreetingChanged"]
    assert [{"shown": "yes"}] == [each["data"] for each in events]
    outside = [each for each in everything() if not each["pk"].startswith("PERSON#")]
    assert "Good people" not in str(outside)
    assert people.greeting(found.person) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"display_name": ""},
        {"display_name": "x" * 71},
        {"display_name": "Pia\nPartner"},
        {"display_name": "Pia", "message": "x" * 501},
        {"display_name": "Pia", "message": "\u202etxt"},
        {"display_name": "Pia", "show": "yes"},
        {"display_name": "Pia", "html": "<b>"},
    ],
)
def test_greeting_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    """One line for the name, five hundred plain characters, nothing else."""
    before = everything()
    assert 400 == call("PUT", "/v1/me/page", wrong, claims=PIA).status
    assert before == everything()
