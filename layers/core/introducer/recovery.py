"""What becomes of money that was paid and is owed back and nobody will pay: written off by policy.

A debt is netted from what is earned later; that needs no rule. What is left is the program's
loss when it is too small to follow, when it has not moved for too long, and as far as it is
above the most that a holder may owe.
"""

from __future__ import annotations

import msgspec

from introducer import clock
from introducer.chart import Kind
from introducer.clock import Instant
from introducer.document.payout import Recovery
from introducer.ledger import Balance, Posting


class WriteOff(msgspec.Struct, frozen=True, kw_only=True):
    """What is written off of a debt, in minor units, and why.

    ``reason`` is ``too_small``, ``too_old`` or ``above_most_owed``.
    """

    amount_minor: int
    reason: str


def write_off(policy: Recovery, balance: Balance, now: Instant) -> WriteOff | None:
    """Return what *policy* writes off of the debt in *balance* now, None when nothing.

    Args:
        policy: Of the program; amounts in minor units by currency.
        balance: The holder's accounts; ``owed_at`` says since when the debt stands.
        now: The present instant.
    """
    owed = -balance.receivable
    if owed <= 0:
        return None
    if owed < policy.write_off_below_minor.get(balance.currency, 0):
        return WriteOff(amount_minor=owed, reason="too_small")
    if _is_old(policy, balance, now):
        return WriteOff(amount_minor=owed, reason="too_old")
    most = policy.most_owed_minor.get(balance.currency, owed)
    if owed > most:
        return WriteOff(amount_minor=owed - most, reason="above_most_owed")
    return None


def posting(balance: Balance, found: WriteOff, now: Instant) -> Posting:
    """Return what a write-off books.

    Its id names the state of the balance it was decided on: that is never again, so the same
    debt is written off once, whoever asks how often.
    """
    return Posting(
        id=f"recovery:{balance.currency}:{balance.version}:{balance.partner}",
        kind=Kind.RECEIVABLE_WRITTEN_OFF,
        program=balance.program,
        partner=balance.partner,
        currency=balance.currency,
        amount_minor=found.amount_minor,
        at=now,
        reason=found.reason,
    )


def _is_old(policy: Recovery, balance: Balance, now: Instant) -> bool:
    days = policy.write_off_after_days
    return days is not None and clock.plus(balance.owed_at or balance.posted_at, days=days) <= now
