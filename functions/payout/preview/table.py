"""Live data as the same table that a CSV is read into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from introducer.earning.known import about_lead, about_partner
from introducer.earning.occasion import Case, Occasion, occasions
from introducer.program import Program
from introducer.referral import Referral, Sale
from payout.preview.layout import TYPES, Shape, shapes

_OWN = ("answers.", "metadata.")
_PYTHON: dict[Shape, type] = {"number": int, "flag": bool}
_SHAPES: dict[type, Shape] = {int: "number", bool: "flag", str: "text"}


def rows_of(cases: Iterable[Case], document: Program, live: Program | None = None) -> pl.DataFrame:
    """Return the table of *cases*, one row for each occasion and credited partner.

    Answers and metadata are kept whether or not the draft declares them: the version it is
    compared with may.

    Args:
        cases: Referrals with everything known about them.
        document: The draft; its stages say which ones a skipped stage stands for.
        live: The version it is compared with; stages that it alone has are occasions too.
    """
    rows = [row for case in cases for row in _rows(case, document, live)]
    names = sorted({name for row in rows for name in row})
    known = shapes(document)
    return pl.DataFrame(
        [
            _column(name, [row.get(name) for row in rows], known.get(name))
            for name in names or ("referral", "partner", "occasion")
            if name in known or name.startswith(_OWN)
        ]
    )


def _column(name: str, values: list[Any], shape: Shape | None) -> pl.Series:
    """Return a typed column; a value of another type than the column's is not known."""
    if shape is None:
        shape = _SHAPES.get(next((type(each) for each in values if each is not None), str), "text")
    if shape == "time":
        texts = pl.Series(name, values, dtype=pl.String)
        return texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms", time_zone="UTC")
    wanted = _PYTHON.get(shape, str)
    fitting = [each if type(each) is wanted else None for each in values]
    kind = TYPES[shape]
    plain = pl.String() if kind == pl.Categorical else kind
    return pl.Series(name, fitting, dtype=plain).cast(kind)


def _rows(case: Case, document: Program, live: Program | None) -> Iterator[dict[str, Any]]:
    lead = {**about_lead(case), **_about_referral(case.referral)}
    sales = {sale.id: sale for sale in case.sales}
    found = {occasion.id: occasion for occasion in occasions(document, case)}
    if live is not None and live.stages != document.stages:
        found = {**{occasion.id: occasion for occasion in occasions(live, case)}, **found}
    for occasion in found.values():
        what = _about(occasion, sales.get(occasion.sale), case)
        for share in case.shares:
            yield {**lead, **about_partner(share), **what, "partner": share.partner}


def _about_referral(referral: Referral) -> dict[str, Any]:
    churned = referral.source_at if referral.status == "churned" else ""
    times = {
        "submitted_at": referral.submitted_at,
        "won_at": referral.won_at,
        "churned_at": churned,
    }
    return {
        "referral": referral.id,
        "lead": referral.lead,
        "rep": referral.rep or None,
        "program_version": referral.program_version,
        **{name: at or None for name, at in times.items()},
    }


def _about(occasion: Occasion, sale: Sale | None, case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {
        **occasion.facts,
        "occasion": occasion.id,
        "kind": occasion.kind,
        "at": occasion.at,
        "event": occasion.name or None,
    }
    prefix = "sale" if sale else "event"
    if occasion.currency:
        found[f"{prefix}.amount_minor"] = occasion.amount_minor
        found[f"{prefix}.currency"] = occasion.currency
    if sale is None:
        return found
    items = [f"{each.product}:{each.quantity}:{each.amount_minor}" for each in occasion.items]
    found |= {
        "sale.number": occasion.number,
        "sale.product": occasion.product or None,
        "items": ";".join(items) or None,
        "refunded_minor": sale.refunded_minor or None,
        "refunds": _refunds(sale, case),
    }
    return found


def _refunds(sale: Sale, case: Case) -> str | None:
    """Return when how much was paid back; the events know."""
    found = [
        f"{event.at}={event.data['amount_minor']}"
        for event in sorted(case.events, key=lambda each: each.seq)
        if event.type in {"SaleRefunded", "ReferralRefunded"} and event.data["sale"] == sale.id
    ]
    return ";".join(found) or None
