"""What people do to batches, and what calendars have asked for, in the Ledger table.

``PAYDAY#{program}`` / ``{region}#{unit}#{method}`` is the last day on which a rule's calendar
asked for a batch, and which batch that is: hourly starts find it and make no other.
Batches and payouts themselves are kept by :mod:`introducer.tables.payouts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from pynamodb.expressions.operand import Path

from introducer import payout
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import NotFoundError, StaleError
from introducer.ledger import Balance
from introducer.payout import Batch, Payout
from introducer.tables import ledger, payouts, store
from introducer.tables.ledger import Entry
from introducer.tables.store import Item, Table, Transaction

_END = "9999"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which a calendar asked for a batch; ``batch`` is empty when nobody was to be paid.

    ``period`` is the day's date, ``run`` the batch's.
    """

    period: str
    batch: str
    run: int
    at: Instant


def asked(program: str, rule: PayoutRule) -> Asked | None:
    """Return the last day on which the calendar of *rule* asked for a batch, None for never."""
    stored = store.get(Table.LEDGER, f"PAYDAY#{program}", _name(rule))
    return store.load(Asked, stored) if stored else None


def keep_asked(program: str, rule: PayoutRule, new: Asked) -> Asked:
    """Keep the day of *new* and return what counts: the first that was kept of a day, for good."""
    try:
        store.put(
            Table.LEDGER,
            f"PAYDAY#{program}",
            _name(rule),
            new,
            condition=store.absent() | (Path("period") < new.period),
            error=StaleError("this day was kept before"),
        )
    except StaleError:
        return asked(program, rule) or new
    return new


def since(program: str, at: Instant) -> list[Batch]:
    """Return the batches of a program that were made at *at* or later, oldest first."""
    found = store.query_all(Table.LEDGER, f"PROGRAM#{program}", index="gsi1", between=(at, _END))
    return [store.load(Batch, stored) for stored in found]


def under_way(program: str) -> list[Batch]:
    """Return the batches of a program that a state machine has work to do on, oldest first.

    One that was made this moment may still be missing.
    """
    listed = store.query_all(Table.LEDGER, f"OPEN#batch#{program}", index="gsi3")
    keys = [(str(each["pk"]), "STATE") for each in listed]
    found = store.batch_get(Table.LEDGER, keys, consistent=True)
    there = [found[key] for key in keys if key in found]
    return [store.load(Batch, stored) for stored in there if "gsi3pk" in stored]


def given_back(batch: Batch) -> None:
    """Take a cancelled batch, whose money is all payable again, off the list of those under way.

    It stays as it was, so that there is no event of it.

    Raises:
        StaleError: Somebody else changed the batch first.
    """
    writes = Transaction()
    writes.put(
        Table.LEDGER,
        batch.entity,
        "STATE",
        batch,
        index=payouts.batch_index(batch, under_way=False),
        condition=store.at_version(batch.version),
        error=StaleError("somebody else changed the batch first"),
    )
    writes.commit()


def payouts_page(
    batch: str, *, status: str = "", limit: int, start: Item | None = None
) -> tuple[list[Payout], Item | None]:
    """Return one page of a batch's payouts, those skipped included, and where to go on.

    A page before the last one reads *limit* of them, and holds fewer where a *status* is asked for.
    """
    shard, key = (int(start["shard"]), start["key"]) if start else (0, None)
    references: list[str] = []
    while shard < payouts.SHARDS and len(references) < limit:
        page = store.query(
            Table.LEDGER,
            f"BATCH#{batch}#{shard}",
            prefix="PAYOUT#",
            index="gsi2",
            limit=limit - len(references),
            start=key,
        )
        references += [str(each["pk"]).partition("#")[2] for each in page.items]
        key = page.next
        shard += key is None
    found = payouts.find_many(references)
    listed = [found[each] for each in references if status in {"", found[each].status}]
    return listed, {"shard": shard, "key": key} if shard < payouts.SHARDS else None


def exclude(batch: str, holder: str, *, reason: str, actor: str, now: Instant) -> Batch:
    """Take *holder* out of a batch that was not submitted; safe to repeat.

    In one transaction the payout is cancelled, its money payable again, the batch's sums and
    the event are written; and the actor may not approve the batch any more.

    Args:
        batch: Its id.
        holder: Whose payout.
        reason: Why, a word.
        actor: ``user:…``, another person than the one who approved it.
        now: The present instant.

    Raises:
        NotFoundError: There is no such batch, or nothing to be paid to them in it.
        ForbiddenError: The actor approved it.
        TransitionError: The batch was submitted or cancelled.
    """
    reference = payout.reference(batch, holder)
    currency = payouts.get_batch(batch).currency

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (the payout decides)
        seen, before = payouts.find(reference), payouts.get_batch(batch)
        if seen is None or seen.status == "skipped":
            message = "nothing is to be paid to them in this batch"
            raise NotFoundError(message)
        if seen.status == "cancelled":
            return []
        after, event = payout.exclude(before, seen, reason=reason, actor=actor, now=now)
        moved, posting = payout.move(seen, "cancelled", now=now, reason="excluded")

        def write(writes: Transaction) -> None:
            payouts.change(writes, seen, moved)
            writes.include(payouts.batch_writes(after, event, store.at_version(before.version)))

        return [Entry(postings=(posting,), write=write, writes=3)]

    ledger.post_all(holder, currency, plan, now=now)
    return payouts.get_batch(batch)


def cancel(batch: str, *, reason: str, actor: str, now: Instant) -> Batch:
    """Give a batch up before it is submitted, and wake its state machine; safe to repeat.

    From then on it cannot be submitted. Its money is given back by the step ``finish``.

    Raises:
        NotFoundError: There is no such batch.
        TransitionError: It was submitted.
        StaleError: Others kept changing it.
    """
    after = payouts.move_batch(
        batch, "cancelled", now=now, actor=actor, reason=reason, cancelled_by=actor
    )
    payouts.wake(batch)
    return after


def _name(rule: PayoutRule) -> str:
    return f"{rule.region}#{rule.currency}#{rule.method}"
