"""The click function as Lambda runs it, against the embedded AWS: real sockets, real conditions."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
import pytest

from introducer import clickid, clock
from introducer.link import Link, Variant
from introducer.tables import links, programs, store
from introducer.tables.rollups import days
from introducer.tables.store import Table, Transaction
from route import count
from submit import click
from tests.support.clicks import request

pytestmark = pytest.mark.usefixtures("engine")

NOW = "2026-11-22T11:17:00.000Z"


def make_link(code: str, **overrides: Any) -> Link:
    """Store a link as the API does, and the salt as publishing a program does."""
    link = Link(
        code=code,
        program="telecom",
        partner="0123456789abcdefghjk",
        destination="https://shop.example.com/fiber?plan=1#top",
        created_at=NOW,
        **overrides,
    )
    writes = Transaction()
    links.add(writes, link, actor="PARTNER#0123456789abcdefghjk")
    writes.commit()
    programs.ensure_click_salt(NOW)
    return link


def stored_clicks() -> list[dict[str, Any]]:
    """Return everything in the Clicks table."""
    dynamodb = boto3.client("dynamodb")
    items: list[dict[str, Any]] = dynamodb.scan(TableName=os.environ["CLICKS_TABLE"])["Items"]
    return items


def test_click_on_a_link_of_the_api_is_stored_and_proves_itself() -> None:
    """Whatever the API stores as a link can be clicked; the id is one that intake believes."""
    make_link("abcdefgh", utm={"utm_medium": "friend"})
    response = click.handler(request(query="utm_source=news"), None)
    (item,) = stored_clicks()
    made = item["pk"]["S"]
    assert response["statusCode"] == 302
    assert response["headers"]["location"] == (
        "https://shop.example.com/fiber?plan=1&utm_source=news&utm_medium=friend"
        f"&introducer_click={made}#top"
    )
    keys = clickid.keys_of(programs.click_salts(), NOW)
    said = clickid.read(made, keys)
    assert said is not None
    assert (said.code, said.at[:13]) == ("abcdefgh", item["at"]["S"][:13])
    assert {name: item[name]["S"] for name in ("link", "program", "partner", "utm")} == {
        "link": "abcdefgh",
        "program": "telecom",
        "partner": "0123456789abcdefghjk",
        "utm": "s=news&m=friend",
    }


def test_repeat_is_refused_by_the_table_and_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    """The condition that fails is DynamoDB's own, and it is understood."""
    make_link("abcdefgh")
    first = click.handler(request(), None)
    assert click.handler(request(), None) == first
    assert len(stored_clicks()) == 1
    assert capsys.readouterr().out == ""


def test_unknown_suspended_and_expired_links_are_the_same_404() -> None:
    """Nothing is stored for any of them."""
    make_link("suspended", status="suspended")
    make_link("expired", expires_at="2026-11-22T11:17:00.001Z")
    answers = [click.handler(request(code), None) for code in ("suspended", "expired", "neverwas")]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["statusCode"] == 404
    assert stored_clicks() == []


def test_click_carries_whatever_its_link_is_counted_by() -> None:
    """Labels, retention, page and network, as the API stores them and the consumer reads them."""
    pages = ["https://shop.example.com/a", "https://shop.example.com/b"]
    make_link(
        "abcdefgh",
        campaign="autumn",
        channel="linkedin",
        asset="one-pager",
        clicks_days=30,
        expires_at="2999-01-01T00:00:00.000Z",
        variants=[Variant(destination=page, weight=3) for page in pages],
    )
    response = click.handler(request(), None)
    (item,) = stored_clicks()
    place = int(item["variant"]["N"])
    assert response["headers"]["location"].startswith(f"{pages[place]}?introducer_click=")
    cookies = [each.partition(";")[0] for each in response["cookies"]]
    again = click.handler(request(address="198.51.100.1", cookies=cookies), None)
    assert again["headers"]["location"].startswith(f"{pages[place]}?")
    assert {
        "campaign": {"S": "autumn"},
        "channel": {"S": "linkedin"},
        "asset": {"S": "one-pager"},
        "net": {"S": "203.0.113.0/24"},
    } == {name: item[name] for name in ("campaign", "channel", "asset", "net")}
    kept_s = int(item["expires"]["N"]) - clock.epoch_s(clock.now())
    assert abs(kept_s - 30 * 86_400) < 120


def test_click_of_a_machine_is_stored_and_no_counter_moves() -> None:
    """From the redirect to the counters: it is there, with its reason, and counts for nobody."""
    make_link("abcdefgh")
    click.handler(request(headers={"user-agent": "Twitterbot/1.0"}), None)
    click.handler(request(method="HEAD"), None)
    click.handler(request(), None)
    items = {item.get("uncounted", {"S": ""})["S"]: item for item in stored_clicks()}
    assert {"", "head", "preview"} == items.keys()
    records = [
        {
            "eventID": item["pk"]["S"],
            "eventName": "INSERT",
            "dynamodb": {"NewImage": item, "SequenceNumber": str(number), "Keys": {}},
        }
        for number, item in enumerate(items.values())
    ]
    count.handler({"Records": records}, None)
    today = str(items[""]["at"]["S"])[:10]
    assert [day.clicks for day in days("telecom", today, today, link="abcdefgh")] == [1]


def test_click_becomes_a_counter() -> None:
    """From the redirect over the stored item to what a partner sees, however often delivered."""
    make_link("abcdefgh")
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.2"):
        click.handler(request(address=address), None)
    records = [
        {
            "eventID": item["pk"]["S"],
            "eventName": "INSERT",
            "dynamodb": {"NewImage": item, "SequenceNumber": str(number)},
        }
        for number, item in enumerate(stored_clicks())
    ]
    for delivered in (records, records[:1], records[1:], records):
        count.handler({"Records": delivered}, None)
    today = str(records[0]["dynamodb"]["NewImage"]["at"]["S"])[:10]  # type: ignore[index]
    assert [day.clicks for day in days("telecom", today, today, link="abcdefgh")] == [2]


def test_wrong_credentials_or_table_lose_the_click_not_the_visitor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DynamoDB's refusal is named in the one line of the loss."""
    make_link("abcdefgh")
    monkeypatch.setenv("CLICKS_TABLE", "no-such-table")
    click.service.cache_clear()
    assert click.handler(request(), None)["statusCode"] == 302
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["ClickLost"], line["reason"]) == (1, "ResourceNotFoundException")


def test_stored_salt_has_the_attributes_that_were_agreed() -> None:
    """One item, made once, whose secret is 32 random bytes."""
    programs.ensure_click_salt(NOW)
    programs.ensure_click_salt("2026-12-01T00:00:00.000Z")
    salt = store.get(Table.CORE, clickid.SALT_PK, clickid.SALT_SK)
    assert salt is not None
    assert (salt["kid"], salt["since"], len(clickid.key_of(salt).secret)) == ("A", NOW, 32)
