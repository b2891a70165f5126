"""Budgets in the Core table.

``BUDGET#{program}#{budget}#{period}`` / ``POOL`` is what was not shared out, ``SHARD#{n}``
an allotment, ``EVENT#{seq}`` its alert and its end. Money moves between pool and shards in
transactions of their own, and out of a shard only in the one that books a reward.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import msgspec
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from introducer import budget
from introducer.budget import BudgetKey, Pool, Shard, Terms
from introducer.clock import Instant
from introducer.errors import ContentionError, StaleError
from introducer.event import Event
from introducer.tables import events, store
from introducer.tables.store import Table, Transaction

_ATTEMPTS = 40


class Take(msgspec.Struct, frozen=True):
    """What a reward takes from a shard of a budget, or with a minus gives back."""

    key: BudgetKey
    shard: int
    amount_minor: int


def find_pool(key: BudgetKey) -> Pool | None:
    """Return a budget's pool as it stands; None before anything was spent."""
    stored = store.get(Table.CORE, _pk(key), "POOL")
    return store.load(Pool, stored) if stored else None


def find_shard(key: BudgetKey, number: int) -> Shard | None:
    """Return a shard as it stands; None before its first allotment."""
    stored = store.get(Table.CORE, _pk(key), _sk(number))
    return store.load(Shard, stored) if stored else None


def shards(key: BudgetKey) -> dict[int, Shard]:
    """Return the shards that hold or held something, by number, as they stand."""
    places = {(_pk(key), _sk(number)): number for number in range(budget.SHARDS)}
    found = store.batch_get(Table.CORE, list(places), consistent=True)
    return {places[where]: store.load(Shard, each) for where, each in sorted(found.items())}


def fill(key: BudgetKey, terms: Terms, number: int, needed_minor: int, now: Instant) -> int:
    """See to it that a shard holds what is needed; return what it holds.

    That is less only when the budget stops and there is nothing left, in the pool and in
    any other shard.

    Raises:
        ContentionError: Others kept taking it away.
    """
    for attempt in range(_ATTEMPTS):
        pool, mine = find_pool(key), find_shard(key, number)
        held = mine.left_minor if mine else 0
        known = {each.amount_minor if each else -1 for each in (pool, mine)}
        if held >= needed_minor and known == {terms.amount_minor}:
            return held
        try:
            if not _move(key, terms, number, (pool, mine), needed_minor - held, now):
                return held
        except StaleError:
            _pause(attempt)
    message = "others kept taking from the same budget"
    raise ContentionError(message, budget=key.budget)


def take(writes: Transaction, takes: Sequence[Take]) -> None:
    """Add what rewards take from, or give back to, one shard; it never falls below zero.

    The transaction fails with :class:`StaleError` when somebody else took it first.
    """
    amount_minor = sum(each.amount_minor for each in takes)
    if amount_minor:
        first = takes[0]
        _add_to_shard(writes, first.key, first.shard, -amount_minor, None)


def note_exhausted(key: BudgetKey, now: Instant) -> None:
    """Tell, once for each budget and period, that a reward was cut."""
    for attempt in range(_ATTEMPTS):
        pool = find_pool(key)
        if pool is None or pool.exhausted:
            return
        after = msgspec.structs.replace(pool, exhausted=True, version=pool.version + 1)
        writes = Transaction()
        _put_pool(writes, pool, after)
        events.add(writes, _event("BudgetExhausted", key, after, now))
        try:
            writes.commit()
        except StaleError:
            _pause(attempt)
        else:
            return
    message = "others kept changing the same budget"
    raise ContentionError(message, budget=key.budget)


def _move(
    key: BudgetKey,
    terms: Terms,
    number: int,
    seen: tuple[Pool | None, Shard | None],
    short_minor: int,
    now: Instant,
) -> bool:
    """Move something into a shard, or return that there is nothing to move."""
    pool, mine = seen
    opened = budget.opened(pool, key, terms)
    extra = budget.allotment(opened, short_minor, stop=terms.stop)
    if terms.stop and opened.left_minor < 0 and _reclaim(key, pool, opened, now, terms):
        return True
    if extra or pool != opened or mine is None or mine.amount_minor != terms.amount_minor:
        after = msgspec.structs.replace(opened, left_minor=opened.left_minor - extra)
        writes = Transaction()
        _save_pool(writes, key, pool, after, terms, now)
        _add_to_shard(writes, key, number, extra, terms.amount_minor, new=mine is None)
        writes.commit()
        return True
    return _gather(key, number, short_minor)


def _reclaim(key: BudgetKey, pool: Pool | None, opened: Pool, now: Instant, terms: Terms) -> bool:
    """Take back from the fullest shard what a lowered budget no longer covers."""
    number, fullest = _fullest(key, but=-1)
    back = min(fullest.left_minor, -opened.left_minor)
    if back <= 0:
        return False
    writes = Transaction()
    after = msgspec.structs.replace(opened, left_minor=opened.left_minor + back)
    _save_pool(writes, key, pool, after, terms, now)
    _add_to_shard(writes, key, number, -back, None)
    writes.commit()
    return True


def _gather(key: BudgetKey, number: int, short_minor: int) -> bool:
    """Move what is short from the fullest other shard, or as much as that has."""
    other, fullest = _fullest(key, but=number)
    found = min(fullest.left_minor, short_minor)
    if found <= 0:
        return False
    writes = Transaction()
    _add_to_shard(writes, key, other, -found, None)
    _add_to_shard(writes, key, number, found, None)
    writes.commit()
    return True


def _fullest(key: BudgetKey, *, but: int) -> tuple[int, Shard]:
    found = [(number, each) for number, each in shards(key).items() if number != but]
    return max(found, key=lambda each: each[1].left_minor, default=(-1, Shard()))


def _save_pool(
    writes: Transaction,
    key: BudgetKey,
    before: Pool | None,
    after: Pool,
    terms: Terms,
    now: Instant,
) -> None:
    """Add the pool's next version, with the alert when it is time."""
    alarming = budget.is_alarming(after, terms)
    after = msgspec.structs.replace(
        after, version=after.version + 1, alerted=after.alerted or alarming
    )
    _put_pool(writes, before, after)
    if alarming:
        events.add(writes, _event("BudgetAlerted", key, after, now))


def _put_pool(writes: Transaction, before: Pool | None, after: Pool) -> None:
    writes.put(
        Table.CORE,
        _pk(BudgetKey(after.program, after.budget, after.period)),
        "POOL",
        after,
        condition=store.at_version(before.version) if before else store.absent(),
        error=StaleError("somebody else moved the budget first"),
    )


def _add_to_shard(
    writes: Transaction,
    key: BudgetKey,
    number: int,
    more_minor: int,
    amount_minor: int | None,
    *,
    new: bool = False,
) -> None:
    """Add *more_minor*, which may be below zero, to a shard that then is not."""
    error = StaleError("somebody else took from the shard first")
    if new:
        shard = Shard(left_minor=more_minor, amount_minor=amount_minor or 0)
        condition = store.absent()
        writes.put(Table.CORE, _pk(key), _sk(number), shard, condition=condition, error=error)
        return
    left = Path("left_minor")
    enough: Condition = left >= -more_minor if more_minor < 0 else left.exists()
    actions = [left.set(left + more_minor)]
    if amount_minor is not None:
        actions.append(Path("amount_minor").set(amount_minor))
    writes.update(Table.CORE, _pk(key), _sk(number), actions, condition=enough, error=error)


def _event(kind: str, key: BudgetKey, pool: Pool, now: Instant) -> Event:
    return Event(
        type=kind,
        entity=_pk(key),
        seq=pool.version,
        program=key.program,
        at=now,
        actor="system",
        data={
            "budget": key.budget,
            "period": key.period,
            "currency": pool.currency,
            "amount_minor": pool.amount_minor,
            "left_minor": pool.left_minor,
        },
    )


def _pk(key: BudgetKey) -> str:
    return f"BUDGET#{key.program}#{key.budget}#{key.period}"


def _sk(number: int) -> str:
    return f"SHARD#{number}"


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311  (jitter)
