"""From what the rules say and what is stored to what must be booked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from introducer import payout, reward
from introducer.clock import Instant
from introducer.document.plan import Clawback
from introducer.errors import StaleError
from introducer.ledger import Balance, Kind, Posting
from introducer.money import BASIS_POINTS
from introducer.referral import ANNULLED
from introducer.reward import Reversal, Reward
from introducer.tables import ledger, payouts, rewards, tallies
from introducer.tables.ledger import Entry
from payout.outcome import Look, look
from payout.purse import Purse


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A reward that is not stored as it should be: as it is due, and as it is stored."""

    due: Reward | None
    before: Reward | None

    @property
    def more_minor(self) -> int:
        """Return by how much the rules give more than they did when it was booked."""
        offered = self.due.offered_minor if self.due else 0
        return offered - (self.before.offered_minor if self.before else 0)

    @property
    def account(self) -> tuple[str, str]:
        """Return the holder and the unit it is booked in."""
        either = self.before or self.due
        assert either is not None  # noqa: S101  (one of the two makes a change)
        return either.partner, either.unit


def book(seen: Look, *, now: Instant, lower: bool = False) -> bool:
    """Book what a referral has too much in the books and, unless *lower* is asked, too little.

    Args:
        seen: A look at it; everything is read again for each attempt to post.
        now: The present instant.
        lower: Only take away.

    Returns:
        Whether nothing is left to be done. It is when rewards would have to be raised while
        somebody may have too much in a tally that they depend on.
    """
    name, done = seen.facts.referral.id, True
    for holder, unit in _in_order(changes(seen)):

        def plan(balance: Balance, account: tuple[str, str] = (holder, unit)) -> Sequence[Entry]:
            nonlocal done
            fresh = look(name, seen.heads, seen.tails)
            if fresh.revisions:
                message = "the facts are newer than what the tallies hold"
                raise StaleError(message)
            mine = [each for each in changes(fresh) if each.account == account]
            down = [each for each in mine if each.more_minor <= 0]
            up = [each for each in mine if each.more_minor > 0]
            if up and (lower or fresh.dirty):
                done, up = False, []
            return entries(fresh, [*down, *up], balance, now)

        ledger.post_all(holder, unit, plan, now=now)
    return done


def changes(seen: Look) -> list[Change]:
    """Return every reward of a referral that is not stored as it should be."""
    stored = {each.key: each for each in rewards.load(seen.facts.rewards)}
    due = {each.key: each for each in seen.outcome.rewards}
    found = []
    for key in dict.fromkeys([*due, *stored]):
        change = Change(due=due.get(key), before=stored.get(key))
        before = change.before
        if before is None or change.more_minor or _back(seen, before):
            found.append(change)
    return found


def _in_order(found: Sequence[Change]) -> list[tuple[str, str]]:
    """Return the accounts to be booked: first those that only lose.

    What a dispute takes from one partner and gives to another is then in the budget again
    when the other's part is asked of it.
    """
    rising = {each.account for each in found if each.more_minor > 0}
    return sorted({each.account for each in found}, key=lambda each: (each in rising, each))


def entries(seen: Look, wanted: Sequence[Change], balance: Balance, now: Instant) -> list[Entry]:
    """Return the entries that make *wanted* so, after those that make room for what is taken.

    Args:
        seen: The facts.
        wanted: Changes of one holder and unit, in the order in which they are booked.
        balance: Of that holder and unit.
        now: The present instant.
    """
    purse = Purse(seen.rules, balance.partner, now)
    made = [_entry(seen, each, purse, now) for each in wanted]
    taken_minor = sum(
        posting.amount_minor
        for entry in made
        for posting in entry.postings
        if posting.kind is Kind.REWARD_REVERSED and posting.source == "payable"
    )
    return [*_cancellations(balance, taken_minor, now), *made]


def refs(of: Reward) -> dict[str, str]:
    """Return what a journal about a reward refers to."""
    return {
        "referral": of.referral,
        "plan": of.plan,
        "milestone": of.milestone,
        "occasion": of.occasion,
        **({"sale": of.sale} if of.sale else {}),
        "class": of.accounting_class,
    }


def posting(
    of: Reward,
    fact: str,
    kind: Kind,
    amount_minor: int,
    at: Instant,
    *,
    source: str = "",
    reason: str = "",
) -> Posting:
    """Return the posting of *fact* about a reward."""
    return Posting(
        id=of.journal_id(fact),
        kind=kind,
        program=of.program,
        partner=of.partner,
        currency=of.unit,
        amount_minor=amount_minor,
        at=at,
        refs=refs(of),
        source=source,
        reason=reason,
    )


def _entry(seen: Look, change: Change, purse: Purse, now: Instant) -> Entry:
    """Return the entry that earns a reward, corrects it, takes some of it back, or all of it."""
    before = change.before
    base = _granted(seen, change, purse)
    back = _back(seen, base)
    after = reward.without(base, back)
    charges, takes = purse.charge(before, after)
    version = before.version + 1 if before else 1
    after = msgspec.structs.replace(after, charges=charges, version=version)
    postings = [*_correction(before, base, version, now, _why(seen, before))]
    source = _account_of(base)
    postings += [
        posting(
            base,
            f"reversal-{each.seq}",
            Kind.REWARD_REVERSED,
            each.amount_minor,
            each.at,
            source=source,
            reason=each.reason,
        )
        for each in back
    ]
    rises = change.more_minor > 0
    return Entry(
        postings=tuple(postings),
        write=lambda writes: (
            rewards.change(writes, before, after) if before else rewards.add(writes, after)
        ),
        guards=tallies.guards(seen.program, seen.depends_on(base.occasion), clean=rises),
        takes=takes,
    )


def _granted(seen: Look, change: Change, purse: Purse) -> Reward:
    """Return the reward as the rules give it and budgets allow it, before reversals to come."""
    due, before, more = change.due, change.before, change.more_minor
    if before is None:
        assert due is not None  # noqa: S101  (one of the two makes a change)
        amount_minor, steps = purse.grant(due, more)
        if not steps:
            return due
        cut = [*due.trace, *_counted(steps, due.offered_minor)]
        status: reward.Status = "pending" if amount_minor else "reversed"
        return msgspec.structs.replace(due, amount_minor=amount_minor, trace=cut, status=status)
    if not more:
        return before
    trace = list(due.trace) if due else []
    if more > 0:
        granted_minor, steps = purse.grant(before, more)
        amount_minor = before.amount_minor + granted_minor
        trace += _counted(steps, amount_minor + sum(int(each["cut_minor"]) for each in steps))
    else:
        amount_minor = min(before.amount_minor, before.offered_minor + more)
    taken = _reversals(seen, msgspec.structs.replace(before, amount_minor=amount_minor))
    return reward.restated(before, due, amount_minor, trace, taken)


def _counted(
    steps: Sequence[dict[str, str | int]], amount_minor: int
) -> Iterator[dict[str, str | int]]:
    """Yield *steps*, which cut one after the other, each with what it left."""
    for step in steps:
        amount_minor -= int(step["cut_minor"])
        yield {**step, "amount_minor": amount_minor}


def _correction(
    before: Reward | None, base: Reward, version: int, now: Instant, why: str
) -> Iterator[Posting]:
    """Yield what brings the books from *before* to *base*, and *why* if there was a *before*."""
    if before is None:
        if base.amount_minor:
            yield posting(base, "reward", Kind.REWARD_EARNED, base.amount_minor, base.earned_at)
        return
    more = base.left_minor - before.left_minor
    if more < 0:
        source = _account_of(before)
        kind = Kind.REWARD_REVERSED
        yield posting(base, f"lower-{version}", kind, -more, now, source=source, reason=why)
    elif more > 0:
        kind = Kind.REWARD_EARNED
        yield posting(base, f"raise-{version}", kind, more, now, reason=why)
        if base.status == "released":
            fact = f"raise-release-{version}"
            yield posting(base, fact, Kind.REWARD_RELEASED, more, now, reason=why)


def _why(seen: Look, before: Reward | None) -> str:
    """Return why a stored reward changes.

    The lead turned out to be known already, the referral to be dishonest, its holder's part
    changed, or what happened before.
    """
    if seen.facts.referral.status == "duplicate":
        return "duplicate"
    if any(event.type == ANNULLED for event in seen.facts.events):
        return seen.facts.referral.reason
    if before is None or not seen.facts.referral.dispute:
        return "displaced"
    return "recredited" if _part_then(before) != _part_now(seen, before.partner) else "displaced"


def _part_then(before: Reward) -> int:
    if not before.offered_minor:
        return 0
    steps = (step["basis_points"] for step in before.trace if step.get("step") == "share")
    return int(next(steps, BASIS_POINTS))


def _part_now(seen: Look, holder: str) -> int:
    kind, _, name = holder.rpartition(".")
    if kind == "org":
        return sum(each.basis_points for each in seen.facts.shares if each.org == name)
    if kind:
        return BASIS_POINTS  # reps and customers are nobody's part of the credit
    return next((each.basis_points for each in seen.facts.shares if each.partner == name), 0)


def _account_of(each: Reward) -> str:
    return "payable" if each.status == "released" else "pending"


def _back(seen: Look, base: Reward) -> list[Reversal]:
    """Return what is still to be taken back from *base*."""
    if base.forfeited:
        return []
    return [each for each in _reversals(seen, base) if each.seq > base.reversed_seq]


def _reversals(seen: Look, of: Reward) -> list[Reversal]:
    plan = next((each for each in seen.rules.document.rewards if each.id == of.plan), None)
    return reward.reversals(
        of,
        next((each for each in seen.facts.sales if each.id == of.sale), None),
        seen.facts.referral,
        seen.facts.events,
        plan.clawback if plan else Clawback(),
        seen.rules.where,
    )


def _cancellations(balance: Balance, clawed_back_minor: int, now: Instant) -> list[Entry]:
    """Return the payouts to cancel so that a clawback finds its money, the newest first."""
    short_minor = clawed_back_minor - balance.payable
    if short_minor <= 0 or not balance.reserved:
        return []
    cancelled = []
    for before in payouts.cancellable(balance.partner, balance.currency):
        if short_minor <= 0:
            break
        after, moved = payout.move(before, "cancelled", now=now, reason="clawback")
        cancelled.append(payouts.moved(before, after, moved))
        short_minor -= before.gross_minor  # what was withheld comes back too
    return cancelled
