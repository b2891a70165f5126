"""Rewards in the Core table, beside the referral that earned them.

``REFERRAL#{id}`` / ``REWARD#{plan}#{milestone}#{occasion}#{partner}``; on ``gsi3``
``DUE#accrue#{shard}`` / due time while pending. A reward is written only together with
the journals that move its money (:func:`introducer.tables.ledger.post_all`); the one
exception is the note why it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from introducer import ids
from introducer.clock import Instant
from introducer.errors import StaleError
from introducer.ledger import Kind
from introducer.reward import Reward
from introducer.tables import ledger, store
from introducer.tables.store import Item, Table, Transaction

SHARDS = 4


def load(stored: Sequence[Item]) -> list[Reward]:
    """Return stored reward items as rewards."""
    return [store.load(Reward, each) for each in stored]


def add(writes: Transaction, reward: Reward) -> None:
    """Add a reward earned for the first time."""
    writes.put(
        Table.CORE,
        _pk(reward),
        _sk(reward),
        reward,
        index=_index(reward),
        condition=store.absent(),
        error=StaleError("the reward was earned before"),
    )


def change(writes: Transaction, before: Reward, after: Reward) -> None:
    """Add the move from *before* to *after*, whose version is one higher."""
    writes.put(
        Table.CORE,
        _pk(after),
        _sk(after),
        after,
        index=_index(after),
        condition=store.at_version(before.version),
        error=StaleError("somebody else changed the reward first"),
    )


def reread(rewards: Sequence[Reward]) -> list[Reward]:
    """Return *rewards* as they stand now."""
    keys = [(_pk(reward), _sk(reward)) for reward in rewards]
    found = store.batch_get(Table.CORE, keys, consistent=True)
    return [store.load(Reward, found[key]) for key in keys if key in found]


def due(shard: int, upto: Instant) -> Iterator[Reward]:
    """Yield the pending rewards of *shard* that are due until *upto*, oldest first.

    All rewards of one partner are in the same shard.
    """
    keys: list[tuple[str, str]] = []
    pages = store.query_all(Table.CORE, f"DUE#accrue#{shard}", between=("0", upto), index="gsi3")
    for item in pages:
        keys.append((item["pk"], item["sk"]))
        if len(keys) == 100:  # noqa: PLR2004  (one batch of reads)
            yield from _pending(keys)
            keys = []
    yield from _pending(keys)


def of_partner(
    partner: str, currency: str, *, limit: int, upto: int | None = None
) -> tuple[list[Reward], int | None]:
    """Return one page of a partner's rewards as they stand, newest first, and where to go on.

    Args:
        partner: Whose.
        currency: In which currency.
        limit: Most journals to look through; a page may hold fewer rewards.
        upto: Where to go on, from the page before.
    """
    _, page, following = ledger.statement(partner, currency, limit=limit, upto=upto)
    earned = [each.refs for each in page if each.kind is Kind.REWARD_EARNED]
    return of_refs(earned, partner), following


def of_refs(refs: Sequence[dict[str, str]], partner: str) -> list[Reward]:
    """Return the rewards of *partner* that journals refer to, each once, as they stand."""
    places = [(f"REFERRAL#{each['referral']}", _sk_of(each, partner)) for each in refs]
    keys = list(dict.fromkeys(places))
    found = store.batch_get(Table.CORE, keys, consistent=True)
    return [store.load(Reward, found[key]) for key in keys if key in found]


def _pending(keys: Sequence[tuple[str, str]]) -> Iterator[Reward]:
    found = store.batch_get(Table.CORE, keys) if keys else {}
    for key in keys:
        if key in found and (reward := store.load(Reward, found[key])).status == "pending":
            yield reward


def _index(reward: Reward) -> dict[str, str]:
    if reward.status != "pending":
        return {}
    return {
        "gsi3pk": f"DUE#accrue#{ids.shard(reward.partner, SHARDS)}",
        "gsi3sk": reward.due_at,
    }


def _pk(reward: Reward) -> str:
    return f"REFERRAL#{reward.referral}"


def _sk(reward: Reward) -> str:
    return f"REWARD#{reward.key}"


def _sk_of(refs: dict[str, str], partner: str) -> str:
    return f"REWARD#{refs['plan']}#{refs['milestone']}#{refs['occasion']}#{partner}"
