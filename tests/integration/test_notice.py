"""Notice of change: who is told of a new version, in which words, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

import notify.notice
from introducer.clients import client
from introducer.tables import programs, store
from introducer.tables.people import Contact
from introducer.tables.store import Table, Transaction
from tests.support import life
from tests.support.life import from_bus, raw_items
from tests.support.mails import AGAIN, NOTHING, detail, failing, outcomes, readers, subject, text

NOW = "2026-11-22T11:17:00.000Z"  # where the fixture `frozen` stops the clock
JANUARY = "2026-12-31T23:00:00.000Z"  # the year begins in Berlin
PLAN = {
    "id": "commission",
    "calculation": {"kind": "percent", "basis_points": 1000},
    "milestones": [{"id": "sale", "share_basis_points": 10000}],
    "audiences": ["partners"],
}
BETTER = {**PLAN, "calculation": {"kind": "percent", "basis_points": 1200}}

pytestmark = pytest.mark.usefixtures("aws", "frozen", "mails")


@pytest.fixture
def queue(aws: None, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001  (orders them)
    """The notice queue's URL; failed messages are there again at once."""
    url = life.new_queue("notice")
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    monkeypatch.setenv("NOTICE_QUEUE_URL", url)
    monkeypatch.setenv("BUS_NAME", "bus")
    return url


@pytest.fixture
def mails(queue: str) -> list[dict[str, Any]]:  # noqa: ARG001  (orders them)
    """Every mail handed to the service; the program pays ten percent."""
    client("ses").verify_email_identity(EmailAddress="introducer@example.com")
    publish(rewards=[PLAN])
    return life.record("sesv2", "SendEmail")


def publish(effective_at: str = "", **overrides: Any) -> dict[str, Any]:
    """Publish a version and return its event as the bus carries it."""
    values = {"time_zone": "Europe/Berlin", "rewards": [BETTER], **overrides}
    writes = Transaction()
    document = life.document(**values)
    made = programs.publish(writes, document, now=NOW, actor="user:1", effective_at=effective_at)
    writes.commit()
    return detail(raw_items("PROGRAM#acme")[made.version - 1])


def enrol(*names: str, **overrides: Any) -> None:
    """Enrol partners today."""
    for name in names:
        life.enrol(name, **({"enrolled_at": NOW} | overrides))


def handle(event: dict[str, Any]) -> dict[str, Any]:
    """Deliver messages to the function."""
    return notify.notice.handler(event, None)


def drain(url: str, most: int = 50) -> int:
    """Deliver what the queue holds, and what that puts there, one by one; return how many."""
    for count in range(most):
        answer = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=1)
        if not answer.get("Messages"):
            return count
        (message,) = answer["Messages"]
        record = {"messageId": message["MessageId"], "body": message["Body"]}
        assert NOTHING == handle({"Records": [record]})
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    raise AssertionError("the queue does not run dry")


def test_everybody_affected_hears_what_changes_in_their_language(
    mails: list[dict[str, Any]], queue: str
) -> None:
    """The date is that of the program's time zone; the words are those of the table."""
    enrol("pia")
    enrol("emil", contact=Contact(name="Emil", email="emil@partners.example", locale="de-AT"))
    assert NOTHING == handle(from_bus(publish(JANUARY)))
    assert 0 == drain(queue)
    german, english = sorted(mails, key=lambda mail: readers([mail]))
    assert ["emil@partners.example", "pia@partners.example"] == readers([german, english])
    assert "Die Regeln von Acme referrals ändern sich" == subject(german)
    assert [
        "The rules of Acme referrals change",
        "From 1 January 2027 on other rules apply in Acme referrals. What changes for you:",
        "“Commission”, new: For every sale to the lead: you get 12% of the sale.",
        "“Commission”, no longer: For every sale to the lead: you get 10% of the sale.",
    ] == [subject(english), *(" ".join(each.split()) for each in text(english).split("\n\n")[1:4])]
    assert "Ab 1. Januar 2027 gelten" in text(german)
    assert "Sie erhalten 12 % des Verkaufs." in " ".join(text(german).split())
    assert "https://portal.example.com/rewards-table" in text(english)
    assert {"PROGRAM#acme#2:pia": "sent", "PROGRAM#acme#2:emil": "sent"} == outcomes()


def test_who_is_not_affected_or_not_active_hears_nothing(
    mails: list[dict[str, Any]], queue: str
) -> None:
    """Employees have no such plan, and who left has no plan at all."""
    enrol("pia")
    enrol("eva", audience="employees")
    enrol("old", status="inactive")
    life.enrol("odd", enrolled_at=NOW, program="other")
    handle(from_bus(publish(JANUARY)))
    drain(queue)
    assert ["pia@partners.example"] == readers(mails)


@pytest.mark.parametrize(
    "changes",
    [
        {"rewards": [PLAN], "routing": {"rules": [{"reps": ["ben"]}]}},
        {"rewards": [{**PLAN, "accounting_class": "revenue_reduction"}]},
        {"rewards": [PLAN, {**PLAN, "id": "for_reps", "beneficiary": "rep"}]},
        {"rewards": [PLAN], "stages": ["qualified"], "name": "Acme again"},
    ],
)
def test_what_does_not_concern_partners_is_no_news(
    changes: dict[str, Any], mails: list[dict[str, Any]], queue: str
) -> None:
    """Routing, accounting, the reps' own rewards and stages are the company's affair."""
    enrol("pia")
    assert NOTHING == handle(from_bus(publish(JANUARY, **changes)))
    assert (0, []) == (drain(queue), mails)


def test_a_first_version_is_no_change(mails: list[dict[str, Any]]) -> None:
    """There were no rules before it."""
    enrol("pia")
    assert NOTHING == handle(from_bus(detail(raw_items("PROGRAM#acme")[0])))
    assert [] == mails


def test_a_long_list_is_told_page_by_page(
    mails: list[dict[str, Any]], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message tells so many and puts the next place into the queue; nobody is left out."""
    monkeypatch.setattr(notify.notice, "PAGE", 3)
    names = [f"p{number:02}" for number in range(10)]
    enrol(*names)
    assert NOTHING == handle(from_bus(publish(JANUARY)))
    assert 3 == len(mails)
    assert 3 == drain(queue)
    assert [f"{name}@partners.example" for name in names] == sorted(readers(mails))


def test_days_on_which_nobody_enrolled_are_passed_over(
    mails: list[dict[str, Any]],
    queue: str,
    frozen: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list goes on to today, however long the program has been running."""
    monkeypatch.setattr(notify.notice, "_DAYS_PER_PAGE", 5)
    enrol("first")
    enrol("later", enrolled_at="2026-12-10T00:00:00.000Z")
    enrol("today", enrolled_at="2026-12-15T11:17:00.000Z")
    event = publish(JANUARY)
    frozen("2026-12-15T12:00:00.000Z")
    handle(from_bus(event))
    assert 4 == drain(queue)
    assert ["first@partners.example", "later@partners.example", "today@partners.example"] == (
        readers(mails)
    )


def test_no_message_sends_twice(
    mails: list[dict[str, Any]], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event again, a page again, two chains at once: one mail each."""
    monkeypatch.setattr(notify.notice, "PAGE", 2)
    enrol("a1", "b2", "c3", "d4", "e5")
    event = publish(JANUARY)
    for _ in range(3):
        assert NOTHING == handle(from_bus(event, event))
    drain(queue)
    assert sorted(set(readers(mails))) == sorted(readers(mails))
    assert 5 == len(mails)


def test_a_crash_in_mid_page_is_made_good(
    mails: list[dict[str, Any]], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page comes again: who was told is not told again, the others are."""
    enrol("a1", "b2", "c3")
    event = publish(JANUARY)
    real = notify.notice._queue

    def dies(_places: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(notify.notice, "_queue", dies)
    assert AGAIN == handle(from_bus(event))
    monkeypatch.setattr(notify.notice, "_queue", real)
    assert NOTHING == handle(from_bus(event))
    drain(queue)
    assert 3 == len(mails)


def test_one_bad_address_holds_up_nobody(
    mails: list[dict[str, Any]], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes a message of its own, which fails by itself until it is given up."""
    enrol("a1", "bad", "c3")
    refusal = ClientError({"Error": {"Code": "MessageRejected"}}, "SendEmail")
    failing(monkeypatch, refusal, to="bad@")
    assert NOTHING == handle(from_bus(publish(JANUARY)))
    assert ["a1@partners.example", "c3@partners.example"] == readers(mails)
    (message,) = client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert {
        "place": {"event": "PROGRAM#acme#2", "program": "acme", "version": 2, "partner": "bad"}
    } == json.loads(message["Body"])
    assert AGAIN == handle({"Records": [{"messageId": "m1", "body": message["Body"]}]})


def test_an_outage_keeps_the_page_where_it_is(
    mails: list[dict[str, Any]], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody can be reached the queue tries the page again, and makes no thousand messages."""
    enrol("a1", "b2")
    event = publish(JANUARY)
    with monkeypatch.context() as broken:
        refusal = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "SendEmail")
        failing(broken, refusal)
        assert AGAIN == handle(from_bus(event))
    assert (0, []) == (drain(queue), mails)
    assert NOTHING == handle(from_bus(event))
    assert ["a1@partners.example", "b2@partners.example"] == readers(mails)


def test_a_version_that_was_replaced_is_not_told_any_more(
    mails: list[dict[str, Any]], queue: str
) -> None:
    """Its successor for the same day tells what then really changes."""
    enrol("pia")
    overtaken = publish(JANUARY)
    best = {**PLAN, "calculation": {"kind": "percent", "basis_points": 1500}}
    newest = publish(JANUARY, rewards=[best])
    handle(from_bus(overtaken))
    assert [] == mails
    handle(from_bus(newest))
    drain(queue)
    (mail,) = mails
    assert "15% of the sale" in text(mail)


def test_what_was_announced_and_is_taken_back_is_told(
    mails: list[dict[str, Any]], queue: str
) -> None:
    """Going back to the present rules changes nothing, but partners expect something else."""
    enrol("pia")
    handle(from_bus(publish(JANUARY)))
    handle(from_bus(publish(JANUARY, rewards=[PLAN])))
    drain(queue)
    assert [False, True] == ["does not happen" in text(mail) for mail in mails]


def test_a_replay_of_the_past_reaches_nobody(
    mails: list[dict[str, Any]], frozen: Callable[[str], None]
) -> None:
    """After thirty days it is no news, even when what was sent is forgotten."""
    enrol("pia")
    event = publish("2027-06-01T00:00:00.000Z")
    frozen("2026-12-22T11:17:00.001Z")
    assert NOTHING == handle(from_bus(event))
    assert [] == mails


def test_a_message_nobody_understands_stays_in_the_queue() -> None:
    """A version that is not there, and something that is no place."""
    event = {**publish(JANUARY), "seq": 9}
    assert AGAIN == handle(from_bus(event))
    record = {"messageId": "m1", "body": json.dumps({"place": {"event": "x"}})}
    assert AGAIN == handle({"Records": [record]})


def test_no_message_names_anybody(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues hold ids; names and addresses stay in People."""
    monkeypatch.setattr(notify.notice, "PAGE", 1)
    enrol("pia", "emil")
    handle(from_bus(publish(JANUARY)))
    answer = client("sqs").receive_message(QueueUrl=queue)
    assert "@" not in answer["Messages"][0]["Body"]
    stored = client("dynamodb").scan(TableName=store.name(Table.CORE))
    assert "partners.example" not in json.dumps(stored["Items"])
