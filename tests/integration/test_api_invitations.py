"""Inviting partners: who is made, who is told, and who may take an invitation up."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.partner import Partner
from introducer.tables import claims, partners, people, reps
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.invited import ANNA, MANAGER, NINA, invitation, invite, join
from tests.support.life import raw_items
from tests.support.tables import everything

pytestmark = pytest.mark.usefixtures("aws", "frozen", "program")
NOW = "2026-11-22T11:17:00.000Z"


@pytest.fixture
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two reps."""
    life.publish()
    life.add_rep("anna")
    life.add_rep("ben")


def stored(partner: str) -> Partner:
    """Return a partner as they are stored."""
    found = partners.find_partner(partner)
    assert found is not None
    return found


def types(partner: str) -> list[str]:
    """Return what happened to a partner."""
    return [event["type"]["S"] for event in raw_items(f"PARTNER#{partner}")]


def test_a_rep_invites_a_partner_in_one_call() -> None:
    """They exist as invited, owned by the rep, without a login; who they are is in People."""
    reply = invite(note="Met in Berlin")
    made = stored(reply.body["id"])
    assert (201, {"id": made.id, "status": "invited"}) == (reply.status, reply.body)
    assert (
        Partner(
            id=made.id,
            program="acme",
            audience="partners",
            person=made.person,
            login="",
            country="DE",
            enrolled_at="",
            version=1,
            status="invited",
            locale="de",
            email_key=made.email_key,
            keys=made.keys,
            owner="anna",
            invited_at=NOW,
            invited_by="REP#anna",
            remind_at="2026-11-29T11:17:00.000Z",
        )
        == made
    )
    contact = people.contact(made.person)
    assert contact is not None
    mailbox = claims.key("acme", "partner_email", made.email_key)
    assert ("Nina Neu", NINA, "Met in Berlin", "de", [mailbox]) == (
        contact.name,
        contact.email,
        contact.note,
        contact.locale,
        contact.claims,
    )
    (event,) = raw_items(made.entity)
    assert ("PartnerInvited", "REP#anna") == (event["type"]["S"], event["actor"]["S"])
    assert {"audience": {"S": "partners"}, "owner": {"S": "anna"}, "credited": {"N": "0"}} == (
        event["data"]["M"]
    )


def test_a_manager_names_the_rep_and_the_company() -> None:
    """An employee of a partner company belongs to it from the first day."""
    body = invitation(owner="ben", organization="neu-gmbh")
    reply = call("POST", "/v1/programs/acme/invitations", body, claims=MANAGER)
    made = stored(reply.body["id"])
    assert ("ben", "neu-gmbh", "user:mia") == (made.owner, made.org, made.invited_by)
    assert 201 == join().status
    assert ("ben", "neu-gmbh", "active") == (
        stored(made.id).owner,
        stored(made.id).org,
        stored(made.id).status,
    )


@pytest.mark.parametrize("email", [NINA, "NINA+news@partners.example"])
def test_a_known_mailbox_is_invited_once(email: str) -> None:
    """However it is spelled; the second call stores nothing of what it says."""
    first = invite()
    before = everything()
    again = invite(email=email, name="Somebody Else", audience="employees")
    assert (200, {"id": first.body["id"], "status": "known"}) == (again.status, again.body)
    kept = [each for each in everything() if "idempotency" not in each["pk"].lower()]
    assert [each for each in before if "idempotency" not in each["pk"].lower()] == [
        each for each in kept if each["pk"] in {old["pk"] for old in before}
    ]


def test_two_invitations_at_once_make_one_partner(monkeypatch: pytest.MonkeyPatch) -> None:
    """One finds the mailbox taken, looks again and answers with the other's partner."""
    commit, first = Transaction.commit, list[Reply]()

    def late(self: Transaction) -> None:
        if not first:
            first.append(Reply(0, {}, {}))
            first[0] = invite()  # somebody gets in between our look and our write
        commit(self)

    monkeypatch.setattr(Transaction, "commit", late)
    second = invite()
    assert first[0].body["id"] == second.body["id"]
    assert ["PartnerInvited"] == types(second.body["id"])


def test_the_same_key_gives_the_same_answer() -> None:
    """A repeated send is answered as the first one was."""
    first, second = (
        call("POST", "/v1/rep/invitations", invitation(), claims=ANNA, key="invitation-of-nina-1")
        for _ in range(2)
    )
    assert (201, first.body, "true") == (
        second.status,
        second.body,
        second.headers["idempotent-replayed"],
    )


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"audience": "nobody"}, (422, "unknown_audience", "audience")),
        ({"country": "FR"}, (422, "country_not_eligible", "country")),
        ({"email": "nina@"}, (400, "invalid_input", "email")),
        ({"email": "nina@no-such"}, (422, "invalid_email", "email")),
        ({"name": "Nina\nBcc: all"}, (400, "invalid_input", "name")),
    ],
)
def test_an_invitation_that_cannot_be_taken_up_is_refused(
    overrides: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """As far as it can be known before they join; nothing is stored."""
    before = everything()
    assert expected == invite(**overrides).field()
    assert before == everything()


def test_a_manager_cannot_name_a_rep_who_is_none() -> None:
    """Nor one of another program."""
    for owner in ("nobody", "zoe"):
        body = invitation(owner=owner)
        reply = call("POST", "/v1/programs/acme/invitations", body, claims=MANAGER)
        assert (422, "unknown_rep", "owner") == reply.field()


def test_a_rep_who_left_invites_nobody() -> None:
    """Their login may still work."""
    ben = reps.find("ben")
    assert ben is not None
    writes = Transaction()
    reps.change(
        writes,
        ben,
        type(ben)(**{**{f: getattr(ben, f) for f in ben.__struct_fields__}, "active": False}),
        now=NOW,
        actor="user:mia",
    )
    writes.commit()
    assert (403, "forbidden") == invite(login("login-ben", "rep")).problem()


def test_whoever_verified_the_mailbox_becomes_the_invited_partner() -> None:
    """The same partner, next version, with what they say and accept now; one event."""
    partner = invite().body["id"]
    reply = join(country="AT", phone="0664 1234567", locale="en")
    assert (201, {"id": partner, "program": "acme", "audience": "partners"}) == (
        reply.status,
        reply.body,
    )
    made = stored(partner)
    assert (("active", "login-nina", "AT", NOW, 2, "1", True, "anna", "", NOW)) == (
        made.status,
        made.login,
        made.country,
        made.enrolled_at,
        made.version,
        made.terms_version,
        made.verified,
        made.owner,
        made.remind_at,
        made.invited_at,
    )
    assert ["PartnerInvited", "PartnerEnrolled"] == types(partner)
    contact = people.contact(made.person)
    assert contact is not None
    assert {
        claims.key("global", "login", "login-nina"),
        claims.key("acme", "partner_email", made.email_key),
    } == set(contact.claims)
    me = call("GET", "/v1/me", claims=login("login-nina", "partner", email=NINA))
    assert (partner, "active", NINA) == (me.body["id"], me.body["status"], me.body["email"])


def test_an_address_that_was_only_typed_takes_up_nothing() -> None:
    """The answer is the same for an invited and for an enrolled mailbox."""
    partner = invite().body["id"]
    life.enrol("pia")
    before = everything()
    refused = join(sub="login-eve", verified="")
    assert (409, "email_not_verified") == refused.problem()
    assert before == everything()
    assert "invited" == stored(partner).status
    join()
    enrolled = join(sub="login-eve", verified="")
    assert {**refused.body, "detail": enrolled.body["detail"]} == enrolled.body
    assert refused.body["detail"] == enrolled.body["detail"]


def test_another_address_takes_up_nothing() -> None:
    """A login that verified one address cannot claim another's invitation by typing it."""
    partner = invite().body["id"]
    assert (422, "email_mismatch", "email") == join(
        sub="login-eve", verified="eve@evil.example"
    ).field()
    assert (
        201 == join(sub="login-eve", verified="eve@evil.example", email="eve@evil.example").status
    )
    assert "invited" == stored(partner).status


def test_two_logins_at_once_make_one_partner_active(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both verified spellings of the mailbox; one wins, the other hears that it is taken."""
    partner = invite().body["id"]
    commit, first = Transaction.commit, list[Reply]()

    def late(self: Transaction) -> None:
        if not first:
            first.append(Reply(0, {}, {}))
            first[0] = join(sub="login-nina")  # gets in between the other's look and write
        commit(self)

    monkeypatch.setattr(Transaction, "commit", late)
    spelled = "nina+2@partners.example"
    second = join(sub="login-twin", verified=spelled, email=spelled)
    assert (201, partner) == (first[0].status, first[0].body["id"])
    assert (409, "already_exists") == second.problem()
    assert ["PartnerInvited", "PartnerEnrolled"] == types(partner)


def test_who_is_not_eligible_stays_invited() -> None:
    """An invitation opens no audience; what is missing is told, and can be done after."""
    partner = invite().body["id"]
    assert (422, "terms_outdated", "terms_version") == join(terms_version="0").field()
    assert "invited" == stored(partner).status
    assert 201 == join().status


def test_a_second_invitation_reminds_once_a_week(frozen: Any) -> None:
    """Not in the first week; then once; and nobody who enrolled."""
    partner = invite().body["id"]
    frozen("2026-11-29T11:16:59.000Z")
    invite()
    assert ["PartnerInvited"] == types(partner)
    frozen("2026-11-29T11:17:00.000Z")
    invite()
    invite()
    assert ["PartnerInvited", "PartnerReminded"] == types(partner)
    assert "2026-12-13T11:17:00.000Z" == stored(partner).remind_at
    join()
    frozen("2027-01-29T11:17:00.000Z")
    invite()
    assert ["PartnerInvited", "PartnerReminded", "PartnerEnrolled"] == types(partner)
