"""What the redirect took for a person is looked at once more before it is counted."""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest

from introducer import clock
from introducer.tables import rollups
from introducer.tables.rollups import Day
from route import count
from tests.support.stream import click_record

pytestmark = pytest.mark.usefixtures("engine")

TODAY = "2026-11-22"
SENT = "2026-11-22T11:17:00.000Z"
SERVERS, PEOPLE = "3.5.140.0/24", "91.10.4.0/24"


def follow(number: int, **overrides: Any) -> dict[str, Any]:
    """Store a click as the redirect does and return its stream record."""
    record = click_record(number, **overrides)
    boto3.client("dynamodb").put_item(
        TableName=os.environ["CLICKS_TABLE"], Item=record["dynamodb"]["NewImage"]
    )
    return record


def reasons() -> dict[str, str]:
    """Return why stored clicks are not counted, by their number."""
    found = boto3.client("dynamodb").scan(TableName=os.environ["CLICKS_TABLE"])["Items"]
    return {
        each["pk"]["S"].lstrip("abcdefgh.A0"): each["uncounted"]["S"]
        for each in found
        if "uncounted" in each
    }


def deliver(*records: dict[str, Any]) -> Day:
    """Hand *records* over and return what the program has counted today."""
    count.handler({"Records": list(records)}, None)
    (day,) = rollups.days("telecom", TODAY, TODAY)
    return day


def test_a_click_from_servers_is_taken_back_and_says_why() -> None:
    """People's networks count, rented ones do not, however often the stream hands them over."""
    records = [
        follow(1, net=SERVERS),
        follow(2, net=PEOPLE),
        follow(3, net="2001:db8:1::/48"),
        follow(4),
    ]
    for _ in range(3):
        assert Day(day=TODAY, clicks=3, set_aside=1) == deliver(*records)
    assert {"1": "data_centre"} == reasons()


def test_a_click_within_two_seconds_of_its_mail_is_a_scanner() -> None:
    """Only of links that we mail, and only just after."""
    rollups.mailed("abcdefgh", SENT)
    mailed: dict[str, Any] = {"channel": "email"}
    records = [
        follow(1, at=clock.plus(SENT, seconds=1), **mailed),
        follow(2, at=clock.plus(SENT, seconds=2), **mailed),
        follow(3, at=clock.plus(SENT, seconds=-1), **mailed),
        follow(4, at=clock.plus(SENT, seconds=1), channel="linkedin"),
        follow(5, at=clock.plus(SENT, seconds=1), link="another", **mailed),
    ]
    assert Day(day=TODAY, clicks=4, set_aside=1) == deliver(*records)
    assert {"1": "after_mail"} == reasons()


def test_a_click_that_has_gone_is_set_aside_all_the_same() -> None:
    """The note finds no click to stand on; the count is not made."""
    assert Day(day=TODAY, clicks=0, set_aside=1) == deliver(click_record(1, net=SERVERS))
    assert {} == reasons()


def test_counts_by_value_are_one_list_each() -> None:
    """Campaign, channel, asset and country: what people followed, by day and value."""
    deliver(
        follow(1, campaign="spring", channel="linkedin", asset="post_1", country="AT"),
        follow(2, campaign="spring", channel="card", net=PEOPLE),
        follow(3, channel="card", at="2026-11-23T08:00:00.000Z"),
        follow(4, channel="card", uncounted="bot"),
        follow(5, channel="card", net=SERVERS),
    )
    report = {
        by: [(each.day, each.value, each.clicks) for each in rollups.values("telecom", by, *DAYS)]
        for by in rollups.DIMENSIONS
    }
    assert {
        "campaign": [(TODAY, "spring", 2)],
        "channel": [(TODAY, "card", 1), (TODAY, "linkedin", 1), ("2026-11-23", "card", 1)],
        "asset": [(TODAY, "post_1", 1)],
        "country": [(TODAY, "AT", 1), (TODAY, "DE", 1)],
    } == report
    assert [] == list(rollups.values("telecom", "channel", "2026-11-24", "2026-11-30"))


DAYS = ("2026-11-01", "2026-11-30")
