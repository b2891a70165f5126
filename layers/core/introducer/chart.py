"""The chart of accounts and the posting rules: which fact moves money from where to where.

One table, :data:`RULES`, says it for every kind of journal. What the money finds on its way
is the ledger's affair (:mod:`introducer.ledger`): debts are netted there, and a part may be
kept back for a tax office.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

ACCOUNTS = ("pending", "payable", "reserved", "in_transit", "paid", "receivable")
"""The accounts of a partner, in the order money passes them."""
EXPENSE = "expense"
"""What the program spends on rewards."""
BEFORE = "expense_before"
"""What another system spent on them; opening balances and imported rewards come from there."""
WITHHELD = "withheld_tax"
"""Kept back from payouts and owed to a tax office."""
PROGRAM_ACCOUNTS = (
    EXPENSE,
    BEFORE,
    "adjustments",
    "written_off",
    WITHHELD,
    "fees",
    "fx",
    "bank",
)
"""The accounts of the program: folded from the journals, never stored in a balance.

``adjustments`` is what people decided by hand, ``written_off`` what nobody will pay back,
``fees`` and ``fx`` what banks and providers charge and what exchange costs, ``bank`` what left
the account for these two.
"""
UNCLASSIFIED = "unclassified"
"""The accounting class of a journal whose fact has none, such as a payout."""


class Kind(StrEnum):
    """What a journal tells of. The name is also the event's type."""

    REWARD_EARNED = "RewardEarned"
    REWARD_RELEASED = "RewardReleased"
    REWARD_REVERSED = "RewardReversed"
    REWARD_IMPORTED = "RewardImported"
    PAYOUT_CREATED = "PayoutCreated"
    PAYOUT_SUBMITTED = "PayoutSubmitted"
    PAYOUT_PAID = "PayoutPaid"
    PAYOUT_RETURNED = "PayoutReturned"
    PAYOUT_CANCELLED = "PayoutCancelled"
    CREDIT_ADJUSTED = "CreditAdjusted"
    DEBIT_ADJUSTED = "DebitAdjusted"
    BALANCE_OPENED = "BalanceOpened"
    RECEIVABLE_WRITTEN_OFF = "ReceivableWrittenOff"
    FEE_CHARGED = "FeeCharged"
    EXCHANGE_LOST = "ExchangeLost"
    EXCHANGE_GAINED = "ExchangeGained"


class Rule(msgspec.Struct, frozen=True):
    """Where a kind of journal may take the money, the first one unless said, and where it goes."""

    sources: tuple[str, ...]
    target: str


RULES: dict[Kind, Rule] = {
    Kind.REWARD_EARNED: Rule((EXPENSE,), "pending"),
    Kind.REWARD_RELEASED: Rule(("pending",), "payable"),
    Kind.REWARD_REVERSED: Rule(("pending", "payable"), EXPENSE),
    Kind.REWARD_IMPORTED: Rule((BEFORE,), "paid"),
    Kind.PAYOUT_CREATED: Rule(("payable",), "reserved"),
    Kind.PAYOUT_SUBMITTED: Rule(("reserved",), "in_transit"),
    Kind.PAYOUT_PAID: Rule(("in_transit",), "paid"),
    Kind.PAYOUT_RETURNED: Rule(("in_transit", "paid"), "payable"),
    Kind.PAYOUT_CANCELLED: Rule(("reserved",), "payable"),
    Kind.CREDIT_ADJUSTED: Rule(("adjustments",), "payable"),
    Kind.DEBIT_ADJUSTED: Rule(("payable",), "adjustments"),
    Kind.BALANCE_OPENED: Rule((BEFORE,), "payable"),
    Kind.RECEIVABLE_WRITTEN_OFF: Rule(("written_off",), "receivable"),
    Kind.FEE_CHARGED: Rule(("fees",), "bank"),
    Kind.EXCHANGE_LOST: Rule(("fx",), "bank"),
    Kind.EXCHANGE_GAINED: Rule(("bank",), "fx"),
}
"""The posting rules, all of them."""

DERIVED = frozenset({Kind.REWARD_RELEASED, Kind.PAYOUT_CREATED})
"""Kinds whose amount is what the books held at that moment, not part of the fact itself."""
WITHHOLDING = frozenset({Kind.PAYOUT_CREATED, Kind.PAYOUT_CANCELLED, Kind.PAYOUT_RETURNED})
"""Kinds of which a part may go to a tax office, or come back from it."""
