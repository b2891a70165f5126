"""The redirect and people who mean harm: codes, queries, headers and cookies of any kind."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.click import Clicks
from tests.support.clicks import (
    JSON,
    NOT_FOUND,
    NOW_S,
    Clock,
    FakeStore,
    click_id,
    link_item,
    request,
    salt_item,
)

PAST = "2026-11-22T11:16:59.999Z"


@pytest.mark.parametrize("referrer", ["https://[", "about:blank", "https://ä.example/", "x" * 9999])
def test_referrer_that_is_no_host_is_left_out(
    clicks: Clicks, store: FakeStore, referrer: str
) -> None:
    """A strange Referer neither fails the click nor gets stored."""
    clicks.answer(request(headers={"referer": referrer}))
    assert ["referrer" in item for item in store.clicks.values()] == [False]


def test_unknown_suspended_and_expired_codes_are_alike(store: FakeStore, clock: Clock) -> None:
    """Same answer, same reads, no write: nobody learns which codes once existed."""
    store.core["LINK#suspended"] = link_item("suspended", status="suspended")
    expired = link_item("expired", expires_at=PAST, fallback="https://shop.example/")
    store.core["LINK#expired"] = expired
    calls = []
    for code in ("suspended", "expired", "never-was"):
        store.calls.clear()
        clicks = Clicks(store, "core", "clicks", clock=clock)
        assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
        assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
        clock.now_s += 20
        assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
        calls.append([(name, len(json.dumps(asked)) - len(code)) for name, asked, _ in store.calls])
    assert ["BatchGetItem", "BatchGetItem"] == [name for name, _ in calls[0]]
    assert calls[0] == calls[1] == calls[2]


def test_unknown_code_is_a_page_for_a_person(clicks: Clicks) -> None:
    """A browser gets a sentence, not JSON."""
    response = clicks.answer(request("never-was"))
    assert response["statusCode"] == 404
    assert response["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "<p>This link does not exist.</p>" in response["body"]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "ab",
        "../../etc/passwd",
        "%00",
        "abc\x00def",
        "abc\r\nx: y",
        "//evil.com",
        "LINK#abc",
        "äöü",
        "x" * 100_000,
        "CURRENT#",
        "' OR 1=1",
        "\ud800abc",
    ],
)
def test_hostile_code_never_reaches_the_store(clicks: Clicks, store: FakeStore, code: str) -> None:
    """What cannot be a code is answered without a read, as an unknown code is."""
    assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
    assert store.calls == []


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=80))
def test_hostile_input_never_leaves_the_destination(query: str, cookie: str, agent: str) -> None:
    """Any query, cookie and header end in the link's own host, in clean header lines."""
    clicks = Clicks(FakeStore(link_item(), salt_item()), "core", "clicks", clock=lambda: NOW_S)
    event = request(
        query=query,
        cookies=[cookie, f"introducer_clicks={cookie}"],
        headers={"user-agent": agent, "referer": agent, "sec-purpose": cookie, "purpose": agent},
    )
    response = clicks.answer(event)
    location = urlsplit(response["headers"]["location"])
    assert (location.scheme, location.netloc, location.path) == ("https", "shop.example", "/fiber")
    for line in (*response["headers"].values(), *response.get("cookies", [])):
        assert line.isascii()
        assert line.isprintable()


@pytest.mark.parametrize(
    "event", [{}, {"pathParameters": None, "headers": None}, {"pathParameters": {"code": None}}]
)
def test_event_without_its_parts_is_an_unknown_code(clicks: Clicks, event: dict[str, Any]) -> None:
    """A malformed event is answered, not crashed on."""
    assert clicks.answer(event) == NOT_FOUND


@pytest.mark.parametrize(
    "cookie", ["introducer_clicks=" + "a" * 50_000, "introducer_clicks", "=", ""]
)
def test_cookie_that_is_no_list_of_ids_is_replaced(clicks: Clicks, cookie: str) -> None:
    """A swollen or broken cookie is forgotten."""
    response = clicks.answer(request(cookies=[cookie]))
    assert response["cookies"][0].startswith(f"introducer_clicks={click_id(response)};")


def test_guessing_codes_does_not_push_links_out(clicks: Clicks, store: FakeStore) -> None:
    """After thousands of unknown codes the known link needs no read; memory is bounded."""
    clicks.answer(request())
    for number in range(5000):
        clicks.answer(request(f"guess{number}"))
    reads = store.count("BatchGetItem")
    clicks.answer(request(address="203.0.113.9"))
    assert reads == store.count("BatchGetItem") == 5001
    assert len(clicks._links._unknown) == 2000
