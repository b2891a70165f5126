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
        partner = self._owner()
        if partner and partner.status == "invited":
            return release.NOT_ENROLLED
        return "engagement_missing" if self._short(rules.document) else ""

    def is_over(self, due: Reward, why: str) -> bool:
        """Return whether *due* has waited too long for the obstacle *why* to go away."""
        partner = self._owner()
        if why != release.NOT_ENROLLED or partner is None:
            return release.is_forfeited(due, why, self._now)
        days = self.rules_of(due).document.intake.waiting_days
        return self._now >= release.claim_until(due, partner.invited_at, days)

    def missing(self, due: Reward) -> dict[str, int]:
        """Return what the partner still has to do before *due* is released."""
        return self._short(self.rules_of(due).document)

    def rules_of(self, due: Reward) -> Rules:
        """Return the rules that *due* was earned under."""
        return _rules(referrals.get(due.referral))

    def _owner(self) -> Partner | None:
        """Return the partner whose rewards they are; None for a rep, a customer or a company."""
        if self._partner is None and "." not in self._holder:
            self._partner = partners.find_partner(self._holder)
        return self._partner

    def _short(self, document: Program) -> dict[str, int]:
        if not any(each.engagement != _NOTHING for each in document.audiences.values()):
            return {}
        partner = self._owner()
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
