"""A reward as it is stored, and what is taken back when a sale does not last.

Everything here is a function of stored facts. The same facts give the same reversals, in
whatever order and however often they are looked at. What is earned in the first place,
:mod:`introducer.earning` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from typing import Literal

import msgspec

from introducer import calendar, money
from introducer.clock import Instant
from introducer.document.plan import Clawback, RewardType
from introducer.event import Event
from introducer.referral import SOLD, Referral, Sale

Status = Literal["pending", "released", "reversed"]
_REFUNDS = frozenset({"SaleRefunded", "ReferralRefunded"})


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
        missing: What its partner still has to do, and how much of it, when that is why.
        charges: What it costs each budget at present, in the budget's currency, by
            :attr:`introducer.budget.BudgetKey.charge`.
        revived: How often it came back after nothing of it was left.
        forfeited: Whether its time ran out; nothing of it comes back then.
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
    missing: dict[str, int] = {}
    charges: dict[str, int] = {}
    revived: int = 0
    forfeited: bool = False

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
    reward: Reward,
    sale: Sale | None,
    referral: Referral,
    events: Iterable[Event],
    clawback: Clawback = Clawback(),  # noqa: B008  (frozen)
    where: tzinfo = UTC,
) -> list[Reversal]:
    """Return everything that was taken back from *reward*, in the order it happened.

    A refund takes back its part of the sale; the parts are cut from the running total,
    so that many small refunds take what one large one would, and a refund of all takes
    exactly what was earned. The plan's *clawback* may ask for everything at the first
    refund, or nothing, or nothing any more so many days after the sale. A customer who
    left before a ``retained`` milestone was due takes back the rest of it, whatever the plan.

    Args:
        reward: Granted.
        sale: The one it follows, or None.
        referral: As it stands.
        events: The referral's.
        clawback: Of the plan it was earned under, of the version it is pinned to.
        where: The program's time zone, for the days. A refund counts when it was recorded.
    """
    refunded_minor = taken_minor = 0
    until = ""
    if sale and clawback.within_days:
        until = calendar.plus_days(sale.occurred_at, clawback.within_days, where)
    found = []
    for event in sorted(events, key=lambda each: each.seq):
        reason = ""
        total_minor = taken_minor
        if sale and event.type in _REFUNDS and event.data["sale"] == sale.id:
            if clawback.policy == "none" or (until and event.at > until):
                continue
            refunded_minor = min(
                sale.amount_minor, refunded_minor + int(event.data["amount_minor"])
            )
            part = money.fraction(reward.amount_minor, refunded_minor, sale.amount_minor)
            if clawback.policy == "full":
                part = reward.amount_minor
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


def restated(
    before: Reward,
    due: Reward | None,
    amount_minor: int,
    trace: Sequence[dict[str, str | int]],
    taken: Sequence[Reversal],
) -> Reward:
    """Return *before* as it stands when the rules give something else than they did.

    What earlier happened counts now: an earlier sale that was reported late, or a success
    of its partner's. Its version is one higher.

    Args:
        before: As it is stored.
        due: What the rules give now; None for nothing.
        amount_minor: What is granted of it.
        trace: How that came about.
        taken: The reversals of a reward of that amount, all of them.
    """
    booked = [each.total_minor for each in taken if each.seq <= before.reversed_seq]
    reversed_minor = amount_minor if before.forfeited else max(booked, default=0)
    status: Status = before.status
    revived = before.revived
    if reversed_minor == amount_minor:
        status = "reversed"
    elif before.status == "reversed":
        status, revived = "pending", before.revived + 1
    return msgspec.structs.replace(
        before,
        offered_minor=due.offered_minor if due else 0,
        amount_minor=amount_minor,
        reversed_minor=reversed_minor,
        trace=list(trace),
        status=status,
        revived=revived,
        version=before.version + 1,
    )


def without(base: Reward, back: Sequence[Reversal]) -> Reward:
    """Return *base* with *back*, which follow on what was taken back before, taken from it."""
    if not back:
        return base
    last = back[-1]
    return msgspec.structs.replace(
        base,
        reversed_minor=last.total_minor,
        reversed_seq=last.seq,
        status="reversed" if last.total_minor == base.amount_minor else base.status,
    )


def obstacle(reward: Reward, referral: Referral, now: Instant) -> str:
    """Return why *reward* may not be released at *now*, empty when it may.

    What the plan asks besides, :mod:`introducer.release` knows.
    """
    if reward.due_at > now:
        return "not_due"
    if referral.status == "duplicate":
        return "duplicate"
    if referral.hold:
        return "on_hold"
    if reward.when == "earned" or referral.status in SOLD:
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
