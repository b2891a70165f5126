"""A program version and some rows made ready for each other: facts, line items, beneficiaries."""

from __future__ import annotations

import polars as pl

from introducer.catalogue import FIELDS
from introducer.document.plan import Beneficiary, Points
from introducer.earning.exchange import Rates
from introducer.earning.rules import Rules
from introducer.money import BASIS_POINTS
from payout.preview import lines, offers
from payout.preview.cells import currencies
from payout.preview.conditions import Fact
from payout.preview.exact import exchange
from payout.preview.offers import Unit, fixed

BENEFICIARY = pl.Enum(["partner", "organization", "customer", "rep"])
_LINE_FACTS = ("sale.items", "sale.quantity", "sale.products")


class Sheet:
    """Rows with every column that the rules of one version look at.

    Attributes:
        rows: One row for each occasion and credited partner, in business order.
        facts: What conditions may ask about.
        known: The currencies that occur.
        missing: Rows whose computation needs a rate that the version lacks, and between what.
    """

    def __init__(self, rules: Rules, rows: pl.DataFrame) -> None:
        self.rules = rules
        self.known = currencies(rows["currency"])
        self.missing: list[tuple[int, str, str]] = []
        self.rows = self._with_amounts(self._with_lines(rows))
        self.facts = self._facts()
        self._seats: dict[Beneficiary, pl.DataFrame] = {}

    @property
    def rates(self) -> Rates:
        """Return the version's exchange rates."""
        return self.rules.rates

    def seats(self, beneficiary: Beneficiary) -> pl.DataFrame:
        """Return who may earn: rows with ``holder``, ``weight`` and ``seat``.

        The facts in a row are those of the partner who is asked about.
        """
        if beneficiary not in self._seats:
            self._seats[beneficiary] = self._made(beneficiary)
        return self._seats[beneficiary]

    def note_missing(self, frame: pl.DataFrame, currency: pl.Expr, to: pl.Expr | str) -> None:
        """Remember that the rows of *frame* need a rate from *currency* to *to*."""
        unit = to if isinstance(to, pl.Expr) else pl.lit(to)
        found = frame.select(
            "row", currency.cast(pl.String).alias("base"), unit.cast(pl.String).alias("to")
        )
        self.missing += list(found.drop_nulls().iter_rows())

    def _with_lines(self, rows: pl.DataFrame) -> pl.DataFrame:
        wanted = {
            name: calculation
            for each in self.rules.plans
            for calculation in offers.calculations(each.plan)
            if (name := offers.line_column(calculation))
        }
        asked = self.rules.asked.intersection(_LINE_FACTS)
        if not wanted and not asked:
            return rows
        items = lines.lines_of(rows)
        if asked:
            found = lines.facts_of(items).select("occ", *sorted(asked))
            rows = rows.join(found, on="occ", how="left", maintain_order="left")
        if wanted:
            sums = [lines.sum_of(each).alias(name) for name, each in wanted.items()]
            found = items.group_by("occ").agg(sums)
            rows = rows.join(found, on="occ", how="left", maintain_order="left")
        return rows

    def _with_amounts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add the amounts that conditions ask for and the units that points are given for."""
        rules = self.rules
        if any(
            isinstance(calculation, Points) and calculation.per_unit
            for each in rules.plans
            for calculation in offers.calculations(each.plan)
        ):
            rows = rows.with_columns(units=offers.units(self.known))
        for kind in ("sale", "event"):
            name = f"{kind}.amount_minor"
            if name not in rules.asked:
                continue
            there = (pl.col("kind") == kind) & pl.col("currency").is_not_null()
            amount = self.told(pl.col("amount_minor"), pl.col("currency"), rules.document.currency)
            rows = rows.with_columns(pl.when(there).then(amount).alias(name))
            lacking = rows.filter(there & pl.col(name).is_null())
            self.note_missing(lacking, pl.col("currency"), rules.document.currency)
        return rows

    def told(self, amount: pl.Expr, currency: pl.Expr, to: str) -> pl.Expr:
        """Return amounts of the occasions' currencies in *to*; null where there is no rate."""
        if set(self.known) <= {to}:
            return amount
        return exchange(amount, Unit(currency, frozenset(self.known)), fixed(to), self.rates)

    def _facts(self) -> dict[str, Fact]:
        scopes = {"partner", "lead", "referral", "occasion"}
        return {
            name: Fact(name, kind)
            for name, kind in self.rows.schema.items()
            if name.startswith(("answers.", "metadata."))
            or (name in FIELDS and FIELDS[name].scope in scopes)
        }

    def _made(self, beneficiary: Beneficiary) -> pl.DataFrame:
        rows = self.rows
        if beneficiary == "partner":
            return rows.with_columns(
                holder=pl.col("partner").to_physical(),
                weight=pl.col("partner.share"),
            )
        if beneficiary == "organization":
            return _companies(rows)
        name = "rep" if beneficiary == "rep" else "lead"
        holder = (
            pl.col("rep").to_physical()
            if beneficiary == "rep"
            else pl.col("lead").rank("dense").cast(pl.UInt32)
        )
        return (
            rows.filter(pl.col(name).is_not_null())
            .sort(["occ", "partner.share", "seat"], descending=[False, True, False])
            .unique("occ", keep="first", maintain_order=True)
            .with_columns(
                holder=holder,
                weight=pl.lit(BASIS_POINTS, dtype=pl.Int64),
                seat=pl.lit(0, dtype=pl.UInt32),
            )
        )


def _companies(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each occasion and company, that of its partner with the largest part."""
    key = ["occ", "partner.organization"]
    members = rows.filter(pl.col("partner.organization").is_not_null()).with_columns(
        weight=pl.col("partner.share").sum().over(key),
        _place=pl.col("seat").min().over(key),
    )
    return (
        members.sort(["occ", "partner.share", "seat"], descending=[False, True, False])
        .unique(key, keep="first", maintain_order=True)
        .sort("occ", "_place")
        .with_columns(
            holder=pl.col("partner.organization").to_physical(),
            seat=pl.int_range(pl.len(), dtype=pl.UInt32).over("occ"),
        )
        .drop("_place")
    )
