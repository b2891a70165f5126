"""From a click over the hosted page to a credited referral, on the deployed template."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest

from infra import seed
from infra.api import Answer, Stack, http
from tests.support.deployed import item, items
from tests.support.journey import Journey, unique
from tests.support.pages import FORM, Form

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GERMAN = {"user-agent": FIREFOX, "accept": "text/html", "accept-language": "de-DE,de;q=0.9"}


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """A program whose links lead to the hosted page, for people who type very fast."""
    intake = json.loads(seed.PROGRAM_FILE.read_text())["intake"]
    page = {**intake["page"], "hosted": True, "least_seconds": 0}
    return Journey(stack, intake={**intake, "page": page})


def form(page: Answer) -> Form:
    """Return the form of a page."""
    parser = Form()
    parser.feed(page.body)
    return parser


def send(url: str, fields: dict[str, str]) -> Answer:
    """Send a form as a browser without cookies does."""
    headers = {**GERMAN, "content-type": FORM}
    return http("POST", url, urlencode(fields).encode(), headers)


def touches(stack: Stack, email: str, program: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the referral of a lead and what led them here, not what was noted of them."""
    (person,) = items(stack, "people", email)
    lead = person["pk"].partition("#")[2]
    (state,) = [
        each
        for each in items(stack, "core", lead)
        if each["sk"] == "STATE" and each["program"] == program
    ]
    found = [each for each in items(stack, "core", state["pk"]) if each["sk"].startswith("TOUCH#")]
    return state, [each for each in found if each["kind"] not in {"score", "flag"}]


def test_click_leads_over_the_page_to_a_credited_referral(stack: Stack, journey: Journey) -> None:
    """Link, redirect, page in the visitor's language, form, thanks; no cookie and no script."""
    partner = journey.partner(iban="")
    code = journey.link(partner)
    greeting = {"display_name": "Pia Partner", "message": "Good people.\n<b>Really</b>."}
    said = stack.call("PUT", "/v1/me/page", greeting, token=partner.token).expect(200).body
    assert said == stack.call("GET", "/v1/me/page", token=partner.token).expect(200).body
    assert (True, greeting["message"]) == (said["show"], said["message"])

    link = f"{stack['click_url']}/r/{code}?utm_source=news"
    redirect = http("GET", link, headers=GERMAN)
    url = urljoin(link, redirect.headers["location"])
    assert f"{stack['click_url']}/p/{code}" == url.partition("?")[0]
    page = http("GET", url, headers=GERMAN).expect(200)
    assert "Good people.\n&lt;b&gt;Really&lt;/b&gt;." in page.body
    shown = form(page)
    assert ("de", code) == (shown.language, shown.fields["code"])

    email = f"{unique('lena')}@customers.example"
    fields = shown.fields | {"name": "Lena Lead", "email": email, "country": "DE"}
    refused = send(url, fields).expect(422)
    assert (["consent-given"], "Lena Lead") == (
        form(refused).errors,
        form(refused).fields["name"],
    )
    assert [] == items(stack, "people", email)
    agreed = form(refused).fields | {"consent.given": "on"}
    for _ in range(2):
        sent = send(url, agreed).expect(303)
        assert f"{code}?sent=yes&lang=de" == sent.headers["location"]
    thanks = http("GET", urljoin(url, sent.headers["location"]), headers=GERMAN).expect(200)
    assert "Vielen Dank" in thanks.body

    click = dict(parse_qsl(urlsplit(url).query))["introducer_click"]
    state, found = touches(stack, email, journey.program)
    assert ("page", code) == (state["channel"], state["link"])
    assert {("click", click), ("form", "form")} == {(each["kind"], each["id"]) for each in found}
    assert partner.id == journey.until_status(state["id"], "assigned")["partner"]


def test_page_without_a_click_credits_by_its_code(stack: Stack, journey: Journey) -> None:
    """Whoever was given the address on paper counts for the partner just the same."""
    partner = journey.partner(iban="")
    url = f"{stack['click_url']}/p/{journey.link(partner)}"
    email = f"{unique('otto')}@customers.example"
    fields = form(http("GET", url, headers=GERMAN)).fields
    given = {"name": "Otto", "email": email, "country": "DE", "consent.given": "on"}
    send(url, fields | given).expect(303)
    state, found = touches(stack, email, journey.program)
    assert {"code", "form"} == {each["kind"] for each in found}
    assert partner.id == journey.until_status(state["id"], "assigned")["partner"]


def test_page_exists_wherever_the_link_leads(stack: Stack, journey: Journey) -> None:
    """A link to the company's own page has its hosted page too; an unknown code has none."""
    partner = journey.partner(iban="")
    shop = "https://shop.northwind-telecom.example/fibre"
    code = journey.link(partner, destination=shop)
    assert shop == item(stack, "core", f"LINK#{code}", "LINK")["destination"]
    assert 200 == http("GET", f"{stack['click_url']}/p/{code}", headers=GERMAN).status
    unknown = [
        http("GET", f"{stack['click_url']}/p/{slug}", headers=GERMAN).expect(404).body
        for slug in ("nosuchcode", "zzzzzzzz")
    ]
    assert unknown[0] == unknown[1]
    assert "nosuchcode" not in unknown[0]


def test_partners_page_takes_a_change_once_and_keeps_it_apart(
    stack: Stack, journey: Journey
) -> None:
    """What a partner says is personal: it is in People, and the event holds none of it."""
    partner = journey.partner(iban="")
    nothing = {"display_name": "", "message": "", "show": False, "set_at": ""}
    assert nothing == stack.call("GET", "/v1/me/page", token=partner.token).expect(200).body
    word = unique("word")
    body = {"display_name": f"Pia {word}", "show": False}
    stack.call("PUT", "/v1/me/page", body, token=partner.token).expect(200)
    assert ["PAGE"] == [each["sk"] for each in items(stack, "people", word)]
    assert [] == items(stack, "core", word)
    events = [each for each in items(stack, "core", partner.id) if each["sk"].startswith("EVENT#")]
    changes = [each["data"] for each in events if each["type"] == "GreetingChanged"]
    assert [{"shown": "no"}] == changes
    url = f"{stack['click_url']}/p/{journey.link(partner)}"
    assert word not in http("GET", url, headers=GERMAN).expect(200).body
