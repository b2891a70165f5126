"""What a submission tells of a lead: answers, facts, score, and who shares in it."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.command import Assess, Assign, Clear
from introducer.link import Link
from introducer.referral import Touch
from introducer.score import Reason, Scored, explain
from introducer.tables import links, programs, referrals
from introducer.tables.referrals import Detail
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import Reply, call, login, post_form
from tests.support.tables import everything

PATH = "/v1/programs/acme/referrals"
NOW = "2026-11-22T11:17:00.000Z"
CO = {"role": "co_referrer"}
RULES: dict[str, Any] = {
    "questions": {
        "budget": {
            "text": "Which budget?",
            "type": "choice",
            "options": ["none", "high"],
            "required": True,
        },
        "seats": {"text": "How many seats?", "type": "number"},
        "urgent": {"text": "Is it urgent?", "type": "flag"},
    },
    "fields": {"plan": {"type": "text"}, "seats": {"type": "number"}, "pilot": {"type": "flag"}},
    "score": {
        "base": 10,
        "rules": [
            {
                "id": "budget",
                "name": "Has a budget",
                "condition": {"field": "answers.budget", "op": "eq", "value": "high"},
                "points": 40,
            },
            {
                "id": "urgent",
                "condition": {"field": "answers.urgent", "op": "eq", "value": True},
                "points": 5,
            },
        ],
    },
}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with questions and a score; Pia, Emil and Ole have links."""
    life.publish(**RULES)
    for name in ("pia", "emil", "ole"):
        life.enrol(name)
        add_link(f"{name}code", name)
    life.enrol("gone", status="inactive")
    life.enrol("far", program="other")
    add_link("farcode", "far", program="other")


def add_link(code: str, partner: str, program: str = "acme") -> None:
    """Store a link."""
    link = Link(
        code=code,
        program=program,
        partner=partner,
        destination="https://www.acme.example/start",
        created_at=life.NOW,
    )
    writes = Transaction()
    links.add(writes, link, actor="user:1")
    writes.commit()


def submit(**overrides: Any) -> Reply:
    """Submit a lead by Pia's code."""
    body = {
        "name": "Lena Lead",
        "email": "lena@customers.example",
        "country": "DE",
        "consent": {"text_version": "2026-11", "given": True},
        "code": "piacode",
        "answers": {"budget": "high"},
        **overrides,
    }
    return call("POST", PATH, body)


def stored(reply: Reply) -> Detail:
    """Return what a submission stored."""
    assert 201 == reply.status, reply.body
    return referrals.detail(reply.body["id"])


def test_submit_keeps_what_the_lead_tells_under_the_catalogues_names() -> None:
    """Typed values, and the score they make, with its reasons beside it."""
    answers = {"budget": "high", "seats": 12, "urgent": True}
    told = {"size": 80, "industry": "health_care", "language": "fr", "locale": "de-DE"}
    detail = stored(submit(answers=answers, metadata={"plan": "office-2"}, **told))
    assert {
        "answers.budget": "high",
        "answers.seats": 12,
        "answers.urgent": True,
        "lead.language": "fr",
        "lead.size": 80,
        "lead.industry": "health_care",
        "metadata.plan": "office-2",
        "lead.score": 55,
    } == detail.referral.facts
    kept = Touch(
        id="score",
        kind="score",
        at=NOW,
        data={"score": "55", "rule.budget": "40", "rule.urgent": "5"},
    )
    assert kept in detail.touches
    document = programs.version("acme", 1).document
    reasons = [
        Reason(rule="budget", name="Has a budget", points=40),
        Reason(rule="urgent", name="urgent", points=5),
    ]
    expected = Scored(score=55, base=10, most=100, reasons=reasons)
    assert expected == explain(detail.touches, document)


def test_submit_takes_the_language_of_the_mails_where_none_is_told() -> None:
    """What is not told is not known; the language always is."""
    detail = stored(submit(locale="de-DE"))
    assert {
        "answers.budget": "high",
        "lead.language": "de",
        "lead.score": 50,
    } == detail.referral.facts


def test_form_fields_are_typed_by_the_programs_questions() -> None:
    """A form knows text only: numbers and ticks are read as what the question is."""
    fields = [
        ("name", "Lena Lead"),
        ("email", "lena@customers.example"),
        ("country", "DE"),
        ("consent.given", "on"),
        ("consent.text_version", "2026-11"),
        ("code", "piacode"),
        ("co_referrers", "emilcode"),
        ("co_referrers", "ole"),
        ("answers.budget", "none"),
        ("answers.seats", " 12 "),
        ("answers.urgent", "on"),
        ("metadata.plan", "Office-2"),
        ("metadata.seats", "-3"),
        ("metadata.pilot", "no"),
        ("size", "80"),
        ("idempotency_key", "form-key-1"),
    ]
    assert 303 == post_form(PATH, fields).status
    ((pk, _),) = {(item["pk"], item["sk"]) for item in everything() if item["sk"] == "STATE"}
    detail = referrals.detail(pk.partition("#")[2])
    assert {
        "answers.budget": "none",
        "answers.seats": 12,
        "answers.urgent": True,
        "lead.language": "en",
        "lead.size": 80,
        "metadata.plan": "Office-2",
        "metadata.seats": -3,
        "metadata.pilot": False,
        "lead.score": 15,
    } == detail.referral.facts
    assert ["pia", "emil", "ole"] == [t.partner for t in detail.touches if t.kind == "code"]


@pytest.mark.parametrize(
    ("answers", "code", "expected"),
    [
        ({}, "answer_missing", [("answer_missing", "answers.budget")]),
        (
            {"budget": "Lena"},
            "invalid_answer",
            [("invalid_answer", "answers.budget")],
        ),
        ({"budget": True}, "invalid_answer", [("invalid_answer", "answers.budget")]),
        (
            {"budget": "high", "seats": "12"},
            "invalid_answer",
            [("invalid_answer", "answers.seats")],
        ),
        (
            {"budget": "high", "seats": True},
            "invalid_answer",
            [("invalid_answer", "answers.seats")],
        ),
        (
            {"budget": "high", "urgent": 1},
            "invalid_answer",
            [("invalid_answer", "answers.urgent")],
        ),
        (
            {"hobby": "sailing", "seats": "many", "urgent": "on"},
            "invalid_answers",
            [
                ("unknown_question", "answers.hobby"),
                ("answer_missing", "answers.budget"),
                ("invalid_answer", "answers.seats"),
                ("invalid_answer", "answers.urgent"),
            ],
        ),
    ],
)
def test_answers_are_refused_by_name(
    answers: dict[str, Any], code: str, expected: list[tuple[str, str]]
) -> None:
    """Every wrong answer at once; what was sent is not repeated, and nothing is stored."""
    before = everything()
    reply = submit(answers=answers)
    assert (422, code) == reply.problem()
    assert expected == [(each["code"], each["field"]) for each in reply.body["errors"]]
    assert [] == [word for word in ("Lena", "sailing") if word in str(reply.body)]
    assert before == everything()


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"colour": "red"}, "unknown_metadata"),
        ({"plan": "Lena Lead"}, "invalid_metadata"),
        ({"plan": "lena@customers.example"}, "invalid_metadata"),
        ({"seats": "3"}, "invalid_metadata"),
        ({"pilot": "no"}, "invalid_metadata"),
    ],
)
def test_metadata_is_refused_by_name(metadata: dict[str, Any], code: str) -> None:
    """Only declared fields, of their type, and no free text."""
    before = everything()
    (name,) = metadata
    assert (422, code, f"metadata.{name}") == submit(metadata=metadata).field()
    assert before == everything()


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"answers": {"Lena Lead": "x"}}, "answers"),
        ({"answers": {"budget": 1.5}}, "answers"),
        ({"industry": "Lena Lead"}, "industry"),
        ({"industry": "lena@customers.example"}, "industry"),
        ({"language": "german"}, "language"),
        ({"size": 0}, "size"),
        ({"size": "80"}, "size"),
        ({"co_referrers": ["x" * 33]}, "co_referrers"),
        ({"co_referrers": ["emilcode"] * 11}, "co_referrers"),
    ],
)
def test_facts_of_another_shape_are_refused(overrides: dict[str, Any], field: str) -> None:
    """No free text gets in by the way of a fact."""
    reply = submit(**overrides)
    status, code, named = reply.field()
    assert (400, "invalid_input") == (status, code)
    assert named.startswith(field)


def test_co_referrers_are_touches_in_the_order_they_are_named() -> None:
    """By code or by id, each once, and not who led the lead here anyway."""
    named = [" EmilCode ", "ole", "emil", "pia", "olecode"]
    detail = stored(submit(co_referrers=named))
    assert [
        ("code-piacode", "pia", {}),
        ("named-00-emil", "emil", CO),
        ("named-01-ole", "ole", CO),
    ] == [(t.id, t.partner, t.data) for t in detail.touches if t.kind == "code"]
    assert "piacode" == detail.referral.link


@pytest.mark.parametrize("named", ["nosuch", "gone", "far", "farcode", "a b"])
def test_unknown_co_referrers_are_refused(named: str) -> None:
    """Nobody, somebody inactive, somebody of another program: one answer, nothing stored."""
    before = everything()
    reply = submit(co_referrers=["emilcode", named])
    assert (422, "unknown_co_referrer", "co_referrers[1]") == reply.field()
    assert before == everything()


def test_a_co_referrer_alone_leads_nobody_here() -> None:
    """Somebody has to have referred the lead before others can share in it."""
    assert (422, "no_partner", "clicks") == submit(code="", co_referrers=["emilcode"]).field()


def test_rep_and_manager_see_how_good_a_lead_is_and_why() -> None:
    """The facts, the score with the rules that held, and the rep's own rating beside it."""
    life.add_rep("anna")
    made = submit(answers={"budget": "high", "seats": 12}).body["id"]
    expected = {
        "facts": {
            "answers.budget": "high",
            "answers.seats": 12,
            "lead.language": "en",
            "lead.score": 50,
        },
        "score": {
            "score": 50,
            "base": 10,
            "most": 100,
            "reasons": [{"rule": "budget", "name": "Has a budget", "points": 40}],
        },
        "rating": 0,
    }
    path = f"/v1/programs/acme/referrals/{made}/quality"
    manager = login("sub-m", "manager")
    assert expected == call("GET", path, claims=manager).body
    life.move(made, Clear(partner="pia", audience="partners"))
    life.move(made, Assign(rep="anna"))
    life.move(made, Assess(rating=4))
    anna = login("login-anna", "rep")
    shown = call("GET", f"/v1/rep/referrals/{made}", claims=anna).body["quality"]
    assert expected | {"rating": 4} == shown
    assert shown == call("GET", path, claims=manager).body
    other = path.replace("/acme/", "/other/")
    assert (404, "not_found") == call("GET", other, claims=manager).problem()


def test_a_program_without_score_rules_shows_none() -> None:
    """No score is not a score of nothing."""
    life.publish()
    made = submit(answers={}).body["id"]
    path = f"/v1/programs/acme/referrals/{made}/quality"
    shown = call("GET", path, claims=login("sub-m", "auditor")).body
    assert {"facts": {"lead.language": "en"}, "score": None, "rating": 0} == shown
