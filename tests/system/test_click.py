"""Links on the deployed click API: where they lead, what is counted, what is not."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from infra.api import Answer, Stack, http
from introducer import clock
from tests.support.deployed import item, items, until
from tests.support.journey import Journey

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Mobile/15E148 Safari/604.1"
LANDING = "https://www.northwind-telecom.example/business"


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for the whole module: its tests keep apart by partners and leads."""
    return Journey(stack)


def follow(
    stack: Stack, code: str, query: str = "", *, method: str = "GET", agent: str = FIREFOX
) -> Answer:
    """Request a link as a browser does."""
    url = f"{stack['click_url']}/r/{code}{query}"
    return http(method, url, headers={"user-agent": agent, "accept": "text/html"})


def place(answer: Answer) -> tuple[str, dict[str, str]]:
    """Return where a redirect leads, without and with its query."""
    assert 302 == answer.status, answer
    target = urlsplit(answer.headers["location"])
    return target._replace(query="").geturl(), dict(parse_qsl(target.query))


def clicks(stack: Stack, code: str) -> list[dict[str, Any]]:
    """Return the recorded clicks of a link."""
    return [each for each in items(stack, "clicks", code) if each["link"] == code]


def counted(stack: Stack, pk: str) -> int:
    """Return how many clicks a counter shows today."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    return int(item(stack, "rollups", pk, f"DAY#{today}").get("clicks", 0))


def test_click_is_sent_on_and_counted_for_program_link_and_partner(
    stack: Stack, journey: Journey
) -> None:
    """The campaign's tags are kept, the id is added, and the counters follow soon after."""
    partner = journey.partner(iban="")
    code = journey.link(partner, utm={"utm_source": "pia", "utm_term": "default"})
    query = "?utm_source=newsletter&utm_medium=email&gclid=abc&secret=1"
    answer = follow(stack, code, query)
    page, sent = place(answer)
    click = sent.pop("introducer_click")
    assert LANDING == page
    assert {
        "utm_source": "newsletter",
        "utm_medium": "email",
        "utm_term": "default",
        "gclid": "abc",
    } == sent
    assert "no-store" == answer.headers["cache-control"]
    assert click in answer.headers["set-cookie"]
    follow(stack, code, agent=IPHONE)
    follow(stack, code, query)  # again by the first visitor within the hour
    found = {each["pk"]: each for each in clicks(stack, code)}
    assert ["desktop", "phone"] == sorted(each["device"] for each in found.values())
    assert {
        "pk": click,
        "link": code,
        "program": journey.program,
        "partner": partner.id,
        "device": "desktop",
        "utm": "s=newsletter&m=email&p=gclid&t=default",
    } == {
        name: value for name, value in found[click].items() if name not in {"at", "expires", "net"}
    }
    counters = [
        f"PROGRAM#{journey.program}#LINK#{code}",
        f"PROGRAM#{journey.program}#PARTNER#{partner.id}",
    ]
    until(lambda: [counted(stack, pk) for pk in counters], lambda read: read == [2, 2])
    assert counted(stack, f"PROGRAM#{journey.program}#ALL") >= 2
    referral = journey.submit("", clicks=[click]).expect(201).body["id"]
    assert partner.id == journey.until_status(referral, "assigned")["partner"]


@pytest.mark.parametrize(
    ("method", "agent", "who"),
    [
        ("HEAD", FIREFOX, "head"),
        ("GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("GET", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview"),
    ],
)
def test_click_of_a_machine_is_sent_on_stored_and_not_counted(
    stack: Stack, journey: Journey, method: str, agent: str, who: str
) -> None:
    """HEAD requests, bots and previews get the redirect, no id, and a record that says why."""
    code = journey.link(journey.partner(iban=""))
    page, sent = place(follow(stack, code, "?utm_source=x", method=method, agent=agent))
    assert (LANDING, {"utm_source": "x"}) == (page, sent)
    # One person's click after it: once that is counted, the machine's would have been too.
    follow(stack, code)
    until(lambda: counted(stack, f"PROGRAM#{journey.program}#LINK#{code}"), lambda read: read > 0)
    assert ["", who] == sorted(each.get("uncounted", "") for each in clicks(stack, code))
    assert 1 == counted(stack, f"PROGRAM#{journey.program}#LINK#{code}")


def test_variant_is_kept_by_its_cookie(stack: Stack, journey: Journey) -> None:
    """A link with two pages shows a visitor the same one again, and the record says which."""
    pages = [f"{LANDING}?page=a", f"{LANDING}?page=b"]
    variants = [{"destination": page} for page in pages]
    code = journey.link(journey.partner(iban=""), variants=variants)
    answer = follow(stack, code)
    _, sent = place(answer)
    shown = "ab".index(sent["page"])
    assert f"introducer_variants={code}.{shown};" in answer.headers["set-cookie"]
    for agent in (IPHONE, f"{FIREFOX} Other/1", f"{FIREFOX} Other/2"):
        url = f"{stack['click_url']}/r/{code}"
        cookie = f"introducer_variants={code}.{shown}"
        again = http("GET", url, headers={"user-agent": agent, "cookie": cookie})
        assert sent["page"] == place(again)[1]["page"]
    assert [shown] * 4 == [each["variant"] for each in clicks(stack, code)]


def test_link_that_ended_is_as_if_it_had_never_been(stack: Stack, journey: Journey) -> None:
    """Until its time it leads on; after it, nothing tells its code from any other."""
    ends = clock.plus(clock.now(), seconds=15)
    code = journey.link(journey.partner(iban=""), expires_at=ends)
    assert LANDING == place(follow(stack, code))[0]
    ended = until(lambda: follow(stack, code), lambda answer: answer.status != 302, patience_s=40)
    never = follow(stack, "zzzzzzzz")
    assert (404, never.body) == (ended.status, ended.body)
    assert {*never.headers} == {*ended.headers}


@pytest.mark.parametrize("code", ["zzzzzzzz", "-", "%00", "a" * 300])
def test_link_nobody_made_leads_nowhere(stack: Stack, code: str) -> None:
    """An unknown or impossible code is a 404: a page for people, a problem for programs."""
    page = follow(stack, code)
    assert (404, "text/html; charset=utf-8") == (page.status, page.headers["content-type"])
    answer = http("GET", f"{stack['click_url']}/r/{code}", headers={"user-agent": FIREFOX})
    problem = {name: value for name, value in answer.body.items() if name != "request_id"}
    assert {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "This link does not exist.",
    } == problem


@pytest.mark.parametrize(
    "query",
    [
        "?url=https://evil.example/",
        "?utm_source=https://evil.example/%0d%0aLocation:%20https://evil.example",
        "?utm_source=x%0d%0aset-cookie:%20a=b",
        "?utm_source=@evil.example/#https://evil.example",
        "?destination=//evil.example&redirect=evil.example&host=evil.example",
        "?%0d%0ahost:evil.example",
        "?utm_source=%00%ff%fe",
        "?utm_source=" + "x" * 3000,
    ],
)
def test_query_cannot_change_where_a_link_leads(stack: Stack, journey: Journey, query: str) -> None:
    """Whatever a visitor sends, host and path stay the link's and no header is added."""
    code = journey.link(journey.partner(iban=""))
    answer = follow(stack, code, query)
    page, sent = place(answer)
    assert LANDING == page
    assert "a=b" not in answer.headers["set-cookie"]
    assert sent.keys() <= {"utm_source", "introducer_click"}
    assert answer.headers["location"].isascii()
    assert answer.headers["location"].isprintable()


def test_click_drops_an_address_that_somebody_put_into_a_tag(
    stack: Stack, journey: Journey
) -> None:
    """An e-mail address in a campaign tag neither travels on nor is stored."""
    code = journey.link(journey.partner(iban=""))
    _, sent = place(follow(stack, code, "?utm_source=mail&utm_content=lena%40customers.example"))
    assert {"utm_source", "introducer_click"} == sent.keys()
    assert ["s=mail"] == [each["utm"] for each in clicks(stack, code)]
