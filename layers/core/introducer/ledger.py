"""The books: what moves money between which accounts, and what may never happen.

A :class:`Posting` says what is to be booked, a :class:`Journal` what was booked: the
same fact with its legs, its number and its place in the partner's chain of hashes.
One :class:`Balance` per partner and currency holds all accounts of that partner.

Signs: every account holds what it stands for, so ``pending`` to ``paid`` are what the
program owes or has paid, never below zero; ``receivable`` is what the partner owes
back, zero or below. The program's own accounts (:data:`PROGRAM_ACCOUNTS`) are the other
side: what it spent is below zero, what left its bank or is owed to a tax office above. The
legs of a journal add up to zero, so all accounts together always do.

A holder is a partner's id, ``rep.…``, ``customer.…`` or ``org.…`` for others who earn, and
``batch.…`` for what a batch cost the program in fees and exchange.

Rules of netting: what is credited to ``payable`` first fills an open ``receivable``,
and what a clawback does not find in ``payable`` becomes ``receivable``. A balance
therefore never shows both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

import msgspec

from introducer.chart import (
    ACCOUNTS,
    BEFORE,
    DERIVED,
    EXPENSE,
    PROGRAM_ACCOUNTS,
    RULES,
    WITHHELD,
    WITHHOLDING,
    Kind,
    Rule,
)
from introducer.clock import Instant
from introducer.errors import LedgerError
from introducer.money import MAX_MINOR

__all__ = [
    "ACCOUNTS",
    "BEFORE",
    "DERIVED",
    "EXPENSE",
    "PROGRAM_ACCOUNTS",
    "RULES",
    "WITHHELD",
    "WITHHOLDING",
    "Balance",
    "Journal",
    "Kind",
    "Posted",
    "Posting",
    "Rule",
    "fold",
    "journal_hash",
    "post",
    "same_fact",
    "totals",
]

MAX_BALANCE_MINOR = 1_000 * MAX_MINOR
MAX_GROUP = 30
"""Most journals that one update of a balance may carry."""


class Posting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact that is to be booked.

    Attributes:
        id: Derived from the fact, so that booking it again meets the first time.
        amount_minor: Above zero; the rule of the kind gives it its direction.
        at: When it happened in business; may be long before it is booked.
        refs: Ids of what it concerns: referral, sale, payout, batch, booking.
        source: The account to take it from, where the kind leaves a choice.
        withheld_minor: Of a payout that is created, cancelled or returned: the part of the amount
            that is kept back for a tax office, or given back by it.
        reason: Why, for reversals, returns and cancellations.
    """

    id: str
    kind: Kind
    program: str
    partner: str
    currency: str
    amount_minor: int
    at: Instant
    refs: dict[str, str] = {}
    source: str = ""
    reason: str = ""
    withheld_minor: int = 0


class Journal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A booked fact. Never changed; a correction is another journal.

    Attributes:
        legs: The change of each account, adding up to zero.
        posted_at: When it was booked; rises with ``seq``.
        seq: Its number among the partner's journals in this currency, from 1.
        prev: The hash of the journal before it, empty for the first.
        hash: SHA-256 over everything above.
    """

    id: str
    kind: Kind
    program: str
    partner: str
    currency: str
    amount_minor: int
    legs: dict[str, int]
    at: Instant
    posted_at: Instant
    seq: int
    prev: str
    hash: str
    refs: dict[str, str] = {}
    reason: str = ""


class Balance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All accounts of one partner in one currency.

    ``version`` is the number of the last journal, ``head`` its hash. ``owed_at`` is when the
    debt in ``receivable`` last changed, empty without one.
    """

    partner: str
    currency: str
    program: str = ""
    version: int = 0
    head: str = ""
    pending: int = 0
    payable: int = 0
    reserved: int = 0
    in_transit: int = 0
    paid: int = 0
    receivable: int = 0
    posted_at: Instant = ""
    owed_at: Instant = ""

    def account(self, name: str) -> int:
        """Return what *name*, one of :data:`ACCOUNTS`, holds."""
        return int(getattr(self, name))

    @property
    def accounts(self) -> dict[str, int]:
        """Return every account with what it holds."""
        return {name: self.account(name) for name in ACCOUNTS}


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What one posting makes: the new balance and its journals.

    ``closing``, in a new month only, is the balance that the old one closed with.
    """

    balance: Balance
    journals: tuple[Journal, ...]
    closing: Balance | None = None


def post(balance: Balance, postings: Sequence[Posting], now: Instant) -> Posted:
    """Return what the books become when *postings* are booked in their order.

    Args:
        balance: As it is stored; a new one for a partner's first journal.
        postings: 1 to :data:`MAX_GROUP` facts of the balance's partner and currency.
        now: The present instant. A journal is never booked before the one in front of it.

    Raises:
        LedgerError: A rule of the books would be broken; nothing may be stored.
    """
    if not 0 < len(postings) <= MAX_GROUP:
        _broken("a group holds 1 to 30 journals", balance, count=len(postings))
    posted_at = max(now, balance.posted_at)
    closing = balance if balance.version and posted_at[:7] > balance.posted_at[:7] else None
    journals = []
    after = balance
    for posting in postings:
        after, journal = _post_one(after, posting, posted_at)
        journals.append(journal)
    return Posted(balance=after, journals=tuple(journals), closing=closing)


def fold(
    partner: str, currency: str, journals: Iterable[Journal], start: Balance | None = None
) -> Balance:
    """Return the balance that *journals*, all of them in order, add up to.

    Args:
        partner: Whose.
        currency: In which currency.
        journals: All of them, or all after *start*.
        start: A balance that was proved before; none for the very first journal.

    Raises:
        LedgerError: A number is missing, the chain of hashes is torn, a journal was
            changed after it was booked, or an account goes where it never may.
    """
    balance = start or Balance(partner=partner, currency=currency)
    for journal in journals:
        if journal.seq != balance.version + 1 or journal.prev != balance.head:
            _broken("a journal is missing or out of its place", balance, journal=journal.id)
        if journal.hash != journal_hash(journal):
            _broken("a journal was changed after it was booked", balance, journal=journal.id)
        balance = _apply(balance, journal)
    return balance


def same_fact(journal: Journal, posting: Posting) -> bool:
    """Return whether *journal* is the booking of *posting*.

    The allocation to accounts depends on what they held at that moment and is not
    compared; neither is an amount of the :data:`DERIVED` kinds.
    """
    mine = (posting.id, posting.kind, posting.program, posting.partner, posting.currency)
    stored = (journal.id, journal.kind, journal.program, journal.partner, journal.currency)
    return mine == stored and (
        posting.kind in DERIVED or posting.amount_minor == journal.amount_minor
    )


def journal_hash(journal: Journal) -> str:
    """Return the SHA-256, in hex, over every field of *journal* but its hash."""
    fields = msgspec.structs.asdict(journal)
    del fields["hash"]
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()


def totals(journals: Iterable[Journal]) -> dict[str, dict[str, int]]:
    """Return the sum of the legs by currency and account."""
    sums: dict[str, dict[str, int]] = {}
    for journal in journals:
        accounts = sums.setdefault(journal.currency, {})
        for account, amount_minor in journal.legs.items():
            accounts[account] = accounts.get(account, 0) + amount_minor
    return sums


def _post_one(balance: Balance, posting: Posting, posted_at: Instant) -> tuple[Balance, Journal]:
    _require_fitting(balance, posting)
    unsigned = Journal(
        id=posting.id,
        kind=posting.kind,
        program=posting.program,
        partner=posting.partner,
        currency=posting.currency,
        amount_minor=posting.amount_minor,
        legs=_legs(balance, posting),
        at=posting.at,
        posted_at=posted_at,
        seq=balance.version + 1,
        prev=balance.head,
        hash="",
        refs=posting.refs,
        reason=posting.reason,
    )
    journal = msgspec.structs.replace(unsigned, hash=journal_hash(unsigned))
    return _apply(balance, journal), journal


def _legs(balance: Balance, posting: Posting) -> dict[str, int]:
    """Return the change of each account: taken at the source, given at the target, netted."""
    rule = RULES[posting.kind]
    source = posting.source or rule.sources[0]
    if source not in rule.sources:
        _broken("this kind never takes from that account", balance, journal=posting.id)
    amount = posting.amount_minor
    legs = {source: -amount, rule.target: amount}
    if posting.withheld_minor:
        legs |= _withheld(posting, source, rule.target)
    if rule.target == "payable":
        owed = min(amount, -balance.receivable)
        legs |= {"payable": amount - owed, "receivable": owed}
    if rule.target not in ACCOUNTS and source == "payable":
        there = min(amount, balance.payable)
        legs |= {"payable": -there, "receivable": there - amount}
    return {account: change for account, change in legs.items() if change}


def _withheld(posting: Posting, source: str, target: str) -> dict[str, int]:
    """Return the legs of a payout of which a tax office gets a part: on its way, or back."""
    kept, amount = posting.withheld_minor, posting.amount_minor
    if posting.kind is Kind.PAYOUT_CREATED:
        return {target: amount - kept, WITHHELD: kept}
    return {source: kept - amount, WITHHELD: -kept}


def _apply(balance: Balance, journal: Journal) -> Balance:
    """Return *balance* after *journal*, every invariant checked."""
    _require_balanced(balance, journal.id, journal.legs)
    accounts = {
        name: balance.account(name) + journal.legs[name]
        for name in ACCOUNTS
        if name in journal.legs
    }
    after = msgspec.structs.replace(
        balance,
        program=journal.program,
        version=journal.seq,
        head=journal.hash,
        posted_at=journal.posted_at,
        **accounts,
    )
    _require_sound(after, journal.id)
    if "receivable" in accounts:
        owed_at = journal.posted_at if after.receivable else ""
        after = msgspec.structs.replace(after, owed_at=owed_at)
    return after


def _require_fitting(balance: Balance, posting: Posting) -> None:
    if (posting.partner, posting.currency) != (balance.partner, balance.currency):
        _broken("the journal belongs to another balance", balance, journal=posting.id)
    if balance.program and posting.program != balance.program:
        _broken("the partner belongs to another program", balance, journal=posting.id)
    if not 0 < posting.amount_minor <= MAX_MINOR:
        _broken("an amount is above zero and below the limit", balance, journal=posting.id)
    if posting.withheld_minor and posting.kind not in WITHHOLDING:
        _broken("nothing is withheld from this kind", balance, journal=posting.id)
    if not 0 <= posting.withheld_minor <= posting.amount_minor:
        _broken("no more is withheld than there is", balance, journal=posting.id)


def _require_balanced(balance: Balance, journal: str, legs: Mapping[str, int]) -> None:
    if len(legs) < 2 or sum(legs.values()) != 0:  # noqa: PLR2004  (double entry means two)
        _broken("the legs do not add up to zero", balance, journal=journal)
    if not legs.keys() <= {*ACCOUNTS, *PROGRAM_ACCOUNTS}:
        _broken("there is no such account", balance, journal=journal)


def _require_sound(balance: Balance, journal: str) -> None:
    for name, amount_minor in balance.accounts.items():
        if (amount_minor > 0) if name == "receivable" else (amount_minor < 0):
            _broken(f"{name} may not be on that side of zero", balance, journal=journal)
        if abs(amount_minor) > MAX_BALANCE_MINOR:
            _broken(f"{name} is beyond the limit", balance, journal=journal)
    if balance.payable and balance.receivable:
        _broken("payable and receivable stand open side by side", balance, journal=journal)


def _broken(message: str, balance: Balance, **data: object) -> NoReturn:
    raise LedgerError(
        message,
        partner=balance.partner,
        currency=balance.currency,
        version=balance.version,
        **data,
    )
