"""What a sale earns its partners, and what is taken back when it does not last.

Everything here is a function of stored facts: the program version, the referral, its
sales, its shares and its events. The same facts give the same rewards and reversals,
in whatever order and however often they are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from introducer import clock, money
from introducer.clock import Instant
from introducer.event import Event
from introducer.document.plan import Flat, Milestone, Percent, RewardPlan
from introducer.program import Program
from introducer.referral import SOLD, Referral, Sale, Share

Status = Literal["pending", "released", "reversed"]


class Reward(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One milestone of one plan for one sale and one partner.

    Attributes:
        amount_minor: What was earned, before any reversal.
        when: ``won`` or ``retained``, the condition of its release.
        due_at: Not released before this.
        trace: How the amount came about, as flat data.
        status: ``pending`` until released; ``reversed`` when nothing of it is left.
        reversed_minor: What was taken back so far.
        reversed_seq: The referral's event up to which reversals are booked.
        waiting: Why it was not released when it was due.
    """

    referral: str
    plan: str
    milestone: str
    sale: str
    partner: str
    program: str
    amount_minor: int
    currency: str
    when: Literal["earned", "won", "retained"]
    earned_at: Instant
    due_at: Instant
    accounting_class: str
    version: int
    trace: dict[str, str | int] = {}
    status: Status = "pending"
    reversed_minor: int = 0
    reversed_seq: int = 0
    waiting: str = ""

    @property
    def key(self) -> str:
        """Return its name within the referral."""
        return f"{self.plan}#{self.milestone}#{self.sale}#{self.partner}"

    @property
    def left_minor(self) -> int:
        """Return what is still earned."""
        return self.amount_minor - self.reversed_minor

    def journal_id(self, fact: str = "reward") -> str:
        """Return the id of the journal that books *fact* about this reward.

        The plan and milestone hold no colon and the partner's id is last, so two
        different rewards never share an id.
        """
        return f"{fact}:{self.referral}:{self.plan}:{self.milestone}:{self.sale}:{self.partner}"


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """What one event takes back from one reward.

    ``seq`` is the event's number, ``total_minor`` what is taken back with it and all
    before it, ``amount_minor`` its own part.
    """

    seq: int
    at: Instant
    reason: str
    amount_minor: int
    total_minor: int


def evaluate(
    document: Program, referral: Referral, sale: Sale, shares: Sequence[Share]
) -> tuple[Reward, ...]:
    """Return what *sale* earns, largest remainder by partner and then by milestone.

    For each partner the best-paying of the plans that reward its audience counts; plans
    are compared by the amount they give on this sale. A plan that pays in another
    currency than the sale's is taken only when none pays in the sale's own, since there
    is no rate to compare them by. A plan that gives nothing earns nothing.

    Args:
        document: The program version the referral was made under.
        referral: Won, once or still.
        sale: Any of its sales.
        shares: Everybody credited, in a stable order; their basis points weigh the split.
    """
    if not shares or not referral.won_at or sale.amount_minor <= 0:
        return ()
    weights = [share.basis_points for share in shares]
    rewards = []
    for index, share in enumerate(shares):
        best = _best_plan(document, sale, share)
        if best is None:
            continue
        plan, total_minor, trace = best
        part_minor = money.split(total_minor, weights)[index]
        trace = {**trace, "basis_points": share.basis_points, "part_minor": part_minor}
        amounts = money.split(part_minor, [each.share_basis_points for each in plan.milestones])
        rewards += [
            _reward(document, referral, sale, share, plan, milestone, amount_minor, trace)
            for milestone, amount_minor in zip(plan.milestones, amounts, strict=True)
            if amount_minor > 0
        ]
    return tuple(rewards)


def reversals(
    reward: Reward, sale: Sale, referral: Referral, events: Iterable[Event]
) -> list[Reversal]:
    """Return everything that was taken back from *reward*, in the order it happened.

    A refund takes back its part of the sale; the parts are cut from the running total,
    so that many small refunds take what one large one would, and a refund of all takes
    exactly what was earned. A customer who left before a ``retained`` milestone was due
    takes back the rest of it.
    """
    refunded_minor = taken_minor = 0
    found = []
    for event in sorted(events, key=lambda each: each.seq):
        reason = ""
        total_minor = taken_minor
        if event.type in {"SaleRefunded", "ReferralRefunded"} and event.data["sale"] == sale.id:
            refunded_minor = min(
                sale.amount_minor, refunded_minor + int(event.data["amount_minor"])
            )
            part = money.fraction(reward.amount_minor, refunded_minor, sale.amount_minor)
            total_minor = max(taken_minor, part)
            reason = "refunded"
        elif event.type == "ReferralChurned" and _left_too_early(reward, referral):
            total_minor = reward.amount_minor
            reason = "churned"
        if total_minor > taken_minor:
            found.append(
                Reversal(
                    seq=event.seq,
                    at=event.at,
                    reason=reason,
                    amount_minor=total_minor - taken_minor,
                    total_minor=total_minor,
                )
            )
            taken_minor = total_minor
    return found


def obstacle(reward: Reward, referral: Referral, now: Instant) -> str:
    """Return why *reward* may not be released at *now*, empty when it may."""
    if reward.due_at > now:
        return "not_due"
    if referral.hold:
        return "on_hold"
    if referral.status in SOLD:
        return ""
    if referral.status == "churned":
        return "churned" if _left_too_early(reward, referral) else ""
    if referral.status == "refunded":
        return ""
    return "not_sold"


def _left_too_early(reward: Reward, referral: Referral) -> bool:
    # A churned referral never changes again, so source_at is the time the customer left.
    return (
        reward.when == "retained"
        and referral.status == "churned"
        and reward.due_at > referral.source_at
    )


def _best_plan(
    document: Program, sale: Sale, share: Share
) -> tuple[RewardPlan, int, dict[str, str | int]] | None:
    """Return the plan that gives *share*'s audience most, the amount, and its trace."""
    offers = [
        (plan, *_offer(plan, sale))
        for plan in document.rewards
        if not plan.audiences or share.audience in plan.audiences
    ]
    own = [offer for offer in offers if _currency(offer[0], sale) == sale.currency]
    candidates = [offer for offer in own or offers if offer[1] > 0]
    if not candidates:
        return None
    if not own:
        first = _currency(candidates[0][0], sale)
        candidates = [offer for offer in candidates if _currency(offer[0], sale) == first]
    plan, total_minor, trace = max(candidates, key=lambda offer: offer[1])
    return plan, total_minor, {**trace, "plans": len(candidates)}


def _offer(plan: RewardPlan, sale: Sale) -> tuple[int, dict[str, str | int]]:
    """Return what *plan* gives for *sale* and how it was computed."""
    match plan.calculation:
        case Flat(amount_minor=amount_minor):
            return amount_minor, {"rule": "flat", "total_minor": amount_minor}
        case Percent(basis_points=rate, cap_minor=cap_minor):
            exact = money.fraction(sale.amount_minor, rate, money.BASIS_POINTS)
            total_minor = exact if cap_minor is None else min(exact, cap_minor)
            trace: dict[str, str | int] = {
                "rule": "percent",
                "sale_minor": sale.amount_minor,
                "rate_basis_points": rate,
                "total_minor": total_minor,
            }
            if total_minor < exact:
                trace["cap_cut_minor"] = exact - total_minor
            # Ten-thousandths of a minor unit, by which rounding moved the exact amount.
            rounding = exact * money.BASIS_POINTS - sale.amount_minor * rate
            if rounding:
                trace["rounding_ten_thousandths"] = rounding
            return total_minor, trace


def _currency(plan: RewardPlan, sale: Sale) -> str:
    if isinstance(plan.calculation, Flat):
        return plan.calculation.currency
    return sale.currency


def _reward(
    document: Program,
    referral: Referral,
    sale: Sale,
    share: Share,
    plan: RewardPlan,
    milestone: Milestone,
    amount_minor: int,
    trace: dict[str, str | int],
) -> Reward:
    # A later sale of the same customer waits from its own date on.
    begin = max(referral.won_at, sale.occurred_at)
    return Reward(
        referral=referral.id,
        plan=plan.id,
        milestone=milestone.id,
        sale=sale.id,
        partner=share.partner,
        program=document.id,
        amount_minor=amount_minor,
        currency=_currency(plan, sale),
        when=milestone.when,
        earned_at=begin,
        due_at=clock.plus(begin, days=milestone.after_days),
        accounting_class=plan.accounting_class,
        version=1,
        trace={**trace, "milestone_basis_points": milestone.share_basis_points},
    )
