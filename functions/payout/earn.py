"""Rewards are earned and taken back: from the bus, by way of a queue.

An event only says which referral to look at. What the books should hold is computed
from everything stored about it now, and what is missing is booked; so the order and
the number of deliveries do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from introducer import clock, payout, program, reward, streams
from introducer.clock import Instant
from introducer.earning.evaluate import evaluate
from introducer.earning.occasion import Case
from introducer.earning.rules import rules_of
from introducer.ledger import Balance, Kind, Posting
from introducer.program import Program
from introducer.reward import Reversal, Reward
from introducer.streams import Answer, Batch, Record
from introducer.tables import ledger, payouts, programs, referrals, rewards
from introducer.tables.ledger import Entry
from introducer.tables.referrals import Detail
from payout.edge import logger


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Bring the books of every referral named in the messages up to date."""
    return streams.from_queue(event, work, read=streams.bus_detail)


def work(batch: Batch) -> None:
    """Bring the books of each event's referral up to date; failures stay in the queue."""
    batch.each(earn)


def earn(event: Record) -> None:
    """Bring the books of one referral up to date."""
    kind, _, referral = event["entity"].partition("#")
    if kind != "REFERRAL":
        message = f"an event of {kind} is not about a referral"
        raise ValueError(message)
    converge(referral, now=clock.now())
    logger.info("books brought up to date", extra={"referral": referral})


def converge(referral: str, *, now: Instant) -> None:
    """Book what the stored facts about *referral* say and the books do not hold yet."""
    facts = referrals.detail(referral)
    document = programs.version(facts.referral.program, facts.referral.program_version).document
    for partner, currency in sorted(_beneficiaries(document, facts)):

        def plan(
            balance: Balance, partner: str = partner, currency: str = currency
        ) -> Sequence[Entry]:
            now_known = referrals.detail(referral)
            return entries(document, now_known, partner, currency, balance, now)

        ledger.post_all(partner, currency, plan, now=now, method=method_of(document, currency))


def method_of(document: Program, currency: str) -> str:
    """Return how *currency* is paid out, empty when the program does not pay it."""
    rule = program.payout_rule(document, currency)
    return rule.method if rule else ""


def entries(
    document: Program,
    facts: Detail,
    partner: str,
    currency: str,
    balance: Balance,
    now: Instant,
) -> list[Entry]:
    """Return what is missing in the books of *partner* in *currency*, cancellations first."""
    stored = {each.key: each for each in rewards.load(facts.rewards)}
    missing = []
    clawed_back_minor = 0
    for due, sale_id in _earned(document, facts):
        if (due.partner, due.currency) != (partner, currency):
            continue
        before = stored.get(due.key)
        sale = next((sale for sale in facts.sales if sale.id == sale_id), None)
        # An amount once booked counts, not what the rules would give today.
        back = (
            [
                each
                for each in reward.reversals(before or due, sale, facts.referral, facts.events)
                if before is None or each.seq > before.reversed_seq
            ]
            if sale
            else []
        )
        if before is not None and before.status == "released":
            clawed_back_minor += sum(each.amount_minor for each in back)
        if before is None or back:
            missing.append(_entry(due, before, back))
    return [*_cancellations(balance, clawed_back_minor, now), *missing]


def _earned(document: Program, facts: Detail) -> list[tuple[Reward, str]]:
    case = Case(
        referral=facts.referral, shares=facts.shares, sales=facts.sales, events=facts.events
    )
    return [(each, each.sale) for each in evaluate(rules_of(document), case).rewards]


def _beneficiaries(document: Program, facts: Detail) -> set[tuple[str, str]]:
    return {(each.partner, each.currency) for each, _ in _earned(document, facts)}


def _entry(due: Reward, before: Reward | None, back: Sequence[Reversal]) -> Entry:
    """Return the entry that earns a new reward, takes some of it back, or both."""
    base = before or due
    source = "payable" if base.status == "released" else "pending"
    postings = tuple(_reversal(base, each, source) for each in back)
    after = _reversed(base, back)
    if before is None:
        postings = (_earning(due), *postings)
        return Entry(postings=postings, write=lambda writes: rewards.add(writes, after))
    bumped = msgspec.structs.replace(after, version=before.version + 1)
    return Entry(postings=postings, write=lambda writes: rewards.change(writes, before, bumped))


def _reversed(base: Reward, back: Sequence[Reversal]) -> Reward:
    if not back:
        return base
    last = back[-1]
    return msgspec.structs.replace(
        base,
        reversed_minor=last.total_minor,
        reversed_seq=last.seq,
        status="reversed" if last.total_minor == base.amount_minor else base.status,
    )


def _earning(due: Reward) -> Posting:
    return Posting(
        id=due.journal_id(),
        kind=Kind.REWARD_EARNED,
        program=due.program,
        partner=due.partner,
        currency=due.currency,
        amount_minor=due.amount_minor,
        at=due.earned_at,
        refs=refs(due),
    )


def _reversal(base: Reward, back: Reversal, source: str) -> Posting:
    return Posting(
        id=base.journal_id(f"reversal-{back.seq}"),
        kind=Kind.REWARD_REVERSED,
        program=base.program,
        partner=base.partner,
        currency=base.currency,
        amount_minor=back.amount_minor,
        at=back.at,
        refs=refs(base),
        source=source,
        reason=back.reason,
    )


def refs(of: Reward) -> dict[str, str]:
    """Return what a journal about a reward refers to."""
    return {
        "referral": of.referral,
        "plan": of.plan,
        "milestone": of.milestone,
        "occasion": of.occasion,
    }


def _cancellations(balance: Balance, clawed_back_minor: int, now: Instant) -> list[Entry]:
    """Return the payouts to cancel so that a clawback finds its money, the newest first."""
    short_minor = clawed_back_minor - balance.payable
    if short_minor <= 0 or not balance.reserved:
        return []
    cancelled = []
    for before in payouts.cancellable(balance.partner, balance.currency):
        if short_minor <= 0:
            break
        after, posting = payout.move(before, "cancelled", now=now, reason="clawback")
        cancelled.append(payouts.moved(before, after, posting))
        short_minor -= before.amount_minor
    return cancelled
