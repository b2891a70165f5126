"""How good a lead is: what it told of itself, its score with the reasons, the rep's own rating."""

from __future__ import annotations

from typing import Any

import msgspec

from introducer import score
from introducer.errors import NotFoundError
from introducer.score import Scored
from introducer.tables import programs, referrals
from introducer.tables.referrals import Detail
from submit.acting import READERS
from submit.http import Answer, Call, Resource

RATING = "lead.rating"

resource = Resource(__name__)


class LeadQuality(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a lead's quality.

    ``facts`` are under the names that conditions use; ``score`` is null where the program
    has no rules for it, ``rating`` 0 until the rep has given one.
    """

    facts: dict[str, bool | int | str | list[str]]
    score: Scored | None
    rating: int


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/referrals/{referral}/quality",
    roles=READERS,
    answer=LeadQuality,
)
def read_quality(call: Call[Any, Any]) -> Answer:
    """Read how good a lead is, and why."""
    detail = referrals.detail(call.path["referral"])
    if detail.referral.program != call.path["program"]:
        raise NotFoundError("no such referral")
    return Answer(body=of(detail))


def of(detail: Detail) -> LeadQuality:
    """Return the quality of a stored referral's lead."""
    referral = detail.referral
    document = programs.version(referral.program, referral.program_version).document
    rating = referral.facts.get(RATING, 0)
    return LeadQuality(
        facts={key: value for key, value in referral.facts.items() if key != RATING},
        score=score.explain(detail.touches, document),
        rating=rating if isinstance(rating, int) else 0,
    )
