"""Limits and splits over awards in the order they are granted.

Mirrors :mod:`introducer.earning.limits`. What a limit lets through in one currency is a
difference of running sums; only where amounts of other currencies meet a limit that really cuts
are awards taken one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from introducer.document.plan import Beneficiary, Cap
from introducer.earning.exchange import Rates
from introducer.money import BASIS_POINTS, POINTS
from payout.preview.cells import currencies
from payout.preview.exact import WIDE, period
from payout.preview.sheet import BENEFICIARY, Sheet

_MAX_64 = 2**63 - 1
NOBODY = 2**32 - 1
"""The seat of the part that nobody gets."""
_LEAD = ["ref"]
_AMOUNT = pl.col("amount")


def limited(sheet: Sheet, awards: pl.DataFrame) -> pl.DataFrame:
    """Return *awards* cut by caps per lead, split, and cut by every other limit of the rules.

    Adds what each amount was on the way: ``whole_part`` (split, nothing cut), ``after_lead`` and
    ``after_partner``. ``amount`` is what is left at last, and may be nothing.
    """
    document, rules = sheet.rules.document, sheet.rules
    lead = _caps([(each.plan.caps, each.index) for each in rules.plans], document.caps, "lead")
    partner = _caps(
        [(each.plan.caps, each.index) for each in rules.plans], document.caps, "partner"
    )
    uncut = split(sheet, awards)
    before = uncut["amount"].alias("whole_part")
    if lead:
        for cap, plans in lead:
            awards = _cap(sheet, awards, cap, plans, [*_LEAD, "beneficiary", "holder"])
        awards = split(sheet, awards)
    else:
        awards = uncut
    awards = awards.with_columns(before)
    for cap, plans in lead:
        awards = _cap(sheet, awards, cap, plans, [*_LEAD, "beneficiary"])
    awards = awards.with_columns(after_lead=_AMOUNT)
    for cap, plans in partner:
        awards = _cap(sheet, awards, cap, plans, ["beneficiary", "holder"])
    awards = awards.with_columns(after_partner=_AMOUNT)
    if document.ceiling:
        money = pl.col("currency") != POINTS
        ceiling = document.ceiling
        awards = cut(sheet, awards, money, ceiling.amount_minor, ceiling.currency, _LEAD)
    return awards


def _caps(
    own: Sequence[tuple[Sequence[Cap], int]], common: Sequence[Cap], per: str
) -> list[tuple[Cap, list[int] | None]]:
    """Return the caps with the plans they are for (None: all), a plan's own before the common."""
    found: dict[str, tuple[Cap, list[int] | None]] = {}
    for caps, plan in own:
        for cap in caps:
            if cap.per == per:
                found[f"{plan}:{cap.id}"] = (cap, [plan])
    return [*found.values(), *((cap, None) for cap in common if cap.per == per)]


def _cap(
    sheet: Sheet, awards: pl.DataFrame, cap: Cap, plans: list[int] | None, keys: list[str]
) -> pl.DataFrame:
    covered = pl.col("currency") == POINTS
    if cap.currency != POINTS:
        covered = ~covered
    if plans is not None:
        covered &= pl.col("plan").is_in(plans)
    if cap.period != "ever":
        zone = sheet.rules.document.time_zone
        awards = awards.with_columns(_period=period(pl.col("at"), cap.period, zone))
        keys = [*keys, "_period"]
    return cut(sheet, awards, covered, cap.amount_minor, cap.currency, keys)


def cut(
    sheet: Sheet, awards: pl.DataFrame, covered: pl.Expr, limit: int, unit: str, keys: list[str]
) -> pl.DataFrame:
    """Return *awards*, those *covered* cut so that none of each *keys* passes *limit* of *unit*.

    Earlier ones go first. Rows that need a missing rate are noted in ``sheet.missing``.
    """
    under = awards.select(covered.alias("covered"), "row", "amount", "currency", *keys)
    under = under.with_row_index("place").filter("covered")
    foreign = [code for code in currencies(under["currency"]) if code != unit]
    for code in foreign:
        if not sheet.rates.has(code, unit):
            lacking = under.filter(pl.col("currency") == code)
            sheet.note_missing(lacking, pl.col("currency"), unit)
    if sheet.missing:
        return awards
    under = under.with_columns(cost=_cost(under, foreign, unit, sheet.rates))
    tight = under.filter(pl.col("cost").sum().over(keys) > limit)
    if tight.is_empty():
        return awards
    if foreign:
        left = _one_by_one(tight, limit, unit, keys, sheet.rates)
    else:
        spent = pl.col("cost").cum_sum().over(keys)
        before = (spent - pl.col("cost")).clip(upper_bound=limit)
        granted = (spent.clip(upper_bound=limit) - before).cast(pl.Int64)
        left = tight.select(granted.alias("amount")).to_series()
    return awards.with_columns(awards["amount"].scatter(tight["place"], left))


def _cost(under: pl.DataFrame, foreign: list[str], unit: str, rates: Rates) -> pl.Expr:
    """Return what each amount uses up of a limit in *unit*; rounded up, in 64 bits if they do."""
    if not foreign:
        most = under.select(_AMOUNT.max()).item() or 0
        return _AMOUNT if most * len(under) < _MAX_64 else _AMOUNT.cast(WIDE)
    cost = _AMOUNT.cast(WIDE)
    for code in foreign:
        up, down = rates.minor_ratio(code, unit)
        costly = (_AMOUNT.cast(WIDE) * up + (down - 1)) // down
        cost = pl.when(pl.col("currency") == code).then(costly).otherwise(cost)
    return cost


def _one_by_one(
    tight: pl.DataFrame, limit: int, unit: str, keys: list[str], rates: Rates
) -> pl.Series:
    """Return what is left of amounts in several currencies: the later depend on the earlier."""
    used: dict[tuple[object, ...], int] = {}
    amounts: list[int] = []
    for amount, currency, *key in tight.select("amount", "currency", *keys).iter_rows():
        spent = used.get(tuple(key), 0)
        granted = min(amount, rates.room(max(0, limit - spent), currency, unit))
        used[tuple(key)] = spent + rates.cost(granted, currency, unit)
        amounts.append(granted)
    return pl.Series("amount", amounts, dtype=pl.Int64)


def split(sheet: Sheet, awards: pl.DataFrame) -> pl.DataFrame:
    """Return *awards* with each whole amount turned into the part of its own seat.

    The part of partners who have no company is nobody's.
    """
    alone = pl.col("weight") == BASIS_POINTS
    if awards.select(alone.all()).item():
        return awards
    awards = awards.with_row_index("_place")
    shared = awards.filter(~alone)
    seats = pl.concat(_weights(sheet, name) for name in shared["beneficiary"].unique())
    pairs = shared.select("_place", "beneficiary", "occ", "amount").join(
        seats, on=["beneficiary", "occ"], maintain_order="left_right"
    )
    own = parts(pairs).join(shared.select("_place", "seat"), on=["_place", "seat"], how="semi")
    return (
        awards.join(own.select("_place", "part"), on="_place", how="left", maintain_order="left")
        .with_columns(pl.coalesce("part", "amount").alias("amount"))
        .drop("_place", "part")
    )


def _weights(sheet: Sheet, beneficiary: Beneficiary) -> pl.DataFrame:
    """Return every shared seat and its part of the credit, and nobody's in the end."""
    seats = sheet.seats(beneficiary).filter(pl.col("weight") != BASIS_POINTS)
    seats = seats.select("occ", "seat", "weight")
    nobody = seats.group_by("occ").agg(
        seat=pl.lit(NOBODY, dtype=pl.UInt32), weight=BASIS_POINTS - pl.col("weight").sum()
    )
    return (
        pl.concat([seats, nobody.filter(pl.col("weight") > 0)])
        .sort("occ", "seat")
        .with_columns(beneficiary=pl.lit(beneficiary, BENEFICIARY))
    )


def parts(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return ``part`` of each seat by largest remainder, earlier seats first on a tie.

    Args:
        pairs: For each amount (``_place``) and seat, in the order of seats: ``amount`` and
            ``weight``, of which those of one amount make 10,000.
    """
    amount, weight = pl.col("amount"), pl.col("weight")
    rest = amount % BASIS_POINTS * weight
    floor = amount // BASIS_POINTS * weight + rest // BASIS_POINTS
    remainder = rest % BASIS_POINTS
    return (
        pairs.lazy()
        .with_columns(_floor=floor, _remainder=remainder)
        .with_columns(
            _left=(amount - pl.col("_floor").sum().over("_place")),
            _rank=pl.col("_remainder").rank("ordinal", descending=True).over("_place"),
        )
        .with_columns(part=pl.col("_floor") + (pl.col("_rank") <= pl.col("_left")).cast(pl.Int64))
        .drop("_floor", "_remainder", "_left", "_rank")
        .collect()
    )
