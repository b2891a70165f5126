"""A lead somebody else has a claim to: what is stored, who gets it, what the partner learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import identity, keyring
from introducer.referral import Referral
from introducer.tables import programs, referrals
from introducer.tables.people import Contact
from payout import sweep
from route.assign import assign
from route.screen import screen
from submit import intake
from submit.intake import Lead
from tests.support import life, mails
from tests.support.api import call, login

MANAGER = login("sub-m", "manager")
NOW = "2026-11-22T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with Pia and Emil, and the reps Anna and Cleo."""
    life.publish()
    secret = keyring.secret(keyring.IDENTITY)
    for name in ("pia", "emil"):
        life.enrol(
            name,
            contact=Contact(name=name.title(), email=f"{name}@{name}-gmbh.example", locale="de"),
            email_key=identity.email_key(f"{name}@{name}-gmbh.example", secret),
            keys=identity.keys(
                secret, email=f"{name}@{name}-gmbh.example", phone=f"+4930{len(name)}00000"
            ),
        )
    life.add_rep("anna")
    life.add_rep("cleo")


def refer(partner: str = "pia", *, at: str = NOW, reserved_for: str = "", **lead: Any) -> Referral:
    """Store a submission of *partner*'s."""
    made = intake.submit(
        programs.current("acme", at),
        Lead(name="Lena Lead", country="DE", **lead),
        [life.touch(partner)],
        channel="api",
        actor="public",
        now=at,
        reserved_for=reserved_for,
    )
    made.writes.commit()
    return made.referral


def decided(partner: str = "pia", **lead: Any) -> Referral:
    """Return a submission of *partner*'s after it was screened and given out."""
    made = refer(partner, **lead)
    screen(made.id, cause="e1")
    assign(made.id, cause="e2")
    return referrals.get(made.id)


def put(**entry: Any) -> None:
    """Put an entry on the company's list."""
    reply = call("PUT", "/v1/programs/acme/accounts", {"accounts": [entry]}, claims=MANAGER)
    assert 200 == reply.status, reply.body


def flags(name: str) -> list[str]:
    """Return the signals kept with a referral."""
    found = referrals.detail(name).touches
    return [touch.data["signal"] for touch in found if touch.kind == "flag"]


@pytest.mark.parametrize(
    ("entry", "lead"),
    [
        ({"email": "Lena@Lead.example"}, {"email": "lena+x@lead.example"}),
        ({"phone": "+4930901820"}, {"email": "lena@gmail.com", "phone": "030 901820"}),
        ({"domain": "lead.example"}, {"email": "somebody@lead.example"}),
        (
            {"external_id": "L-1", "source": "crm"},
            {"email": "lena@gmail.com", "external": {"crm": "L-1"}},
        ),
    ],
    ids=["address", "number", "company", "id of another system"],
)
def test_a_customer_is_found_by_any_key(entry: dict[str, str], lead: dict[str, Any]) -> None:
    """Who buys already is no new customer; the partner is credited with nothing and told why."""
    put(kind="customer", **entry)
    made = decided(**lead)
    assert ("ineligible", "existing_customer", "") == (made.status, made.reason, made.rep)
    assert ["pia"] == [share.partner for share in referrals.detail(made.id).shares]


def test_whose_time_on_the_list_is_over_is_no_customer() -> None:
    """The entry ends with the millisecond; the lead's own time is what counts."""
    put(kind="customer", domain="lead.example", until=NOW)
    assert "assigned" == decided(email="lena@lead.example").status
    put(kind="customer", domain="other.example", until="2026-11-22T11:17:00.001Z")
    assert "ineligible" == decided(email="lena@other.example").status


def test_who_was_taken_off_the_list_is_no_customer() -> None:
    """From then on."""
    put(kind="customer", domain="lead.example")
    put(kind="customer", domain="lead.example", remove=True)
    assert "assigned" == decided(email="lena@lead.example").status


def test_a_program_may_want_customers_who_buy_more() -> None:
    """Where expansion is the goal they are accepted, and nothing marks them."""
    life.publish(conflicts={"customer": "accept"})
    put(kind="customer", domain="lead.example")
    made = decided(email="lena@lead.example")
    assert ("assigned", "", []) == (made.status, made.reason, flags(made.id))


def test_an_open_opportunity_goes_to_its_rep_and_the_partner_keeps_the_credit() -> None:
    """Cleo serves Austria only, and yet the account is hers."""
    put(kind="open", domain="lead.example", rep="cleo")
    made = decided(email="lena@lead.example")
    assert ("assigned", "cleo", "pia", "cleo") == (
        made.status,
        made.rep,
        made.partner,
        made.reserved_for,
    )
    screened, given = life.raw_items(f"REFERRAL#{made.id}")[1:]
    assert {"S": "open_with_sales"} == screened["data"]["M"]["reason"]
    assert {"S": "reserved"} == given["data"]["M"]["rule"]


def test_a_rep_who_left_does_not_keep_the_account() -> None:
    """Then the rules of routing say who gets it."""
    put(kind="named", domain="lead.example", rep="cleo")
    reply = call("PUT", "/v1/programs/acme/reps/cleo", {"active": False}, claims=MANAGER)
    assert 200 == reply.status
    assert "anna" == decided(email="lena@lead.example").rep


def test_the_accounts_rep_comes_before_the_one_who_brought_it() -> None:
    """Two reps may want it; the list decides, and without it who brought it."""
    put(kind="named", domain="lead.example", rep="cleo")
    assert "cleo" == decided(email="lena@lead.example", reserved_for="anna").rep
    assert "anna" == decided(email="lena@other.example", reserved_for="anna").rep


def test_a_person_may_decide_and_the_partner_is_credited_then() -> None:
    """In review nobody is the referral's partner yet; who lets it go on makes them so."""
    life.publish(conflicts={"named": "review"})
    put(kind="named", domain="lead.example", rep="cleo")
    made = decided(email="lena@lead.example")
    assert ("review", "named_account", "") == (made.status, made.reason, made.partner)
    path = f"/v1/programs/acme/referrals/{made.id}/assign"
    assert 200 == call("POST", path, {"rep": "anna"}, claims=MANAGER).status
    after = referrals.get(made.id)
    assert ("assigned", "pia", "partners", "") == (
        after.status,
        after.partner,
        after.audience,
        after.reason,
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("flag", ("assigned", "", ["same_company"])),
        ("review", ("review", "same_company", [])),
        ("ineligible", ("ineligible", "same_company", [])),
        ("accept", ("assigned", "", [])),
    ],
)
def test_another_partners_lead_of_the_same_company(rule: str, expected: object) -> None:
    """The second partner's lead goes as the program says; the first one's stays as it is."""
    life.publish(conflicts={"domain": rule})
    first = decided("emil", email="a@lead.example")
    second = decided("pia", email="b@lead.example", at="2026-11-22T11:17:00.001Z")
    assert expected == (second.status, second.reason, flags(second.id))
    assert ("assigned", []) == (referrals.get(first.id).status, flags(first.id))


def test_the_same_company_is_judged_alike_in_any_order_of_screening() -> None:
    """Who came first is decided by when they came, not by who is looked at first."""
    first, second = (
        refer("emil", email="a@lead.example"),
        refer("pia", email="b@lead.example", at="2026-11-22T11:17:00.001Z"),
    )
    for each in (second, first):
        screen(each.id, cause="e1")
    assert ([], ["same_company"]) == (flags(first.id), flags(second.id))


def test_the_same_partners_second_lead_of_a_company_is_no_conflict() -> None:
    """Nor is one of a partner whose lead ended."""
    decided("pia", email="a@lead.example")
    assert [] == flags(decided("pia", email="b@lead.example").id)
    put(kind="customer", email="c@other.example")
    assert "ineligible" == decided("emil", email="c@other.example").status
    assert [] == flags(decided("pia", email="d@other.example").id)


def test_many_leads_of_ones_own_hide_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Emil's lead is found behind a dozen of Pia's own; the look back has an end."""
    decided("emil", email="first@lead.example")
    for place in range(12):
        at = f"2026-11-22T11:17:00.{place + 1:03}Z"
        refer("pia", email=f"own{place}@lead.example", at=at)
    late = decided("pia", email="last@lead.example", at="2026-11-22T11:17:01.000Z")
    assert ["same_company"] == flags(late.id)
    monkeypatch.setattr("introducer.tables.leads.MOST_NOTED", 12)
    later = decided("pia", email="later@lead.example", at="2026-11-22T11:17:02.000Z")
    assert [] == flags(later.id)


def test_protection_of_a_company_ends_with_its_leads(frozen: Callable[[str], None]) -> None:
    """After the window the earlier lead is nobody's reason any more."""
    decided("emil", email="a@lead.example")
    frozen("2028-11-22T11:17:00.000Z")
    late = decided("pia", email="b@lead.example", at="2028-11-22T11:17:00.000Z")
    assert [] == flags(late.id)


def test_a_shared_number_is_only_marked_where_it_is_looked_up() -> None:
    """A family's number, once per partner."""
    life.publish(intake={"identity": {"phone": "lookup"}})
    decided("emil", email="a@gmail.com", phone="030 901820")
    late = {"email": "b@gmail.com", "at": "2026-11-22T11:17:00.001Z"}
    assert ["same_phone"] == flags(decided("pia", phone="030 901820", **late).id)


def test_a_second_mailbox_does_not_hide_the_partner() -> None:
    """Pia's number gives her away; her company's domain is only a signal."""
    own = decided("pia", email="someone-else@gmail.com", phone="030 300000")
    assert ("assigned", "self_referral") == (own.status, own.hold)
    colleague = decided("pia", email="colleague@pia-gmbh.example")
    assert ("assigned", "", ["own_company"]) == (
        colleague.status,
        colleague.hold,
        flags(colleague.id),
    )


def test_a_partner_companys_people_do_not_refer_each_other() -> None:
    """The lead is a partner of the same company: held as if they had referred themselves."""
    secret = keyring.secret(keyring.IDENTITY)
    for name in ("quin", "zoe"):
        key = identity.email_key(f"{name}@gmail.com", secret)
        life.enrol(name, org="resellers", email_key=key)
    assert "self_referral" == decided("quin", email="zoe@gmail.com").hold
    assert "" == decided("pia", email="quin@gmail.com").hold


def test_two_without_an_address_are_not_one_person() -> None:
    """The nightly look for oneself as a lead does not take a missing address for a common one."""
    life.enrol("zoe", email_key="")
    made = decided("zoe", phone="030 901820")
    assert {"seen": 1, "held": 0} == sweep.sweep(NOW, days=1)
    assert "" == referrals.get(made.id).hold


@pytest.mark.parametrize(
    ("conflict", "reason", "english", "german"),
    [
        ("duplicate", "duplicate", "The lead had been referred before.", "schon"),
        ("customer", "existing_customer", "The lead is a customer already.", "schon Kunde"),
        ("company", "same_company", "company had been referred before", "Unternehmen"),
    ],
)
def test_the_partner_learns_why_and_nothing_of_anybody_else(
    conflict: str, reason: str, english: str, german: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """List, detail, timeline and mail name neither the other referral nor the other partner."""
    life.publish(intake={"identity": {"domain": "unique" if conflict == "company" else "lookup"}})
    sent = mails.record(monkeypatch)
    if conflict == "customer":
        put(kind="customer", domain="lead.example", rep="cleo")
    first = decided("emil", email="lena@lead.example", phone="030 901820")
    email = "lena@lead.example" if conflict == "duplicate" else "leo@lead.example"
    mine = decided("pia", email=email)
    assert reason == mine.reason
    told = [
        call("GET", path, claims=login("login-pia", "partner")).body
        for path in ("/v1/me/referrals", f"/v1/me/referrals/{mine.id}")
    ]
    assert {reason} == {
        told[0]["items"][0]["reason"]["code"],
        told[1]["referral"]["reason"]["code"],
    }
    assert english in told[1]["referral"]["reason"]["text"]
    assert english in told[1]["timeline"][-1]["reason"]["text"]
    mails.send(mails.last_event(mine.id))
    (mail,) = sent
    assert german in mails.text(mail)
    everything_told = f"{told} {mail}"
    others = [first.id, first.lead, mine.lead, first.lead_key, *first.keys.values()]
    assert not [each for each in [*others, "emil", "Emil", "cleo"] if each in everything_told]


def test_joining_is_told_without_the_other_ones_id() -> None:
    """Neither of two partners whose leads are joined learns whose the other one is."""
    first = decided("emil", phone="030 901820")
    mine = decided("pia", email="lena@lead.example", at="2026-11-22T11:17:00.001Z")
    path = f"/v1/programs/acme/referrals/{mine.id}/merge"
    assert 201 >= call("POST", path, {"into": first.id}, claims=MANAGER).status
    for name, own, other in (("pia", mine, first), ("emil", first, mine)):
        claims = login(f"login-{name}", "partner")
        told = str(call("GET", f"/v1/me/referrals/{own.id}", claims=claims).body)
        assert not [each for each in (other.id, other.lead, other.partner) if each in told and each]
        assert 404 == call("GET", f"/v1/me/referrals/{other.id}", claims=claims).status
