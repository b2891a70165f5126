"""Personal data stays in People: canaries walk the path and are looked for everywhere else."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from infra import seed
from infra.api import Stack, http
from infra.bank import MockBank
from tests.support.deployed import aws, items, logs, messages, until
from tests.support.journey import DUE_MINOR, Journey, Partner, unique

LEAD = {
    "name": "Xantippe Kanarienvogel",
    "company": "Kanarienzucht Vogelsang",
    "phone": "+4915112345678",
    "note": "Ring twice, ask for Zwitscherlein",
}
PARTNER_NAME = "Quirinus Finkenschlag"
IBAN = "DE02120300000000202051"
WHOLE_PATH_S = 90


class Canaries:
    """Words that identify a person, and every way in which one may be written."""

    def __init__(self, words: list[str]) -> None:
        self._plain = {
            form.lower(): word
            for word in words
            for form in (
                word,
                urllib.parse.quote(word, safe=""),
                urllib.parse.quote_plus(word),
                json.dumps(word)[1:-1],
            )
        }
        self._coded = {form: word for word in words for form in _in_base64(word)}

    def find(self, text: str) -> list[str]:
        """Return the words that *text* holds, in plain or coded."""
        lower = text.lower()
        return sorted(
            {word for form, word in self._plain.items() if form in lower}
            | {word for form, word in self._coded.items() if form in text}
        )


def _in_base64(word: str) -> Iterator[str]:
    # Three shifts, and without the letters that neighbours on either side change.
    for shift in range(3):
        raw = b"\0" * shift + word.encode()
        whole = base64.b64encode(raw[: len(raw) // 3 * 3]).decode()
        yield whole[4 if shift else 0 :]
        yield base64.urlsafe_b64encode(raw[: len(raw) // 3 * 3]).decode()[4 if shift else 0 :]


@pytest.fixture
def tap(stack: Stack) -> Iterator[Any]:
    """Everything that passes the bus from now on, read from a queue of our own."""
    events, sqs, name = aws(stack, "events"), aws(stack, "sqs"), unique("tap")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    sources = {"source": ["introducer.core", "introducer.ledger"]}
    events.put_rule(Name=name, EventBusName=stack["bus"], EventPattern=json.dumps(sources))
    target = {"Id": "tap", "Arn": arn["QueueArn"]}
    events.put_targets(Rule=name, EventBusName=stack["bus"], Targets=[target])
    tapped = Stack({**stack.outputs, "queues": {**stack["queues"], "tap": url}})
    yield lambda: messages(tapped, "tap")
    events.remove_targets(Rule=name, EventBusName=stack["bus"], Ids=["tap"])
    events.delete_rule(Name=name, EventBusName=stack["bus"])
    sqs.delete_queue(QueueUrl=url)


def walk(journey: Journey, lead_mail: str, partner_mail: str) -> tuple[Partner, str, str]:
    """Go the whole path, with refusals and a late return; return partner, referral and batch."""
    partner = journey.partner(email=partner_mail, name=PARTNER_NAME, iban=IBAN)
    code = journey.link(partner)
    _be_refused(journey, partner, code, lead_mail)
    url = f"{journey.stack['click_url']}/r/{code}?utm_content={lead_mail}&email={lead_mail}"
    http("GET", url, headers={"user-agent": "Mozilla/5.0 Firefox/140.0", "referer": url})
    referral = journey.won(partner, code, email=lead_mail, **LEAD)
    journey.submit(code, email=lead_mail, key=lead_mail, **LEAD).expect(201)  # a duplicate
    shown = journey.stack.call("GET", f"/v1/rep/referrals/{referral}", token=journey.rep)
    assert {**LEAD, "email": lead_mail, "locale": "en"} == shown.expect(200).body["contact"]
    journey.start("sweep")
    journey.start("accrue")
    journey.until_balance(partner, pending=3 * DUE_MINOR, payable=DUE_MINOR)
    batch = journey.approved()
    with MockBank() as bank:
        journey.open_owner(bank)
        bank.return_later("OWNER", days=2, reason="AC04")
        journey.hand_over(bank, batch)
        bank.settle()
        journey.bring_back(bank)
    journey.until_batch("settled")
    journey.until_balance(partner, pending=3 * DUE_MINOR, payable=DUE_MINOR)
    journey.start("reconcile")
    return partner, referral, batch


def _be_refused(journey: Journey, partner: Partner, code: str, mail: str) -> None:
    """Send personal data in everything that is refused."""
    stack, path = journey.stack, f"/v1/programs/{journey.program}/referrals"
    lead = journey.lead(code, email=mail, **LEAD)
    for body in (
        lead | {LEAD["name"]: LEAD["company"]},
        lead | {"country": LEAD["name"]},
        lead | {"code": LEAD["name"]},
        lead | {"product": mail},
        lead | {"industry": LEAD["name"]},
        lead | {"answers": {"budget": LEAD["name"]}},
        lead | {"metadata": {"plan": mail}},
        lead | {"co_referrers": [LEAD["name"]]},
        lead | {"phone": f"{LEAD['phone']}000000000000"},
        json.dumps(lead).encode()[:-1],
    ):
        assert stack.call("POST", path, body).status in {400, 422}
    form = urllib.parse.urlencode({"name": LEAD["name"], "email": mail, LEAD["name"]: "1"})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert 400 == stack.call("POST", path, form.encode(), headers=headers).status
    payee = {"name": PARTNER_NAME, "iban": f"{IBAN[:-1]}9", "town": LEAD["name"], "country": "DE"}
    for body in (payee, payee | {"iban": LEAD["name"]}, payee | {LEAD["name"]: mail}):
        answer = stack.call("PUT", "/v1/me/payee", body, token=partner.token)
        assert answer.status in {400, 422}
    assert 422 == journey.enrol(partner.token, mail, name=LEAD["name"]).status
    quoted = urllib.parse.quote(mail)
    for wrong in (f"/v1/me/referrals/{quoted}", f"/v1/me/links?{quoted}={quoted}"):
        assert stack.call("GET", wrong, token=partner.token).status in {400, 404}
    sale = journey.sale("nobody", sale=mail)
    assert 400 == journey.send("sale.recorded", sale | {"customer": LEAD["name"]}).status
    assert 400 == journey.send("sale.recorded", sale).status


def elsewhere(stack: Stack, tapped: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and text of everything stored outside People, mails and the bank's files."""
    yield from logs(stack)
    for table in ("core", "ledger", "clicks", "rollups"):
        for each in items(stack, table):
            yield f"{table} {each['pk']} {each.get('sk', '')}", str(each)
    yield from _stream_images(stack)
    for queue in stack["queues"]:
        yield f"queue {queue}", json.dumps(messages(stack, queue))
    for each in tapped:
        yield "bus", json.dumps(each)
    yield from _executions(stack)
    s3, bucket = aws(stack, "s3"), stack["buckets"]["bank"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            if not key.startswith(("outbox/", "inbox/")):
                body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                yield f"file {key}", f"{key} {body.decode()}"


def _stream_images(stack: Stack) -> Iterator[tuple[str, str]]:
    streams = aws(stack, "dynamodbstreams")
    for table in ("core", "ledger", "clicks"):
        for stream in streams.list_streams(TableName=stack["tables"][table])["Streams"]:
            arn = stream["StreamArn"]
            for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
                place = streams.get_shard_iterator(
                    StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                while place:
                    answer = streams.get_records(ShardIterator=place)
                    place = answer.get("NextShardIterator") if answer["Records"] else None
                    for record in answer["Records"]:
                        yield f"stream {table}", str(record["dynamodb"])


def _executions(stack: Stack) -> Iterator[tuple[str, str]]:
    states = aws(stack, "stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=stack["machine_arn"])
    for execution in (each for page in pages for each in page["executions"]):
        arn = execution["executionArn"]
        yield (
            f"execution {arn}",
            json.dumps(states.describe_execution(executionArn=arn), default=str),
        )
        history = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        for page in history:
            yield f"history {arn}", json.dumps(page["events"], default=str)


def test_canaries_are_found_when_they_are_there() -> None:
    """The search would see a name in any case, in a URL, escaped in JSON or in base64."""
    canaries = Canaries([LEAD["name"], "lena+x@customers.example"])
    assert [LEAD["name"]] == canaries.find("... XANTIPPE kanarienvogel ...")
    for text in (
        "?m=lena%2Bx%40customers.example",
        "Lena+X@Customers.Example",
        base64.b64encode(b'{"email": "lena+x@customers.example"}').decode(),
        base64.b64encode(b"{'email': 'lena+x@customers.example'}!").decode(),
        base64.b64encode(b"<lena+x@customers.example>, ").decode(),
    ):
        assert ["lena+x@customers.example"] == canaries.find(text), text
    assert [] == canaries.find("Xantippe met a Kanarienvogel, lena@customers.example")


@pytest.mark.usefixtures("alone")
def test_personal_data_stays_in_people(stack: Stack, journey: Journey, tap: Any) -> None:
    """No name, address, number or account is in logs, events, queues, executions or files."""
    lead_mail = f"{unique('kanarie')}@customers.example"
    partner_mail = f"{unique('finkenschlag')}@partners.example"
    canaries = Canaries([*LEAD.values(), lead_mail, PARTNER_NAME, partner_mail, IBAN])
    partner, referral, batch = walk(journey, lead_mail, partner_mail)
    tapped = until(tap, lambda seen: any(referral in json.dumps(each) for each in seen))
    assert any(partner.id in json.dumps(each) for each in tapped)

    places = list(elsewhere(stack, tapped))
    kinds = {place.partition(" ")[0] for place, _ in places}
    assert {"core", "ledger", "stream", "bus", "queue", "execution", "history", "file"} <= kinds
    assert any(referral in text for place, text in places if place.startswith("stream"))
    assert any(batch in text for place, text in places if place.startswith("history"))
    assert [] == [(place, canaries.find(text)) for place, text in places if canaries.find(text)]

    # They are where they belong, which also shows that the search finds them there.
    lead = str(items(stack, "people", lead_mail))
    assert sorted([*LEAD.values(), lead_mail]) == canaries.find(lead)
    contact = items(stack, "people", partner_mail)
    assert sorted([PARTNER_NAME, partner_mail]) == canaries.find(str(contact))
    payee = items(stack, "people", contact[0]["pk"])
    assert ["CONTACT", "PAYEE"] == [each["sk"] for each in payee]
    assert [] == canaries.find(str(payee[1]))
    file = aws(stack, "s3").get_object(Bucket=stack["buckets"]["bank"], Key=f"outbox/{batch}.xml")[
        "Body"
    ]
    assert sorted([PARTNER_NAME, IBAN]) == canaries.find(file.read().decode())
    assert seed.PASSWORD not in "".join(text for _, text in places)
