"""What reps, managers and finance may do: leads, programs, sources, queues, batches, jobs."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import msgspec
import pytest
from standardwebhooks import Webhook

from introducer import keyring
from introducer.clients import client
from introducer.command import Assign, Clear, SendToReview
from introducer.errors import NotFoundError
from introducer.referral import HANDED_BACK, TURNED_DOWN
from introducer.tables import payouts, people, programs, referrals, reps
from introducer.tables.people import Contact
from submit.resources.jobs import JOBS
from submit.resources.rep_work import ReasonCode
from tests.support import life, money
from tests.support.api import call, login
from tests.support.tables import everything

ANNA = login("login-anna", "rep")
BEN = login("login-ben", "rep")
MANAGER = login("sub-m", "manager")
FINANCE = login("sub-f", "finance")
PHONE = "+4930901820"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with one partner and two reps."""
    life.publish()
    life.enrol("pia")
    life.add_rep("anna")
    life.add_rep("ben")


def given_to(rep: str, name: str = "r1") -> None:
    """Store a lead that was given to a rep."""
    life.submit(name, lead_key=f"key-{name}", product="fibre")
    life.move(name, Clear(partner="pia", audience="partners"))
    life.move(name, Assign(rep=rep))


def test_rep_sees_own_leads_with_their_contact() -> None:
    """The list names the lead, the detail says how to reach it."""
    given_to("anna", "r1")
    given_to("ben", "r2")
    row = {
        "id": "r1",
        "status": "assigned",
        "name": "Lena Lead",
        "company": "",
        "country": "DE",
        "product": "fibre",
        "submitted_at": life.NOW,
        "updated_at": life.NOW,
        "accept_by": "",
    }
    assert {"items": [row], "next": ""} == call("GET", "/v1/rep/referrals", claims=ANNA).body
    assert [] == call("GET", "/v1/rep/referrals?status=accepted", claims=ANNA).body["items"]
    detail = call("GET", "/v1/rep/referrals/r1", claims=ANNA).body
    assert {
        "name": "Lena Lead",
        "email": "lena@customer.example",
        "phone": "",
        "company": "",
        "note": "",
        "locale": "en",
    } == detail["contact"]
    assert ["ReferralSubmitted", "ReferralScreened", "ReferralAssigned"] == [
        each["type"] for each in detail["timeline"]
    ]


def test_leads_of_another_rep_do_not_exist() -> None:
    """Reading, taking, declining: 404, and nothing happens."""
    given_to("anna")
    before = everything()
    for method, path, body in (
        ("GET", "/v1/rep/referrals/r1", None),
        ("POST", "/v1/rep/referrals/r1/accept", {}),
        ("POST", "/v1/rep/referrals/r1/reject", {"reason": "no_interest"}),
        ("GET", "/v1/rep/referrals/nosuch", None),
    ):
        assert (404, "not_found") == call(method, path, body, claims=BEN).problem()
    assert before == everything()


def test_rep_takes_a_lead_once() -> None:
    """The event says who; taking it again is not a move that is left."""
    given_to("anna")
    reply = call("POST", "/v1/rep/referrals/r1/accept", claims=ANNA)
    assert (200, {"id": "r1", "status": "accepted"}) == (reply.status, reply.body)
    last = referrals.detail("r1").events[-1]
    assert ("ReferralAccepted", "REP#anna") == (last.type, last.actor)
    again = call("POST", "/v1/rep/referrals/r1/accept", {}, claims=ANNA)
    assert (409, "transition_not_allowed") == again.problem()


@pytest.mark.parametrize(
    ("reason", "status"), [("no_capacity", "screening"), ("no_interest", "rejected")]
)
def test_rep_declines_for_a_reason(reason: str, status: str) -> None:
    """Some reasons hand it back to routing, the others end it."""
    given_to("anna")
    body = {"reason": reason}
    reply = call("POST", "/v1/rep/referrals/r1/reject", body, claims=ANNA)
    assert {"id": "r1", "status": status} == reply.body


def test_rep_needs_a_known_reason() -> None:
    """The reasons offered are exactly those the state machine knows."""
    assert HANDED_BACK | TURNED_DOWN == set(get_args(ReasonCode))
    given_to("anna")
    for body, field in (({"reason": "bored"}, "reason"), ({}, "reason"), ({"note": "x"}, "note")):
        reply = call("POST", "/v1/rep/referrals/r1/reject", body, claims=ANNA)
        assert (400, field) == (reply.status, reply.field()[2])
    assert "assigned" == referrals.get("r1").status


def document(**overrides: Any) -> dict[str, Any]:
    """Return a program document as it is sent."""
    plain: dict[str, Any] = msgspec.to_builtins(life.document())
    return {**plain, **overrides}


def test_program_versions_are_published_and_read() -> None:
    """The next version counts from now on; the salt of click ids is there."""
    reply = call("POST", "/v1/programs/acme/versions", document(name="Acme two"), claims=MANAGER)
    made = {"program": "acme", "version": 2, "effective_at": "2026-11-22T11:17:00.000Z"}
    assert (201, made) == (reply.status, reply.body)
    read = call("GET", "/v1/programs/acme", claims=MANAGER).body
    assert (2, "Acme two", "user:sub-m") == (
        read["version"],
        read["document"]["name"],
        read["published_by"],
    )
    assert document(name="Acme two") == read["document"]
    assert 1 == len(programs.click_salts())


@pytest.mark.parametrize(
    ("sent", "paths"),
    [
        ("{", ["$"]),
        (document(id="other"), ["$.id"]),
        (document(nonsense=1), ["$.nonsense"]),
        (document(currency="XXX"), ["$.currency"]),
        (
            document(currency="XXX", time_zone="Mars/Base", landing_url="https://evil.example/"),
            ["$.currency", "$.landing_url", "$.time_zone"],
        ),
    ],
)
def test_program_with_findings_is_refused(sent: Any, paths: list[str]) -> None:
    """Every finding at once, each with its path and a remedy; nothing is published."""
    reply = call("POST", "/v1/programs/acme/versions", sent, claims=MANAGER)
    assert (422, "invalid_program") == reply.problem()
    assert paths == [finding["path"] for finding in reply.body["findings"]]
    assert all(finding["problem"] and finding["remedy"] for finding in reply.body["findings"])
    assert 1 == programs.current("acme", life.NOW).version


def test_program_must_exist_to_be_read() -> None:
    """A program nobody published is not found, nor are things in it."""
    for method, path, body in (
        ("GET", "/v1/programs/nosuch", None),
        ("POST", "/v1/programs/nosuch/sources", {"source": "billing"}),
        ("POST", "/v1/programs/nosuch/reps", rep()),
    ):
        assert (404, "not_found") == call(method, path, body, claims=MANAGER).problem()


def test_source_tells_its_secret_to_who_made_it() -> None:
    """A retry of the same request is told again; anybody else is told it exists."""
    path, body = "/v1/programs/acme/sources", {"source": "billing"}
    first = call("POST", path, body, claims=MANAGER, key="the-one-key")
    assert (201, "billing", "/v1/inbound/acme/billing") == (
        first.status,
        first.body["source"],
        first.body["path"],
    )
    secret = first.body["secret"]
    assert 32 == len(base64.b64decode(secret.removeprefix("whsec_")))
    Webhook(secret)
    assert keyring.existing_secret("inbound:acme:billing") == base64.b64decode(secret[6:])
    again = call("POST", path, body, claims=MANAGER, key="the-one-key")
    assert (first.body, "true") == (again.body, again.headers["idempotent-replayed"])
    other = call("POST", path, body, claims=MANAGER)
    assert (409, "already_exists") == other.problem()
    stored = str(everything())
    assert secret not in stored
    assert secret[6:] not in stored


def test_source_needs_a_plain_name() -> None:
    """A name that could be mistaken for part of a key is refused."""
    for name in ("a:b", "a/b", "A", "", "x" * 33, "a\n", 5):
        reply = call("POST", "/v1/programs/acme/sources", {"source": name}, claims=MANAGER)
        assert (400, "invalid_input", "source") == reply.field()
    with pytest.raises(NotFoundError):
        keyring.existing_secret("inbound:acme:a:b")


def rep(**overrides: Any) -> dict[str, Any]:
    """Return the body of a new rep."""
    return {
        "id": "cleo-wien",
        "login": "0b1c2d3e-4f50-6172",
        "name": "Cleo Klein",
        "email": "cleo@acme.example",
        "region": "eu",
        "phone": PHONE,
        **overrides,
    }


def test_rep_is_added_with_login_and_contact() -> None:
    """Afterwards the login acts for the rep; ids and logins are taken once."""
    reply = call("POST", "/v1/programs/acme/reps", rep(), claims=MANAGER)
    assert (201, {"id": "cleo-wien"}) == (reply.status, reply.body)
    stored = reps.of_login("0b1c2d3e-4f50-6172", now=life.NOW)
    assert stored is not None
    assert ("cleo-wien", "acme", "eu", True) == (
        stored.id,
        stored.program,
        stored.region,
        stored.active,
    )
    reached = people.contact(stored.person)
    assert reached == Contact(
        name="Cleo Klein",
        email="cleo@acme.example",
        phone=PHONE,
        claims=["CLAIM#global#login#0b1c2d3e-4f50-6172"],
    )
    for again in (rep(login="another"), rep(id="another")):
        reply = call("POST", "/v1/programs/acme/reps", again, claims=MANAGER)
        assert (409, "already_exists") == reply.problem()


def test_review_queue_is_listed_and_worked_off() -> None:
    """What waits, since when and why; giving it to a rep takes it out."""
    life.submit("r1")
    life.move("r1", Clear(partner="pia", audience="partners"))
    life.move("r1", SendToReview(reason="no_rep"), now="2026-11-22T11:00:00.000Z")
    listed = call("GET", "/v1/programs/acme/queues/review", claims=MANAGER).body
    assert {
        "items": [
            {
                "id": "r1",
                "partner": "pia",
                "country": "DE",
                "product": "",
                "submitted_at": life.NOW,
                "waiting_since": "2026-11-22T11:00:00.000Z",
                "reason": {"code": "no_rep", "text": "No sales representative is free for it."},
            }
        ],
        "next": "",
    } == listed
    path = "/v1/programs/acme/referrals/r1/assign"
    for body, expected in (
        ({"rep": "nosuch"}, (422, "unknown_rep", "rep")),
        ({"rep": "a#b"}, (400, "invalid_input", "rep")),
        ({}, (400, "missing_field", "rep")),
    ):
        assert expected == call("POST", path, body, claims=MANAGER).field()
    reply = call("POST", path, {"rep": "ben"}, claims=MANAGER)
    assert {"id": "r1", "status": "assigned"} == reply.body
    assert [] == call("GET", "/v1/programs/acme/queues/review", claims=MANAGER).body["items"]
    again = call("POST", path, {"rep": "anna"}, claims=MANAGER)
    assert (409, "transition_not_allowed") == again.problem()


def test_queues_and_assignments_stay_in_their_program() -> None:
    """An unknown queue, and a referral or a rep of another program, are not there."""
    life.submit("r9", program="other")
    life.add_rep("odo", program="other")
    assert (404, "not_found") == call(
        "GET", "/v1/programs/acme/queues/nosuch", claims=MANAGER
    ).problem()
    path = "/v1/programs/acme/referrals/r9/assign"
    assert (404, "not_found") == call("POST", path, {"rep": "anna"}, claims=MANAGER).problem()
    life.submit("r1", lead_key="k1")
    path = "/v1/programs/acme/referrals/r1/assign"
    assert (422, "unknown_rep", "rep") == call("POST", path, {"rep": "odo"}, claims=MANAGER).field()


def batch_to_approve() -> str:
    """Run a batch until it waits for approval."""
    money.publish(payouts=[{**money.EUROS, "approval_above_minor": 1}])
    money.set_payee("pia")
    money.sell("r1", 100_000, program_version=2)
    money.deliver("r1")
    money.accrue.handler({}, money.CONTEXT)
    name = money.pay_out(until="close", started_by="user:sub-f")
    if payouts.get_batch(name).status == "created":
        payouts.move_batch(name, "awaiting_approval", now=money.NOW, actor="system")
    return name


def test_batch_is_listed_read_and_approved_by_a_second_person() -> None:
    """Who started it may not approve it; a manager may, once."""
    name = batch_to_approve()
    (row,) = call("GET", "/v1/batches?program=acme", claims=MANAGER).body["items"]
    assert (name, "awaiting_approval", "EUR", 1, 2_500) == (
        row["id"],
        row["status"],
        row["currency"],
        row["count"],
        row["total_minor"],
    )
    read = call("GET", f"/v1/batches/{name}", claims=FINANCE).body
    assert (
        row,
        [{"status": "created", "count": 1, "amount_minor": 2_500}],
        0,
    ) == (read["batch"], read["payouts"], read["paid_minor"])
    path = f"/v1/batches/{name}/approve"
    assert (403, "forbidden") == call("POST", path, {}, claims=FINANCE).problem()
    for key, replayed in (("first-key", None), ("first-key", "true"), ("second-key", None)):
        reply = call("POST", path, {}, claims=MANAGER, key=key)
        assert (200, {"id": name, "status": "approved"}, replayed) == (
            reply.status,
            reply.body,
            reply.headers.get("idempotent-replayed"),
        )
    assert "user:sub-m" == payouts.get_batch(name).approved_by
    late = call("POST", path, {}, claims=login("sub-x", "manager"))
    assert (409, "transition_not_allowed") == late.problem()


def test_batch_list_needs_a_program() -> None:
    """There is no list of everything, and no batch of that name."""
    reply = call("GET", "/v1/batches", claims=MANAGER)
    assert (400, "missing_field", "program") == reply.field()
    assert (404, "not_found") == call("GET", "/v1/batches/nosuch", claims=MANAGER).problem()
    assert (404, "not_found") == call(
        "POST", "/v1/batches/nosuch/approve", {}, claims=MANAGER
    ).problem()


def test_jobs_are_started_once_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function the environment names is called asynchronously, told who asked."""
    started: list[dict[str, Any]] = []

    class Lambda:
        """Takes invocations down."""

        def invoke(self, **call: Any) -> None:
            """Take one down."""
            started.append({**call, "Payload": json.loads(call["Payload"])})

    def clients(service: str) -> Any:
        return Lambda() if service == "lambda" else client(service)

    monkeypatch.setattr("submit.resources.jobs.client", clients)
    for job, name in JOBS.items():
        monkeypatch.setenv(name, f"fn-{job}")
        for _ in range(2):
            reply = call("POST", f"/v1/jobs/{job}", {}, claims=FINANCE, key=f"start-{job}")
            assert (202, {"job": job}) == (reply.status, reply.body)
    assert [
        {
            "FunctionName": f"fn-{job}",
            "InvocationType": "Event",
            "Payload": {"started_by": "user:sub-f", "job": job},
        }
        for job in JOBS
    ] == started
    unknown = call("POST", "/v1/jobs/rm", {}, claims=FINANCE)
    assert (404, "not_found") == unknown.problem()
