"""The export of a tax year, and the check of its totals against the books.

The file is the only place outside the People table that holds taxpayer numbers; it lies in
the bank's bucket under ``reports/tax/`` and is read with rights to that folder. A year may be
exported again: every total remembers with which sums it was last told, so what changed since
is known as a correction.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from introducer import spreadsheet
from introducer.clock import Instant
from introducer.errors import ContentionError, StaleError
from introducer.ledger import Journal
from introducer.partner import Partner
from introducer.program import Program
from introducer.tables import partners, people, programs, taxes
from introducer.tables.store import Transaction
from introducer.tax import law, tally
from introducer.tax.form import TaxData
from introducer.tax.tally import YearTotal
from payout import files, withholding
from payout.edge import logger

COLUMNS = (
    "partner currency form form_counts name business_name classification country entity "
    "street city region postal_code tin_type tin foreign_tin vat_number tax_number birth_date "
    "paid_minor reportable_minor withheld_minor payouts threshold_reached corrected"
).split()
_OF_FORM = (
    "name business_name classification street city region postal_code tin_type tin foreign_tin "
    "vat_number tax_number birth_date"
).split()
_CHUNK = 100
_MARKS = 50
_ATTEMPTS = 5


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001
    """Write the export that was ordered: ``{"program", "year", "at", "by"}``."""
    key = export(event["program"], int(event["year"]), event["at"])
    logger.info("tax year exported", extra={"file": key, "by": event.get("by", "")})
    return {"file": key}


def export(program: str, year: int, at: Instant) -> str:
    """Write the totals of *year* to a file and mark them as exported; return the file's key.

    Asked again for the same moment, it finds its own file and marks by that.

    Args:
        program: Whose payees.
        year: Calendar year of the payments.
        at: When it was ordered; names the file.

    Raises:
        InvalidInputError: ``unknown_tax_year``.
    """
    document = programs.current(program, at).document
    law.threshold(document.tax.payer_country, year)
    rows = [list(COLUMNS), *_rows(document, taxes.of_year(program, year), at)]
    key = tally.export_key(program, year, at)
    content = files.write_once(key, spreadsheet.lines(rows).encode(), kind="text/csv")
    told = iter(csv.DictReader(io.StringIO(content.decode())))
    while some := list(islice(told, _MARKS)):
        _mark_all(program, year, some, at)
    return key


def differences(
    program: str, partner: str, currency: str, journals: list[Journal]
) -> list[dict[str, str | int]]:
    """Return where the totals of a holder are not the fold of their journals.

    Args:
        program: Whose books.
        partner: The holder.
        currency: The unit.
        journals: All of the balance, in order.
    """
    folded = tally.fold(journals, withholding.method_of)
    stored = {
        each.year: (each.paid, each.withheld_minor)
        for each in taxes.of_holder(partner)
        if (each.program, each.currency) == (program, currency)
    }
    nothing: tuple[dict[str, int], int] = ({}, 0)
    return [
        {"kind": "tax_total_is_not_fold", "partner": partner, "currency": currency, "year": year}
        for year in sorted({*folded, *stored})
        if folded.get(year, nothing) != stored.get(year, nothing)
    ]


def _rows(document: Program, totals: Iterator[YearTotal], at: Instant) -> Iterator[list[str]]:
    chunk: list[YearTotal] = []
    for each in totals:
        chunk.append(each)
        if len(chunk) == _CHUNK:
            yield from _chunk_rows(document, chunk, at)
            chunk = []
    yield from _chunk_rows(document, chunk, at)


def _chunk_rows(document: Program, chunk: list[YearTotal], at: Instant) -> Iterator[list[str]]:
    profiles = partners.find_partners([each.partner for each in chunk if "." not in each.partner])
    given = people.tax_forms([each.person for each in profiles.values() if each.tax_form])
    for each in chunk:
        profile = profiles.get(each.partner)
        data = given.get(profile.person) if profile else None
        row = _row(document, each, profile, data, at)
        yield [row[column] for column in COLUMNS]


def _row(
    document: Program,
    total: YearTotal,
    profile: Partner | None,
    data: TaxData | None,
    at: Instant,
) -> dict[str, str]:
    payer = document.tax.payer_country
    return {
        "partner": total.partner,
        "currency": total.currency,
        "form": profile.tax_form if profile else "",
        "form_counts": _yes(law.is_free(payer, profile, at)),
        **{name: str(getattr(data, name)) if data else "" for name in _OF_FORM},
        "country": (profile.tax_country or profile.country) if profile else "",
        "entity": profile.tax_entity if profile else "",
        "paid_minor": str(total.paid_minor),
        "reportable_minor": str(total.reportable_minor(payer)),
        "withheld_minor": str(total.withheld_minor),
        "payouts": str(total.payouts),
        "threshold_reached": tally.threshold_reached(total, payer),
        "corrected": _yes(total.corrected),
    }


def _mark_all(program: str, year: int, rows: list[dict[str, str]], at: Instant) -> None:
    """Note on many totals with which sums they were exported; those that were noted are not."""
    told = {(row["partner"], row["currency"]): row for row in rows}
    writes = Transaction()
    for before in taxes.find_many(program, year, list(told)):
        if before.exported_at < at:
            row = told[before.partner, before.currency]
            taxes.save(writes, before, _marked(before, row, at))
    if not len(writes):
        return
    try:
        writes.commit()
    except StaleError:  # one was paid to in this moment
        for row in rows:
            _mark(program, year, row, at)


def _mark(program: str, year: int, row: Mapping[str, str], at: Instant) -> None:
    """Note on a total with which sums it was exported, whatever it is by now."""
    for _ in range(_ATTEMPTS):
        before = taxes.find(row["partner"], program, year, row["currency"])
        if before.exported_at >= at:
            return
        writes = Transaction()
        taxes.save(writes, before, _marked(before, row, at))
        try:
            writes.commit()
        except StaleError:
            continue
        return
    message = "the total kept changing"
    raise ContentionError(message, partner=row["partner"])


def _marked(before: YearTotal, row: Mapping[str, str], at: Instant) -> YearTotal:
    return tally.exported(before, int(row["paid_minor"]), int(row["withheld_minor"]), at)


def _yes(value: bool) -> str:  # noqa: FBT001  (a word for a cell)
    return "yes" if value else "no"
