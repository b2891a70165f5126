"""Who is in a batch: reserve, close, mark. One partner at a time, each safe to repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from introducer import paying, payout
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import StaleError
from introducer.ledger import Balance
from introducer.payout import Batch, Payout, PayoutStatus
from introducer.program import Program
from introducer.rails.rail import Payment
from introducer.tables import ledger, partners, payouts, people, programs
from introducer.tables.ledger import Entry
from introducer.tables.store import Transaction
from payout import files, gates

_CHUNK = 100


def eligible(document: Program, rule: PayoutRule) -> Iterator[str]:
    """Yield the holders to pay by *rule* now: enough is payable, and we know where to."""
    due = ledger.due_partners(document.id, rule.currency)
    while chunk := list(islice(due, _CHUNK)):
        payable = ledger.balances_of(chunk, rule.currency)
        profiles = partners.find_partners([each for each in chunk if "." not in each])
        for holder in chunk:
            profile = profiles.get(holder)
            enough = payable[holder].payable >= max(1, rule.threshold_minor)
            theirs = paying.rule_for(document, rule.currency, paying.holder_of(holder, profile))
            if enough and theirs is rule and not gates.obstacle(rule, holder, profile):
                yield holder


def reserve(batch: Batch, partner: str, *, now: Instant) -> None:
    """Reserve what is payable to *partner*, or note why nothing is.

    Either takes the payout's reference for good, so a late repetition changes nothing.
    """
    if payouts.find(payout.reference(batch.id, partner)) is not None:
        return
    document = programs.version(batch.program, batch.program_version).document
    reason = _unfit(batch, document, partner)
    if not reason:
        rule = files.rule_of(document, batch)

        def plan(balance: Balance) -> Sequence[Entry]:
            return _reservation(batch, rule, balance, now)

        ledger.post_all(partner, batch.currency, plan, now=now)
        reason = "below_threshold"
    skip(batch, partner, reason, now=now)


def skip(batch: Batch, partner: str, reason: str, *, now: Instant) -> None:
    """Note that *partner* gets nothing in this batch, unless there is a payout."""
    note = payout.skipped(batch, partner, reason, now)
    if payouts.find(note.reference) is not None:
        return
    writes = Transaction()
    payouts.add(writes, note)
    try:
        writes.commit()
    except StaleError:
        return  # the reference is taken, which is all that matters


def mark(batch: Batch, partner: str, *, now: Instant) -> None:
    """Move what is reserved for *partner* to in transit; give it back when it cannot be sent."""
    reference = payout.reference(batch.id, partner)
    stored = payouts.find(reference)
    if stored is None or stored.status != "created":
        return
    document = programs.version(batch.program, batch.program_version).document
    reason = _unfit(batch, document, partner)
    _move_created(stored, "cancelled" if reason else "in_transit", reason=reason, now=now)


def give_back(batch: Batch, *, reason: str, now: Instant) -> None:
    """Cancel every payout of *batch* that was not submitted."""
    for each in payouts.of_batch(batch.id):
        if each.status == "created":
            _move_created(each, "cancelled", reason=reason, now=now)


def settle_if_done(batch_id: str, *, now: Instant) -> None:
    """Close a batch whose every payout has been answered for."""
    batch = payouts.find_batch(batch_id)
    if batch is None or batch.status != "in_transit":
        return
    members = payouts.of_batch(batch_id)
    # The index may not list all of them yet; then a later answer closes it.
    if len(members) == batch.partners and all(each.status in payout.DONE for each in members):
        payouts.move_batch(batch_id, "settled", now=now, actor="system")


def _move_created(seen: Payout, status: PayoutStatus, *, reason: str, now: Instant) -> None:
    """Move a payout that is reserved on to *status*, unless it has moved since it was seen."""

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (the payout decides)
        before = payouts.find(seen.reference)
        if before is None or before.status != "created":
            return []
        after, posting = payout.move(before, status, now=now, reason=reason)
        return [payouts.moved(before, after, posting)]

    ledger.post_all(seen.partner, seen.currency, plan, now=now)


def _reservation(batch: Batch, rule: PayoutRule, balance: Balance, now: Instant) -> Sequence[Entry]:
    amount_minor = min(balance.payable, files.most_minor(rule))
    if amount_minor < max(1, rule.threshold_minor):
        return []
    new = payout.created(batch, balance.partner, amount_minor, now)
    if payouts.find(new.reference) is not None:
        return []
    return [Entry(postings=(payout.opening(new),), write=lambda writes: payouts.add(writes, new))]


def _unfit(batch: Batch, document: Program, holder: str) -> str:
    """Return why *holder* cannot be paid in this batch, empty when they can."""
    rule = files.rule_of(document, batch)
    profile = partners.find_partner(holder) if "." not in holder else None
    reason = gates.obstacle(rule, holder, profile)
    if reason:
        return reason
    payee = people.payee(profile.person) if profile else None
    if payee is None and rule.method in paying.NEEDS_PAYEE:
        return "no_payee"
    sample = payout.created(batch, holder, 1, batch.created_at)
    return gates.unsendable(files.order(batch, rule, [files.payment(sample, payee, document)]))


def payments(batch: Batch) -> list[Payment]:
    """Return the orders of every payout of *batch* that is to be sent, by reference.

    Raises:
        StaleError: A payout still waits to be marked.
    """
    document = programs.version(batch.program, batch.program_version).document
    found = []
    for each in payouts.find_many(
        [payout.reference(batch.id, partner) for partner in files.read_list(batch.id)]
    ).values():
        if each.status == "created":
            message = "a payout of the batch is not marked yet"
            raise StaleError(message, reference=each.reference)
        if each.status in {"in_transit", "paid", "returned"}:
            profile = partners.find_partner(each.partner) if "." not in each.partner else None
            payee = people.payee(profile.person) if profile else None
            if payee is None and batch.method in paying.NEEDS_PAYEE:
                message = "the payee is gone"
                raise StaleError(message, reference=each.reference)
            found.append(files.payment(each, payee, document))
    return sorted(found, key=lambda order: order.reference)
