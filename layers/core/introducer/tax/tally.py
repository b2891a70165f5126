"""What a payee was paid in a calendar year, for the tax office: kept as payments settle.

A year's total is the fold of the payee's journals: a payment counts in the year of the day it
was booked, with what was withheld from it; money that came back is taken from that same year,
whenever it came back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from introducer.clock import Instant
from introducer.ledger import WITHHELD, Journal, Kind
from introducer.tax import law


class YearTotal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The payments of one payee, program, year and unit.

    Attributes:
        paid: What was paid, before withholding, in minor units, by the way of the money.
        withheld_minor: What of it was kept back for a tax office.
        payouts: How many payments these are.
        exported_at: When it was last in an export; with the sums it had there.
    """

    partner: str
    program: str
    year: int
    currency: str
    version: int = 0
    paid: dict[str, int] = {}
    withheld_minor: int = 0
    payouts: int = 0
    changed_at: Instant = ""
    exported_at: Instant = ""
    exported_paid_minor: int = 0
    exported_withheld_minor: int = 0

    @property
    def paid_minor(self) -> int:
        """Return what was paid by every way."""
        return sum(self.paid.values())

    @property
    def corrected(self) -> bool:
        """Return whether it changed after it was exported."""
        was = (self.exported_paid_minor, self.exported_withheld_minor)
        return bool(self.exported_at) and was != (self.paid_minor, self.withheld_minor)

    def reportable_minor(self, payer_country: str | None) -> int:
        """Return what of it the payer reports, by the law of its country."""
        left_out = law.of(payer_country).unreported
        return sum(amount for method, amount in self.paid.items() if method not in left_out)


def added(
    before: YearTotal, method: str, gross_minor: int, withheld_minor: int, now: Instant
) -> YearTotal:
    """Return *before* with one payment more, or with negative amounts one less."""
    paid = {**before.paid, method: before.paid.get(method, 0) + gross_minor}
    return msgspec.structs.replace(
        before,
        version=before.version + 1,
        paid={name: amount for name, amount in paid.items() if amount},
        withheld_minor=before.withheld_minor + withheld_minor,
        payouts=before.payouts + (1 if gross_minor > 0 else -1),
        changed_at=now,
    )


def exported(before: YearTotal, paid_minor: int, withheld_minor: int, at: Instant) -> YearTotal:
    """Return *before* as one that was in the export of *at* with these sums."""
    return msgspec.structs.replace(
        before,
        version=before.version + 1,
        exported_at=at,
        exported_paid_minor=paid_minor,
        exported_withheld_minor=withheld_minor,
    )


def threshold_reached(total: YearTotal, payer_country: str | None) -> str:
    """Return ``yes`` or ``no``, ``other_currency`` or ``no_threshold`` where neither can be said.

    In the United States it is ``yes`` for everybody from whom something was withheld, whatever
    the sum and the currency: a Form 1099-NEC is filed for each person from whom any federal
    income tax was withheld under the backup withholding rules, regardless of the amount of the
    payment (IRS, Instructions for Forms 1099-MISC and 1099-NEC).

    Raises:
        InvalidInputError: ``unknown_tax_year``.
    """
    least = law.threshold(payer_country, total.year)
    if least is None:
        return "no_threshold"
    if total.withheld_minor > 0 and law.of(payer_country).withheld_is_reported:
        return "yes"
    if total.currency != least.currency:
        return "other_currency"
    return "yes" if total.reportable_minor(payer_country) >= least.amount_minor else "no"


def fold(
    journals: Iterable[Journal], method_of: Callable[[str], str]
) -> dict[int, tuple[dict[str, int], int]]:
    """Return what was paid by method, and withheld, by year, from all journals of one balance.

    Args:
        journals: In order; of one payee and unit.
        method_of: The way of the money of a batch, by its id.
    """
    kept: dict[str, int] = {}
    paid_in: dict[str, tuple[int, str, int]] = {}
    years: dict[int, tuple[dict[str, int], int]] = {}

    def add(year: int, method: str, gross_minor: int, withheld_minor: int) -> None:
        paid, withheld = years.get(year, ({}, 0))
        paid = {**paid, method: paid.get(method, 0) + gross_minor}
        years[year] = ({k: v for k, v in paid.items() if v}, withheld + withheld_minor)

    for each in journals:
        payout = each.refs.get("payout", "")
        match each.kind:
            case Kind.PAYOUT_CREATED:
                kept[payout] = each.legs.get(WITHHELD, 0)
            case Kind.PAYOUT_PAID:
                withheld = kept.get(payout, 0)
                method, year = method_of(each.refs["batch"]), int(each.at[:4])
                paid_in[payout] = (year, method, each.amount_minor + withheld)
                add(year, method, each.amount_minor + withheld, withheld)
            case Kind.PAYOUT_RETURNED if payout in paid_in:
                year, method, gross_minor = paid_in.pop(payout)
                add(year, method, -gross_minor, -kept.get(payout, 0))
            case _:
                pass
    return {year: sums for year, sums in years.items() if sums != ({}, 0)}


def export_key(program: str, year: int, at: Instant) -> str:
    """Return where the export of a year that was ordered *at* lies in the bank's bucket."""
    return f"reports/tax/{program}/{year}/{at}.csv"
