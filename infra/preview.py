"""A preview on the command line: ``python -m infra.preview draft.json past.csv``.

Says what a draft would have paid for past referrals, beside the live version. Needs
``layers/core`` and ``functions`` on ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from infra.program import lookup
from introducer.check import document
from introducer.errors import InvalidProgramError
from introducer.program import Program
from payout.preview.engine import Preview, run
from payout.preview.layout import BadDataError
from payout.preview.report import Change, Report, Side, Spread, Total, amount_text


def main(arguments: list[str] | None = None) -> int:
    """Run one preview; return 0, 1 when document or data have findings, 2 for no such file."""
    parser = argparse.ArgumentParser(prog="infra.preview", description=__doc__)
    parser.add_argument("draft", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--against", type=Path, help="the live version")
    parser.add_argument("--out", type=Path, help="where results go; beside the data otherwise")
    chosen = parser.parse_args(arguments)
    try:
        draft = _document(chosen.draft)
        live = _document(chosen.against) if chosen.against else None
        found = run(draft, live, [chosen.data])
        _write(found, chosen.out or chosen.data.parent, f"{chosen.data.stem}-{draft.id}")
    except OSError as failure:
        print(f"cannot use {failure.filename}: {failure.strerror}", file=sys.stderr)
        return 2
    except InvalidProgramError as refused:
        for each in refused.findings:
            print(": ".join(str(text) for text in each.values()))
        print(f"a document has {len(refused.findings)} findings", file=sys.stderr)
        return 1
    except BadDataError as bad:
        for finding in bad.findings.first:
            print(f"row {finding.row}, {finding.column or 'the row'}: {finding.problem}")
            print(f"  mend: {finding.fix}")
        print(f"{chosen.data} has {bad.findings.total} findings", file=sys.stderr)
        return 1
    return 0


def _document(file: Path) -> Program:
    return document.parse(file.read_bytes(), lookup(file, []))


def _write(found: Preview, folder: Path, name: str) -> None:
    _show(found.report)
    folder.mkdir(parents=True, exist_ok=True)
    result, partners = folder / f"{name}-preview.json", folder / f"{name}-partners.csv"
    result.write_bytes(found.report.json())
    with partners.open("w", encoding="utf-8", newline="") as file:
        file.writelines(found.partners_csv())
    print(f"\nwritten to {result} and {partners}")


def _show(report: Report) -> None:
    print(f"program {report.program}: {report.referrals:,} referrals, {report.won:,} won")
    print(f"partners: {report.partners:,}")
    for each in report.revenue:
        print(f"sold: {amount_text(each.amount_minor, each.unit)} in {each.awards:,} sales")
    _show_side("the draft", report, report.draft)
    if report.live:
        _show_side("the live version", report, report.live)
        print("\nagainst the live version")
        for change in report.changes:
            _show_change(change)
        print(f"  referrals that earn nothing any more: {report.newly_nothing:,}")
        print(f"  referrals that earn something now: {report.newly_something:,}")


def _show_side(name: str, report: Report, side: Side) -> None:
    print(f"\n{name}")
    cost, unit = side.cost, report.currency
    print(f"  cost: {amount_text(cost.gross_minor, unit)}")
    if cost.net_minor is not None:
        print(f"  after what was taken back: {amount_text(cost.net_minor, unit)}")
    if cost.per_acquisition_minor is not None:
        print(f"  per acquisition: {amount_text(cost.per_acquisition_minor, unit)}")
    if cost.of_revenue_basis_points is not None:
        whole, rest = divmod(cost.of_revenue_basis_points, 100)
        print(f"  share of revenue: {whole}.{rest:02} %")
    _show_totals("plan", side.by_plan)
    _show_totals("for", side.by_beneficiary)
    _show_totals("audience", side.by_audience)
    _show_totals("month", side.by_month)
    _show_spreads("a referral", side.per_referral)
    _show_spreads("a partner", side.per_partner)
    for cut in side.cuts:
        amount = amount_text(cut.cut_minor, cut.unit)
        print(f"  cut by {cut.limit}: {amount} from {cut.awards:,} awards")
    for use in side.budgets:
        wanted = amount_text(use.wanted_minor, use.currency)
        limit = amount_text(use.amount_minor, use.currency)
        until = f", used up {use.reached_at}" if use.reached_at else ""
        print(f"  budget {use.id} {use.period or ''}: {wanted} of {limit}{until}")
    print(f"  referrals that earn nothing: {side.referrals_with_nothing:,}")
    if side.plans_with_nothing:
        print(f"  plans that pay nothing: {', '.join(side.plans_with_nothing)}")


def _show_totals(name: str, totals: Iterable[Total]) -> None:
    for each in totals:
        amount = amount_text(each.amount_minor, each.unit)
        print(f"  {name} {each.key or '(none)'}: {amount} in {each.awards:,} awards")


def _show_spreads(name: str, spreads: Iterable[Spread]) -> None:
    for each in spreads:
        shown = (
            f"{percent} {amount_text(amount, each.unit)}"
            for percent, amount in each.percentiles.items()
        )
        print(f"  {name} ({each.count:,}): {', '.join(shown)}")


def _show_change(change: Change) -> None:
    print(
        f"  {change.unit}: {change.winners:,} gain {amount_text(change.gained_minor, change.unit)},"
        f" {change.losers:,} lose {amount_text(change.lost_minor, change.unit)},"
        f" {change.unchanged:,} stay"
    )
    for each in (*change.most_up[:5], *change.most_down[:5]):
        sign = "+" if each.change_minor > 0 else ""
        print(f"    {each.holder}: {sign}{amount_text(each.change_minor, each.unit)}")


if __name__ == "__main__":
    sys.exit(main())
