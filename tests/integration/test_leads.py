"""One lead is one referral: by which keys it is found again, and for how long it is protected."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from introducer import clock
from introducer.errors import InvalidInputError
from introducer.referral import Referral
from introducer.tables import claims, people, programs, referrals
from submit import intake
from submit.intake import Lead, Made
from tests.support import life
from tests.support.tables import everything

NOW = "2026-11-22T11:17:00.000Z"
PHONE = "030 901820"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """The program as it is without any words on identity."""
    life.publish()


def ask(*, at: str = NOW, external: Mapping[str, str] | None = None, **lead: Any) -> Made:
    """Return a submission that is not stored yet."""
    return intake.submit(
        programs.current("acme", at),
        Lead(name="Lena Lead", country="DE", external=external or {}, **lead),
        [life.touch()],
        channel="api",
        actor="public",
        now=at,
    )


def refer(**lead: Any) -> Referral:
    """Store a submission."""
    made = ask(**lead)
    made.writes.commit()
    return referrals.get(made.referral.id)


def kinds_of_claims() -> list[str]:
    """Return what kinds of lead are claimed, as the store holds them."""
    return sorted(
        item["kind"]
        for item in everything()
        if item["pk"].startswith("CLAIM#") and item["kind"].startswith("lead_")
    )


def test_a_lead_is_stored_under_hashes_only() -> None:
    """The referral has a key for everything that was told; the plain words are in People alone."""
    made = refer(email="lena@lead-gmbh.example", phone=PHONE, external={"crm": "L-4711"})
    assert ["domain", "external.crm", "phone"] == sorted(made.keys)
    assert {32} == {len(each) for each in [made.lead_key, *made.keys.values()]}
    outside = str([item for item in everything() if not item["pk"].startswith("PERSON#")])
    assert not [word for word in ("lena", "lead-gmbh", "901820", "4711") if word in outside]
    contact = people.contact(made.lead)
    assert contact is not None
    assert ["lead_email", "lead_external.crm", "lead_phone"] == kinds_of_claims()
    assert kinds_of_claims() == sorted(pk.split("#")[2] for pk in contact.claims)


def test_a_lead_without_an_address_is_known_by_its_number() -> None:
    """Nobody's missing address is anybody else's."""
    first = refer(phone=PHONE)
    assert ("", ["phone"]) == (first.lead_key, list(first.keys))
    assert first.id == refer(phone="+49 30 901820").duplicate_of
    assert "" == refer(phone="030 901821").duplicate_of


def test_a_lead_that_nothing_is_known_of_is_refused() -> None:
    """Nobody could ever reach them, or know them again."""
    with pytest.raises(InvalidInputError) as refused:
        ask()
    assert "no_contact" == refused.value.code


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "lena@lead.example"}, {"email": "Lena+x@Lead.example"}),
        ({"email": "lena@gmail.com", "phone": PHONE}, {"email": "other@gmx.de", "phone": PHONE}),
        (
            {"email": "lena@gmail.com", "external": {"crm": "1"}},
            {"email": "other@gmx.de", "external": {"crm": "1"}},
        ),
    ],
)
def test_each_key_alone_finds_the_first_referral(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Through whatever channel a lead comes again, one thing in common is enough."""
    earlier, later = refer(**first), refer(**second)
    assert (earlier.id, "duplicate") == (later.duplicate_of, later.reason)
    contact = people.contact(later.lead)
    assert contact is not None
    assert [] == contact.claims
    assert [life.touch()] == referrals.detail(later.id).touches


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "a@gmail.com"}, {"email": "b@gmail.com"}),
        ({"email": "a@lead.example"}, {"email": "b@lead.example"}),
        (
            {"email": "a@gmail.com", "external": {"crm": "1"}},
            {"email": "b@gmail.com", "external": {"billing": "1"}},
        ),
    ],
)
def test_what_is_no_common_key_leaves_both(first: dict[str, Any], second: dict[str, Any]) -> None:
    """A provider, a company by default, and the same number in two systems are not one lead."""
    refer(**first)
    assert "" == refer(**second).duplicate_of


def test_a_company_is_one_lead_where_the_program_says_so() -> None:
    """Then the second lead of a company is a duplicate, and its partner is told of the company."""
    life.publish(intake={"identity": {"domain": "unique"}})
    first = refer(email="a@lead.example")
    second = refer(email="b@lead.example")
    assert (first.id, "same_company") == (second.duplicate_of, second.reason)
    assert "" == refer(email="b@other.example").duplicate_of


def test_a_number_that_is_only_looked_up_leaves_both() -> None:
    """Where families share one number, the program says `lookup`."""
    life.publish(intake={"identity": {"phone": "lookup"}})
    refer(email="a@gmail.com", phone=PHONE)
    assert "" == refer(email="b@gmail.com", phone=PHONE).duplicate_of


def test_the_strongest_key_decides_between_two_earlier_referrals() -> None:
    """The address before the number, the number before an id of another system."""
    by_email, by_phone = refer(email="lena@lead.example"), refer(phone=PHONE)
    by_id = refer(email="lea@gmail.com", external={"crm": "1"})
    both = {"phone": PHONE, "external": {"crm": "1"}}
    assert by_email.id == refer(email="lena@lead.example", **both).duplicate_of
    assert by_phone.id == refer(email="new@lead.example", **both).duplicate_of
    assert by_id.id == refer(email="new@lead.example", external={"crm": "1"}).duplicate_of


@pytest.mark.parametrize("lead", [{"email": "lena@lead.example"}, {"phone": PHONE}])
def test_protection_ends_to_the_millisecond(lead: dict[str, Any]) -> None:
    """Until then the first has it; from then on whoever comes next takes it over."""
    days = life.document().attribution.protection_days
    first = refer(**lead)
    end = clock.plus(NOW, days=days)
    assert first.id == ask(at=clock.instant(_before(end)), **lead).referral.duplicate_of
    after = refer(at=end, **lead)
    assert "" == after.duplicate_of
    assert after.id == refer(at=clock.plus(end, seconds=1), **lead).duplicate_of


def _before(end: str) -> Any:
    from datetime import timedelta

    return clock.moment(end) - timedelta(milliseconds=1)


def test_two_who_saw_nobody_do_not_both_get_the_lead() -> None:
    """The second commit meets the first one's claim, whichever key they have in common."""
    one = ask(email="a@gmail.com", phone=PHONE)
    two = ask(email="b@gmail.com", phone=PHONE)
    one.writes.commit()
    with pytest.raises(referrals.LeadTakenError):
        two.writes.commit()
    assert one.referral.id == ask(email="b@gmail.com", phone=PHONE).referral.duplicate_of
    assert referrals.find(two.referral.id) is None


def test_without_a_number_one_note_more_is_written() -> None:
    """A company costs the note of its domain, a number its claim, and nothing else anything."""
    usual = len(ask(email="a@gmail.com").writes)
    assert usual + 1 == len(ask(email="a@lead.example").writes)
    assert usual + 2 == len(ask(email="a@lead.example", phone=PHONE).writes)
    assert usual == len(ask(phone=PHONE).writes)


def test_claims_are_handed_over_only_by_their_holder(frozen: Callable[[str], None]) -> None:
    """Whoever took it over meanwhile keeps it."""
    first = refer(email="lena@lead.example")
    held = claims.find("acme", "lead_email", first.lead_key, now=NOW)
    assert held is not None
    later = clock.plus(held.expires_at, seconds=1)
    frozen(later)
    taken_over = refer(at=later, email="lena@lead.example")
    writes = life.Transaction()
    claims.hand_over(writes, held, "r9")
    with pytest.raises(claims.StaleError):
        writes.commit()
    found = claims.find("acme", "lead_email", first.lead_key, now=later)
    assert found is not None
    assert taken_over.id == found.target


_ROUNDS = itertools.count()
_LEADS = st.lists(
    st.fixed_dictionaries(
        {"email": st.sampled_from(["a", "b", "c", ""]), "phone": st.sampled_from(["", "1", "2"])}
    ).filter(lambda lead: lead["email"] or lead["phone"]),
    min_size=2,
    max_size=5,
)


@given(leads=_LEADS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_who_is_whose_duplicate_follows_from_the_claims_alone(leads: list[dict[str, str]]) -> None:
    """Whatever comes, in any order and any number of times, a plain table of claims says it too."""
    number = next(_ROUNDS)
    table: dict[str, str] = {}
    for lead in leads:
        told = {
            "email": f"{lead['email']}{number}@gmail.com" if lead["email"] else "",
            "phone": f"+49301{number:05}{lead['phone']}" if lead["phone"] else "",
        }
        keys = [each for each in told.values() if each]
        expected = next((table[key] for key in keys if key in table), "")
        made = refer(**told)
        assert expected == made.duplicate_of
        if not expected:
            table |= dict.fromkeys(keys, made.id)
