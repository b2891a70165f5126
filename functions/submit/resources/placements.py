"""Why a referral lies where it lies: what routing looked at, step by step, for managers."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import routing
from introducer.errors import NotFoundError
from introducer.event import Event
from introducer.tables import referrals
from submit import words
from submit.acting import READERS
from submit.http import Answer, Call, Resource

resource = Resource(__name__)

TOLD = frozenset(
    {
        "ReferralAssigned",
        "ReferralReminded",
        "ReferralReturned",
        "ReferralReviewRequested",
        "ReferralAccepted",
        "ReferralRejected",
    }
)
"""The events that say who has, or had, the lead."""


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that did not fit (``rep`` is empty), or a rep of it who was passed over."""

    rule: str
    rep: str
    code: str
    text: str


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. ``rule`` is its id, its number from 0, or `owner`."""

    type: str
    at: str
    actor: str
    rep: str
    rule: str
    reason: str
    passed_over: list[PassedOver]
    left_out: int
    """How many more were passed over than are kept."""


class Placements(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the referral now, until when they must take it, and how it came to this."""

    id: str
    status: str
    rep: str
    accept_by: str
    remind_at: str
    handed_back_by: list[str]
    steps: list[Placement]


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/referrals/{referral}/routing",
    roles=READERS,
    answer=Placements,
)
def read_routing(call: Call[Any, Any]) -> Answer:
    """Read why a referral was given to whom, oldest first."""
    detail = referrals.detail(call.path["referral"])
    found = detail.referral
    if found.program != call.path["program"]:
        raise NotFoundError("no such referral")
    return Answer(
        body=Placements(
            id=found.id,
            status=found.status,
            rep=found.rep,
            accept_by=found.accept_by,
            remind_at=found.remind_at,
            handed_back_by=found.passed,
            steps=[_step(event) for event in detail.events if event.type in TOLD],
        )
    )


def _step(event: Event) -> Placement:
    told = {name: str(value) for name, value in event.data.items()}
    steps, left_out = routing.read(told.get("passed_over", ""))
    return Placement(
        type=event.type,
        at=event.at,
        actor=event.actor,
        rep=told.get("rep", ""),
        rule=told.get("rule", ""),
        reason=told.get("reason", ""),
        passed_over=[
            PassedOver(
                rule=each.rule, rep=each.rep, code=each.why, text=words.PASSED_OVER[each.why]
            )
            for each in steps
        ],
        left_out=left_out,
    )
