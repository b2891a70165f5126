"""Who may join an audience, what a partner still has to agree to, and what is left to do to earn.

Pure: everything is compared with what is stored. What is not known counts as not met.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec

from introducer import calendar, clock, ids, money
from introducer.clock import Instant
from introducer.document.audience import Audience, Rollout
from introducer.partner import Partner
from introducer.program import Program
from introducer.prospect import Prospect


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stands against enrolling: a stable code, the field, and plain words."""

    code: str
    field: str
    message: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wants to join.

    Attributes:
        audience: The key of the audience.
        agreements: Versions of texts accepted, by id.
        declarations: Ids of the statements made.
        email_key: Keyed hash of the mailbox their login verified; empty when it verified none,
            for an address that anybody may type opens nothing.
        prospect: Their entry in the company's own list, found by ``email_key``.
    """

    audience: str
    country: str
    type: str = ""
    terms_version: str = ""
    agreements: Mapping[str, str] = {}
    declarations: Collection[str] = ()
    email_key: str = ""
    prospect: Prospect | None = None

    @property
    def known_type(self) -> str:
        """Return their type: what the company's list says before what they say themselves."""
        return (self.prospect.type if self.prospect else "") or self.type


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner has done so far, as far as it was asked for.

    ``referrals`` were let through by screening, ``successes`` were won, refunded ones too;
    both may stop counting where enough was found. ``agreements`` were accepted in any version.
    """

    referrals: int = 0
    successes: int = 0
    agreements: frozenset[str] = frozenset()


def obstacles(
    audience: Audience, document: Program, candidate: Candidate, now: Instant
) -> list[Obstacle]:
    """Return everything that stands against *candidate* joining, in a fixed order."""
    return [
        *_place(audience, document, candidate),
        *_time(audience, now),
        *_type(audience, document, candidate),
        *_terms(audience, document, candidate),
        *_list(audience, document, candidate, now),
    ]


def against_inviting(audience: Audience, document: Program, candidate: Candidate) -> list[Obstacle]:
    """Return what stands against inviting *candidate*, as far as it is known before they join.

    Texts, statements, time and the company's list are asked when they do; country and type
    too, where they are not known yet.
    """
    found = list(_place(audience, document, candidate)) if candidate.country else []
    return [*found, *_type(audience, document, candidate)] if candidate.known_type else found


def missing_agreements(
    audience: Audience, document: Program, accepted: Mapping[str, str]
) -> list[str]:
    """Return the texts asked of the audience that were not accepted in their current version."""
    asked = dict.fromkeys([*audience.eligibility.agreements, *audience.engagement.agreements])
    return [
        key
        for key in asked
        if key in document.agreements and accepted.get(key) != document.agreements[key].version
    ]


def missing_declarations(audience: Audience, made: Collection[str]) -> list[str]:
    """Return the statements asked of the audience that were not made."""
    return [key for key in audience.eligibility.declarations if key not in made]


def engagement_missing(audience: Audience, done: Done) -> list[str]:
    """Return what is still missing before rewards are released; empty when nothing is.

    ``referrals``, ``successes`` and ``agreements.{id}``, in this order.
    """
    asked = audience.engagement
    missing = ["referrals"] if done.referrals < asked.referrals else []
    missing += ["successes"] if done.successes < asked.successes else []
    return missing + [f"agreements.{key}" for key in asked.agreements if key not in done.agreements]


def accepted(partner: Partner) -> dict[str, str]:
    """Return the version of each text that *partner* accepted last."""
    return {key: each.version for key, each in partner.agreements.items()}


def _place(audience: Audience, document: Program, candidate: Candidate) -> Iterator[Obstacle]:
    for countries, who in ((audience.countries, "audience"), (document.countries, "program")):
        if countries and candidate.country not in countries:
            yield Obstacle(
                code="country_not_eligible",
                field="country",
                message=f"this {who} is not open there",
            )
            return


def _time(audience: Audience, now: Instant) -> Iterator[Obstacle]:
    opens, closes = audience.eligibility.opens_at, audience.eligibility.closes_at
    if opens and now < opens:
        yield Obstacle(code="not_open_yet", field="audience", message=f"this opens on {opens[:10]}")
    if closes and now >= closes:
        yield Obstacle(code="closed", field="audience", message="this is no longer open")


def _type(audience: Audience, document: Program, candidate: Candidate) -> Iterator[Obstacle]:
    kind = candidate.known_type
    if kind and kind not in document.partner_types:
        yield Obstacle(code="unknown_type", field="type", message="the program has no such type")
    elif audience.types and kind not in audience.types:
        yield Obstacle(
            code="type_not_admitted",
            field="type",
            message=f"this audience is for {', '.join(audience.types)}",
        )


def _terms(audience: Audience, document: Program, candidate: Candidate) -> Iterator[Obstacle]:
    if candidate.terms_version != document.terms_version:
        yield Obstacle(
            code="terms_outdated",
            field="terms_version",
            message="there are newer terms to agree to",
        )
    for key in audience.eligibility.agreements:
        if key not in document.agreements:
            continue  # publishing refuses this; a text that does not exist cannot be accepted
        said = candidate.agreements.get(key)
        text = document.agreements[key]
        if said is None:
            yield Obstacle(
                code="agreement_missing",
                field=f"agreements.{key}",
                message=f"{text.name} must be accepted",
            )
        elif said != text.version:
            yield Obstacle(
                code="agreement_outdated",
                field=f"agreements.{key}",
                message=f"{text.name} is now version {text.version}",
            )
    for key in missing_declarations(audience, candidate.declarations):
        yield Obstacle(
            code="declaration_missing",
            field=f"declarations.{key}",
            message="this must be declared",
        )


def _list(
    audience: Audience, document: Program, candidate: Candidate, now: Instant
) -> Iterator[Obstacle]:
    asked = audience.eligibility
    if asked.listed_only and candidate.prospect is None:
        yield Obstacle(code="not_listed", field="email", message="this is by invitation only")
    if asked.min_account_days and _account_days(candidate, document, now) < asked.min_account_days:
        yield Obstacle(
            code="account_too_young",
            field="email",
            message=f"this needs an account of at least {asked.min_account_days} days",
        )
    if asked.rollout and not _rolled_out(asked.rollout, document, candidate):
        yield Obstacle(
            code="not_rolled_out", field="email", message="this is not open to everybody yet"
        )


def _account_days(candidate: Candidate, document: Program, now: Instant) -> int:
    since = candidate.prospect.customer_since if candidate.prospect else ""
    if not since:
        return -1
    today = clock.moment(now).astimezone(calendar.zone(document.time_zone)).date()
    return (today - today.fromisoformat(since)).days


def _rolled_out(rollout: Rollout, document: Program, candidate: Candidate) -> bool:
    prospect = candidate.prospect
    if prospect and prospect.segment and prospect.segment in rollout.segments:
        return True
    score = prospect.score if prospect else None
    if score is not None and rollout.min_score is not None and score >= rollout.min_score:
        return True
    if not candidate.email_key:
        return False
    # The mailbox always falls on the same place, so a growing share keeps who is in.
    place = ids.shard(
        f"{document.id}:{candidate.audience}:{candidate.email_key}", money.BASIS_POINTS
    )
    return place < rollout.share_basis_points
