"""Leads that are reserved for a rep, and credit of those who were invited."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import eligibility, invitation, release, screening
from introducer.document.audience import Audience
from introducer.eligibility import Candidate
from introducer.referral import Share
from introducer.reward import Reward
from introducer.routing import Choice, Step
from tests.support.life import NOW, document, new_partner, new_referral, touch
from tests.unit.test_routing import everybody

RULE = {"id": "all", "reps": ["ben"]}


def test_a_reserved_lead_goes_past_owner_and_rules() -> None:
    """To the rep who brought it, who takes nobody's turn."""
    assert Choice(rep="anna", rule="reserved") == everybody().choose(
        RULE, owner="cleo", reserved_for="anna"
    )


def test_how_full_the_rep_is_does_not_matter() -> None:
    """They brought it themselves."""
    office = everybody(capacity=1, countries=["FR"])
    office.open_leads = {"anna": 5}
    assert "anna" == office.choose(RULE, reserved_for="anna").rep
    assert [] == office.counted


@pytest.mark.parametrize(
    ("rep", "changes", "passed", "why"),
    [
        ("anna", {"active": False}, [], "inactive"),
        ("anna", {}, ["anna"], "handed_back"),
        ("anna", {"program": "other"}, [], "unknown"),
        ("nobody", {}, [], "unknown"),
    ],
)
def test_who_cannot_take_it_is_passed_over_with_the_reason(
    rep: str, changes: dict[str, Any], passed: list[str], why: Any
) -> None:
    """Then it is placed like any other."""
    found = everybody(**changes).choose(RULE, reserved_for=rep, passed=passed)
    assert ("ben", "all") == (found.rep, found.rule)
    failed = everybody(**changes).choose(reserved_for=rep, passed=passed)
    assert Choice(trail=(Step("reserved", rep, why),)) == failed


def test_the_invited_are_credited_and_nobody_knows_for_how_long() -> None:
    """They are partners; since when, they are not yet."""
    nina = new_partner("nina", status="invited", login="", enrolled_at="")
    shares = screening.credited(new_referral(), [touch("nina")], {"nina": nina}, document())
    facts = {"partner.audience": "partners", "partner.country": "DE"}
    assert [Share(partner="nina", basis_points=10_000, audience="partners", facts=facts)] == shares


def test_others_than_the_active_and_the_invited_are_not() -> None:
    """Whoever was deactivated earns nothing new."""
    pia = new_partner(status="inactive")
    assert [] == screening.credited(new_referral(), [touch()], {"pia": pia}, document())


@pytest.mark.parametrize(
    ("country", "kind", "expected"),
    [
        ("DE", "reseller", []),
        ("", "", []),
        ("FR", "", ["country_not_eligible"]),
        ("FR", "nothing", ["country_not_eligible", "unknown_type"]),
        ("DE", "adviser", ["type_not_admitted"]),
    ],
)
def test_an_invitation_is_checked_as_far_as_is_known(
    country: str, kind: str, expected: list[str]
) -> None:
    """Terms, agreements, time and the list are asked when they join."""
    program = document(partner_types=["reseller", "adviser"], terms_version="9")
    audience = Audience(name="Partners", countries=["DE"], types=["reseller"])
    candidate = Candidate(audience="partners", country=country, type=kind)
    found = eligibility.against_inviting(audience, program, candidate)
    assert expected == [each.code for each in found]


@pytest.mark.parametrize(
    ("invited_at", "expected"),
    [
        ("2026-11-01T00:00:00.000Z", "2026-12-22T10:00:00.000Z"),
        ("2026-11-23T00:00:00.000Z", "2026-12-23T00:00:00.000Z"),
    ],
)
def test_credit_waits_from_the_invitation_or_from_earning_it(
    invited_at: str, expected: str
) -> None:
    """Whichever was later."""
    due = Reward(
        referral="r1",
        plan="bounty",
        milestone="sold",
        occasion="s1",
        partner="nina",
        program="acme",
        amount_minor=100,
        currency="EUR",
        when="won",
        earned_at=NOW,
        due_at=NOW,
        accounting_class="marketing",
        version=1,
    )
    assert expected == release.claim_until(due, invited_at, 30)


@pytest.mark.parametrize(
    ("days", "now", "expected"),
    [
        ([21, 7], "2026-11-22T10:00:00.000Z", "2026-11-29T10:00:00.000Z"),
        ([7, 21], "2026-11-29T10:00:00.000Z", "2026-12-13T10:00:00.000Z"),
        ([7, 21], "2026-12-13T10:00:00.000Z", ""),
        ([], "2026-11-22T10:00:00.000Z", ""),
    ],
)
def test_reminders_come_on_the_programs_days(days: list[int], now: str, expected: str) -> None:
    """In whatever order they are written; one that was missed is not made up for."""
    program = document(intake={"remind_days": days})
    assert expected == invitation.next_reminder(NOW, program, now)
