"""The redirect: what a visitor gets and what is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from introducer import clickid
from submit.click import Clicks
from submit.click_item import network
from tests.support.clicks import (
    BROWSER,
    DAY_S,
    HEADERS,
    KEYS,
    NOW_S,
    Clock,
    FakeStore,
    click_id,
    link_item,
    logged,
    request,
)


def test_click_redirects_and_is_recorded(clicks: Clicks, store: FakeStore) -> None:
    """The whole response and the whole stored item of an ordinary click."""
    event = request(
        query="utm_source=news&utm_medium=email&gclid=Cj0&next=//evil.example",
        headers={"referer": "https://Blog.example/post?id=7", "cloudfront-viewer-country": "DE"},
        cookies=["session=1", "introducer_clicks=junk"],
    )
    response = clicks.answer(event)
    made = click_id(response)
    attributes = "; Path=/; Max-Age=7776000; Secure; SameSite=Lax; Domain=example.com"
    assert response == {
        "statusCode": 302,
        "headers": {
            "location": "https://shop.example/fiber?utm_source=news&utm_medium=email&gclid=Cj0"
            f"&introducer_click={made}",
            **HEADERS,
        },
        "cookies": [f"introducer_clicks={made}{attributes}"],
        "body": "",
    }
    assert store.clicks == {
        made: {
            "pk": {"S": made},
            "link": {"S": "abcdefgh"},
            "program": {"S": "telecom"},
            "partner": {"S": "0123456789abcdefghjk"},
            "at": {"S": "2026-11-22T11:17:00.000Z"},
            "device": {"S": "desktop"},
            "expires": {"N": str(int(NOW_S) + 90 * 86400)},
            "utm": {"S": "s=news&m=email&p=gclid"},
            "referrer": {"S": "blog.example"},
            "country": {"S": "DE"},
            "net": {"S": "203.0.113.0/24"},
        }
    }


def test_click_id_proves_link_and_hour(clicks: Clicks) -> None:
    """A conversion finds link and hour in the id alone."""
    proven = clickid.read(click_id(clicks.answer(request())), KEYS)
    assert proven is not None
    assert (proven.code, proven.at) == ("abcdefgh", "2026-11-22T11:00:00.000Z")


def test_click_record_stays_small_and_nameless(clicks: Clicks, store: FakeStore) -> None:
    """At most 400 bytes whatever a visitor sends, with neither address nor browser in it."""
    code = "c" * 22
    store.core[f"LINK#{code}"] = link_item(code, program="p" * 32, channel="h" * 32)
    event = request(
        "c" * 22,
        query="utm_source=" + "%C3%BC" * 60 + "&utm_campaign=" + "y" * 100 + "&gad_campaignid=1",
        address="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        headers={
            "referer": f"https://{'r' * 57}.de/",
            "user-agent": f"Mozilla/5.0 (Android 15; SomeTablet; {'z' * 400}) Gecko/20100101",
            "cloudfront-viewer-country": "DE",
        },
    )
    clicks.answer(event)
    ((made, item),) = store.clicks.items()
    sizes = {name: len(name) + len(next(iter(value.values()))) for name, value in item.items()}
    sizes["expires"] = len("expires") + 6  # ten digits are six bytes
    assert len(made) == 48
    assert 380 < sum(sizes.values()) <= 400
    assert {"S": "2001:db8:ffff::/48"} == item["net"]
    assert "ffff:ffff" not in json.dumps(item)
    assert "SomeTablet" not in json.dumps(item)


def test_click_carries_what_its_link_is_counted_by(clicks: Clicks, store: FakeStore) -> None:
    """Campaign, channel and asset are the link's, however long; the visitor's own tags give way."""
    labels = {"campaign": "c" * 60, "channel": "h" * 32, "asset": "a" * 64}
    store.core["LINK#abcdefgh"] = link_item(program="p" * 32, **labels)
    clicks.answer(request(query="utm_content=" + "y" * 90))
    ((_, item),) = store.clicks.items()
    assert labels == {name: item[name]["S"] for name in labels}
    assert {"S": "s=partner"} == item["utm"]


@pytest.mark.parametrize("days", [1, 30, 730])
def test_click_is_kept_as_long_as_its_link_says(
    clicks: Clicks, store: FakeStore, days: int
) -> None:
    """The program's retention reaches the click with its link, without another read."""
    store.core["LINK#abcdefgh"] = link_item(clicks_days=days)
    clicks.answer(request())
    ((_, item),) = store.clicks.items()
    assert {"N": str(int(NOW_S) + days * DAY_S)} == item["expires"]


@pytest.mark.parametrize(
    ("address", "net"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:DB8::1", "2001:db8::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("", ""),
        ("300.0.0.1", ""),
        ("1.2.3", ""),
        ("\u0661.2.3.4", ""),
        ("not an address", ""),
        ("::1\x00", ""),
    ],
)
def test_network_is_the_address_cut_short(address: str, net: str) -> None:
    """What is no address has no network, and is no fault."""
    assert net == network(address)


def test_click_when_warm_reads_nothing(clicks: Clicks, store: FakeStore) -> None:
    """One read brings link and salts; a hundred more visitors are a hundred puts."""
    for number in range(101):
        clicks.answer(request(address=f"203.0.113.{number}"))
    assert store.count("BatchGetItem") == 1
    assert store.count("PutItem") == 101
    assert len(store.clicks) == 101
    assert [key["sk"]["S"] for key in store.calls[0][1]["RequestItems"]["core"]["Keys"]] == [
        "LINK",
        "CURRENT",
        "CURRENT",
    ]


def test_repeat_within_the_hour_is_the_same_click(
    clicks: Clicks, store: FakeStore, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reloading changes nothing and is no fault; the next hour is another click."""
    first = clicks.answer(request())
    clock.now_s += 42 * 60
    assert click_id(clicks.answer(request())) == click_id(first)
    assert len(store.clicks) == 1
    clock.now_s += 60
    later = clicks.answer(request(cookies=[first["cookies"][0].partition(";")[0]]))
    assert click_id(later) != click_id(first)
    assert later["cookies"][0].startswith(
        f"introducer_clicks={click_id(first)}~{click_id(later)}; "
    )
    assert len(store.clicks) == 2
    assert logged(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    "other", [{"address": "203.0.113.8"}, {"headers": {"user-agent": BROWSER + " other"}}]
)
def test_two_visitors_are_two_clicks(
    clicks: Clicks, store: FakeStore, other: dict[str, Any]
) -> None:
    """Another address or another browser is another visitor."""
    clicks.answer(request())
    clicks.answer(request(**other))
    assert len(store.clicks) == 2


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148", "phone"),
        ("Mozilla/5.0 (Linux; Android 16; CUBOT X90) Chrome/142.0 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (iPad; CPU OS 19_0 like Mac OS X) Mobile/15E148", "tablet"),
        (BROWSER, "desktop"),
    ],
)
def test_device_is_a_class_of_three(
    clicks: Clicks, store: FakeStore, agent: str, device: str
) -> None:
    """Real browsers are people, a phone maker called Cubot included."""
    clicks.answer(request(headers={"user-agent": agent}))
    assert [item["device"]["S"] for item in store.clicks.values()] == [device]


def test_cookie_holds_ten_and_forgets_the_oldest(clicks: Clicks, clock: Clock) -> None:
    """Twelve clicks in twelve hours leave the last ten, each shorter than the limit."""
    cookie, made = "introducer_clicks=", []
    for _ in range(12):
        response = clicks.answer(request(cookies=[cookie]))
        cookie = response["cookies"][0].partition(";")[0]
        made.append(click_id(response))
        clock.now_s += 3600
    assert cookie == "introducer_clicks=" + "~".join(made[-10:])


def test_debug_line_holds_nothing_personal(
    store: FakeStore, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Locally each click is one line: link and outcome."""
    clicks = Clicks(store, "core", "clicks", debug=True, clock=clock)
    for event in (request(), request(), request(method="HEAD"), request("never-was")):
        clicks.answer(event)
    assert logged(capsys.readouterr().out) == [
        {"level": "DEBUG", "message": "click", "link": link, "outcome": outcome}
        for link, outcome in [
            ("abcdefgh", "counted"),
            ("abcdefgh", "repeated"),
            ("abcdefgh", "head"),
            ("never-was", "not_active"),
        ]
    ]


def test_cookies_are_found_where_they_were_left(clicks: Clicks, clock: Clock) -> None:
    """In the event's list, or in the header as it came; the last ids are the same."""
    first = click_id(clicks.answer(request()))
    clock.now_s += 3600
    cookies = ["session=1", f"introducer_clicks={first}"]
    listed = clicks.answer(request(cookies=cookies))
    header = clicks.answer(request(headers={"cookie": "; ".join(cookies)}))
    assert f"introducer_clicks={first}~{click_id(listed)}" in listed["cookies"][0]
    assert listed == header
