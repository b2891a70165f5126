"""Joining an audience: what is asked, the company's own list, and agreeing to more later."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import identity, keyring
from introducer import prospect as life_of_prospects
from introducer.command import Clear
from introducer.partner import Acceptance
from introducer.prospect import Prospect
from introducer.referral import Share
from introducer.tables import partners, prospects, referrals
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.tables import everything

MANAGER = login("sub-m", "manager")
NINA = login("login-nina", "partner", email="nina@partners.example")
LIST = "/v1/programs/acme/prospects"
NOW = "2026-11-22T11:17:00.000Z"
ASKED: dict[str, Any] = {
    "agreements": ["code"],
    "declarations": ["no_kickbacks"],
    "min_account_days": 30,
}
RULES: dict[str, Any] = {
    "partner_types": ["adviser", "reseller"],
    "agreements": {
        "code": {"name": "Code of conduct", "version": "2", "url": "https://acme.example/code"},
        "privacy": {"name": "Privacy", "version": "7"},
    },
    "declarations": {"no_kickbacks": {"text": "I pay nobody for a recommendation."}},
    "audiences": {
        "partners": {"name": "Partners", "countries": ["DE", "AT"], "eligibility": ASKED},
        "open": {
            "name": "Everybody",
            "engagement": {"referrals": 2, "successes": 1, "agreements": ["privacy"]},
        },
    },
}

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program that asks a lot of its partners, with a rep."""
    life.publish(**RULES)
    life.add_rep("anna")


def enrol(claims: dict[str, str] = NINA, **overrides: Any) -> Reply:
    """Enrol Nina with everything that is asked."""
    body = {
        "program": "acme",
        "audience": "partners",
        "name": "Nina Neu",
        "email": "nina@partners.example",
        "country": "DE",
        "terms_version": "1",
        "agreements": {"code": "2"},
        "declarations": ["no_kickbacks"],
        **overrides,
    }
    return call("POST", "/v1/partners", body, claims=claims)


def put(*entries: dict[str, Any]) -> Reply:
    """Send a list of prospects."""
    return call("PUT", LIST, {"prospects": list(entries)}, claims=MANAGER)


def nina(**overrides: Any) -> dict[str, Any]:
    """Return Nina's entry, under another spelling of her mailbox."""
    return {
        "email": "Nina+list@Partners.example",
        "segment": "gold",
        "score": 9,
        "customer_since": "2026-10-23",
        "type": "reseller",
        "owner": "anna",
        **overrides,
    }


def key(address: str = "nina@partners.example") -> str:
    """Return the keyed hash a mailbox is listed under."""
    return identity.email_key(address, keyring.secret(keyring.IDENTITY))


def faults(reply: Reply) -> list[tuple[str, str]]:
    """Return code and field of each fault of a refusal."""
    return [(each["code"], each["field"]) for each in reply.body["errors"]]


def test_enrol_stores_what_was_accepted_and_what_the_list_says() -> None:
    """The partner has the list's facts; the event names each text with its version."""
    put(nina())
    reply = enrol()
    assert 201 == reply.status, reply.body
    partner = partners.find_partner(reply.body["id"])
    assert partner is not None
    assert {
        "agreements": {"code": Acceptance(version="2", at=NOW)},
        "declarations": {"no_kickbacks": NOW},
        "terms_at": NOW,
        "listed": True,
        "type": "reseller",
        "segment": "gold",
        "score": 9,
        "customer_since": "2026-10-23",
        "owner": "anna",
    } == {
        name: getattr(partner, name)
        for name in (
            *("agreements", "declarations", "terms_at", "listed", "type", "segment", "score"),
            *("customer_since", "owner"),
        )
    }
    (event,) = life.raw_items(partner.entity)
    assert {
        "audience": {"S": "partners"},
        "terms_version": {"S": "1"},
        "type": {"S": "reseller"},
        "agreement.code": {"S": "2"},
        "declaration.no_kickbacks": {"S": NOW},
    } == event["data"]["M"]
    listed = prospects.find("acme", key())
    assert listed is not None
    assert ("enrolled", partner.id, 2) == (listed.state, listed.partner, listed.version)


def test_enrol_is_refused_with_everything_that_is_missing() -> None:
    """All of it at once, and nothing is stored; alone, a reason is the problem's own code."""
    before = everything()
    reply = enrol(
        country="FR",
        terms_version="0",
        agreements={"code": "1", "oath": "1"},
        declarations=["honesty"],
        type="astronaut",
    )
    assert (422, "not_eligible") == reply.problem()
    assert [
        ("unknown_agreement", "agreements.oath"),
        ("unknown_declaration", "declarations.honesty"),
        ("country_not_eligible", "country"),
        ("unknown_type", "type"),
        ("terms_outdated", "terms_version"),
        ("agreement_outdated", "agreements.code"),
        ("declaration_missing", "declarations.no_kickbacks"),
        ("account_too_young", "email"),
    ] == faults(reply)
    alone = enrol()
    assert (422, "account_too_young") == alone.problem()
    assert [("account_too_young", "email")] == faults(alone)
    assert before == everything()


def test_enrol_finds_the_list_only_under_a_verified_address() -> None:
    """Typing somebody's address is not being them."""
    put(nina())
    stranger = login("login-stranger", "partner")
    assert (422, "account_too_young") == enrol(stranger).problem()
    listed = prospects.find("acme", key())
    assert listed is not None
    assert "invited" == listed.state


def test_enrol_in_an_audience_that_asks_nothing() -> None:
    """Nobody has to be on a list where none is asked for, and their own word is their type."""
    reply = enrol(audience="open", agreements={}, declarations=[], type="adviser")
    partner = partners.find_partner(reply.body["id"])
    assert partner is not None
    assert (False, "adviser", "", None) == (
        partner.listed,
        partner.type,
        partner.segment,
        partner.score,
    )


def test_list_holds_no_address() -> None:
    """Only the keyed hash and codes are stored, and the same list again changes nothing."""
    assert {"listed": 1, "changed": 0, "known": 0} == put(nina()).body
    entry = Prospect(
        program="acme",
        key=key(),
        version=1,
        listed_at=NOW,
        segment="gold",
        score=9,
        customer_since="2026-10-23",
        type="reseller",
        owner="anna",
    )
    assert entry == prospects.find("acme", key())
    stored = [item for item in everything() if item["pk"].startswith("PROSPECT#")]
    assert ["EVENT#000001", "PROFILE"] == sorted(item["sk"] for item in stored)
    assert [] == [word for word in ("nina", "Nina", "partners.example") if word in str(stored)]
    before = everything()
    assert {"listed": 0, "changed": 0, "known": 1} == put(nina()).body
    assert before == everything()


def test_list_takes_a_hundred_at_once() -> None:
    """More than one transaction holds; what was known already is not written again."""
    entries = [{"email": f"p{number}@partners.example"} for number in range(100)]
    assert {"listed": 30, "changed": 0, "known": 0} == put(*entries[:30]).body
    entries[0] = {**entries[0], "segment": "gold"}
    assert {"listed": 70, "changed": 1, "known": 29} == put(*entries).body
    assert (400, "invalid_input") == put(*entries, {"email": "p@partners.example"}).problem()


def test_list_refuses_and_stores_nothing() -> None:
    """Every wrong entry is named by its place."""
    before = everything()
    reply = put(
        nina(),
        nina(email="nina@partners.example"),
        nina(email="not an address", type="astronaut", owner="nobody", customer_since="2026-02-30"),
    )
    assert 400 == reply.status  # an address has an @ before anything else is looked at
    reply = put(
        nina(),
        nina(email="nina@partners.example"),
        nina(email="n@nowhere", type="astronaut", owner="nobody", customer_since="2026-02-30"),
    )
    assert (422, "invalid_prospects") == reply.problem()
    assert [
        ("given_twice", "prospects[1].email"),
        ("unknown_type", "prospects[2].type"),
        ("unknown_rep", "prospects[2].owner"),
        ("invalid_date", "prospects[2].customer_since"),
        ("invalid_email", "prospects[2].email"),
    ] == faults(reply)
    assert before == everything()


def test_list_changes_reach_the_partner_they_became() -> None:
    """What the company learns later counts from the next referral on."""
    put(nina())
    partner_id = enrol().body["id"]
    assert {"listed": 0, "changed": 1, "known": 0} == put(nina(segment="silver", score=None)).body
    partner = partners.find_partner(partner_id)
    assert partner is not None
    assert ("silver", None, "reseller", 2) == (
        partner.segment,
        partner.score,
        partner.type,
        partner.version,
    )
    types = [event["type"]["S"] for event in life.raw_items(partner.entity)]
    assert ["PartnerEnrolled", "PartnerRelisted"] == types
    listed = prospects.find("acme", key())
    assert listed is not None
    assert ("enrolled", partner_id) == (listed.state, listed.partner)


def test_list_finds_who_had_enrolled_before() -> None:
    """Under an address their login verified, and only then."""
    open_to_all = {"audience": "open", "agreements": {}, "declarations": []}
    partner_id = enrol(**open_to_all).body["id"]
    stranger = login("login-stranger", "partner")
    typed_id = enrol(stranger, email="olga@partners.example", **open_to_all).body["id"]
    assert {"listed": 2, "changed": 0, "known": 0} == put(
        nina(), nina(email="olga@partners.example")
    ).body
    found = {each: partners.find_partner(each) for each in (partner_id, typed_id)}
    assert {partner_id: (True, "gold"), typed_id: (False, "")} == {
        each: (partner.listed, partner.segment) for each, partner in found.items() if partner
    }
    entries = [prospects.find("acme", key(f"{name}@partners.example")) for name in ("nina", "olga")]
    assert [("enrolled", partner_id), ("invited", "")] == [
        (entry.state, entry.partner) for entry in entries if entry
    ]
    before = everything()
    assert {"listed": 0, "changed": 0, "known": 1} == put(nina()).body
    assert before == everything()


def test_list_finds_who_enrolled_while_it_was_written() -> None:
    """An entry that missed its partner finds them the next time the list is sent."""
    partner_id = enrol(audience="open", agreements={}, declarations=[]).body["id"]
    missed = Prospect(program="acme", key=key(), version=1, listed_at=NOW)
    moved = life_of_prospects.listed(None, missed, now=NOW, actor="user:1")
    assert moved is not None
    writes = Transaction()
    prospects.save(writes, None, *moved)
    writes.commit()
    assert {"listed": 0, "changed": 1, "known": 0} == put({"email": "nina@partners.example"}).body
    entry = prospects.find("acme", key())
    assert entry is not None
    assert ("enrolled", partner_id, 2) == (entry.state, entry.partner, entry.version)
    last = life.raw_items(entry.entity)[-1]
    assert ("ProspectChanged", {"S": partner_id}) == (
        last["type"]["S"],
        last["data"]["M"]["partner"],
    )


def test_funnel_counts_how_far_prospects_came() -> None:
    """By state, segment and type; who enrolled was invited too."""
    put(nina(), {"email": "a@partners.example"}, {"email": "b@partners.example"})
    enrol()
    assert {
        "invited": 3,
        "enrolled": 1,
        "referred": 0,
        "kinds": [
            {"state": "enrolled", "segment": "gold", "type": "reseller", "count": 1},
            {"state": "invited", "segment": "", "type": "", "count": 2},
        ],
    } == call("GET", LIST, claims=MANAGER).body


def agree(**body: str) -> Reply:
    """Agree to something as Nina."""
    return call("POST", "/v1/me/agreements", body, claims=NINA)


def test_me_tells_what_is_missing_and_agreeing_supplies_it() -> None:
    """Newer terms, newer texts and statements that an audience came to ask for."""
    life.publish(**(RULES | {"audiences": {"partners": {"name": "Partners"}}}))
    assert 201 == enrol(agreements={"code": "2"}, declarations=[]).status
    texts = {**RULES["agreements"], "code": {"name": "Code of conduct", "version": "3"}}
    life.publish(**(RULES | {"agreements": texts, "terms_version": "2"}))
    body = call("GET", "/v1/me", claims=NINA).body
    assert {
        "terms_version": "1",
        "current_terms_version": "2",
        "terms_outdated": True,
        "missing_agreements": [
            {"id": "code", "name": "Code of conduct", "version": "3", "url": ""}
        ],
        "missing_declarations": [
            {"id": "no_kickbacks", "text": "I pay nobody for a recommendation."}
        ],
    }.items() <= body.items()

    assert (422, "agreement_outdated", "version") == agree(agreement="code", version="2").field()
    taken = agree(agreement="code", version="3")
    assert (200, {"id": "code", "version": "3", "at": NOW}) == (taken.status, taken.body)
    assert {"id": "terms", "version": "2", "at": NOW} == agree(terms_version="2").body
    assert {"id": "no_kickbacks", "version": "", "at": NOW} == agree(
        declaration="no_kickbacks"
    ).body
    body = call("GET", "/v1/me", claims=NINA).body
    assert (False, [], []) == (
        body["terms_outdated"],
        body["missing_agreements"],
        body["missing_declarations"],
    )
    events = life.raw_items(f"PARTNER#{body['id']}")
    assert [
        ("PartnerEnrolled", "1"),
        ("AgreementAccepted", "2"),
        ("TermsAccepted", "3"),
        ("DeclarationMade", "4"),
    ] == [(event["type"]["S"], event["seq"]["N"]) for event in events]
    assert {"agreement": {"S": "code"}, "version": {"S": "3"}} == events[1]["data"]["M"]


def test_agreeing_again_changes_nothing(frozen: Any) -> None:
    """What is on file keeps its date."""
    put(nina())
    enrol()
    frozen("2026-11-23T08:00:00.000Z")
    assert NOW == agree(agreement="code", version="2").body["at"]
    assert NOW == agree(terms_version="1").body["at"]
    assert NOW == agree(declaration="no_kickbacks").body["at"]
    partner = partners.partner_of_login("login-nina", now=NOW)
    assert partner is not None
    assert 1 == partner.version


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "invalid_input", "agreement")),
        ({"agreement": "code"}, (422, "invalid_input", "agreement")),
        ({"version": "2"}, (422, "invalid_input", "agreement")),
        ({"terms_version": "1", "declaration": "x"}, (422, "invalid_input", "agreement")),
        ({"agreement": "oath", "version": "1"}, (422, "unknown_agreement", "agreement")),
        ({"terms_version": "9"}, (422, "terms_outdated", "terms_version")),
        ({"declaration": "honesty"}, (422, "unknown_declaration", "declaration")),
        ({"agreement": "a b", "version": "1"}, (400, "invalid_input", "agreement")),
    ],
)
def test_agreeing_to_what_is_not_asked_is_refused(
    body: dict[str, str], expected: tuple[int, str, str]
) -> None:
    """One thing at a time, and only what the program has now."""
    put(nina())
    enrol()
    before = everything()
    assert expected == agree(**body).field()
    assert before == everything()


def credited(name: str, *, cleared: bool = True, won: bool = False) -> None:
    """Store a referral of Nina's, let through by screening or still new, perhaps won."""
    partner = partners.partner_of_login("login-nina", now=NOW)
    assert partner is not None
    made = life.submit(name, lead_key=f"key-{name}", duplicate_of="" if cleared else "r0")
    after = life.move(name, Clear(partner=partner.id, audience="open")) if cleared else made
    writes = Transaction()
    share = Share(partner=partner.id, basis_points=10_000, audience="open")
    referrals.add_share(writes, after, share)
    if won:
        partners.add_success(writes, partner.id, name, now=NOW)
    writes.commit()


def engagement() -> dict[str, Any]:
    """Return what Nina is shown of her engagement."""
    shown: dict[str, Any] = call("GET", "/v1/me", claims=NINA).body["engagement"]
    return shown


def test_me_tells_what_is_left_to_do_before_anything_is_paid() -> None:
    """Duplicates are no referrals, and counting ends where it is enough."""
    enrol(audience="open", agreements={}, declarations=[])
    asked = {"referrals_asked": 2, "successes_asked": 1}
    assert {
        **asked,
        "referrals": 0,
        "successes": 0,
        "missing": ["referrals", "successes", "agreements.privacy"],
    } == engagement()
    credited("r1")
    credited("r2", cleared=False)
    agree(agreement="privacy", version="7")
    assert {
        **asked,
        "referrals": 1,
        "successes": 0,
        "missing": ["referrals", "successes"],
    } == engagement()
    credited("r3", won=True)
    credited("r4", won=True)
    assert {**asked, "referrals": 2, "successes": 1, "missing": []} == engagement()
