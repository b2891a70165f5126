"""Shared texts and print cards on the deployed template, its rights enforced."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.api import Stack, http
from introducer import clickid
from tests.support import qr
from tests.support.deployed import items, until
from tests.support.journey import Journey, Partner

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
POST = {
    "kind": "social",
    "channel": "whatsapp",
    "audiences": ["partners"],
    "texts": {
        "en": {
            "body": "{opening} {organization} on {program}: {link}",
            "fields": [{"id": "opening", "label": "Opening", "default": "Hello."}],
        }
    },
}


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for the whole module: its tests keep apart by partners and leads."""
    return Journey(stack)


def touches(journey: Journey, referral: str) -> list[tuple[str, str, str]]:
    """Return kind, link and partner of a referral's touches that came over links."""
    found = items(journey.stack, "core", f"REFERRAL#{referral}")
    return [
        (each["kind"], each["link"], each["partner"])
        for each in found
        if each["sk"].startswith("TOUCH#") and each.get("link")
    ]


def link(journey: Journey, code: str) -> dict[str, Any]:
    """Return a link as stored."""
    (found,) = [
        each for each in items(journey.stack, "core", f"LINK#{code}") if each["sk"] == "LINK"
    ]
    return found


def batch_of(journey: Journey, partner: Partner, count: int) -> tuple[str, list[dict[str, str]]]:
    """Make cards and return the batch and its cards."""
    stack = journey.stack
    body = {"count": count, "campaign": "fair", "expires_at": "2099-01-01T00:00:00Z"}
    batch = stack.call("POST", "/v1/me/cards", body, token=partner.token).expect(201).body["id"]
    read = stack.call("GET", f"/v1/me/cards/{batch}", token=partner.token).expect(200).body
    return batch, read["cards"]


def test_shared_text_and_printed_card_both_count(journey: Journey) -> None:
    """A friend follows the text's link, later types a card's code: both touches, one partner."""
    stack, partner = journey.stack, journey.partner(iban="")
    path = f"/v1/programs/{journey.program}/assets/hello"
    stack.call("PUT", path, POST, token=journey.manager).expect(200)
    (asset,) = stack.call("GET", "/v1/me/assets?channel=whatsapp", token=partner.token).body[
        "items"
    ]
    assert ("hello", ["opening"]) == (asset["id"], [each["id"] for each in asset["fields"]])
    opening = {"fields": {"opening": "<b>Look</b> & see?"}}
    taken = (
        stack.call("POST", "/v1/me/assets/hello/render", opening, token=partner.token)
        .expect(200)
        .body
    )
    address = urlsplit(taken["share_url"])
    assert ("wa.me", {"text": [taken["text"]]}) == (address.netloc, parse_qs(address.query))
    assert taken["html"].startswith("<p>&lt;b&gt;Look&lt;/b&gt; &amp; see? Pia Partner on")
    stored = link(journey, taken["code"])
    assert ("whatsapp", "hello", 1) == (stored["channel"], stored["asset"], stored["uses"])

    agent = {"user-agent": FIREFOX, "accept": "text/html"}
    followed = http("GET", taken["url"], headers=agent)
    assert 302 == followed.status, followed
    click = parse_qs(urlsplit(followed.headers["location"]).query)[clickid.PARAMETER]

    batch, cards = batch_of(journey, partner, 2)
    assert ("card", batch, "fair") == tuple(
        link(journey, cards[0]["code"])[name] for name in ("channel", "asset", "campaign")
    )
    typed = cards[0]["shown"].replace(" ", "-")
    referral = journey.assigned(typed, clicks=click)
    assert [
        ("click", taken["code"], partner.id),
        ("code", cards[0]["code"], partner.id),
    ] == sorted(touches(journey, referral))
    assert partner.id == journey.state(referral)["partner"]


def test_cards_are_printed_scanned_and_mistyped(journey: Journey) -> None:
    """The sheet and the pictures are read without a login; a wrong character is told as such."""
    stack, partner = journey.stack, journey.partner(iban="")
    batch, cards = batch_of(journey, partner, 60)
    assert 60 == len({each["code"] for each in cards})
    made = stack.call("GET", f"/v1/me/cards/{batch}/sheet", token=partner.token).expect(200).body
    sheet = http("GET", made["url"])
    assert (200, 60) == (sheet.status, str(sheet.body).count("<article>"))
    assert all(each["shown"] in str(sheet.body) for each in cards)
    code = cards[0]["code"]
    drawn = stack.call("GET", f"/v1/me/links/{code}/qr.svg", token=partner.token).expect(200)
    assert cards[0]["url"] == qr.read_svg(str(drawn.body))
    files = stack.call("GET", f"/v1/me/links/{code}/qr", token=partner.token).expect(200).body
    assert 200 == http("GET", files["png_url"]).status
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    refused = journey.submit(wrong)
    assert (422, "mistyped_code") == (refused.status, refused.body["code"])


def test_suspended_link_leads_nowhere_until_it_may_again(journey: Journey) -> None:
    """A manager suspends with a reason; the partner cannot undo it, and typed it is unknown."""
    stack, partner = journey.stack, journey.partner(iban="")
    code = journey.link(partner, path="/fibre?plan=a", channel="linkedin")
    path = f"/v1/programs/{journey.program}/links/{code}"
    body = {"status": "suspended", "reason": "spam"}
    stack.call("PUT", path, body, token=journey.manager).expect(200)
    refused = stack.call("PUT", f"/v1/me/links/{code}", {"status": "active"}, token=partner.token)
    assert (409, "transition_not_allowed") == (refused.status, refused.body["code"])
    assert "unknown_code" == journey.submit(code).expect(422).body["code"]
    agent = {"user-agent": FIREFOX, "accept": "text/html"}
    assert 404 == http("GET", f"{stack['click_url']}/r/{code}", headers=agent).status
    stack.call("PUT", path, {"status": "active"}, token=journey.manager).expect(200)
    led = until(
        lambda: http("GET", f"{stack['click_url']}/r/{code}", headers=agent),
        lambda answer: answer.status == 302,
    )
    assert "/fibre" == urlsplit(led.headers["location"]).path
