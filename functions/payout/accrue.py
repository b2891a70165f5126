"""Rewards whose time has come become payable: on a schedule, or by hand.

Rewards are found by when they are due and released partner by partner. A second run,
or two at once, find nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, referral, reward
from introducer.clock import Instant
from introducer.errors import StaleError, TransitionError
from introducer.ledger import Balance, Kind, Posting
from introducer.referral import Referral, Retain
from introducer.reward import Reward
from introducer.tables import ledger, programs, referrals, rewards
from introducer.tables.ledger import Entry
from introducer.tables.store import Transaction
from payout.earn import converge, method_of, refs
from payout.edge import logger


def handler(event: dict[str, object], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Retain the customers who stayed, then release what is due."""
    now = clock.now()
    done = {"retained": retain(now), "released": release(now)}
    logger.info("accrued", extra=done)
    return done


def retain(now: Instant) -> int:
    """Move the won referrals whose retention time is over to retained; return how many."""
    count = 0
    for before in referrals.due_for_retention(now):
        document = programs.version(before.program, before.program_version).document
        try:
            after, event = referral.apply(before, Retain(), document, now=now, actor="system")
            writes = Transaction()
            referrals.save(writes, before, after, event)
            writes.commit()
        except (StaleError, TransitionError):
            continue  # it moved this moment; the next run looks again
        count += 1
    return count


def release(now: Instant) -> int:
    """Release every due reward that nothing stands against; return how many were due."""
    count = 0
    for shard in range(rewards.SHARDS):
        due = list(rewards.due(shard, now))
        count += len(due)
        for (partner, currency), mine in _by_balance(due).items():
            _release_for(partner, currency, mine, now)
    return count


def _release_for(partner: str, currency: str, due: Sequence[Reward], now: Instant) -> None:
    for stopped in sorted({each.referral for each in due if _is_over(each.referral)}):
        converge(stopped, now=now)  # what the customer's leaving takes back comes first
    document = programs.current(due[0].program, now).document

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (what is due, all of it)
        return [_entry(each, now) for each in _releasable(due, now)]

    ledger.post_all(partner, currency, plan, now=now, method=method_of(document, currency))
    for each in rewards.reread(due):
        _note_obstacle(each, now)


def _releasable(due: Sequence[Reward], now: Instant) -> list[Reward]:
    return [
        each
        for each in rewards.reread(due)
        if each.status == "pending" and not reward.obstacle(each, _referral(each), now)
    ]


def _entry(before: Reward, now: Instant) -> Entry:
    after = msgspec.structs.replace(
        before, status="released", version=before.version + 1, waiting=""
    )
    posting = Posting(
        id=before.journal_id("release"),
        kind=Kind.REWARD_RELEASED,
        program=before.program,
        partner=before.partner,
        currency=before.currency,
        amount_minor=before.left_minor,
        at=now,
        refs=refs(before),
    )
    return Entry(postings=(posting,), write=lambda writes: rewards.change(writes, before, after))


def _note_obstacle(each: Reward, now: Instant) -> None:
    """Store why a due reward waits, once, so that its partner can be told."""
    if each.status != "pending":
        return
    waiting = reward.obstacle(each, _referral(each), now)
    if waiting in {"", each.waiting}:
        return
    after = msgspec.structs.replace(each, waiting=waiting, version=each.version + 1)
    writes = Transaction()
    rewards.change(writes, each, after)
    try:
        writes.commit()
    except StaleError:
        return  # it moved this moment; the next run looks again


def _by_balance(due: Iterable[Reward]) -> dict[tuple[str, str], list[Reward]]:
    groups: dict[tuple[str, str], list[Reward]] = {}
    for each in due:
        groups.setdefault((each.partner, each.currency), []).append(each)
    return groups


def _referral(each: Reward) -> Referral:
    return referrals.get(each.referral)


def _is_over(referral_id: str) -> bool:
    return referrals.get(referral_id).status in {"churned", "refunded"}
