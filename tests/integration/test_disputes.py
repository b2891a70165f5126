"""Disputes by the API: who may open one, who sees what of it, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import identity, keyring
from introducer.command import Absorb, Accept, Assign, Hold, Withdraw
from introducer.tables import disputes, events, people, referrals, store
from introducer.tables.people import Contact
from introducer.tables.store import Table
from route import disputes as job
from route.screen import screen
from tests.support import fair, life, mails, money, tallied
from tests.support.api import call, login
from tests.support.fair import ANNA, MIA
from tests.support.tables import everything

LIST = f"/v1/programs/{life.PROGRAM}/disputes"
AUDITOR = login("sub-a", "auditor")
LEAD = "lena@customer.example"
_NOT_YOURS_DE = "Die Empfehlung wird Ihnen nicht mehr zugerechnet."

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """Pia's lead, whom Quin sent a day before; the last touch decides. Anna has it."""
    life.publish(rewards=[tallied.plan()])
    for name in ("pia", "quin", "ole"):
        life.enrol(
            name,
            locale="de",
            contact=Contact(name=name.title(), email=f"{name}@p.example", locale="de"),
        )
    life.add_rep("anna")
    submitted("r1", life.touch("quin", at="2026-11-21T09:00:00.000Z"), life.touch("pia"))
    life.move("r1", Assign(rep="anna"))


def submitted(name: str, *touches: Any, email: str = LEAD, **overrides: Any) -> None:
    """Store a referral of somebody with an address, and screen it."""
    key = identity.email_key(email, keyring.secret(keyring.IDENTITY))
    life.submit(name, touches=touches, lead_key=key, **overrides)
    screen(name, cause="event")


def shares(name: str = "r1") -> dict[str, int]:
    """Return who is credited."""
    return {each.partner: each.basis_points for each in referrals.detail(name).shares}


def told(name: str, dispute: str) -> dict[str, Any]:
    """Return what a partner reads of a dispute of theirs."""
    reply = call("GET", f"/v1/me/disputes/{dispute}", claims=fair.partner(name))
    assert 200 == reply.status
    return dict(reply.body)


def trail(dispute: str) -> list[str]:
    """Return the types of a dispute's events."""
    return [each.type for each in events.of_entity(f"DISPUTE#{dispute}")]


def test_dispute_from_open_to_upheld() -> None:
    """A partner says by whose address it is theirs; the manager sees the evidence and agrees."""
    made = fair.open_as(
        "quin", {"email": " Lena@Customer.example ", "reason": "referred_first", "comment": "Mine."}
    )
    assert (201, "received") == (made.status, made.body["status"])
    dispute = made.body["id"]

    (row,) = call("GET", LIST, claims=AUDITOR).body["items"]
    assert {
        "id": dispute,
        "status": "open",
        "opened_by": "PARTNER#quin",
        "partner": "quin",
        "referral": "r1",
        "by_address": True,
        "reason": "referred_first",
        "opened_at": fair.NOW,
        "decide_by": "2026-12-06T11:17:00.000Z",
    } == row
    detail = fair.read(dispute).body
    assert [{"by": "PARTNER#quin", "at": fair.NOW, "text": "Mine."}] == detail["comments"]
    assert [("quin", True, 0), ("pia", True, 1)] == [
        (each["partner"], each["counted"], each["weight"]) for each in detail["evidence"]["touches"]
    ]
    assert ("rule", True) == (detail["evidence"]["decided_by"], detail["evidence"]["agrees"])

    decided = fair.decide(dispute, referral="r1")

    assert (200, {"id": dispute, "status": "decided"}) == (decided.status, decided.body)
    assert {"quin": 10_000} == shares()
    assert ["DisputeOpened", "DisputeDecided"] == trail(dispute)
    event = list(events.of_entity("REFERRAL#r1"))[-1]
    assert (
        "ReferralRecredited",
        {
            "dispute": dispute,
            "credit": "quin:10000",
            "reason": "earlier_touch",
            "status": "assigned",
        },
        f"DISPUTE#{dispute}#2",
    ) == (event.type, event.data, event.cause)
    assert [] == call("GET", LIST, claims=MIA).body["items"]
    after = fair.read(dispute).body
    assert ("dispute", dispute, True) == tuple(
        after["evidence"][name] for name in ("decided_by", "dispute", "agrees")
    )
    assert {
        "dispute": {
            "id": dispute,
            "referral": "",
            "status": {"code": "decided", "text": "Über Ihren Einspruch wurde entschieden."},
            "outcome": {
                "code": "upheld",
                "text": "Sie hatten recht: Die Zurechnung wurde geändert.",
            },
            "reason": {
                "code": "earlier_touch",
                "text": "Die Aufzeichnungen zeigen, wer den Kontakt zuerst gebracht hat.",
            },
            "opened_at": fair.NOW,
            "updated_at": fair.NOW,
        },
        "comments": [{"at": fair.NOW, "text": "Mine."}],
    } == told("quin", dispute)


def test_address_that_nobody_knows_gets_the_same_answers() -> None:
    """Whether a lead exists cannot be told from any answer, before the decision or repeated."""
    known = fair.open_as("ole", {"email": LEAD, "reason": "not_credited"})
    unknown = fair.open_as("ole", {"email": "no@body.example", "reason": "not_credited"})

    assert (known.status, known.body | {"id": ""}) == (unknown.status, unknown.body | {"id": ""})
    seen = [told("ole", each.body["id"]) for each in (known, unknown)]
    for each in seen:
        each["dispute"]["id"] = ""
    assert seen[0] == seen[1]
    again = [
        fair.open_as("ole", {"email": email, "reason": "other"}).problem()
        for email in (LEAD, "no@body.example")
    ]
    assert [(409, "already_exists")] * 2 == again
    assert {"r1", ""} == {each["referral"] for each in call("GET", LIST, claims=MIA).body["items"]}


def test_unmatched_dispute_is_decided_with_the_referral_it_is_about() -> None:
    """There is nothing to give until somebody says which referral; or it is rejected."""
    name = fair.open_as("quin", {"email": "l@home.example", "reason": "not_credited"}).body["id"]
    assert None is fair.read(name).body["evidence"]

    assert (422, "no_referral", "referral") == fair.decide(name).field()
    assert 200 == fair.decide(name, referral="r1").status
    assert {"quin": 10_000} == shares()

    other = fair.open_as("ole", {"email": "x@home.example", "reason": "other"}).body["id"]
    assert 200 == fair.decide(other, "rejected", reason="no_referral").status
    assert ("rejected", "no_referral") == (
        (found := told("ole", other)["dispute"])["outcome"]["code"],
        found["reason"]["code"],
    )


def test_decision_is_about_the_referral_that_was_read() -> None:
    """Whose an address is may change meanwhile; then the manager has to look again."""
    email = "late@home.example"
    name = fair.open_as("quin", {"email": email, "reason": "not_credited"}).body["id"]
    assert "" == fair.read(name).body["dispute"]["referral"]
    submitted("r2", life.touch("ole"), email=email)
    before = everything()

    for outcome in ("upheld", "rejected"):
        assert (422, "other_referral", "referral") == (
            fair.decide(name, outcome, referral="r1").field()
        )
        assert (422, "no_referral", "referral") == fair.decide(name, outcome).field()
    assert before == everything()

    assert 200 == fair.decide(name, referral="r2").status
    assert ({"quin": 10_000}, {"pia": 10_000}) == (shares("r2"), shares("r1"))
    other = fair.opened_by_manager("ole")
    assert (422, "other_referral", "referral") == fair.decide(other, referral="r2").field()
    assert 200 == fair.decide(other).status


def test_only_one_undecided_dispute_of_a_partner_about_a_referral() -> None:
    """The second is refused until the first is over; another partner's is not in its way."""
    first = fair.opened_by_manager("quin")
    body = {"referral": "r1", "reason": "other", "partner": "quin"}
    assert (409, "already_exists") == call("POST", LIST, body, claims=MIA).problem()
    fair.opened_by_manager("ole")

    assert 200 == fair.decide(first, "rejected").status

    assert 201 == call("POST", LIST, body, claims=MIA).status


def test_referral_of_others_is_no_referral() -> None:
    """Nobody learns by its id whether a referral exists; lists of others stay closed."""
    body = {"referral": "r1", "reason": "not_credited"}
    assert (404, "not_found") == fair.open_as("quin", body).problem()
    assert (404, "not_found") == fair.open_as("quin", body | {"referral": "r9"}).problem()
    mine = fair.opened("pia", reason="wrong_share")
    path = f"/v1/me/disputes/{mine}"
    assert (404, "not_found") == call("GET", path, claims=fair.partner("quin")).problem()
    for act, sent in (("withdraw", {}), ("comments", {"comment": "x"})):
        reply = call("POST", f"{path}/{act}", sent, claims=fair.partner("quin"))
        assert (404, "not_found") == reply.problem()
    assert [] == call("GET", "/v1/me/disputes", claims=fair.partner("quin")).body["items"]
    other = f"/v1/programs/other/disputes/{mine}"
    assert (404, "not_found") == call("GET", other, claims=MIA).problem()
    attribution = "/v1/programs/other/referrals/r1/attribution"
    assert (404, "not_found") == call("GET", attribution, claims=MIA).problem()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"referral": "r1", "email": LEAD}, 422),
        ({"email": "no address"}, 422),
        ({"referral": "r1", "comment": "x" * 1001}, 400),
        ({"referral": "r1", "comment": "\u202e"}, 400),
        ({"referral": "r1", "note": "x"}, 400),
    ],
)
def test_dispute_that_says_nothing_clear_is_refused(body: dict[str, Any], status: int) -> None:
    """One of the two, an address that is one, words of a length: nothing else is stored."""
    before = everything()
    assert status == fair.open_as("pia", {"reason": "other"} | body).status
    assert before == everything()


def test_dispute_comes_too_late(frozen: Callable[[str], None]) -> None:
    """After the program's days the credit stays; an address gets the answer it always gets."""
    frozen("2027-05-22T10:00:00.001Z")
    body = {"referral": "r1", "reason": "wrong_share"}
    assert (422, "too_late", "referral") == fair.open_as("pia", body).field()
    assert 201 == fair.open_as("pia", {"email": LEAD, "reason": "wrong_share"}).status
    path = "/v1/rep/referrals/r1/disputes"
    late = call("POST", path, {"reason": "wrong_partner"}, claims=ANNA)
    assert (422, "too_late", "referral") == late.field()
    assert fair.opened_by_manager("quin")  # what the audit finds later must be set right


def test_duplicate_disputes_the_referral_that_was_first() -> None:
    """Who referred the same lead later disputes what they see, and it is about the living one."""
    submitted("r2", life.touch("ole"), duplicate_of="r1", submitted_at=fair.NOW)
    assert "duplicate" == referrals.get("r2").status

    dispute = fair.opened("ole", "r2")

    assert "r2" == told("ole", dispute)["dispute"]["referral"]
    assert "r1" == fair.read(dispute).body["dispute"]["referral"]
    assert 200 == fair.decide(dispute, "split", {"pia": 6_000, "ole": 4_000}).status
    assert {"pia": 6_000, "ole": 4_000} == shares()


def test_rep_disputes_a_lead_of_theirs() -> None:
    """Only of their own; whom they name must be somebody."""
    path = "/v1/rep/referrals/r1/disputes"
    body = {"reason": "wrong_partner", "partner": "ole"}
    made = call("POST", path, body, claims=ANNA)
    assert (201, "open") == (made.status, made.body["status"])
    assert "REP#anna" == fair.read(made.body["id"]).body["dispute"]["opened_by"]
    nobody = call("POST", path, body | {"partner": "nobody"}, claims=ANNA)
    assert (422, "unknown_partner", "partner") == nobody.field()
    life.add_rep("ben")
    foreign = call("POST", path, body, claims=login("login-ben", "rep"))
    assert (404, "not_found") == foreign.problem()


def test_partner_reads_only_their_own_words() -> None:
    """What staff write about it stays with them, and nobody else's name is told."""
    dispute = fair.opened("pia", reason="wrong_share")
    mine = f"/v1/me/disputes/{dispute}/comments"
    assert 200 == call("POST", mine, {"comment": "More."}, claims=fair.partner("pia")).status
    path = f"{LIST}/{dispute}/comments"
    assert 200 == call("POST", path, {"comment": "Quin called."}, claims=MIA).status

    assert [("PARTNER#pia", "More."), ("user:login-mia", "Quin called.")] == [
        (each["by"], each["text"]) for each in fair.read(dispute).body["comments"]
    ]
    assert ["More."] == [each["text"] for each in told("pia", dispute)["comments"]]
    assert "quin" not in str(told("pia", dispute))
    assert ["DisputeOpened", "DisputeCommented", "DisputeCommented"] == trail(dispute)


def test_words_about_people_are_in_the_people_table_alone() -> None:
    """Core has ids, codes and keyed hashes: neither a comment nor the address."""
    fair.open_as("pia", {"email": LEAD, "reason": "other", "comment": "Lena told me so"})
    core = str(money.everything(Table.CORE))
    assert ("told me" in core, LEAD in core) == (False, False)
    (written,) = (
        each for each in money.everything(Table.PEOPLE) if each["pk"].startswith("DISPUTE#")
    )
    assert ("PARTNER#pia", "Lena told me so") == (written["by"], written["text"])


def test_dispute_is_taken_back() -> None:
    """Once, and then it is over; a new one may be opened."""
    dispute = fair.opened("pia")
    path = f"/v1/me/disputes/{dispute}/withdraw"
    assert "withdrawn" == call("POST", path, {}, claims=fair.partner("pia")).body["status"]
    again = call("POST", path, {}, claims=fair.partner("pia"))
    assert (409, "transition_not_allowed") == again.problem()
    assert (409, "transition_not_allowed") == fair.decide(dispute).problem()
    assert {"pia": 10_000} == shares()
    assert dispute != fair.opened("pia")


@pytest.mark.parametrize(
    ("outcome", "credit", "code"),
    [
        ("rejected", {"pia": 10_000}, "credit_not_needed"),
        ("split", {}, "credit_missing"),
        ("split", {"pia": 10_000}, "credit_missing"),
        ("split", {"pia": 5_000, "quin": 4_999}, "split_not_whole"),
        ("upheld", {"nobody": 10_000}, "unknown_partner"),
        ("split", {"pia": 5_000, "gone": 5_000}, "unknown_partner"),
        ("upheld", {"far": 10_000}, "unknown_partner"),
    ],
)
def test_decision_that_makes_no_sense_is_refused(
    outcome: str, credit: dict[str, int], code: str
) -> None:
    """The parts make a whole and belong to people of the program; nothing is stored."""
    life.enrol("gone", status="inactive")
    life.enrol("far", program="other")
    dispute = fair.opened_by_manager("quin")
    before = everything()
    assert (422, code, "credit") == fair.decide(dispute, outcome, credit).field()
    assert before == everything()


def test_same_partner_twice_is_refused() -> None:
    """Two parts of one partner are a slip, not a sum."""
    dispute = fair.opened_by_manager("quin")
    twice = [{"partner": "pia", "basis_points": 5_000}] * 2
    body = {"outcome": "split", "reason": "joint_work", "credit": twice}
    reply = call("POST", f"{LIST}/{dispute}/decide", body, claims=MIA)
    assert (422, "partner_twice", "credit") == reply.field()


def test_referral_that_ended_before_anything_was_earned_keeps_its_credit() -> None:
    """There is nothing to move in a lead that was withdrawn; it can only be rejected."""
    dispute = fair.opened_by_manager("quin")
    life.move("r1", Withdraw(reason="by_lead"))
    assert (409, "transition_not_allowed") == fair.decide(dispute).problem()
    assert 200 == fair.decide(dispute, "rejected").status


def test_success_moves_with_the_credit() -> None:
    """What counts for a partner's own engagement is the new partner's, too."""
    life.move("r1", Accept())
    money.sell_more("r1", "s1", 100_000)
    pk = "PARTNER#pia"
    writes = store.Transaction()
    writes.put(Table.CORE, pk, "SUCCESS#r1", {"referral": "r1", "won_at": money.SOLD})
    writes.commit()

    assert 200 == fair.decide(fair.opened_by_manager("quin")).status

    assert None is store.get(Table.CORE, pk, "SUCCESS#r1")
    assert {"referral": "r1", "won_at": money.SOLD}.items() <= (
        store.get(Table.CORE, "PARTNER#quin", "SUCCESS#r1") or {}
    ).items()


def test_who_lost_it_reads_what_became_of_it() -> None:
    """The referral stays in the list, with no part, and says in plain words why."""
    assert 200 == fair.decide(fair.opened_by_manager("quin")).status
    found = call("GET", "/v1/me/referrals/r1", claims=fair.partner("pia")).body
    assert 0 == found["referral"]["share_basis_points"]
    assert {
        "type": "ReferralRecredited",
        "at": fair.NOW,
        "text": "A dispute was decided: the credit for it has changed.",
        "reason": {
            "code": "earlier_touch",
            "text": "The records show who brought the lead first.",
        },
    } == found["timeline"][-1]
    assert "quin" not in str(found)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "A dispute was decided: you are no longer credited for it."),
        ("de-AT", f"Über einen Einspruch wurde entschieden: {_NOT_YOURS_DE}"),
    ],
)
def test_who_lost_it_reads_nothing_of_what_came_after(locale: str, text: str) -> None:
    """List and detail end with the decision that took the last part, in the partner's words."""
    life.enrol("una", locale=locale)
    submitted("r5", life.touch("una"), email="m@lost.example")
    fair.recredit("r5", {"quin": 10_000})
    fair.recredit("r5", {"una": 5_000, "quin": 5_000}, number=2)
    fair.recredit("r5", {"pia": 10_000}, number=3)
    then = life.move("r5", Assign(rep="anna"), now="2026-11-23T10:00:00.000Z")
    life.move("r5", Hold(reason="self_referral"), now="2026-11-24T10:00:00.000Z")
    fair.recredit("r5", {"ole": 10_000}, number=4)
    assert "assigned" == then.status
    claims = fair.partner("una")

    (row,) = call("GET", "/v1/me/referrals", claims=claims).body["items"]
    found = call("GET", "/v1/me/referrals/r5", claims=claims).body

    assert {
        "id": "r5",
        "status": "recredited",
        "submitted_at": then.submitted_at,
        "updated_at": fair.NOW,
        "share_basis_points": 0,
        "country": "DE",
        "product": then.product,
        "reason": {"code": "recredited", "text": text},
        "held": None,
    } == row
    assert (row, "recredited") == (found["referral"], found["status"])
    assert ["ReferralSubmitted", "ReferralScreened", *["ReferralRecredited"] * 3] == [
        each["type"] for each in found["timeline"]
    ]
    forecast = call("GET", "/v1/me/forecast", claims=claims).body
    assert ([], 0) == (forecast["items"], forecast["left_out"])


def test_that_others_referred_the_same_lead_is_not_told() -> None:
    """Two referrals are joined: the partner of the first reads nothing of the second."""
    life.move("r1", Absorb(referral="r2"))
    found = call("GET", "/v1/me/referrals/r1", claims=fair.partner("pia")).body
    assert ["ReferralSubmitted", "ReferralScreened", "ReferralAssigned"] == [
        each["type"] for each in found["timeline"]
    ]


def test_undecided_dispute_goes_up_once(frozen: Callable[[str], None]) -> None:
    """When its time is over, at the head of the list; a second run finds nothing to do."""
    first = fair.opened("pia")
    frozen("2026-11-23T00:00:00.000Z")
    second = fair.opened_by_manager("quin")
    assert [first, second] == [each["id"] for each in call("GET", LIST, claims=MIA).body["items"]]
    fair.decide(first, "rejected")
    third = fair.opened("pia")
    frozen("2026-12-06T23:59:59.999Z")
    assert 0 == job.look("2026-12-06T23:59:59.999Z")
    done = [job.look("2026-12-07T00:00:00.000Z") for _ in range(2)]

    assert [2, 0] == done
    assert ["DisputeOpened", "DisputeEscalated"] == trail(second)
    assert {second, third} == {each["id"] for each in call("GET", LIST, claims=MIA).body["items"]}
    fourth = fair.opened_by_manager("ole")
    listed = [each["id"] for each in call("GET", LIST, claims=MIA).body["items"]]
    assert fourth == listed[-1]
    assert 200 == fair.decide(second).status


def test_evidence_of_those_who_could_not_be_credited() -> None:
    """It says so later too, though the partner is active again by then."""
    life.enrol("gone", status="inactive")
    submitted("r3", life.touch("gone", id="z"), life.touch("pia", id="a"), email="m@l.example")
    path = f"/v1/programs/{life.PROGRAM}/referrals/r3/attribution"

    found = call("GET", path, claims=AUDITOR).body

    assert [{"partner": "gone", "why": "inactive"}] == found["uncredited"]
    assert [("pia", ""), ("gone", "uncredited")] == [
        (each["partner"], each["why"]) for each in found["touches"]
    ]
    assert ([{"partner": "pia", "basis_points": 10_000}], True) == (
        found["recomputed"],
        found["agrees"],
    )


def test_mails_about_a_dispute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Managers hear that there is one, its partner how it was decided, in their language."""
    from introducer.clients import client

    monkeypatch.setenv("MANAGER_MAIL", "managers@acme.example")
    monkeypatch.setenv("BUS_NAME", "bus")
    client("ses").verify_email_identity(EmailAddress="introducer@example.com")
    sent = life.record("sesv2", "SendEmail")
    dispute = fair.opened("pia")
    (first,) = life.raw_items(f"DISPUTE#{dispute}")
    assert mails.NOTHING == mails.send(mails.detail(first))
    fair.decide(dispute, "rejected", reason="no_evidence")
    both = [mails.detail(each) for each in life.raw_items(f"DISPUTE#{dispute}")]
    assert mails.NOTHING == mails.send(*both)

    assert [
        (["managers@acme.example"], "A credit is disputed"),
        (["pia@p.example"], "Über Ihren Einspruch wurde entschieden"),
    ] == [
        (
            each["Destination"]["ToAddresses"],
            each["Content"]["Simple"]["Subject"]["Data"],
        )
        for each in sent
    ]
    text = " ".join(sent[1]["Content"]["Simple"]["Body"]["Text"]["Data"].split())
    assert "Der Grund: die Aufzeichnungen enthalten nichts, was dafür spricht." in text
    assert people.contact("person-pia") is not None
    assert disputes.get(dispute).status == "decided"


def test_two_decisions_at_once_come_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another is decided between reading and writing: this one looks again, and none is lost."""
    first, second = fair.opened_by_manager("quin"), fair.opened_by_manager("ole")
    real = store.Transaction.commit

    def commit(self: store.Transaction) -> None:
        monkeypatch.setattr(store.Transaction, "commit", real)
        assert 200 == fair.decide(second).status
        real(self)

    monkeypatch.setattr(store.Transaction, "commit", commit)
    assert 200 == fair.decide(first).status

    detail = referrals.detail("r1")
    assert ({"quin": 10_000}, first) == (shares(), detail.referral.dispute)
    assert ["ole", "pia"] == [share.partner for share in detail.former]
    assert [second, first] == [
        event.data["dispute"] for event in detail.events if event.type == "ReferralRecredited"
    ]
    assert (["DisputeOpened", "DisputeDecided"],) * 2 == (trail(first), trail(second))


def test_touch_that_becomes_known_later_is_evidence_and_no_more() -> None:
    """It is kept and shown as late; the credit that was given stays as it is."""
    late = life.touch("ole", id="found", at="2026-11-22T09:59:00.000Z")
    writes = store.Transaction()
    referrals.add_touch(writes, referrals.get("r1"), late)
    writes.commit()
    path = f"/v1/programs/{life.PROGRAM}/referrals/r1/attribution"

    seen = call("GET", path, claims=AUDITOR).body

    assert [("quin", "", 0), ("pia", "", 1), ("ole", "late", 0)] == [
        (each["partner"], each["why"], each["weight"]) for each in seen["touches"]
    ]
    assert ([{"partner": "pia", "basis_points": 10_000}], True) == (
        seen["recomputed"],
        seen["agrees"],
    )
