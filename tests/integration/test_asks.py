"""Asking people to refer: after what they did, or because somebody chose them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.errors import UncertainError
from introducer.link import Link
from introducer.partner import Partner
from introducer.tables import links, partners
from introducer.tables.store import Transaction
from tests.support import life, mails
from tests.support.api import Reply, call, login, send_signed
from tests.support.invited import ANNA, MANAGER, NINA, invite, join
from tests.support.life import raw_items
from tests.support.mails import detail, readers, send, text
from tests.support.tables import everything

RULES = {
    "promoters": {"event": "survey", "audience": "partners", "min_score": 9},
    "staff": {"event": "survey", "audience": "employees", "invite": False},
    "renewed": {
        "event": "renewal",
        "audience": "partners",
        "asset": "one_pager",
        "again_after_days": 30,
    },
}
PATH = "/v1/inbound/acme/crm"
NOBODY = {"asked": 0, "invited": 0, "reminded": 0, "rested": 0, "left_out": 0}

pytestmark = pytest.mark.usefixtures("aws", "frozen", "program")


@pytest.fixture
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with rules of advocacy, and Nina who is its partner."""
    life.publish(advocacy=RULES)
    life.add_rep("anna")
    join()


@pytest.fixture
def secret(program: None) -> str:  # noqa: ARG001
    """The secret the CRM signs with."""
    body = {"source": "crm"}
    made = call("POST", "/v1/programs/acme/sources", body, claims=login("mia", "manager"))
    return str(made.body["secret"])


def nina() -> Partner:
    """Return the partner who has Nina's mailbox."""
    found = partners.partner_of_login("login-nina", now="2026-11-22T11:17:00.000Z")
    assert found is not None
    return found


def types(entity: str) -> list[str]:
    """Return what happened to a partner."""
    return [event["type"]["S"] for event in raw_items(entity)]


def act(**overrides: Any) -> dict[str, Any]:
    """Return the message that Nina gave a 10."""
    data = {"event": "survey", "score": 10, "email": NINA, "at": "2026-11-22T11:00:00Z"}
    return {"type": "advocacy.recorded", "data": data | overrides}


def choose(*emails: str, claims: dict[str, str] = MANAGER, key: str = "", **body: Any) -> Reply:
    """Let a marketer choose people."""
    people = [{"email": each, "name": "Somebody"} for each in emails]
    path = "/v1/programs/acme/asks" if claims is MANAGER else "/v1/rep/asks"
    wanted = body or {"audience": "partners"}
    return call("POST", path, {"people": people, **wanted}, claims=claims, key=key)


def test_a_good_score_asks_the_partner(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event, a link of their own for this rule, and a mail that carries it."""
    reply = send_signed(PATH, act(), secret, message_id="msg_survey_1")
    assert (200, {"outcome": "applied", "referral": "", "status": ""}) == (reply.status, reply.body)
    partner = nina()
    assert ("2026-11-22T11:17:00.000Z", 2) == (partner.asked_at, partner.version)
    sent = mails.record(monkeypatch)
    event = detail(raw_items(partner.entity)[-1])
    link = links.find(event["data"]["link"], consistent=True)
    assert isinstance(link, Link)
    assert ("AskRequested", "promoters", "source:acme/crm", "msg_survey_1") == (
        event["type"],
        event["data"]["rule"],
        event["actor"],
        event["cause"],
    )
    assert (partner.id, "ask", "", "promoters") == (
        link.partner,
        link.channel,
        link.asset,
        link.campaign,
    )
    send(event, event)
    assert [NINA] == readers(sent)
    assert f"https://go.example.com/r/{link.code}" in text(sent[0])


def test_the_same_message_asks_once(secret: str) -> None:
    """The second delivery is answered as the first one was."""
    for _ in range(2):
        reply = send_signed(PATH, act(), secret, message_id="msg_survey_1")
        assert "applied" == reply.body["outcome"]
    assert ["PartnerEnrolled", "AskRequested"] == types(nina().entity)


@pytest.mark.parametrize(
    "overrides",
    [
        {"score": 8},
        {"event": "review"},
        {"at": "2026-08-20T11:00:00Z"},
        {"email": "stranger@customer.example", "event": "survey", "score": 3},
        {"email": "stranger@customer.example", "country": "FR"},
        {"email": None, "partner": "nobody"},
    ],
)
def test_what_no_rule_asks_for_is_noted(secret: str, overrides: dict[str, Any]) -> None:
    """Too low, unknown, too old, a stranger nobody wants to invite; nothing changes."""
    before = partner_events()
    assert "noted" == send_signed(PATH, act(**overrides), secret).body["outcome"]
    assert before == partner_events()


def test_an_unknown_partner_with_an_address_is_who_has_the_address(secret: str) -> None:
    """One such message stands in no other's way: each pause is somebody's."""
    for each in ("carl", "cora"):
        sent = act(partner="nobody", email=f"{each}@customer.example", name=each, country="DE")
        reply = send_signed(PATH, sent, secret, message_id=f"msg_survey_{each}")
        assert "applied" == reply.body["outcome"]
    reply = send_signed(PATH, act(partner="nobody"), secret, message_id="msg_survey_nina")
    assert "applied" == reply.body["outcome"]
    assert ["PartnerEnrolled", "AskRequested"] == types(nina().entity)
    paused = [each for each in everything() if each["pk"].startswith("CLAIM#acme#asked#")]
    assert ["asked", "invited", "invited"] == sorted(each["body"]["outcome"] for each in paused)
    assert not [each["pk"] for each in paused if each["pk"].endswith("#")]


def partner_events() -> list[str]:
    """Return the keys of everything partners have."""
    return [each["pk"] + each["sk"] for each in everything() if each["pk"].startswith("PARTNER#")]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"email": None}, (422, "missing_field", "data.email")),
        ({"email": "nina@no-such"}, (422, "invalid_email", "email")),
        ({"at": "2027-11-22T11:00:00Z"}, (422, "invalid_time", "at")),
        ({"score": "10"}, (400, "invalid_input", "data.score")),
    ],
)
def test_an_act_that_says_too_little_is_refused(
    secret: str, overrides: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Each with its field."""
    assert expected == send_signed(PATH, act(**overrides), secret).field()


def test_somebody_who_is_no_partner_is_invited(secret: str) -> None:
    """With what the message says of them; the address ends in People and nowhere else."""
    sent = act(email="carl@customer.example", name="Carl", country="AT", locale="de")
    assert "applied" == send_signed(PATH, sent, secret).body["outcome"]
    (carl,) = [
        each
        for each in everything()
        if each["pk"].startswith("PARTNER#") and each.get("status") == "invited"
    ]
    assert ("AT", "de", "source:acme/crm") == (
        carl["country"],
        carl["locale"],
        carl["invited_by"],
    )
    elsewhere = [each for each in everything() if not each["pk"].startswith("PERSON#")]
    assert "carl@" not in str(elsewhere).lower()


def test_nobody_is_asked_again_before_the_pause_is_over(
    secret: str, frozen: Callable[[str], None]
) -> None:
    """By no rule and no person; afterwards again, with the same link."""
    assert "applied" == send_signed(PATH, act(event="renewal"), secret).body["outcome"]
    assert "noted" == send_signed(PATH, act(), secret).body["outcome"]
    assert {**NOBODY, "rested": 1} == choose(NINA).body
    frozen("2026-12-22T11:17:00.000Z")
    again = act(event="renewal", at="2026-12-22T11:00:00Z")
    assert "applied" == send_signed(PATH, again, secret).body["outcome"]
    asked = [event for event in raw_items(nina().entity) if event["type"]["S"] == "AskRequested"]
    assert 2 == len(asked)
    assert 1 == len({event["data"]["M"]["link"]["S"] for event in asked})


def test_a_marketer_chooses_people() -> None:
    """Partners are asked, others invited, those already invited left in peace for a week."""
    invite(email="ida@customer.example")
    reply = choose(NINA, "ida@customer.example", "carl@customer.example")
    assert (200, {**NOBODY, "asked": 1, "invited": 1, "rested": 1}) == (reply.status, reply.body)
    assert ["PartnerEnrolled", "AskRequested"] == types(nina().entity)


def test_a_rep_asks_and_owns_whom_they_invite() -> None:
    """As with an invitation."""
    assert {**NOBODY, "invited": 1} == choose("carl@customer.example", claims=ANNA).body
    (carl,) = [
        each
        for each in everything()
        if each["pk"].startswith("PARTNER#") and each.get("status") == "invited"
    ]
    assert ("anna", "REP#anna") == (carl["owner"], carl["invited_by"])


def test_a_rule_may_invite_nobody() -> None:
    """Then only partners are asked."""
    found = choose(NINA, "carl@customer.example", rule="staff").body
    assert {**NOBODY, "asked": 1, "left_out": 1} == found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"rule": "nothing"}, (422, "unknown_rule", "rule")),
        ({"audience": "nobody"}, (422, "unknown_audience", "audience")),
        ({"asset": "one_pager"}, (422, "missing_field", "audience")),
    ],
)
def test_a_choice_names_a_rule_or_an_audience(
    body: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """Nobody is asked otherwise."""
    assert expected == choose(NINA, **body).field()
    assert ["PartnerEnrolled"] == types(nina().entity)


def test_one_wrong_address_asks_nobody() -> None:
    """Each is named by its place, before anybody is asked."""
    assert (422, "invalid_email", "people[1].email") == choose(NINA, "carl@no-such").field()
    twice = choose(NINA, "nina+2@partners.example")
    assert (422, "given_twice", "people[1].email") == twice.field()
    assert ["PartnerEnrolled"] == types(nina().entity)


def test_a_list_that_broke_off_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key again: everybody was asked once, and the answer counts all of them."""
    emails = [NINA, "carl@customer.example", "ida@customer.example"]
    real = Transaction.commit
    left = [3]  # Nina's link, Nina and Carl; then the function dies

    def commit(self: Transaction) -> None:
        if not left[0]:
            message = "died"
            raise RuntimeError(message)
        left[0] -= 1
        real(self)

    monkeypatch.setattr(Transaction, "commit", commit)
    assert 500 == choose(*emails, key="asks-in-spring-1").status
    monkeypatch.setattr(Transaction, "commit", real)
    assert {**NOBODY, "asked": 1, "invited": 2} == choose(*emails, key="asks-in-spring-1").body
    assert {**NOBODY, "asked": 1, "invited": 2} == choose(*emails, key="asks-in-spring-1").body
    assert ["PartnerEnrolled", "AskRequested"] == types(nina().entity)


def test_a_lost_answer_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit happened and nobody heard; looking again finds it."""
    real = Transaction.commit
    lost: list[int] = []

    def commit(self: Transaction) -> None:
        real(self)
        if len(lost) < 2:
            lost.append(1)
            message = "lost"
            raise UncertainError(message)

    monkeypatch.setattr(Transaction, "commit", commit)
    choose(NINA, key="asks-in-spring-2")
    monkeypatch.setattr(Transaction, "commit", real)
    assert {**NOBODY, "asked": 1} == choose(NINA, key="asks-in-spring-2").body
    assert ["PartnerEnrolled", "AskRequested"] == types(nina().entity)


def test_two_choices_at_once_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One finds the pause taken."""
    commit, replies = Transaction.commit, list[Reply]()

    def late(self: Transaction) -> None:
        if not replies:
            replies.append(Reply(0, {}, {}))
            replies[0] = choose(NINA)  # somebody gets in between our look and our write
        commit(self)

    monkeypatch.setattr(Transaction, "commit", late)
    replies.append(choose(NINA))
    assert {"asked": 1, "rested": 1} == {
        name: sum(each.body[name] for each in replies) for name in ("asked", "rested")
    }
    assert ["PartnerEnrolled", "AskRequested"] == types(nina().entity)
