"""Tax at the moment of paying: what is kept back, and what is counted for the year's end."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from introducer import money
from introducer.clock import Instant
from introducer.partner import Partner
from introducer.payout import Payout
from introducer.program import Program
from introducer.tables import ledger, payouts, taxes
from introducer.tables.store import Transaction
from introducer.tax import law, tally


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What tax means for one payout.

    Attributes:
        blocked: Why nothing may be paid, ``tax_form_missing``; empty when it may.
        withheld_minor: What is kept back for the tax office.
        rate_basis_points: At which rate.
    """

    blocked: str = ""
    withheld_minor: int = 0
    rate_basis_points: int = 0


FREE = Decision()
_MISSING = Decision(blocked="tax_form_missing")


def decide(
    document: Program,
    profile: Partner | None,
    currency: str,
    gross_minor: int,
    now: Instant,
    *,
    method: str = "",
) -> Decision:
    """Return whether a holder may be paid, and what is kept back from it.

    Args:
        document: Whose payer, and what it does about missing forms.
        profile: Of the partner; None for holders who give no forms: reps are employees, whose
            tax is payroll's, and customers get discounts.
        currency: The unit of the books. Nothing can be kept back from points or gift cards.
        gross_minor: What leaves ``payable``.
        now: The present instant.
        method: The way of the money; wages have their own tax.
    """
    payer = document.tax.payer_country
    needed = form_needed(document, profile)
    rules = law.of(payer)
    if profile is None or not needed or method in rules.unreported:
        return FREE
    if law.counts(profile.tax_form, profile.tax_form_until, needed, now):
        return FREE
    rate = rules.backup_basis_points
    # Backup withholding is for residents; who is taxed elsewhere is another law's affair, and
    # so is money that is none.
    if document.tax.missing == "block" or not rate or needed != "w9" or not _is_money(currency):
        return _MISSING
    withheld_minor = money.fraction(gross_minor, rate, money.BASIS_POINTS)
    if withheld_minor >= gross_minor:
        return _MISSING
    return Decision(withheld_minor=withheld_minor, rate_basis_points=rate)


def form_needed(document: Program, profile: Partner | None) -> str:
    """Return the form a partner must give before they are paid, empty for none."""
    return law.needed_of(document.tax.payer_country, profile)


def paid(writes: Transaction, settled: Payout, on: Instant) -> None:
    """Add to *writes* that a payout was paid: one item.

    Call it while adding the journal ``PayoutPaid``; asked again after a lost race, it reads
    the year's total again.

    Args:
        writes: The transaction with the journal.
        settled: The payout.
        on: The journal's ``at``; its day says which year.
    """
    _count(writes, settled, on, 1)


def returned(writes: Transaction, settled: Payout, on: Instant) -> None:
    """Add to *writes* that a payout which was paid came back: one item, or none.

    The year of the payment is corrected, whenever the money came back. What came back before
    it was booked as paid was never counted.

    Args:
        writes: The transaction with the journal ``PayoutReturned``.
        settled: The payout.
        on: The journal's ``at``.
    """
    booked = ledger.journal(f"payout:{settled.reference}:paid")
    if booked is not None:
        _count(writes, settled, booked.at, -1, now=on)


def _count(
    writes: Transaction, settled: Payout, paid_at: Instant, sign: int, *, now: Instant = ""
) -> None:
    before = taxes.find(settled.partner, settled.program, int(paid_at[:4]), settled.currency)
    after = tally.added(
        before,
        method_of(settled.batch),
        sign * settled.gross_minor,
        sign * settled.withheld_minor,
        now or paid_at,
    )
    taxes.save(writes, before, after)


@lru_cache(maxsize=1024)
def method_of(batch: str) -> str:
    """Return the way of the money of a batch, which never changes."""
    return payouts.get_batch(batch).method


def _is_money(currency: str) -> bool:
    return "." not in currency and currency != money.POINTS
