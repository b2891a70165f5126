"""Rewards whose time has come become payable: on a schedule, or by hand.

Rewards are found by when they are due and released partner by partner. A second run,
or two at once, find nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import clock, life
from introducer.clock import Instant
from introducer.command import Retain
from introducer.earning.rules import Rules
from introducer.errors import StaleError, TransitionError
from introducer.ledger import Balance, Kind
from introducer.release import NOT_ENROLLED
from introducer.reward import Reward
from introducer.tables import ledger, programs, referrals, rewards
from introducer.tables.ledger import Entry
from introducer.tables.store import Transaction
from payout.booking import posting
from payout.earn import converge
from payout.edge import logger
from payout.purse import Purse
from payout.waiting import Waiting


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
            after, event = life.apply(before, Retain(), document, now=now, actor="system")
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
        for (holder, unit), mine in _by_balance(due).items():
            _release_for(holder, unit, mine, now)
    return count


def _release_for(holder: str, unit: str, due: Sequence[Reward], now: Instant) -> None:
    for stopped in sorted({each.referral for each in due if _is_over(each.referral)}):
        converge(stopped, now=now)  # what the customer's leaving takes back comes first
    waiting = Waiting(holder, now)

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (what is due, all of it)
        pending = [each for each in rewards.reread(due) if each.status == "pending"]
        found = [_entry(each, waiting.why(each), waiting, now) for each in pending]
        return [entry for entry in found if entry is not None]

    ledger.post_all(holder, unit, plan, now=now)
    for each in rewards.reread(due):
        if each.status == "pending":
            _note_obstacle(each, waiting)


def _entry(before: Reward, why: str, waiting: Waiting, now: Instant) -> Entry | None:
    """Return the entry that releases a due reward or ends it, None when it has to wait."""
    if not why:
        return _released(before, now)
    if waiting.is_over(before, why):
        return _forfeited(before, why, waiting.rules_of(before), now)
    return None


def _released(before: Reward, now: Instant) -> Entry:
    after = msgspec.structs.replace(
        before, status="released", version=before.version + 1, waiting="", missing={}
    )
    # Journals are for ever: one that comes back is released under another name.
    fact = f"release-{before.revived}" if before.revived else "release"
    moved = posting(before, fact, Kind.REWARD_RELEASED, before.left_minor, now)
    return Entry(postings=(moved,), write=lambda writes: rewards.change(writes, before, after))


def _forfeited(before: Reward, why: str, rules: Rules, now: Instant) -> Entry:
    after = msgspec.structs.replace(
        before,
        status="reversed",
        version=before.version + 1,
        reversed_minor=before.amount_minor,
        forfeited=True,
        waiting=why,
        missing={},
    )
    charges, takes = Purse(rules, before.partner, now).charge(before, after)
    after = msgspec.structs.replace(after, charges=charges)
    kind, left = Kind.REWARD_REVERSED, before.left_minor
    reason = why if why == NOT_ENROLLED else "forfeited"
    taken = posting(before, "forfeit", kind, left, now, source="pending", reason=reason)
    return Entry(
        postings=(taken,), write=lambda writes: rewards.change(writes, before, after), takes=takes
    )


def _note_obstacle(each: Reward, waiting: Waiting) -> None:
    """Store why a due reward waits, once, so that its partner can be told."""
    why = waiting.why(each)
    missing = waiting.missing(each) if why == "engagement_missing" else {}
    if not why or (why, missing) == (each.waiting, each.missing):
        return
    after = msgspec.structs.replace(each, waiting=why, missing=missing, version=each.version + 1)
    writes = Transaction()
    rewards.change(writes, each, after)
    try:
        writes.commit()
    except StaleError:
        return  # it moved this moment; the next run looks again


def _by_balance(due: Iterable[Reward]) -> dict[tuple[str, str], list[Reward]]:
    groups: dict[tuple[str, str], list[Reward]] = {}
    for each in due:
        groups.setdefault((each.partner, each.unit), []).append(each)
    return groups


def _is_over(referral_id: str) -> bool:
    return referrals.get(referral_id).status in {"churned", "refunded"}
