"""The preview: a draft, and the live version, run over past facts; from files to a report.

Pure but for the files it is given and the folder it may spill to. The table is looked at in
buckets, so that memory grows with what must be kept of each award and not with the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import polars as pl

from introducer.earning.rules import Rules, rules_of
from introducer.program import Program
from payout.preview import figures
from payout.preview.awards import awards
from payout.preview.buckets import BUCKET_ROWS, buckets
from payout.preview.budgets import BudgetUse, budgeted
from payout.preview.figures import Paid
from payout.preview.lasting import lasting
from payout.preview.layout import BadDataError, Findings, shapes
from payout.preview.limits import limited
from payout.preview.normal import STEPS, normal
from payout.preview.reading import read_csv, read_parts
from payout.preview.report import Report, Total, partner_rows
from payout.preview.sheet import Sheet
from payout.preview.whole import whole

_NOTHING = pl.DataFrame(schema={"row": pl.UInt32, "referral": pl.String, "partner": pl.Categorical})


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A report and, for the file beside it, the difference for every beneficiary."""

    report: Report
    differences: pl.DataFrame

    def partners_csv(self) -> Iterator[str]:
        """Yield the CSV of what each beneficiary gets now and would get."""
        yield from partner_rows(self.differences.iter_rows())


def run(
    draft: Program,
    live: Program | None,
    files: Sequence[Path],
    *,
    bucket_rows: int = BUCKET_ROWS,
) -> Preview:
    """Return what *draft* would have paid for the past in *files*, beside *live*.

    Args:
        draft: The document to look at, checked.
        live: The version it is compared with, if any.
        files: One CSV (``….csv``), or the Parquet parts of live data in order.
        bucket_rows: How many rows are looked at together at most, as far as they can be parted.

    Raises:
        BadDataError: The data cannot be read, contradict themselves, or need an exchange rate
            that a version lacks. Nothing is computed from only a part of them.
    """
    findings = Findings()
    documents = [draft, *([live] if live else [])]
    known = shapes(*documents)
    if files and files[0].suffix == ".csv":
        read = read_csv(files[0], known, draft.time_zone, findings)
    else:
        read = read_parts(files, known, draft.time_zone, findings)
    with TemporaryDirectory() as work:
        return _Run(documents, findings, Path(work)).over(read, bucket_rows)


class _Run:
    def __init__(self, documents: list[Program], findings: Findings, work: Path) -> None:
        self._rules = [rules_of(each) for each in documents]
        self._findings = findings
        self._work = work
        self._paid = [Paid(rules) for rules in self._rules]
        self._buckets = 0
        self._revenue: list[pl.DataFrame] = []
        self._partners: list[pl.Series] = []
        self._referrals = self._won = self._rows = 0

    def over(self, read: Iterable[pl.DataFrame], bucket_rows: int) -> Preview:
        """Go through the table and make the report."""
        pieces = (self._needed(normal(piece, self._findings)) for piece in read)
        for bucket in buckets(pieces, self._rules, self._work, bucket_rows):
            self._require_none()
            self._look_at(bucket)
        self._require_none()
        if not self._rows:
            self._look_at(self._needed(normal(_NOTHING, self._findings)))
        return self._preview()

    def _needed(self, piece: pl.DataFrame) -> pl.DataFrame:
        """Return what the rules look at of a piece, and what every step looks at."""
        asked = frozenset(STEPS).union(*(rules.asked for rules in self._rules))
        return piece.select([name for name in piece.columns if name in asked])

    def _require_none(self) -> None:
        if self._findings.total:
            raise BadDataError(self._findings)

    def _look_at(self, bucket: pl.DataFrame) -> None:
        """Evaluate a bucket and put the awards aside; budgets need all of them first."""
        rows = whole(bucket, self._findings)
        if self._findings.total:
            return
        for number, (rules, paid) in enumerate(zip(self._rules, self._paid, strict=True)):
            sheet = Sheet(rules, rows)
            made = limited(sheet, awards(sheet))
            if sheet.missing:
                self._add_missing(sheet, "live version" if number else "draft")
                continue
            paid.add_cuts(figures.cuts_of(rules, made))
            made = lasting(sheet, made.filter(pl.col("amount") > 0))
            path = self._file(number, self._buckets)
            figures.narrowed(sheet, made).write_parquet(path, compression="lz4")
        self._buckets += 1
        self._count(bucket, rows)

    def _count(self, bucket: pl.DataFrame, rows: pl.DataFrame) -> None:
        self._rows += len(bucket)
        self._referrals += bucket["referral"].n_unique()
        self._partners.append(bucket["partner"].unique())
        sales = rows.filter((pl.col("kind") == "sale") & (pl.col("seat") == 0))
        self._won += sales["ref"].n_unique()
        refunded = pl.min_horizontal(pl.col("refunded_minor").fill_null(0), "amount_minor")
        self._revenue.append(
            sales.group_by(pl.col("currency").cast(pl.String)).agg(
                pl.len(),
                pl.col("amount_minor").cast(pl.Int128).sum(),
                refunded.cast(pl.Int128).sum(),
            )
        )

    def _add_missing(self, sheet: Sheet, name: str) -> None:
        for row, base, to in sorted(set(sheet.missing)):
            self._findings.add(
                row,
                "sale.currency",
                f"the {name} has no rate from {base} to {to}",
                "add it to exchange.rates of the document, with the policy fixed",
            )

    def _file(self, side: int, bucket: int) -> Path:
        return self._work / f"awards-{side}-{bucket}"

    def _preview(self) -> Preview:
        granted: list[pl.Series | None] = []
        uses: list[list[BudgetUse]] = []
        for side, rules in enumerate(self._rules):
            amounts, found = self._budgets(side, rules)
            granted.append(amounts)
            uses.append(found)
        nothing, something = self._add_up(granted)
        revenue = self._revenue_totals()
        sides = [
            paid.side(found, referrals=self._referrals, won=self._won, revenue=revenue)
            for paid, found in zip(self._paid, uses, strict=True)
        ]
        differing = figures.differences(*self._paid, *([None] if len(self._paid) == 1 else []))
        document = self._rules[0].document
        report = Report(
            program=document.id,
            currency=document.currency,
            referrals=self._referrals,
            won=self._won,
            rows=self._rows,
            partners=pl.concat(self._partners).n_unique(),
            revenue=revenue,
            draft=sides[0],
            live=sides[1] if len(sides) > 1 else None,
            changes=figures.changes(differing) if len(sides) > 1 else [],
            newly_nothing=nothing,
            newly_something=something,
        )
        return Preview(report=report, differences=differing)

    def _budgets(self, side: int, rules: Rules) -> tuple[pl.Series | None, list[BudgetUse]]:
        if not rules.document.budgets:
            return None, []
        columns = ["at", "row", "plan", "unit", "amount"]
        files = [self._file(side, bucket) for bucket in range(self._buckets)]
        return budgeted(rules, pl.concat(pl.read_parquet(file, columns=columns) for file in files))

    def _add_up(self, granted: list[pl.Series | None]) -> tuple[int, int]:
        """Add up the awards; return how many referrals lose everything, and how many begin."""
        places = [0 for _ in granted]
        nothing = something = 0
        for bucket in range(self._buckets):
            tables = []
            for side, amounts in enumerate(granted):
                table = pl.read_parquet(self._file(side, bucket))
                left = table["amount"] if amounts is None else amounts[places[side] :][: len(table)]
                table = table.with_columns(left.alias("granted"))
                places[side] += len(table)
                self._paid[side].add(table)
                tables.append(table)
            nothing += figures.only_in(tables[-1], tables[0])
            something += figures.only_in(tables[0], tables[-1])
        return nothing, something

    def _revenue_totals(self) -> list[Total]:
        found = pl.concat(self._revenue).group_by("currency").sum().sort("currency")
        return [
            Total(key="sales", unit=unit, awards=count, amount_minor=amount, taken_minor=refunded)
            for unit, count, amount, refunded in found.iter_rows()
        ]
