"""Evidence: why a referral is credited as it is."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import evidence
from introducer.errors import NotFoundError
from introducer.tables import disputes, programs, referrals
from introducer.tables.referrals import Detail
from submit.acting import READERS
from submit.http import Answer, Call, Resource

resource = Resource(__name__)


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's part of the credit."""

    partner: str
    basis_points: int


class TouchSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A touch, and what the program's rule makes of it.

    ``why`` is empty when it counts, else one of `no_partner`, `uncredited`, `late`, `after_lead`,
    `before_window`, `kind`, `co_referrer`, `repeated`. ``weight`` is in proportion to its credit.
    """

    id: str
    kind: str
    at: str
    link: str
    partner: str
    counted: bool
    why: str
    weight: int


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A partner who could not be credited when the lead was screened, and why."""

    partner: str
    why: str


class AttributionEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Why a referral is credited as it is; nobody's name or address is in it.

    ``decided_by`` is `rule`, `dispute` (then ``dispute`` names it) or `migration`; before the
    lead was screened nothing is decided, and ``agrees`` is true. ``recomputed`` is what that
    gives now from what is stored, ``shares`` what was stored.
    """

    referral: str
    status: str
    submitted_at: str
    program_version: int
    model: str
    window_days: int
    decided_by: str
    dispute: str
    touches: list[TouchSeen]
    uncredited: list[Passed]
    shares: list[Credit]
    recomputed: list[Credit]
    agrees: bool


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/referrals/{referral}/attribution",
    roles=READERS,
    answer=AttributionEvidence,
)
def read_attribution(call: Call[Any, Any]) -> Answer:
    """Read who is credited for a referral, and why: computed again from its touches."""
    detail = referrals.detail(call.path["referral"])
    if detail.referral.program != call.path["program"]:
        raise NotFoundError("no such referral")
    return Answer(body=of(detail))


def of(detail: Detail) -> AttributionEvidence:
    """Return the evidence for the credit of a referral."""
    referral = detail.referral
    version = programs.version(referral.program, referral.program_version)
    rule = version.document.attribution
    decision = disputes.decision(referral.dispute)
    found = evidence.of(referral, detail.touches, detail.shares, rule, decision)
    screened = any(event.type in evidence.SCREENED for event in detail.events)
    return AttributionEvidence(
        referral=referral.id,
        status=referral.status,
        submitted_at=referral.submitted_at,
        program_version=referral.program_version,
        model=rule.model,
        window_days=rule.window_days,
        decided_by=found.decided_by,
        dispute=referral.dispute,
        touches=[
            TouchSeen(
                id=each.touch.id,
                kind=each.touch.kind,
                at=each.touch.at,
                link=each.touch.link,
                partner=each.touch.partner,
                counted=each.counted,
                why=each.why,
                weight=each.weight,
            )
            for each in found.weighed
        ],
        uncredited=[Passed(partner=k, why=why) for k, why in sorted(referral.uncredited.items())],
        shares=_credits(found.stored),
        recomputed=_credits(found.recomputed),
        agrees=found.agrees or not screened,
    )


def _credits(parts: dict[str, int]) -> list[Credit]:
    return [Credit(partner=name, basis_points=part) for name, part in sorted(parts.items())]
