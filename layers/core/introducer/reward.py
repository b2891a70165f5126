"""A reward as it is stored, and what is taken back when a sale does not last.

Everything here is a function of stored facts. The same facts give the same reversals, in
whatever order and however often they are looked at. What is earned in the first place,
:mod:`introducer.earning` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from introducer import money
from introducer.clock import Instant
from introducer.document.plan import RewardType
from introducer.event import Event
from introducer.referral import SOLD, Referral, Sale

Status = Literal["pending", "released", "reversed"]


class Reward(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One milestone of one plan for one occasion and one beneficiary.

    Attributes:
        occasion: What earned it: a sale's id, ``submitted``, ``stage-…`` or ``event-…``.
        sale: The sale it follows, empty when it follows none.
        partner: Whose account it is booked to; ``rep.…``, ``customer.…`` or ``org.…`` for
            others than partners.
        offered_minor: What the rules give.
        amount_minor: What was earned, before any reversal: the offer, or what a budget left of it.
        when: The condition of its release; see :class:`introducer.document.plan.Milestone`.
        due_at: Not released before this.
        until_at: Forfeited when it could not be released until then; empty for never.
        trace: How the amount came about, step by step.
        status: ``pending`` until released; ``reversed`` when nothing of it is left.
        reversed_minor: What was taken back so far.
        reversed_seq: The referral's event up to which reversals are booked.
        waiting: Why it was not released when it was due.
    """

    referral: str
    plan: str
    milestone: str
    occasion: str
    partner: str
    program: str
    amount_minor: int
    currency: str
    when: Literal["earned", "won", "retained"]
    earned_at: Instant
    due_at: Instant
    accounting_class: str
    version: int
    sale: str = ""
    type: RewardType = "cash"
    offered_minor: int = 0
    until_at: Instant = ""
    trace: list[dict[str, str | int]] = []
    status: Status = "pending"
    reversed_minor: int = 0
    reversed_seq: int = 0
    waiting: str = ""

    @property
    def key(self) -> str:
        """Return its name within the referral."""
        return f"{self.plan}#{self.milestone}#{self.occasion}#{self.partner}"

    @property
    def unit(self) -> str:
        """Return what the books keep it in: a currency for cash, else that and the type.

        So nothing but cash ever stands in an account that a bank pays out.
        """
        if self.type in {"cash", "points"}:
            return self.currency
        return f"{self.currency}.{self.type}"

    @property
    def left_minor(self) -> int:
        """Return what is still earned."""
        return self.amount_minor - self.reversed_minor

    def journal_id(self, fact: str = "reward") -> str:
        """Return the id of the journal that books *fact* about this reward.

        The plan and milestone hold no colon and the partner's id is last, so two
        different rewards never share an id.
        """
        return f"{fact}:{self.referral}:{self.plan}:{self.milestone}:{self.occasion}:{self.partner}"


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
