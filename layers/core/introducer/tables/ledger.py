"""Journals and balances in the Ledger table.

``JOURNAL#{id}`` / ``JOURNAL``, listed on ``gsi1`` ``PARTNER#{id}#{currency}`` /
``{seq:012}`` (whole, a statement is one query) and on ``gsi2``
``DAY#{program}#{date}#{0-15}`` / hash. ``PARTNER#{id}`` / ``BALANCE#{currency}`` holds
all accounts; it hangs on ``gsi3`` ``DUE#payout#{program}#{currency}#{shard}`` / partner while
something is payable, which moves only when that begins or ends. By which way it is paid is
not known here: rules and payees change, balances then need not. While something is owed back,
and so nothing is payable, it hangs on ``DUE#receivable#{program}#{shard}`` / partner and currency.
``BALANCE#{currency}#{yyyy-mm}`` is what a month (UTC) closed with.

:func:`post_all` is the only writer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from introducer import clock, ids, ledger
from introducer.clock import Instant
from introducer.errors import (
    AlreadyExistsError,
    ContentionError,
    LedgerError,
    StaleError,
    UncertainError,
)
from introducer.ledger import Balance, Journal, Posted, Posting
from introducer.tables import budgets, halts, store
from introducer.tables.budgets import Take
from introducer.tables.store import Table, Transaction

halt, halted, resume = halts.halt, halts.halted, halts.resume
require_running = halts.require_running
"""Whether the books are sound is asked of the books."""

DAY_SHARDS = 16
DUE_SHARDS = 4
_ATTEMPTS = 10
_MAX_WRITES = 95
"""DynamoDB takes 100 items; the balance, a closing copy and a margin are kept free."""


def _nothing(_: Transaction) -> None:
    """Add no write."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Postings that stand or fall together, and the business state that moves with them.

    ``write`` adds ``writes`` items to the transaction. Their conditions must fail with
    :class:`StaleError`: the plan is then asked again.

    Attributes:
        guards: What adds a demand that must hold for the entry, by a name; a demand that
            several entries of a transaction make is made once.
        takes: What the entry takes from budgets; added up within a transaction.
    """

    postings: tuple[Posting, ...]
    write: Callable[[Transaction], None] = _nothing
    writes: int = 1
    guards: Mapping[str, Callable[[Transaction], None]] = {}
    takes: tuple[Take, ...] = ()

    @property
    def size(self) -> int:
        """Return the most items it adds to a transaction."""
        return len(self.postings) + self.writes + len(self.guards) + len(self.takes)


Plan = Callable[[Balance], Sequence[Entry]]
"""Says what is to be booked, given the balance. It must read whatever else it depends
on inside: it is asked again whenever somebody else got in first."""


class _PostedBeforeError(AlreadyExistsError):
    """A journal's id is taken; ``existing`` is who took it."""


def post_all(partner: str, currency: str, plan: Plan, *, now: Instant) -> None:
    """Book everything that *plan* says about one partner and currency.

    Each group of journals is one transaction: the journals, put if absent; the balance,
    if still at its version; the entries' own writes, what they take from budgets, what they
    demand. When an answer is lost, or somebody else got in first, everything is read and
    planned anew, and a journal found there is left as it is. An entry without a posting
    changes business state only.

    Args:
        partner: Whose books.
        currency: In which currency.
        plan: What is to be booked; see :data:`Plan`.
        now: The present instant.

    Raises:
        LedgerError: An invariant is broken, or a journal's id was used for another fact.
            Payouts of the program are halted.
        ContentionError: Others kept getting in first.
    """
    known: set[str] = set()
    strange: set[str] = set()
    doubted = -1
    for attempt in range(_ATTEMPTS):
        before = balance(partner, currency)
        entries: Sequence[Entry] = ()
        try:
            entries = _without(plan(before), known)
            _post(before, entries, now)
        except _PostedBeforeError as error:
            # Somebody may have booked it a moment ago, from newer facts. Planned once more
            # from what is stored now, it is gone, or it is another fact indeed.
            stored = store.load(Journal, error.existing or {})
            if _is_same(stored, entries):
                known.add(stored.id)
            elif stored.id in strange:
                raise _incident(stored, now) from error
            strange.add(stored.id)
        except LedgerError as error:
            # What the plan read may be older than the balance. The same balance twice
            # means that nothing moved in between: the books themselves are wrong.
            if before.version == doubted:
                programs = (posting.program for entry in entries for posting in entry.postings)
                _halt_for(error, before.program or next(programs), now)
                raise
            doubted = before.version
        except (StaleError, UncertainError, ContentionError):
            _pause(attempt)
        else:
            return
    message = "other changes to the same balance kept getting in first"
    raise ContentionError(message, partner=partner, currency=currency)


def balance(partner: str, currency: str) -> Balance:
    """Return a partner's accounts as they stand; all zero before the first journal."""
    stored = store.get(Table.LEDGER, _partner(partner), f"BALANCE#{currency}")
    if stored is None:
        return Balance(partner=partner, currency=currency)
    return store.load(Balance, stored)


def balances(partner: str) -> list[Balance]:
    """Return a partner's accounts in every currency."""
    found = store.query_all(Table.LEDGER, _partner(partner), prefix="BALANCE#", consistent=True)
    return [store.load(Balance, stored) for stored in found if stored["sk"].count("#") == 1]


def balances_of(partners: Sequence[str], currency: str) -> dict[str, Balance]:
    """Return the accounts of many partners in one currency, by partner; eventually consistent."""
    keys = {partner: (_partner(partner), f"BALANCE#{currency}") for partner in partners}
    found = store.batch_get(Table.LEDGER, list(keys.values()))
    return {
        partner: store.load(Balance, found[key])
        if key in found
        else Balance(partner=partner, currency=currency)
        for partner, key in keys.items()
    }


def closing(partner: str, currency: str, month: str) -> Balance | None:
    """Return what a month, ``YYYY-MM``, closed with.

    None when nothing was booked in it, or nothing after it.
    """
    stored = store.get(Table.LEDGER, _partner(partner), f"BALANCE#{currency}#{month}")
    return store.load(Balance, stored) if stored else None


def closings(partner: str, currency: str) -> list[Balance]:
    """Return what each month closed with, oldest first; of the month that runs there is none."""
    found = store.query_all(
        Table.LEDGER, _partner(partner), prefix=f"BALANCE#{currency}#", consistent=True
    )
    return [store.load(Balance, stored) for stored in found]


def journal(journal_id: str) -> Journal | None:
    """Return a journal, or None."""
    stored = store.get(Table.LEDGER, f"JOURNAL#{journal_id}", "JOURNAL")
    return store.load(Journal, stored) if stored else None


def journals(partner: str, currency: str, *, first: int, last: int) -> list[Journal]:
    """Return the journals numbered *first* to *last*, without a gap.

    Raises:
        ContentionError: The index has not caught up yet.
    """
    wanted = list(range(first, last + 1))
    for attempt in range(_ATTEMPTS):
        found = [
            store.load(Journal, stored)
            for stored in store.query_all(
                Table.LEDGER,
                f"{_partner(partner)}#{currency}",
                between=(f"{first:012}", f"{last:012}"),
                index="gsi1",
            )
        ]
        if [each.seq for each in found] == wanted:
            return found
        _pause(attempt)
    message = "the newest journals are not listed yet"
    raise ContentionError(message, partner=partner, currency=currency)


def statement(
    partner: str, currency: str, *, limit: int, upto: int | None = None
) -> tuple[Balance, list[Journal], int | None]:
    """Return the balance, one page of its journals, newest first, and where to go on.

    Args:
        partner: Whose.
        currency: Which currency.
        limit: Most journals.
        upto: The number to begin at, from the page before; the newest when None.
    """
    # The balance comes first: its number is a promise that everything up to it exists.
    now = balance(partner, currency)
    last = now.version if upto is None else min(upto, now.version)
    first = max(1, last - limit + 1)
    page = journals(partner, currency, first=first, last=last) if last >= 1 else []
    return now, page[::-1], first - 1 if first > 1 else None


def due_partners(program: str, currency: str) -> Iterator[str]:
    """Yield the holders to whom something is payable, each once, in a stable order."""
    for shard in range(DUE_SHARDS):
        pk = f"DUE#payout#{program}#{currency}#{shard}"
        for keys in store.query_all(Table.LEDGER, pk, index="gsi3"):
            yield keys["gsi3sk"]


def debtors(program: str) -> Iterator[tuple[str, str]]:
    """Yield holder and currency of everybody who owes something back, each once."""
    for shard in range(DUE_SHARDS):
        pk = f"DUE#receivable#{program}#{shard}"
        for keys in store.query_all(Table.LEDGER, pk, index="gsi3"):
            holder, _, currency = keys["gsi3sk"].partition("#")
            yield holder, currency


def day_keys(program: str, day: str) -> set[tuple[str, str]]:
    """Return journal id and hash of everything booked on *day* (UTC), as the index has it."""
    return {
        (keys["pk"].partition("#")[2], keys["gsi2sk"])
        for shard in range(DAY_SHARDS)
        for keys in store.query_all(Table.LEDGER, f"DAY#{program}#{day}#{shard}", index="gsi2")
    }


def journals_by_id(journal_ids: Sequence[str]) -> list[Journal]:
    """Return those of the journals that exist."""
    found = store.batch_get(Table.LEDGER, [(f"JOURNAL#{each}", "JOURNAL") for each in journal_ids])
    return [store.load(Journal, stored) for stored in found.values()]


def _post(before: Balance, entries: Sequence[Entry], now: Instant) -> None:
    for group in _groups(entries):
        postings = [posting for entry in group for posting in entry.postings]
        writes = Transaction()
        if postings:
            posted = ledger.post(before, postings, now)
            _add(writes, before, posted)
            before = posted.balance
        for entry in group:
            entry.write(writes)
        _add_shared(writes, group)
        writes.commit()


def _add_shared(writes: Transaction, group: Sequence[Entry]) -> None:
    """Add what several entries may touch together: guards once, takes by their sum."""
    guards = {name: add for entry in group for name, add in entry.guards.items()}
    for name in sorted(guards):
        guards[name](writes)
    takes: dict[tuple[str, ...], list[Take]] = {}
    for entry in group:
        for each in entry.takes:
            takes.setdefault((*each.key, str(each.shard)), []).append(each)
    for place in sorted(takes):
        budgets.take(writes, takes[place])


def _add(writes: Transaction, before: Balance, posted: Posted) -> None:
    for each in posted.journals:
        writes.put(
            Table.LEDGER,
            f"JOURNAL#{each.id}",
            "JOURNAL",
            each,
            index=_journal_index(each),
            condition=store.absent(),
            error=_PostedBeforeError("posted before"),
        )
    stale = StaleError("somebody else posted to the balance first")
    writes.put(
        Table.LEDGER,
        _partner(before.partner),
        f"BALANCE#{before.currency}",
        posted.balance,
        index=_balance_index(posted.balance),
        condition=store.at_version(before.version) if before.version else store.absent(),
        error=stale,
    )
    if posted.closing:
        month = posted.closing.posted_at[:7]
        writes.put(
            Table.LEDGER,
            _partner(before.partner),
            f"BALANCE#{before.currency}#{month}",
            posted.closing,
            condition=store.absent(),
            error=stale,
        )


def _journal_index(each: Journal) -> dict[str, str]:
    shard = ids.shard(each.id, DAY_SHARDS)
    return {
        "gsi1pk": f"{_partner(each.partner)}#{each.currency}",
        "gsi1sk": f"{each.seq:012}",
        "gsi2pk": f"DAY#{each.program}#{clock.day(each.posted_at)}#{shard}",
        "gsi2sk": each.hash,
    }


def _balance_index(after: Balance) -> dict[str, str]:
    shard = ids.shard(after.partner, DUE_SHARDS)
    if after.receivable < 0:  # then nothing is payable: one index is enough for both
        return {
            "gsi3pk": f"DUE#receivable#{after.program}#{shard}",
            "gsi3sk": f"{after.partner}#{after.currency}",
        }
    if after.payable <= 0:
        return {}
    return {
        "gsi3pk": f"DUE#payout#{after.program}#{after.currency}#{shard}",
        "gsi3sk": after.partner,
    }


def _groups(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Yield *entries* in order, cut so that each group is one transaction."""
    group: list[Entry] = []
    postings = writes = 0
    for entry in entries:
        more = len(entry.postings)
        if group and (postings + more > ledger.MAX_GROUP or writes + entry.size > _MAX_WRITES):
            yield group
            group, postings, writes = [], 0, 0
        group.append(entry)
        postings += more
        writes += entry.size
    if group:
        yield group


def _without(entries: Sequence[Entry], known: set[str]) -> list[Entry]:
    """Return *entries* without the journals that are booked already."""
    left = []
    for entry in entries:
        postings = tuple(posting for posting in entry.postings if posting.id not in known)
        if postings or not entry.postings:
            left.append(msgspec.structs.replace(entry, postings=postings))
    return left


def _is_same(stored: Journal, entries: Sequence[Entry]) -> bool:
    """Return whether the journal that stood in the way is the booking of the same fact."""
    planned = next(
        posting for entry in entries for posting in entry.postings if posting.id == stored.id
    )
    return ledger.same_fact(stored, planned)


def _incident(stored: Journal, now: Instant) -> LedgerError:
    incident = LedgerError("a journal's id was used for another fact", journal=stored.id)
    _halt_for(incident, stored.program, now)
    return incident


def _halt_for(error: LedgerError, program: str, now: Instant) -> None:
    halt(program, error.message, now=now)


def _partner(partner: str) -> str:
    return f"PARTNER#{partner}"


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  (jitter, not a secret)
