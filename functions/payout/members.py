"""Who is in a batch: reserve, close, mark. One partner at a time, each safe to repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from introducer import clock, ids, paying, payout
from introducer.bank.order import MAX_TRANSFERS
from introducer.clock import Instant
from introducer.document.payout import PayoutRule
from introducer.errors import StaleError
from introducer.ledger import Balance
from introducer.partner import Partner
from introducer.payout import Batch, Payout, PayoutStatus
from introducer.program import Program
from introducer.rails.rail import Payment
from introducer.rates import Quote
from introducer.tables import batches, ledger, partners, payouts, people, programs
from introducer.tables.ledger import Entry
from introducer.tables.people import Payee
from introducer.tables.store import Transaction
from payout import exchange, files, gates, withholding

_CHUNK = 100
MOST_MEMBERS = MAX_TRANSFERS
"""So many are in one batch: no payment file carries more payments."""
FIRST_ASKED_S = 300
"""The clock leaves a payout that is a call to the state machine for so long."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to whom enough is payable, and what stands against it.

    ``account`` is the keyed hash of their account, ``org`` their company; empty for none.
    """

    holder: str
    obstacle: str
    account: str = ""
    org: str = ""


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in a batch, and who could be but for something.

    ``members`` holds by holder, in order, why they get nothing in it, empty for those who do;
    ``findings`` how many are left out, by what stands against them.
    """

    members: dict[str, str]
    findings: dict[str, int]


def candidates(document: Program, rule: PayoutRule, now: Instant) -> Iterator[Candidate]:
    """Yield the holders whose rule *rule* is and to whom it would pay enough."""
    due = ledger.due_partners(document.id, rule.currency)
    while chunk := list(islice(due, _CHUNK)):
        payable = ledger.balances_of(chunk, rule.currency)
        profiles = partners.find_partners([each for each in chunk if "." not in each])
        for holder in chunk:
            profile = profiles.get(holder)
            enough = payable[holder].payable >= max(1, rule.threshold_minor)
            theirs = paying.rule_for(document, rule.currency, paying.holder_of(holder, profile))
            if enough and theirs is rule:
                yield Candidate(
                    holder=holder,
                    obstacle=gates.obstacle(document, rule, holder, profile, now=now),
                    account=profile.payee_key if profile else "",
                    org=profile.org if profile else "",
                )


def eligible(document: Program, rule: PayoutRule, now: Instant) -> Iterator[str]:
    """Yield the holders to pay by *rule* now: enough is payable, and nothing stands against it."""
    for each in candidates(document, rule, now):
        if not each.obstacle:
            yield each.holder


def take_stock(document: Program, rule: PayoutRule, now: Instant) -> Stock:
    """Return who is to be in a batch of *rule*.

    Several partners with one account are all left out, unless they are of one company: who
    refers under many names is paid at one place. Of more than a file can carry, as many as it can
    are chosen, anew for each run: whose name comes late in the alphabet is not left out each time.
    """
    ready, findings = [], Counter[str]()
    for each in candidates(document, rule, now):
        if each.obstacle:
            findings[each.obstacle] += 1
        else:
            ready.append(each)
    shared = _shared_accounts(ready) if rule.method in paying.NEEDS_PAYEE else set()
    members = {each.holder: "duplicate_payee" if each.account in shared else "" for each in ready}
    if len(members) > MOST_MEMBERS:
        findings["over_file_limit"] = len(members) - MOST_MEMBERS
        drawn = sorted(members, key=lambda each: (members[each] != "", ids.derived_id(now, each)))
        members = {holder: members[holder] for holder in drawn[:MOST_MEMBERS]}
    return Stock(
        members={holder: members[holder] for holder in sorted(members)},
        findings={code: findings[code] for code in sorted(findings)},
    )


def reserve(batch: Batch, partner: str, *, now: Instant, reason: str = "") -> None:
    """Reserve what is payable to *partner*, or note why nothing is: *reason*, if there is one.

    Either takes the payout's reference for good, so a late repetition changes nothing.
    """
    if payouts.find(payout.reference(batch.id, partner)) is not None:
        return
    document = programs.version(batch.program, batch.program_version).document
    reason = reason or _unfit(batch, document, partner, now)
    if not reason:
        rule = files.rule_of(document, batch)
        profile = _profile(partner)

        def plan(balance: Balance) -> Sequence[Entry]:
            gross_minor = min(balance.payable, files.most_minor(batch, rule))
            if gross_minor < max(1, rule.threshold_minor):
                return []
            decision = withholding.decide(
                document, profile, batch.currency, gross_minor, now, method=batch.method
            )
            return _reservation(batch, balance, gross_minor, decision, now)

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


def shut(batch: Batch, *, now: Instant) -> Iterator[Payout]:
    """Let nobody join *batch* any more; yield what is in it, by 100, notes included.

    Whoever has no payout by now never gets one: a note takes the reference.
    """
    holders = files.read_list(batch.id)
    for begin in range(0, len(holders), _CHUNK):
        wanted = {
            payout.reference(batch.id, each): each for each in holders[begin : begin + _CHUNK]
        }
        known = payouts.find_many(list(wanted))
        missing = [reference for reference in wanted if reference not in known]
        for reference in missing:
            skip(batch, wanted[reference], "not_reserved", now=now)
        # A reservation may have been quicker than the note.
        yield from (known | payouts.find_many(missing)).values()


def mark(batch: Batch, partner: str, *, now: Instant) -> None:
    """Move what is reserved for *partner* to in transit; give it back when it cannot be sent."""
    reference = payout.reference(batch.id, partner)
    stored = payouts.find(reference)
    if stored is None or stored.status != "created":
        return
    document = programs.version(batch.program, batch.program_version).document
    reason = _unfit(batch, document, partner, now) or _changed_account(batch, partner)
    asked = batch.method in paying.CALLS and not reason
    next_at = clock.plus(now, seconds=FIRST_ASKED_S) if asked else ""
    status: PayoutStatus = "cancelled" if reason else "in_transit"
    _move_created(stored, status, reason=reason, next_at=next_at, now=now)


def give_back(batch: Batch, *, now: Instant) -> None:
    """Make everything payable again that a cancelled *batch* reserved; nobody joins it any more."""
    holders = files.read_list(batch.id)
    for begin in range(0, len(holders), _CHUNK):
        chunk = holders[begin : begin + _CHUNK]
        known = payouts.find_many([payout.reference(batch.id, each) for each in chunk])
        for holder in chunk:
            reference = payout.reference(batch.id, holder)
            if reference not in known:
                skip(batch, holder, "batch_cancelled", now=now)
            # A reservation may have been quicker than the note.
            stored = known.get(reference) or payouts.find(reference)
            if stored is not None and stored.status == "created":
                _move_created(stored, "cancelled", reason="batch_cancelled", now=now)
    batches.given_back(batch)


def settle_if_done(batch_id: str, *, now: Instant) -> None:
    """Close a batch whose every payout has been answered for."""
    batch = payouts.find_batch(batch_id)
    if batch is None or batch.status != "in_transit":
        return
    answered = 0
    for each in payouts.each_of_batch(batch_id):
        if each.status not in payout.DONE:
            return  # asked after every single answer: most of the time this comes soon
        answered += 1
    # The index may not list all of them yet; then a later answer closes it.
    if answered == batch.partners:
        payouts.move_batch(batch_id, "settled", now=now, actor="system")


def _move_created(
    seen: Payout, status: PayoutStatus, *, reason: str, now: Instant, next_at: Instant = ""
) -> None:
    """Move a payout that is reserved on to *status*, unless it has moved since it was seen."""

    def plan(balance: Balance) -> Sequence[Entry]:  # noqa: ARG001  (the payout decides)
        before = payouts.find(seen.reference)
        if before is None or before.status != "created":
            return []
        after, posting = payout.move(before, status, now=now, reason=reason)
        after = msgspec.structs.replace(after, next_at=next_at)
        return [payouts.moved(before, after, posting)]

    ledger.post_all(seen.partner, seen.currency, plan, now=now)


def _reservation(
    batch: Batch, balance: Balance, gross_minor: int, decision: withholding.Decision, now: Instant
) -> Sequence[Entry]:
    amount_minor = gross_minor - decision.withheld_minor
    new = payout.created(batch, balance.partner, amount_minor, now)
    new = msgspec.structs.replace(new, withheld_minor=decision.withheld_minor)
    if batch.sent_currency:
        new = _exchanged(batch, new)
        if not new.sent_minor:
            return []  # so little that it comes to nothing; it stays payable
    if decision.blocked or payouts.find(new.reference) is not None:
        return []
    return [Entry(postings=(payout.opening(new),), write=lambda writes: payouts.add(writes, new))]


def _exchanged(batch: Batch, new: Payout) -> Payout:
    quote = Quote(rate=batch.rate, source=batch.rate_source, at=batch.rate_at)
    sent_minor = exchange.convert(new.amount_minor, batch.currency, batch.sent_currency, quote)
    return payout.exchanged(new, batch, sent_minor)


def _unfit(batch: Batch, document: Program, holder: str, now: Instant) -> str:
    """Return why *holder* cannot be paid in this batch, empty when they can."""
    rule = files.rule_of(document, batch)
    profile = _profile(holder)
    reason = gates.obstacle(document, rule, holder, profile, now=now)
    if reason:
        return reason
    payee = people.payee(profile.person) if profile else None
    if payee is None and rule.method in paying.NEEDS_PAYEE:
        return "no_payee"
    if paying.rule_for(document, batch.currency, paying.holder_of(holder, profile)) is not rule:
        return "payee_not_payable"  # since they were listed they gave another kind of account
    sample = payout.created(batch, holder, 1, batch.created_at)
    if batch.sent_currency:
        sample = payout.exchanged(sample, batch, 1)
    return gates.unsendable(files.order(batch, rule, [files.payment(sample, payee, document)]))


def _changed_account(batch: Batch, holder: str) -> str:
    """Return why *holder* waits for the next batch when they gave another account since.

    An order goes to the account that counted when the batch was submitted, and that one gets
    nothing once another is confirmed.
    """
    profile = _profile(holder) if batch.method in paying.NEEDS_PAYEE else None
    changed = profile is not None and profile.payee_set_at > batch.submitted_at
    return "payee_not_payable" if changed else ""


def _profile(holder: str) -> Partner | None:
    return partners.find_partner(holder) if "." not in holder else None


def _shared_accounts(ready: Sequence[Candidate]) -> set[str]:
    """Return the accounts that several partners gave who are not of one company."""
    owners: dict[str, list[Candidate]] = {}
    for each in ready:
        if each.account:
            owners.setdefault(each.account, []).append(each)
    return {
        account
        for account, theirs in owners.items()
        if len(theirs) > 1 and ("" in (orgs := {each.org for each in theirs}) or len(orgs) > 1)
    }


def payments(batch: Batch) -> list[Payment]:
    """Return the orders of every payout of *batch* that is to be sent, by reference.

    Raises:
        StaleError: A payout still waits to be marked.
    """
    document = programs.version(batch.program, batch.program_version).document
    holders = files.read_list(batch.id)
    found = []
    for begin in range(0, len(holders), _CHUNK):
        chunk = holders[begin : begin + _CHUNK]
        known = payouts.find_many([payout.reference(batch.id, each) for each in chunk])
        sent = [each for each in known.values() if _is_sent(each)]
        # An account confirmed since is paid to by the next batch, after its cooling-off.
        accounts = _accounts([each.partner for each in sent], at=batch.submitted_at)
        for each in sent:
            payee = accounts.get(each.partner)
            if payee is None and batch.method in paying.NEEDS_PAYEE:
                message = "the payee is gone"
                raise StaleError(message, reference=each.reference)
            found.append(files.payment(each, payee, document))
    return sorted(found, key=lambda order: order.reference)


def _is_sent(each: Payout) -> bool:
    if each.status == "created":
        message = "a payout of the batch is not marked yet"
        raise StaleError(message, reference=each.reference)
    return each.status in {"in_transit", "paid", "returned"}


def _accounts(holders: Sequence[str], *, at: Instant) -> dict[str, Payee]:
    """Return where the money of *holders* went *at* a moment, by holder."""
    profiles = partners.find_partners([each for each in holders if "." not in each])
    persons = {holder: profile.person for holder, profile in profiles.items()}
    for holder in holders:
        # Read a little late, the profile of a new partner may not be there yet.
        if holder not in persons and (late := _profile(holder)):
            persons[holder] = late.person
    found = people.payees(list(persons.values()), at=at)
    return {holder: found[person] for holder, person in persons.items() if person in found}
