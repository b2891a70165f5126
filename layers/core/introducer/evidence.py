"""Why a referral is credited as it is: the touches, what decided, and whether it still agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from introducer import attribution
from introducer.attribution import Weighed
from introducer.document.credit import Attribution
from introducer.referral import Referral, Share, Touch

SCREENED = frozenset(
    {
        "ReferralScreened",
        "ReferralDuplicate",
        "ReferralIneligible",
        "ReferralReviewRequested",
    }
)
"""Events after which the credit is given."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The credit for a referral, stored and computed again.

    Attributes:
        weighed: Every touch and what became of it.
        decided_by: The program's rule, a dispute's decision, or what was brought along from
            another system.
        stored: The parts as they are stored, by partner; those of nothing left out.
        recomputed: The parts that whatever decided gives now.
    """

    weighed: list[Weighed]
    decided_by: Literal["rule", "dispute", "migration"]
    stored: dict[str, int]
    recomputed: dict[str, int]

    @property
    def agrees(self) -> bool:
        """Return whether what is stored is what comes out."""
        return self.stored == self.recomputed


def of(
    referral: Referral,
    touches: Sequence[Touch],
    shares: Sequence[Share],
    rule: Attribution,
    decision: Mapping[str, int],
) -> Evidence:
    """Return the evidence for the credit of a *referral* that was screened.

    Args:
        referral: As it stands.
        touches: All of its touches.
        shares: The parts as they are stored.
        rule: Of the program version it was made under.
        decision: What the dispute it names gave; empty when it names none.
    """
    weighed = attribution.explained(referral, touches, rule)
    stored = {share.partner: share.basis_points for share in shares if share.basis_points}
    recomputed = attribution.parts(weighed)
    decided_by: Literal["rule", "dispute", "migration"] = "rule"
    if referral.dispute:
        decided_by, recomputed = "dispute", {k: v for k, v in decision.items() if v}
    elif referral.channel == "migration":
        decided_by, recomputed = "migration", stored
    return Evidence(weighed=weighed, decided_by=decided_by, stored=stored, recomputed=recomputed)
