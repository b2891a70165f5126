"""What stands against joining an audience, and what is missing before anything is paid."""

from typing import Any

import pytest

from introducer import eligibility, ids
from introducer.document.audience import Audience, Eligibility, Engagement, Rollout
from introducer.eligibility import Candidate, Done
from introducer.program import Program
from introducer.prospect import Prospect
from tests.support.life import NOW, document

CODE = {"name": "Code of conduct", "version": "2"}
ASKED: dict[str, Any] = {"name": "Partners"}
IN_AUSTRIA = {"countries": ["AT"], "routing": {"rules": [{"reps": ["cleo"]}]}}
RULES: dict[str, Any] = {
    "partner_types": ["reseller", "adviser"],
    "agreements": {"code": CODE},
    "declarations": {"no_kickbacks": {"text": "I pay nobody for a recommendation."}},
    "audiences": {"partners": ASKED},
}


def _prospect(**overrides: Any) -> Prospect:
    values: dict[str, Any] = {"program": "acme", "key": "k", "version": 1, "listed_at": NOW}
    return Prospect(**(values | overrides))


def _codes(
    eligible: dict[str, Any],
    *,
    now: str = NOW,
    rules: dict[str, Any] | None = None,
    audience: dict[str, Any] | None = None,
    **candidate: Any,
) -> list[tuple[str, str]]:
    made: Program = document(**(RULES | (rules or {})))
    asked = Audience(name="Partners", eligibility=Eligibility(**eligible), **(audience or {}))
    values: dict[str, Any] = {"audience": "partners", "country": "DE", "terms_version": "1"}
    found = eligibility.obstacles(asked, made, Candidate(**(values | candidate)), now)
    return [(each.code, each.field) for each in found]


def test_nothing_asked_is_nothing_in_the_way() -> None:
    """An audience without conditions is open to everybody who agrees to the terms."""
    assert [] == _codes({})


@pytest.mark.parametrize(
    ("audience", "rules", "expected"),
    [
        ({"countries": ["DE"]}, {}, []),
        ({"countries": ["AT"]}, {}, [("country_not_eligible", "country")]),
        ({}, IN_AUSTRIA, [("country_not_eligible", "country")]),
        ({"countries": ["AT"]}, IN_AUSTRIA, [("country_not_eligible", "country")]),
    ],
)
def test_country_is_asked_of_audience_and_program(
    audience: dict[str, Any], rules: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Where the program does not run, no audience is open; one reason is enough."""
    assert expected == _codes({}, audience=audience, rules=rules)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-21T23:59:59.999Z", [("not_open_yet", "audience")]),
        ("2026-11-22T00:00:00.000Z", []),
        ("2026-11-30T23:59:59.999Z", []),
        ("2026-12-01T00:00:00.000Z", [("closed", "audience")]),
    ],
)
def test_time_includes_the_opening_and_excludes_the_closing(
    now: str, expected: list[tuple[str, str]]
) -> None:
    """To the millisecond."""
    times = {"opens_at": "2026-11-22T00:00:00.000Z", "closes_at": "2026-12-01T00:00:00.000Z"}
    assert expected == _codes(times, now=now)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, [("agreement_missing", "agreements.code")]),
        ({"agreements": {"code": "1"}}, [("agreement_outdated", "agreements.code")]),
        ({"agreements": {"code": "2"}}, []),
    ],
)
def test_agreements_are_accepted_in_their_current_version(
    said: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """An older version is not the same text."""
    assert expected == _codes({"agreements": ["code"]}, **said)


def test_everything_in_the_way_is_told_at_once() -> None:
    """In a fixed order, so that two answers to one question are equal."""
    eligible = {
        "closes_at": NOW,
        "agreements": ["code"],
        "declarations": ["no_kickbacks"],
        "listed_only": True,
        "min_account_days": 1,
        "rollout": Rollout(),
    }
    assert [
        ("country_not_eligible", "country"),
        ("closed", "audience"),
        ("type_not_admitted", "type"),
        ("terms_outdated", "terms_version"),
        ("agreement_missing", "agreements.code"),
        ("declaration_missing", "declarations.no_kickbacks"),
        ("not_listed", "email"),
        ("account_too_young", "email"),
        ("not_rolled_out", "email"),
    ] == _codes(
        eligible,
        audience={"countries": ["AT"], "types": ["reseller"]},
        terms_version="0",
    )


@pytest.mark.parametrize(
    ("said", "listed", "expected"),
    [
        ("", None, [("type_not_admitted", "type")]),
        ("reseller", None, []),
        ("adviser", None, [("type_not_admitted", "type")]),
        ("astronaut", None, [("unknown_type", "type")]),
        ("adviser", "reseller", []),
        ("reseller", "adviser", [("type_not_admitted", "type")]),
        ("reseller", "", []),
    ],
)
def test_type_is_what_the_list_says_before_what_they_say(
    said: str, listed: str | None, expected: list[tuple[str, str]]
) -> None:
    """Nobody makes a better partner of themselves than the company knows them to be."""
    prospect = None if listed is None else _prospect(type=listed)
    assert expected == _codes({}, audience={"types": ["reseller"]}, type=said, prospect=prospect)


@pytest.mark.parametrize(
    ("since", "now", "zone", "expected"),
    [
        ("2026-11-12", NOW, "UTC", []),
        ("2026-11-13", NOW, "UTC", [("account_too_young", "email")]),
        ("", NOW, "UTC", [("account_too_young", "email")]),
        # Nine days by London's calendar, ten by Auckland's.
        ("2026-11-13", "2026-11-22T11:00:00.000Z", "Pacific/Auckland", []),
        ("2024-02-29", NOW, "UTC", []),
    ],
)
def test_account_age_is_counted_in_days_of_the_program(
    since: str, now: str, zone: str, expected: list[tuple[str, str]]
) -> None:
    """What the list does not say counts as too young."""
    prospect = _prospect(customer_since=since)
    rules = {"time_zone": zone}
    assert expected == _codes({"min_account_days": 10}, prospect=prospect, now=now, rules=rules)


@pytest.mark.parametrize(
    ("prospect", "is_in"),
    [
        (None, False),
        (_prospect(), False),
        (_prospect(segment="gold"), True),
        (_prospect(segment="silver"), False),
        (_prospect(score=8), False),
        (_prospect(score=9), True),
        (_prospect(segment="silver", score=10), True),
    ],
)
def test_rollout_takes_segments_and_scores(prospect: Prospect | None, *, is_in: bool) -> None:
    """Either is enough; who is not known is not in."""
    rollout = Rollout(segments=["gold"], min_score=9)
    expected = [] if is_in else [("not_rolled_out", "email")]
    assert expected == _codes({"rollout": rollout}, prospect=prospect, email_key="k")


def test_rollout_by_share_grows_and_throws_nobody_out() -> None:
    """Of a thousand mailboxes about the share is in, and more of it keeps who was."""
    keys = [f"key{number}" for number in range(1000)]

    def inside(share: int) -> set[str]:
        rollout = Rollout(share_basis_points=share)
        return {key for key in keys if not _codes({"rollout": rollout}, email_key=key)}

    tenth, third = inside(1000), inside(3333)
    assert tenth < third
    assert (set(), set(keys)) == (inside(0), inside(10_000))
    assert 70 <= len(tenth) <= 130
    assert 290 <= len(third) <= 380
    # The place is the mailbox's in this audience, the same on every machine and day.
    assert tenth == {key for key in keys if ids.shard(f"acme:partners:{key}", 10_000) < 1000}


def test_rollout_by_share_needs_a_verified_mailbox() -> None:
    """Otherwise anybody could try addresses until one is in."""
    rollout = Rollout(share_basis_points=10_000)
    assert [("not_rolled_out", "email")] == _codes({"rollout": rollout}, email_key="")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [({}, ["code", "privacy"]), ({"code": "1", "privacy": "7"}, ["code"]), ({"code": "2"}, [])],
)
def test_missing_agreements_are_those_of_eligibility_and_engagement(
    accepted: dict[str, str], expected: list[str]
) -> None:
    """Each once, and in its current version."""
    texts = {"code": CODE, "privacy": {"name": "Privacy", "version": "7"}}
    if not expected:
        accepted = accepted | {"privacy": "7"}
    audience = Audience(
        name="Partners",
        eligibility=Eligibility(agreements=["code"]),
        engagement=Engagement(agreements=["code", "privacy"]),
    )
    rules = document(**(RULES | {"agreements": texts}))
    assert expected == eligibility.missing_agreements(audience, rules, accepted)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (Done(), ["referrals", "successes", "agreements.code"]),
        (Done(referrals=2, successes=1), ["referrals", "agreements.code"]),
        (Done(referrals=3, agreements=frozenset({"code"})), ["successes"]),
        (Done(referrals=3, successes=1, agreements=frozenset({"code", "x"})), []),
    ],
)
def test_engagement_is_missing_until_it_is_done(done: Done, expected: list[str]) -> None:
    """Exactly as much as asked is enough."""
    engagement = Engagement(referrals=3, successes=1, agreements=["code"])
    audience = Audience(name="Partners", engagement=engagement)
    assert expected == eligibility.engagement_missing(audience, done)


def test_no_engagement_is_asked_by_default() -> None:
    """Somebody who has done nothing yet may be paid."""
    assert [] == eligibility.engagement_missing(Audience(name="Partners"), Done())
