"""Reps over HTTP: which leads they take, whose partners they look after, how they rate leads."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.command import Accept, Assign, Clear, Win
from introducer.event import Event
from introducer.referral import Share
from introducer.tables import events, partners, referrals, reps
from introducer.tables.store import Transaction
from introducer.working_hours import Span
from route.assign import assign
from tests.support import life
from tests.support.api import call, login
from tests.support.commands import SALE
from tests.support.tables import everything

ANNA = login("login-anna", "rep")
BEN = login("login-ben", "rep")
MANAGER = login("sub-m", "manager")
AUDITOR = login("sub-a", "auditor")
NOW = "2026-11-22T11:17:00.000Z"
ANYTHING: dict[str, Any] = {
    "active": True,
    "region": "",
    "countries": [],
    "products": [],
    "languages": [],
    "min_size": 0,
    "max_size": 0,
    "capacity": 0,
    "time_zone": "",
    "hours": {},
}
CHOSEN: dict[str, Any] = {
    "active": True,
    "region": "eu",
    "countries": ["DE", "AT"],
    "products": ["fibre"],
    "languages": ["de", "en"],
    "min_size": 10,
    "max_size": 249,
    "capacity": 20,
    "time_zone": "Europe/Berlin",
    "hours": {"mon": [{"from": "09:00", "to": "12:30"}, {"from": "13:00", "to": "17:00"}]},
}

pytestmark = pytest.mark.usefixtures("aws", "frozen", "program")


@pytest.fixture
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two partners and two reps."""
    life.publish()
    life.enrol("pia")
    life.enrol("quin")
    life.add_rep("anna")
    life.add_rep("ben")


def history(entity: str) -> list[Event]:
    """Return what happened to something."""
    return list(events.of_entity(entity))


# ---------------------------------------------------------------- profiles


def test_rep_is_added_with_what_they_take() -> None:
    """Everything said at once is what routing reads."""
    body = {"id": "cleo", "login": "sub-cleo", "name": "Cleo Klein", "email": "cleo@acme.example"}
    assert 201 == call("POST", "/v1/programs/acme/reps", body | CHOSEN, claims=MANAGER).status
    stored = reps.find("cleo")
    assert stored is not None
    assert (
        ["DE", "AT"],
        20,
        [Span(start="09:00", end="12:30"), Span(start="13:00", end="17:00")],
    ) == (
        stored.countries,
        stored.capacity,
        stored.hours["mon"],
    )


def test_reps_are_listed_page_by_page_without_their_names() -> None:
    """Who they are stays with their login; finance and auditors may look."""
    first = call("GET", "/v1/programs/acme/reps?limit=1", claims=AUDITOR).body
    assert [{"id": "anna", **ANYTHING}] == first["items"]
    path = f"/v1/programs/acme/reps?limit=1&cursor={first['next']}"
    rest = call("GET", path, claims=AUDITOR).body
    assert [{"id": "ben", **ANYTHING}] == rest["items"]
    assert (
        ""
        == call("GET", f"/v1/programs/acme/reps?cursor={first['next']}", claims=AUDITOR).body[
            "next"
        ]
    )
    assert [] == call("GET", "/v1/programs/other/reps", claims=AUDITOR).body["items"]


def test_profile_is_changed_whole_with_one_event() -> None:
    """The event says who changed what; the same again changes nothing."""
    path = "/v1/programs/acme/reps/anna"
    reply = call("PUT", path, CHOSEN, claims=MANAGER)
    assert (200, {"id": "anna", **CHOSEN}) == (reply.status, reply.body)
    last = history("REP#anna")[-1]
    changed = "region countries products languages min_size max_size capacity time_zone hours"
    assert ("RepChanged", 2, "user:sub-m", NOW, {"changed": changed, "active": 1}) == (
        last.type,
        last.seq,
        last.actor,
        last.at,
        last.data,
    )
    before = everything()
    assert {"id": "anna", **CHOSEN} == call("PUT", path, CHOSEN, claims=MANAGER).body
    assert before == everything()
    assert {"id": "anna", **ANYTHING} == call("PUT", path, {}, claims=MANAGER).body
    listed = call("GET", "/v1/programs/acme/reps", claims=MANAGER).body["items"]
    assert [{"id": "anna", **ANYTHING}, {"id": "ben", **ANYTHING}] == listed


def test_a_rep_made_inactive_gets_no_leads() -> None:
    """The next lead of the rule goes past them; active again, they are back."""
    path = "/v1/programs/acme/reps/anna"
    assert call("PUT", path, {"active": False}, claims=MANAGER).body["active"] is False
    assert {"changed": "active", "active": 0} == history("REP#anna")[-1].data
    assert "ben" == _given("r1")
    call("PUT", path, {}, claims=MANAGER)
    assert "anna" == _given("r2")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"products": ["coal"]}, (422, "invalid_input", "products")),
        ({"min_size": 10, "max_size": 9}, (422, "invalid_input", "max_size")),
        ({"time_zone": "Mars/Base"}, (422, "invalid_input", "time_zone")),
        ({"time_zone": "../etc/passwd"}, (400, "invalid_input", "time_zone")),
        (
            {"hours": {"mon": [{"from": "17:00", "to": "09:00"}]}},
            (422, "invalid_input", "hours.mon"),
        ),
        (
            {"hours": {"mon": [{"from": "9", "to": "17:00"}]}},
            (400, "invalid_input", "hours[...][0].from"),
        ),
        ({"hours": {"someday": []}}, (400, "invalid_input", "hours")),
        ({"countries": ["Germany"]}, (400, "invalid_input", "countries[0]")),
        ({"languages": ["deu"]}, (400, "invalid_input", "languages[0]")),
        ({"capacity": -1}, (400, "invalid_input", "capacity")),
        ({"login": "another"}, (400, "unknown_field", "login")),
    ],
)
def test_profile_that_means_nothing_is_refused(
    body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """The field is named and nothing is stored."""
    before = everything()
    assert expected == call("PUT", "/v1/programs/acme/reps/anna", body, claims=MANAGER).field()
    assert before == everything()


def test_profile_of_nobody_is_not_found() -> None:
    """A rep of another program is nobody here."""
    life.add_rep("odo", program="other")
    for name in ("nosuch", "odo"):
        reply = call("PUT", f"/v1/programs/acme/reps/{name}", {}, claims=MANAGER)
        assert (404, "not_found") == reply.problem()


# ---------------------------------------------------------------- owners


def test_partner_gets_an_owner_with_one_event() -> None:
    """Said again it is no news; empty, nobody looks after the partner."""
    path = "/v1/partners/pia/owner"
    for rep, version in (("anna", 2), ("anna", 2), ("", 3)):
        reply = call("PUT", path, {"rep": rep}, claims=MANAGER)
        assert (200, {"partner": "pia", "rep": rep}) == (reply.status, reply.body)
        stored = partners.find_partner("pia")
        assert stored is not None
        assert (rep, version) == (stored.owner, stored.version)
    assert [("PartnerOwnerChanged", {"owner": "anna"}), ("PartnerOwnerChanged", {"owner": ""})] == [
        (event.type, event.data) for event in history("PARTNER#pia")[1:]
    ]


def test_owner_is_a_rep_of_the_partners_program() -> None:
    """And the partner somebody who exists."""
    life.add_rep("odo", program="other")
    for rep in ("nosuch", "odo"):
        reply = call("PUT", "/v1/partners/pia/owner", {"rep": rep}, claims=MANAGER)
        assert (422, "unknown_rep", "rep") == reply.field()
    reply = call("PUT", "/v1/partners/nobody/owner", {"rep": "anna"}, claims=MANAGER)
    assert (404, "not_found") == reply.problem()


# ---------------------------------------------------------------- why a lead lies where it lies


def test_manager_reads_why_a_lead_was_given_to_whom() -> None:
    """Rules and reps passed over, in codes and words; not for another program."""
    call("PUT", "/v1/programs/acme/reps/anna", {"active": False}, claims=MANAGER)
    life.publish(
        routing={
            "rules": [
                {"id": "austria", "reps": ["anna"], "countries": ["AT"]},
                {"id": "dach", "reps": ["anna", "ben"]},
            ],
            "sla": {"accept_within_hours": 24, "remind_after_hours": 4},
        }
    )
    assert "ben" == _given("r1", program_version=2)
    read = call("GET", "/v1/programs/acme/referrals/r1/routing", claims=AUDITOR)
    assert {
        "id": "r1",
        "status": "assigned",
        "rep": "ben",
        "accept_by": "2026-11-23T11:17:00.000Z",
        "remind_at": "2026-11-22T15:17:00.000Z",
        "handed_back_by": [],
        "steps": [
            {
                "type": "ReferralAssigned",
                "at": NOW,
                "actor": "system",
                "rep": "ben",
                "rule": "dach",
                "reason": "",
                "passed_over": [
                    {
                        "rule": "austria",
                        "rep": "",
                        "code": "country",
                        "text": "The rule is for other countries.",
                    },
                    {
                        "rule": "dach",
                        "rep": "anna",
                        "code": "inactive",
                        "text": "Takes no leads at present.",
                    },
                ],
                "left_out": 0,
            }
        ],
    } == read.body
    for path in (
        "/v1/programs/other/referrals/r1/routing",
        "/v1/programs/acme/referrals/x/routing",
    ):
        assert (404, "not_found") == call("GET", path, claims=AUDITOR).problem()


def _given(name: str, **lead: Any) -> str:
    life.submit(name, lead_key=f"key-{name}", **lead)
    life.move(name, Clear(partner="pia", audience="partners"))
    assign(name, cause="e1")
    return referrals.get(name).rep


# ---------------------------------------------------------------- assessments

ASSESSMENT = "/v1/rep/referrals/r1/assessment"


@pytest.fixture
def shared(program: None) -> None:  # noqa: ARG001  (likewise)
    """A lead of Anna's that two partners are credited with."""
    life.submit("r1", lead_key="key-r1")
    before = life.move("r1", Clear(partner="pia", audience="partners"))
    writes = Transaction()
    for name, part in (("pia", 6_000), ("quin", 4_000)):
        referrals.add_share(
            writes, before, Share(partner=name, basis_points=part, audience="partners")
        )
    writes.commit()
    life.move("r1", Assign(rep="anna"))


def told(rating: int, pia: str = "introduced", quin: str = "introduced") -> dict[str, Any]:
    """Return an assessment as it is answered."""
    return {
        "rating": rating,
        "involvement": [
            {"partner": "pia", "share_basis_points": 6_000, "involvement": pia},
            {"partner": "quin", "share_basis_points": 4_000, "involvement": quin},
        ],
    }


@pytest.mark.usefixtures("shared")
def test_rep_rates_a_lead_and_its_partners_parts() -> None:
    """Stored where conditions and rates look for it, with one event; read in the lead."""
    assert told(0) == call("GET", "/v1/rep/referrals/r1", claims=ANNA).body["assessment"]
    body = {"rating": 4, "involvement": {"quin": "co_sold"}}
    reply = call("PUT", ASSESSMENT, body, claims=ANNA)
    assert (200, told(4, quin="co_sold")) == (reply.status, reply.body)
    detail = referrals.detail("r1")
    assert {"lead.rating": 4} == detail.referral.facts
    assert [("pia", 6_000, "introduced"), ("quin", 4_000, "co_sold")] == [
        (share.partner, share.basis_points, share.involvement) for share in detail.shares
    ]
    assert ["r1"] == [row.id for row, _ in referrals.of_partner("quin", limit=5)[0]]
    last = detail.events[-1]
    assert (
        "ReferralAssessed",
        "REP#anna",
        {"rating": 4, "involvement": "quin:co_sold", "status": "assigned"},
    ) == (last.type, last.actor, last.data)
    assert (
        told(4, quin="co_sold")
        == call("GET", "/v1/rep/referrals/r1", claims=ANNA).body["assessment"]
    )


@pytest.mark.usefixtures("shared")
def test_an_assessment_may_be_changed_until_the_first_sale() -> None:
    """The same again is no event; after the sale nothing changes, and the same is still fine."""
    call("PUT", ASSESSMENT, {"rating": 2}, claims=ANNA)
    life.move("r1", Accept())
    last = {"rating": 5, "involvement": {"pia": "assisted"}}
    assert told(5, pia="assisted") == call("PUT", ASSESSMENT, last, claims=ANNA).body
    before = everything()
    assert told(5, pia="assisted") == call("PUT", ASSESSMENT, {"rating": 5}, claims=ANNA).body
    assert before == everything()
    life.move("r1", Win(sale=SALE))
    assert told(5, pia="assisted") == call("PUT", ASSESSMENT, last, claims=ANNA).body
    late = call("PUT", ASSESSMENT, {"rating": 1}, claims=ANNA)
    assert (409, "transition_not_allowed") == late.problem()
    assert {"lead.rating": 5} == referrals.get("r1").facts


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"rating": 0}, (400, "invalid_input", "rating")),
        ({"rating": 6}, (400, "invalid_input", "rating")),
        ({}, (400, "missing_field", "rating")),
        (
            {"rating": 3, "involvement": {"rita": "co_sold"}},
            (422, "unknown_partner", "involvement"),
        ),
        (
            {"rating": 3, "involvement": {"pia": "friend"}},
            (400, "invalid_input", "involvement[...]"),
        ),
    ],
)
def test_assessment_that_means_nothing_is_refused(
    body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """One to five, and only partners who are credited."""
    before = everything()
    assert expected == call("PUT", ASSESSMENT, body, claims=ANNA).field()
    assert before == everything()


@pytest.mark.usefixtures("shared")
def test_a_lead_of_another_rep_is_not_assessed() -> None:
    """For Ben it does not exist."""
    assert (404, "not_found") == call("PUT", ASSESSMENT, {"rating": 1}, claims=BEN).problem()
