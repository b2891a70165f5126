"""Records and messages that can never succeed: they end in a dead queue and hold up nobody."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from infra.api import Stack
from tests.support.deployed import PLANTED, aws, mails, messages, until
from tests.support.journey import Journey, unique

QUICK_S = 45
"""A lead that comes meanwhile must not wait for the poison: a shard that is held up stands
still for its maximum age, which is a minute here."""


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for the whole module: its tests keep apart by partners and leads."""
    return Journey(stack)


def plant(stack: Stack, key: str, **attributes: Any) -> None:
    """Put an event into Core that no code of ours would write."""
    event = {
        "pk": key,
        "sk": "EVENT#000001",
        "id": f"{key}#1",
        "type": "ReferralSubmitted",
        "entity": key,
        "program": PLANTED,
        "at": "2026-11-22T11:17:00.000Z",
        "actor": "public",
    } | attributes
    raw = {name: {"S": value} for name, value in event.items() if value is not None}
    item = {**raw, "seq": {"N": "1"}, "data": {"M": {}}}
    aws(stack, "dynamodb").put_item(TableName=stack["tables"]["core"], Item=item)


def dead(stack: Stack, queue: str, word: str) -> list[dict[str, Any]]:
    """Return the bodies of the messages in a dead queue that hold *word*."""
    found = [json.dumps(each) for each in messages(stack, queue)]
    return [json.loads(each) for each in found if word in each]


def take_away(stack: Stack, queue: str, word: str) -> list[str]:
    """Take the planted messages that hold *word* out of a dead queue; return their bodies."""
    sqs, url = aws(stack, "sqs"), stack["queues"][queue]
    bodies = []
    while dead(stack, queue, word):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1)
        for each in answer.get("Messages", []):
            if word in each["Body"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                bodies.append(each["Body"])
        time.sleep(0.1)
    return sorted(bodies)


def test_poison_in_the_streams_ends_in_the_dead_queues_and_blocks_nobody(
    stack: Stack, journey: Journey
) -> None:
    """Broken events are given up with their reason; the next lead is assigned at once."""
    partner = journey.partner(iban="")
    code = journey.link(partner)
    unknown, broken = unique(f"REFERRAL#{PLANTED}"), unique(f"REFERRAL#{PLANTED}")
    plant(stack, unknown)  # nothing is stored about it: only `route` minds
    plant(stack, broken, entity=None)  # not even its own name: `publish` fails too
    began = time.monotonic()
    referral = journey.assigned(code)
    until(lambda: mails(stack, referral), lambda sent: len(sent) == 2)
    assert time.monotonic() - began < QUICK_S
    for queue, entity in (
        ("route_dead", unknown),
        ("route_dead", broken),
        ("publish_dead", broken),
    ):
        until(lambda queue=queue, entity=entity: dead(stack, queue, entity), bool)
    named = {"sk": "EVENT#000001", "type": "ReferralSubmitted"}
    assert [
        ({"pk": unknown, **named}, "NotFoundError: no such referral"),
        ({"pk": broken, **named}, "KeyError at stream.py"),
        ({"pk": broken, **named}, "KeyError at publish.py"),
    ] == [
        *map(parted, take_away(stack, "route_dead", unknown)),
        *map(parted, take_away(stack, "route_dead", broken)),
        *map(parted, take_away(stack, "publish_dead", broken)),
    ]


def parted(body: str) -> tuple[dict[str, str], str]:
    """Return what a parked record is, and why it failed but for the number of the line."""
    parked = json.loads(body)
    named = {name: parked[name] for name in ("pk", "sk", "type")}
    return named, re.sub(r":\d+$", "", parked["reason"])


def test_poison_in_the_queues_ends_in_the_dead_queues_and_blocks_nobody(
    stack: Stack, journey: Journey
) -> None:
    """Messages that mail and earn cannot read are given up whole; the next ones go through."""
    partner = journey.partner(iban="")
    code = journey.link(partner)
    sqs, mark = aws(stack, "sqs"), unique(PLANTED)
    poison = {
        "mail": {"detail": {"type": "PartnerEnrolled", "entity": f"PARTNER#{mark}", "id": mark}},
        "earn": {"detail": {"entity": f"REFERRAL#{mark}"}},
    }
    for queue, body in poison.items():
        sqs.send_message(QueueUrl=stack["queues"][queue], MessageBody=json.dumps(body))
        sqs.send_message(QueueUrl=stack["queues"][queue], MessageBody=f"no JSON {mark}")
    began = time.monotonic()
    referral = journey.assigned(code)
    until(lambda: mails(stack, referral), lambda sent: len(sent) == 2)
    journey.send("sale.recorded", journey.sale(referral)).expect(200)
    until(lambda: journey.statement(partner)["balance"]["pending"], bool)
    assert time.monotonic() - began < QUICK_S
    for queue, body in poison.items():
        url = f"{queue}_dead"
        until(lambda url=url: len(dead(stack, url, mark)), lambda count: count == 2)
        assert sorted([json.dumps(body), f"no JSON {mark}"]) == take_away(stack, url, mark)
