"""Why a holder's due rewards have to wait, each by the version it was earned under."""

from __future__ import annotations

from introducer import release, reward
from introducer.clock import Instant
from introducer.document.audience import Audience, Engagement
from introducer.earning.rules import Rules, rules_of
from introducer.partner import Partner
from introducer.program import Program
from introducer.referral import Referral
from introducer.reward import Reward
from introducer.tables import partners, programs, referrals
from payout.outcome import case_of

_NOTHING = Engagement()


class Waiting:
    """What stands against the rewards of one holder, asked one by one.

    Facts are read when they are asked for; what the partner has done, once.
    """

    def __init__(self, holder: str, now: Instant) -> None:
        self._holder = holder
        self._now = now
        self._partner: Partner | None = None
        self._missing: dict[str, dict[str, int]] = {}

    def why(self, due: Reward) -> str:
        """Return why *due* may not be released now, empty when it may."""
        before = referrals.get(due.referral)
        why = reward.obstacle(due, before, self._now)
        if why:
            return why
        rules = _rules(before)
        milestone = release.milestone_of(rules, due)
        if milestone and milestone.condition:
            case = case_of(referrals.detail(due.referral))
            if not release.holds(rules, case, due, milestone):
                return "condition_not_met"
        return "engagement_missing" if self._short(rules.document) else ""

    def missing(self, due: Reward) -> dict[str, int]:
        """Return what the partner still has to do before *due* is released."""
        return self._short(self.rules_of(due).document)

    def rules_of(self, due: Reward) -> Rules:
        """Return the rules that *due* was earned under."""
        return _rules(referrals.get(due.referral))

    def _short(self, document: Program) -> dict[str, int]:
        if "." in self._holder or not any(
            each.engagement != _NOTHING for each in document.audiences.values()
        ):
            return {}
        partner = self._partner = self._partner or partners.find_partner(self._holder)
        audience = document.audiences.get(partner.audience) if partner else None
        if partner is None or audience is None or audience.engagement == _NOTHING:
            return {}
        return self._of(partner, audience)

    def _of(self, partner: Partner, audience: Audience) -> dict[str, int]:
        # The same minimum in two versions is one question.
        asked = repr(audience.engagement)
        if asked not in self._missing:
            done = partners.engagement(partner, audience.engagement)
            self._missing[asked] = release.missing(audience, done)
        return self._missing[asked]


def _rules(before: Referral) -> Rules:
    return rules_of(programs.version(before.program, before.program_version).document)
