"""Versions over HTTP: drafts, notice, schedules, going back, and what stays pinned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from introducer.tables import programs, referrals, store
from introducer.tables.store import Table
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.tables import everything

MANAGER = login("sub-m", "manager")
AUDITOR = login("sub-a", "auditor")
PATH = "/v1/programs/acme/versions"
NOW = "2026-11-22T11:17:00.000Z"  # where the fixture `frozen` stops the clock
IN_14_DAYS = "2026-12-06T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


def document(**overrides: Any) -> dict[str, Any]:
    """Return a program document as it is sent, with a fortnight's notice."""
    plain: dict[str, Any] = msgspec.to_builtins(life.document(notice={"days": 14}))
    return {**plain, **overrides}


def publish(body: dict[str, Any] | None = None, query: str = "", key: str = "") -> Reply:
    """Publish a version."""
    return call("POST", f"{PATH}?{query}", body or document(), claims=MANAGER, key=key)


def made(version: int, effective_at: str) -> dict[str, Any]:
    """Return the answer to a version that was published."""
    return {"program": "acme", "version": version, "effective_at": effective_at}


def numbers(now: str = NOW) -> int:
    """Return which version counts."""
    return programs.current("acme", now).version


def test_first_version_counts_at_once() -> None:
    """There is nobody yet whom a notice would be owed to."""
    reply = publish()
    assert (201, made(1, NOW)) == (reply.status, reply.body)
    assert "versions/1" == reply.headers["location"]
    assert 1 == numbers()


def test_next_version_counts_when_the_notice_is_over() -> None:
    """The present version says how long that is; until then it goes on counting."""
    publish()
    reply = publish(document(name="Acme two", notice={"days": 0}))
    assert (201, made(2, IN_14_DAYS)) == (reply.status, reply.body)
    assert (1, 1, 2) == (numbers(), numbers("2026-12-06T11:16:59.999Z"), numbers(IN_14_DAYS))
    stored = store.get(Table.CORE, "PROGRAM#acme", "HEAD")
    assert stored is not None
    assert [
        {"number": 1, "effective_at": NOW},
        {"number": 2, "effective_at": IN_14_DAYS},
    ] == stored["schedule"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (IN_14_DAYS, made(2, IN_14_DAYS)),
        ("2026-12-06T12:17:00%2B01:00", made(2, IN_14_DAYS)),
        ("2027-01-01T00:00:00Z", made(2, "2027-01-01T00:00:00.000Z")),
        ("2026-12-06T11:16:59.999Z", "notice_too_short"),
        (NOW, "notice_too_short"),
        ("2026-11-22T11:15:59.999Z", "invalid_time"),
        ("2036-11-19T11:17:00.001Z", "invalid_time"),
        ("2026-12-06T11:17:00", "invalid_time"),
        ("soon", "invalid_time"),
        ("9999-12-31T23:59:59-23:00", "invalid_time"),
    ],
)
def test_notice_is_kept_to_the_millisecond(at: str, expected: Any) -> None:
    """Exactly the notice will do; a millisecond less, the past and the absurd are refused."""
    publish()
    reply = publish(document(name="Two"), f"effective_at={at}")
    if isinstance(expected, str):
        assert (422, expected, "effective_at") == reply.field()
        assert 1 == numbers("2040-01-01T00:00:00.000Z")
    else:
        assert (201, expected) == (reply.status, reply.body)


def test_less_notice_needs_a_reason_that_is_kept() -> None:
    """Version and event both say why."""
    publish()
    reply = publish(document(name="Two"), f"effective_at={NOW}&reason=Legal%20order%2012")
    assert (201, made(2, NOW)) == (reply.status, reply.body)
    assert 2 == numbers()
    assert "Legal order 12" == programs.version("acme", 2).reason
    event = store.get(Table.CORE, "PROGRAM#acme", "EVENT#000002")
    assert event is not None
    assert {
        "version": 2,
        "effective_at": NOW,
        "reason": "Legal order 12",
        "instead_of": 1,
    } == event["data"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("reason=a%0Ab", "reason"),
        (f"reason={'x' * 201}", "reason"),
        ("newest=-1", "newest"),
        ("when=now", "when"),
        (f"effective_at={'1' * 41}", "effective_at"),
    ],
)
def test_publishing_takes_no_strange_parameters(query: str, field: str) -> None:
    """Parameters are as strict as bodies."""
    reply = publish(query=query)
    assert (400, field) == (reply.status, reply.field()[2])


def test_a_time_of_half_a_minute_ago_is_now() -> None:
    """Clocks differ a little; nothing ever counts before it was published."""
    reply = publish(query="effective_at=2026-11-22T11:16:30Z")
    assert made(1, NOW) == reply.body


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        # The clocks go forward on 28 March 2027, back on 31 October 2027.
        ("2027-03-20T09:00:00.000Z", "Europe/Berlin", "2027-04-03T08:00:00.000Z"),
        ("2027-10-20T09:00:00.000Z", "Europe/Berlin", "2027-11-03T10:00:00.000Z"),
        # 02:30 does not exist on that day: it is read with the offset from before.
        ("2027-03-14T01:30:00.000Z", "Europe/Berlin", "2027-03-28T01:30:00.000Z"),
        ("2027-03-20T09:00:00.000Z", "UTC", "2027-04-03T09:00:00.000Z"),
    ],
)
def test_days_of_notice_are_days_of_the_programs_time_zone(
    now: str, zone: str, expected: str, frozen: Callable[[str], None]
) -> None:
    """The time of day stays what it is on the partners' clocks."""
    frozen(now)
    publish(document(time_zone=zone))
    assert made(2, expected) == publish(document(time_zone=zone, name="Two")).body


def test_two_versions_may_be_scheduled() -> None:
    """Each counts from its own time on; which was published later does not matter."""
    publish()
    publish(document(name="January"), "effective_at=2027-01-01T00:00:00Z")
    publish(document(name="Mid December"), "effective_at=2026-12-15T00:00:00Z")
    assert [1, 3, 3, 2] == [
        numbers(at)
        for at in (
            "2026-12-14T23:59:59.999Z",
            "2026-12-15T00:00:00.000Z",
            "2026-12-31T23:59:59.999Z",
            "2027-01-01T00:00:00.000Z",
        )
    ]
    rows = call("GET", PATH, claims=AUDITOR).body["items"]
    assert [(3, "scheduled"), (2, "scheduled"), (1, "current")] == [
        (row["version"], row["state"]) for row in rows
    ]


def test_a_scheduled_version_is_replaced_by_one_for_the_same_time() -> None:
    """Of two for one instant the newer counts, and the other never will."""
    publish()
    publish(document(name="Two"))
    publish(document(name="Three"), f"effective_at={IN_14_DAYS}")
    assert 3 == numbers(IN_14_DAYS)
    assert (1, 2) == (programs.version("acme", 3).follows, programs.version("acme", 3).instead_of)
    rows = call("GET", PATH, claims=AUDITOR).body["items"]
    assert ["scheduled", "past", "current"] == [row["state"] for row in rows]


def test_schedule_has_an_end() -> None:
    """Every request reads the schedule, so it stays small."""
    publish()
    for day in range(1, 20):
        assert 201 == publish(query=f"effective_at=2027-01-{day:02}T00:00:00Z").status
    reply = publish(query="effective_at=2027-02-01T00:00:00Z")
    assert (422, "too_many_scheduled", "effective_at") == reply.field()


def test_versions_are_listed_page_by_page() -> None:
    """Newest first, each with when, by whom and why; the whole row."""
    publish()
    publish(document(name="Two"))
    publish(document(name="Three"), f"effective_at={NOW}&reason=Error%20in%20two")
    first = call("GET", f"{PATH}?limit=2", claims=AUDITOR).body
    second = call("GET", f"{PATH}?limit=2&cursor={first['next']}", claims=AUDITOR).body
    assert "" == second["next"]
    common = {"published_at": NOW, "published_by": "user:sub-m", "restores": 0}
    assert [
        {
            "version": 3,
            "state": "current",
            "effective_at": NOW,
            "reason": "Error in two",
            **common,
        },
        {"version": 2, "state": "scheduled", "effective_at": IN_14_DAYS, "reason": "", **common},
        {"version": 1, "state": "past", "effective_at": NOW, "reason": "", **common},
    ] == first["items"] + second["items"]


def test_version_is_read_whole_and_as_it_was_sent() -> None:
    """The source keeps what was written, the document holds every default."""
    sent = {key: value for key, value in document().items() if key != "retention_days"}
    publish(sent)
    read = call("GET", f"{PATH}/1", claims=AUDITOR).body
    assert {
        "program": "acme",
        "version": 1,
        "state": "current",
        "effective_at": NOW,
        "published_at": NOW,
        "published_by": "user:sub-m",
        "reason": "",
        "restores": 0,
        "document": document(),
        "source": sent,
    } == read


@pytest.mark.parametrize("number", ["0", "2", "x", "01x", "1" * 12, "-1", "٣"])
def test_version_that_is_not_there_is_not_found(number: str) -> None:
    """Neither a number nobody published nor something that is no number."""
    publish()
    assert (404, "not_found") == call("GET", f"{PATH}/{number}", claims=AUDITOR).problem()
    reply = call("POST", f"{PATH}/{number}/restore", {}, claims=MANAGER)
    assert (404, "not_found") == reply.problem()


def test_program_nobody_published_has_no_versions() -> None:
    """A list of nothing would look like a program."""
    reply = call("GET", "/v1/programs/nosuch/versions", claims=AUDITOR)
    assert (404, "not_found") == reply.problem()


def test_going_back_publishes_the_old_version_as_a_new_one() -> None:
    """History stays; notice is owed for going back too."""
    publish(document(name="One"))
    publish(document(name="Two"), f"effective_at={NOW}&reason=test")
    refused = call("POST", f"{PATH}/1/restore?effective_at={NOW}", {}, claims=MANAGER)
    assert (422, "notice_too_short", "effective_at") == refused.field()
    query = f"effective_at={NOW}&reason=Two%20was%20wrong"
    reply = call("POST", f"{PATH}/1/restore?{query}", {}, claims=MANAGER)
    assert (201, made(3, NOW)) == (reply.status, reply.body)
    assert "../3" == reply.headers["location"]
    read = call("GET", f"{PATH}/3", claims=MANAGER).body
    assert ("One", 1, "Two was wrong") == (
        read["document"]["name"],
        read["restores"],
        read["reason"],
    )
    assert read["source"] == call("GET", f"{PATH}/1", claims=MANAGER).body["source"]


def test_a_retry_is_not_a_second_version() -> None:
    """The same key answers the same; for another time or reason it is another request."""
    publish(key="the-one-key")
    again = publish(key="the-one-key")
    assert ("true", made(1, NOW)) == (again.headers["idempotent-replayed"], again.body)
    other = publish(query="reason=other", key="the-one-key")
    assert (422, "idempotency_key_reused") == other.problem()


def test_a_document_too_large_to_store_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all its defaults it is larger than it was sent; nothing is half stored."""
    monkeypatch.setattr(programs, "STORED_LIMIT_BYTES", 1_000)
    reply = publish()
    assert (422, "invalid_program") == reply.problem()
    assert ["$"] == [finding["path"] for finding in reply.body["findings"]]
    assert [] == [item for item in everything() if item["pk"] == "PROGRAM#acme"]


def test_a_head_without_a_schedule_stands_for_its_newest_version() -> None:
    """As programs were stored before versions had dates."""
    life.publish()
    stored = store.get(Table.CORE, "PROGRAM#acme", "HEAD")
    assert stored is not None
    old = {name: value for name, value in stored.items() if name != "schedule"}
    store.put(Table.CORE, "PROGRAM#acme", "HEAD", old)
    assert 1 == programs.current("acme", "2020-01-01T00:00:00.000Z").version
    assert made(2, NOW) == publish().body


def test_who_has_not_seen_the_newest_version_is_told() -> None:
    """Of two managers who begin at the same version the slower one is refused."""
    publish()
    assert 201 == publish(document(name="A"), "newest=1").status
    reply = publish(document(name="B"), "newest=1")
    assert (409, "stale") == reply.problem()
    assert 404 == call("GET", f"{PATH}/3", claims=MANAGER).status


def test_a_document_may_extend_a_stored_version() -> None:
    """It is stored whole, and its source as it was written."""
    publish()
    sent = {"id": "acme-at", "name": "Acme Austria", "extends": {"program": "acme", "version": 1}}
    reply = call("POST", "/v1/programs/acme-at/versions", sent, claims=MANAGER)
    assert 201 == reply.status
    read = call("GET", "/v1/programs/acme-at/versions/1", claims=MANAGER).body
    assert (sent, document(id="acme-at", name="Acme Austria")) == (
        read["source"],
        read["document"],
    )
    unknown = {**sent, "id": "acme-ch", "extends": {"program": "acme", "version": 7}}
    reply = call("POST", "/v1/programs/acme-ch/versions", unknown, claims=MANAGER)
    assert (422, "invalid_program") == reply.problem()


def test_a_draft_is_checked_without_being_published() -> None:
    """What is wrong, when it could count, and what partners would be told; nothing is stored."""
    publish()
    before = everything()
    path = "/v1/programs/acme/validate"
    good = call("POST", path, document(terms_version="2"), claims=MANAGER, key=None)
    assert {
        "valid": True,
        "findings": [],
        "earliest_at": IN_14_DAYS,
        "changes": {
            "employees": ["New terms apply: 2."],
            "partners": ["New terms apply: 2."],
        },
    } == good.body
    bad = call("POST", path, document(currency="XXX"), claims=MANAGER, key=None)
    assert (200, False, ["$.currency"], {}) == (
        bad.status,
        bad.body["valid"],
        [finding["path"] for finding in bad.body["findings"]],
        bad.body["changes"],
    )
    for raw in ("{", "[]", "[" * 60_000):
        reply = call("POST", path, raw, claims=MANAGER, key=None)
        assert (200, False) == (reply.status, reply.body["valid"])
    assert before == everything()


def test_a_draft_of_a_program_that_is_not_there_yet_is_checked() -> None:
    """A first version owes no notice and changes nothing."""
    reply = call("POST", "/v1/programs/acme/validate", document(), claims=MANAGER, key=None)
    assert {"valid": True, "findings": [], "earliest_at": NOW, "changes": {}} == reply.body


def test_a_referral_keeps_the_version_it_was_made_under(frozen: Callable[[str], None]) -> None:
    """Made before the change, worked on after it: its stages are those of its own version."""
    life.publish(notice={"days": 14})
    life.enrol("pia")
    code = call("POST", "/v1/me/links", {}, claims=login("login-pia", "partner")).body["code"]
    publish(document(products=["fibre", "cloud"]))

    def submit(email: str, product: str) -> Reply:
        return call(
            "POST",
            "/v1/programs/acme/referrals",
            {
                "name": "Lena Lead",
                "email": email,
                "country": "DE",
                "product": product,
                "code": code,
                "consent": {"text_version": "1", "given": True},
            },
        )

    frozen("2026-12-06T11:16:59.999Z")
    early = submit("early@customer.example", "mobile")
    assert (422, "unknown_product", "product") == submit("x@customer.example", "cloud").field()
    frozen(IN_14_DAYS)
    late = submit("late@customer.example", "cloud")
    assert (422, "unknown_product", "product") == submit("x@customer.example", "mobile").field()
    assert [1, 2] == [referrals.get(reply.body["id"]).program_version for reply in (early, late)]
