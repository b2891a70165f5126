"""What a preview tells: whole numbers by currency, as JSON, as a table of partners, in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import msgspec

from introducer import money
from introducer.errors import InvalidInputError
from payout.preview.budgets import BudgetUse

_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the beginning of a formula, full width forms included."""


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """Rewards of one kind in one unit: a currency, ``PTS``, or ``EUR.credit`` and the like.

    ``taken_minor`` is what refunds and customers who left would have taken back.
    """

    key: str
    unit: str
    awards: int
    amount_minor: int
    taken_minor: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """How many lie from ``from_minor`` to before ``to_minor``; 0 stands for without end."""

    from_minor: int
    to_minor: int
    count: int


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How amounts in one unit are spread; each percentile is an amount that occurs."""

    unit: str
    count: int
    percentiles: dict[str, int]
    histogram: list[Step]


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """What limits of one kind take from awards: per lead, per partner, ceiling or budget."""

    limit: str
    unit: str
    awards: int
    cut_minor: int


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Rewards but points, told in the program's currency; None where a rate is missing.

    Gross is before anything was taken back, net after.
    """

    gross_minor: int | None
    net_minor: int | None
    per_acquisition_minor: int | None
    net_per_acquisition_minor: int | None
    of_revenue_basis_points: int | None
    net_of_revenue_basis_points: int | None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one version would have paid for the past given."""

    totals: list[Total]
    by_plan: list[Total]
    by_beneficiary: list[Total]
    by_audience: list[Total]
    by_month: list[Total]
    per_referral: list[Spread]
    per_partner: list[Spread]
    cost: Cost
    cuts: list[Cut]
    budgets: list[BudgetUse]
    referrals_with_nothing: int
    plans_with_nothing: list[str]


class Mover(msgspec.Struct, frozen=True, kw_only=True):
    """A beneficiary whose rewards change."""

    holder: str
    unit: str
    live_minor: int
    draft_minor: int
    change_minor: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Who gains and who loses against the live version, in one unit. Customers are not counted."""

    unit: str
    winners: int
    losers: int
    unchanged: int
    gained_minor: int
    lost_minor: int
    most_up: list[Mover]
    most_down: list[Mover]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result of a preview.

    ``newly_nothing`` counts referrals that earn under the live version and not under the draft.
    """

    program: str
    currency: str
    referrals: int
    won: int
    rows: int
    partners: int
    revenue: list[Total]
    draft: Side
    live: Side | None
    changes: list[Change]
    newly_nothing: int
    newly_something: int

    def json(self) -> bytes:
        """Return it as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def summary(self) -> dict[str, str | int]:
        """Return the few figures that a list of previews shows."""
        cost = self.draft.cost
        known: dict[str, str | int | None] = {
            "currency": self.currency,
            "referrals": self.referrals,
            "won": self.won,
            "gross_minor": cost.gross_minor,
            "net_minor": cost.net_minor,
            "per_acquisition_minor": cost.per_acquisition_minor,
            "live_gross_minor": self.live.cost.gross_minor if self.live else None,
            "winners": sum(each.winners for each in self.changes),
            "losers": sum(each.losers for each in self.changes),
        }
        return {name: value for name, value in known.items() if value is not None}


HEADER = ("holder", "unit", "live_minor", "draft_minor", "change_minor")


def partner_rows(rows: Iterable[tuple[str, str, int, int, int]]) -> Iterable[str]:
    """Yield the lines of a CSV with the difference for each beneficiary; safe in spreadsheets."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for holder, unit, *amounts in rows:
        writer.writerow([safe(holder), safe(unit), *amounts])
        if text.tell() > 1 << 16:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def amount_text(amount_minor: int | None, unit: str) -> str:
    """Return an amount for people: ``1234.50 EUR``."""
    if amount_minor is None:
        return "unknown: a rate is missing"
    code, _, kind = unit.partition(".")
    try:
        number = money.decimal_text(amount_minor, code)
    except InvalidInputError:
        number = str(amount_minor)
    return f"{number} {code}{f' ({kind})' if kind else ''}"
