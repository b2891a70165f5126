"""Budgets: what a program may spend in a period, shared out so that many can take at once.

A :class:`Pool` holds what was not shared out, eight :class:`Shard` items hold allotments.
A reward takes from its holder's shard, in the transaction that books it; a shard that runs
short is filled from the pool, then from the other shards. Nothing is ever spent that is not
in a shard, so a budget with ``stop`` is never passed, by nobody and at no moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from introducer import ids
from introducer.document.plan import Budget
from introducer.money import BASIS_POINTS, POINTS
from introducer.program import Program
from introducer.reward import Reward

SHARDS = 8
_ALLOTMENTS = 200
"""An allotment is at least one part in so many of the budget."""


class BudgetKey(NamedTuple):
    """One budget of one period."""

    program: str
    budget: str
    period: str

    @property
    def charge(self) -> str:
        """Return the name under which a reward keeps what it costs this budget."""
        return f"{self.budget}#{self.period}"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What counts for a budget at present."""

    currency: str
    amount_minor: int
    stop: bool
    alert_basis_points: int


class Pool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a budget was not shared out.

    Attributes:
        version: Rises with every write, and numbers the budget's events.
        amount_minor: The whole budget.
        left_minor: Below zero when the amount was lowered below what was shared out, or
            without ``stop``.
        alerted: Whether the alert was given.
        exhausted: Whether a reward was cut.
    """

    program: str
    budget: str
    period: str
    currency: str
    version: int
    amount_minor: int
    left_minor: int
    alerted: bool = False
    exhausted: bool = False


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """An allotment. ``amount_minor`` is the whole budget as it was known then."""

    left_minor: int = 0
    amount_minor: int = 0


def terms(pinned: Budget, newest: Program) -> Terms:
    """Return what counts for a budget now.

    Which rewards a budget covers, the version says they were made under. How much there is,
    and whether it stops, the newest version says, as long as it has the budget.
    """
    same = (each for each in newest.budgets if each.id == pinned.id)
    found = next((each for each in same if each.currency == pinned.currency), pinned)
    return Terms(
        currency=found.currency,
        amount_minor=found.amount_minor,
        stop=found.stop,
        alert_basis_points=found.alert_basis_points,
    )


def covering(document: Program, reward: Reward) -> list[Budget]:
    """Return the budgets of *document* that *reward* is paid from, points apart from money."""
    return [
        each
        for each in document.budgets
        if (not each.plans or reward.plan in each.plans)
        and (each.currency == POINTS) == (reward.currency == POINTS)
    ]


def shard_of(holder: str) -> int:
    """Return the shard that *holder* takes from."""
    return ids.shard(holder, SHARDS)


def opened(pool: Pool | None, key: BudgetKey, now: Terms) -> Pool:
    """Return the pool as it is under the terms *now*: new, topped up or lowered."""
    if pool is None:
        return Pool(
            program=key.program,
            budget=key.budget,
            period=key.period,
            currency=now.currency,
            version=0,
            amount_minor=now.amount_minor,
            left_minor=now.amount_minor,
        )
    return msgspec.structs.replace(
        pool,
        amount_minor=now.amount_minor,
        left_minor=pool.left_minor + now.amount_minor - pool.amount_minor,
    )


def allotment(pool: Pool, short_minor: int, *, stop: bool) -> int:
    """Return how much to move into a shard that is *short_minor* short; 0 when there is none."""
    if short_minor <= 0:
        return 0
    wanted = max(short_minor, pool.amount_minor // _ALLOTMENTS)
    return max(0, min(wanted, pool.left_minor)) if stop else wanted


def is_alarming(pool: Pool, now: Terms) -> bool:
    """Return whether the alert is to be given for *pool*, and was not yet.

    It counts what was shared out, so it is never late; it is early by at most what the
    shards hold: 8 allotments of half a per cent and what was given back.
    """
    shared_out = pool.amount_minor - pool.left_minor
    line = pool.amount_minor * now.alert_basis_points
    return not pool.alerted and shared_out * BASIS_POINTS >= line


def recount(
    pool: Pool, shards: Iterable[Shard], charges: Iterable[Mapping[str, int]], charge: str
) -> int:
    """Return by how much a budget does not add up: 0, or the books of it are wrong.

    The amount is what is in the pool, in the shards, and charged to rewards.
    """
    shared_out = sum(each.left_minor for each in shards)
    spent = sum(each.get(charge, 0) for each in charges)
    return pool.amount_minor - pool.left_minor - shared_out - spent
