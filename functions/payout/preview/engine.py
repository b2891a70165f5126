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
from payout.preview.budgets import budgeted
from payout.preview.lasting import lasting
from payout.preview.layout import BadDataError, Findings, shapes
from payout.preview.limits import limited
from payout.preview.normal import normal
from payout.preview.reading import read_csv, read_parts
from payout.preview.report import Report, Side, Total, partner_rows
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
        return _Run(documents, findings).over(read, Path(work), bucket_rows)


class _Run:
    def __init__(self, documents: list[Program], findings: Findings) -> None:
        self._rules = [rules_of(each) for each in documents]
        self._findings = findings
        self._awards: list[list[pl.DataFrame]] = [[] for _ in documents]
        self._cuts: list[list[pl.DataFrame]] = [[] for _ in documents]
        self._revenue: list[pl.DataFrame] = []
        self._partners: list[pl.Series] = []
        self._referrals = self._won = self._rows = 0

    def over(self, read: Iterable[pl.DataFrame], work: Path, bucket_rows: int) -> Preview:
        """Go through the table and make the report."""
        pieces = (normal(piece, self._findings) for piece in read)
        for bucket in buckets(pieces, self._rules, work, bucket_rows):
            self._require_none()
            self._look_at(bucket)
        self._require_none()
        if not self._rows:
            self._look_at(normal(_NOTHING, self._findings))
        return self._preview()

    def _require_none(self) -> None:
        if self._findings.total:
            raise BadDataError(self._findings)

    def _look_at(self, bucket: pl.DataFrame) -> None:
        rows = whole(bucket, self._findings)
        if self._findings.total:
            return
        number = pl.col("referral").rank("dense").cast(pl.UInt32) - 1
        rows = rows.with_columns(number_of_referral=number)
        for rules, found, cuts in zip(self._rules, self._awards, self._cuts, strict=True):
            sheet, made = self._evaluate(rules, rows)
            cuts.append(figures.cuts_of(rules, made))
            made = lasting(sheet, made.filter(pl.col("amount") > 0))
            found.append(figures.narrowed(sheet, made, self._referrals))
        self._rows += len(bucket)
        self._referrals += bucket["referral"].n_unique()
        self._partners.append(bucket["partner"].unique())
        sales = rows.filter((pl.col("kind") == "sale") & (pl.col("seat") == 0))
        self._won += sales["referral"].n_unique()
        self._revenue.append(
            sales.group_by(pl.col("currency").cast(pl.String)).agg(
                pl.len(),
                pl.col("amount_minor").cast(pl.Int128).sum(),
                pl.min_horizontal(pl.col("refunded_minor").fill_null(0), "amount_minor")
                .cast(pl.Int128)
                .sum(),
            )
        )

    def _evaluate(self, rules: Rules, rows: pl.DataFrame) -> tuple[Sheet, pl.DataFrame]:
        sheet = Sheet(rules, rows)
        found = limited(sheet, awards(sheet))
        name = "draft" if rules is self._rules[0] else "live version"
        for row, base, to in sorted(set(sheet.missing)):
            self._findings.add(
                row,
                "sale.currency",
                f"the {name} has no rate from {base} to {to}",
                "add it to exchange.rates of the document, with the policy fixed",
            )
        if sheet.missing:
            found = found.clear()
        return sheet, found

    def _preview(self) -> Preview:
        revenue = self._revenue_totals()
        sides: list[Side] = []
        granted: list[pl.DataFrame] = []
        for rules, found, cuts in zip(self._rules, self._awards, self._cuts, strict=True):
            table, uses = budgeted(rules, pl.concat(found))
            granted.append(table)
            found.clear()
            sides.append(
                figures.side(
                    rules,
                    table,
                    pl.concat(cuts),
                    uses,
                    referrals=self._referrals,
                    won=self._won,
                    revenue=revenue,
                )
            )
        draft, live = granted[0], granted[-1]
        differing = figures.differences(draft, live if len(granted) > 1 else draft.clear())
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
            newly_nothing=figures.only_in(live, draft),
            newly_something=figures.only_in(draft, live),
        )
        return Preview(report=report, differences=differing)

    def _revenue_totals(self) -> list[Total]:
        if not self._revenue:
            return []
        found = pl.concat(self._revenue).group_by("currency").sum().sort("currency")
        return [
            Total(key="sales", unit=unit, awards=count, amount_minor=amount, taken_minor=refunded)
            for unit, count, amount, refunded in found.iter_rows()
        ]
