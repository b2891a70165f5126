"""What rows earn under a version: the best offer of each group, in columns.

Mirrors :mod:`introducer.earning.evaluate`; limits and split are in :mod:`payout.preview.limits`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from introducer.document.plan import (
    Beneficiary,
    Happened,
    InvoicePaid,
    Retained,
    StageReached,
    Submitted,
    Won,
)
from introducer.earning.rules import PlanRules, Rules
from introducer.money import BASIS_POINTS
from payout.preview import offers
from payout.preview.conditions import Fact, Facts, holds
from payout.preview.exact import WIDE, exchange, fraction, period, plus_months
from payout.preview.offers import Offer, Offers, Unit, fixed
from payout.preview.sheet import BENEFICIARY, Sheet

_AT_ONCE = 24
"""So many plans of a group are computed together: enough for the cores, little for the memory."""
_CARRIED = ["row", "occ", "ref", "seat", "holder", "weight", "at"]


def awards(sheet: Sheet) -> pl.DataFrame:
    """Return the chosen offers, whole and not yet limited, in the order they are granted.

    Columns: ``row`` (of the partner asked about), ``occ``, ``ref``, ``seat``, ``holder``,
    ``weight``, ``at``, ``beneficiary``, ``plan`` (its place in the document), ``amount``,
    ``currency``. ``sheet.missing`` says which rows lack an exchange rate.
    """
    found = []
    for beneficiary, kind, plans in _parts(sheet.rules):
        seats = _of_kind(sheet.seats(beneficiary), kind)
        if seats.is_empty():
            continue
        seats, facts = _with_past(sheet, _with_ends(sheet.rules, seats), plans)
        groups: dict[str, list[PlanRules]] = {}
        for each in plans:
            groups.setdefault(each.group, []).append(each)
        for group in groups.values():
            chosen = _choose(sheet, seats, facts, group)
            found.append(chosen.with_columns(beneficiary=pl.lit(beneficiary, BENEFICIARY)))
    if not found:
        found = [_empty(sheet)]
    return pl.concat(found).sort("occ", "turn", "seat", maintain_order=True).drop("turn")


def _of_kind(seats: pl.DataFrame, kind: str) -> pl.DataFrame:
    there = seats["kind"] == kind
    return seats if there.all() else seats.filter(there)


def _empty(sheet: Sheet) -> pl.DataFrame:
    none = sheet.seats("partner").clear().select(_CARRIED)
    return none.with_columns(
        turn=pl.lit(0, dtype=pl.UInt16),
        plan=pl.lit(0, dtype=pl.UInt16),
        amount=pl.lit(0, dtype=pl.Int64),
        currency=pl.lit("", dtype=pl.Categorical()),
        beneficiary=pl.lit("partner", BENEFICIARY),
    )


def _parts(rules: Rules) -> list[tuple[Beneficiary, str, list[PlanRules]]]:
    """Return the plans by whom they pay and what for."""
    found: dict[tuple[Beneficiary, str], list[PlanRules]] = {}
    for each in rules.plans:
        found.setdefault((each.plan.beneficiary, each.pays_for), []).append(each)
    return [(beneficiary, kind, plans) for (beneficiary, kind), plans in found.items()]


def _choose(
    sheet: Sheet, seats: pl.DataFrame, facts: Facts, group: Sequence[PlanRules]
) -> pl.DataFrame:
    """Return the best-paying offer of a group for each seat, the first of equals."""
    maker = Offers(sheet.rules.document.currency, sheet.known)
    made = {each: maker.of(each, _own(each, facts)) for each in group}
    for each, offer in made.items():
        for lack in offer.lacks:
            lacking = seats.filter(fits(each, facts) & lack.where)
            sheet.note_missing(lacking, lack.base, lack.to)
    alike = len({offer.unit.only for offer in made.values()} - {None}) == 1 and all(
        offer.unit.only for offer in made.values()
    )
    best = _best_alike(seats, facts, made) if alike else _best_told(sheet, seats, facts, made)
    turn = pl.min_horizontal(
        *(pl.when(triggered(each)).then(pl.lit(each.index, dtype=pl.UInt16)) for each in group)
    )
    currency = next(iter(made.values())).unit.currency if alike else pl.col("best.currency")
    return (
        seats.lazy()
        .with_columns(*best, turn.alias("turn"))
        .filter(pl.col("best.amount") > 0)
        .select(
            *_CARRIED,
            "turn",
            pl.col("best.plan").alias("plan"),
            pl.col("best.amount").alias("amount"),
            currency.alias("currency"),
        )
        .collect()
    )


def _best_alike(seats: pl.DataFrame, facts: Facts, made: dict[PlanRules, Offer]) -> list[pl.Series]:
    """Compare offers of one currency, some plans at a time."""
    plans = list(made)
    best = _best_of(seats, facts, made, plans[:_AT_ONCE])
    for begin in range(_AT_ONCE, len(plans), _AT_ONCE):
        now = _best_of(seats, facts, made, plans[begin : begin + _AT_ONCE])
        more = now["best.amount"] > best["best.amount"].fill_null(-1)
        more = more.fill_null(value=False)
        best = pl.DataFrame([now[name].zip_with(more, best[name]) for name in now.columns])
    return best.get_columns()


def _best_of(
    seats: pl.DataFrame, facts: Facts, made: dict[PlanRules, Offer], plans: list[PlanRules]
) -> pl.DataFrame:
    names = [str(each.index) for each in plans]
    return (
        seats.lazy()
        # Offers may all be constants; the column makes them as long as the rows.
        .select(
            "row",
            *(
                pl.when(fits(each, facts)).then(made[each].amount).alias(name)
                for each, name in zip(plans, names, strict=True)
            ),
        )
        .with_columns(pl.max_horizontal(names).alias("best.amount"))
        .select(
            "best.amount",
            pl.coalesce(
                pl.when(pl.col(name) == pl.col("best.amount")).then(
                    pl.lit(each.index, dtype=pl.UInt16)
                )
                for each, name in zip(plans, names, strict=True)
            ).alias("best.plan"),
        )
        .collect()
    )


def _best_told(
    sheet: Sheet, seats: pl.DataFrame, facts: Facts, made: dict[PlanRules, Offer]
) -> list[pl.Series]:
    """Compare offers of several currencies, told in the program's where they differ in a row."""
    home = fixed(sheet.rules.document.currency)
    frame = seats.lazy().select(
        "row",
        *(
            pl.when(fits(each, facts)).then(offer.amount).alias(f"a{each.index}")
            for each, offer in made.items()
        ),
        *(offer.unit.currency.alias(f"c{each.index}") for each, offer in made.items()),
    )
    frame = frame.with_columns(
        pl.when(pl.col(f"a{each.index}").is_not_null())
        .then(pl.col(f"c{each.index}").cast(pl.String))
        .alias(f"c{each.index}")
        for each in made
    )
    first = pl.coalesce(f"c{each.index}" for each in made)
    mixed = pl.any_horizontal(
        (pl.col(f"c{each.index}") != first).fill_null(value=False) for each in made
    )
    frame = frame.with_columns(mixed=mixed).with_columns(
        pl.when("mixed")
        .then(
            exchange(
                pl.col(f"a{each.index}"),
                Unit(pl.col(f"c{each.index}"), offer.unit.among),
                home,
                sheet.rates,
            )
        )
        .otherwise(pl.col(f"a{each.index}").cast(WIDE))
        .alias(f"t{each.index}")
        for each, offer in made.items()
    )
    table = frame.collect()
    for each in made:
        lacking = pl.col(f"a{each.index}").is_not_null() & pl.col(f"t{each.index}").is_null()
        sheet.note_missing(table.filter(lacking), pl.col(f"c{each.index}"), home.currency)
    most = pl.max_horizontal(f"t{each.index}" for each in made)
    wins = {each.index: pl.col(f"t{each.index}") == most for each in made}
    return table.select(
        pl.coalesce(pl.when(win).then(pl.col(f"a{index}")) for index, win in wins.items()).alias(
            "best.amount"
        ),
        pl.coalesce(
            pl.when(win).then(pl.lit(index, dtype=pl.UInt16)) for index, win in wins.items()
        ).alias("best.plan"),
        pl.coalesce(pl.when(win).then(pl.col(f"c{index}")) for index, win in wins.items())
        .cast(pl.Categorical)
        .alias("best.currency"),
    ).get_columns()


# ---- which plans


def fits(each: PlanRules, facts: Facts) -> pl.Expr:
    """Return where a plan's audience, trigger and condition hold."""
    where = triggered(each)
    if each.audiences:
        admitted = pl.col("partner.audience").is_in(sorted(each.audiences))
        where &= admitted.fill_null(value=False)
    if each.plan.condition is not None:
        where &= holds(each.plan.condition, facts)
    return where


def triggered(each: PlanRules) -> pl.Expr:
    """Return which occasions, of the kind it pays for, a plan pays for."""
    match each.plan.trigger:
        case InvoicePaid(months=None) | Submitted():
            return pl.lit(value=True)
        case InvoicePaid(months=months):
            return pl.col("at") < pl.col(f"end:{months}")
        case Won() | Retained():
            return pl.col("number") == 1
        case StageReached(stage=name) | Happened(event=name):
            return pl.col("event") == name


def _with_ends(rules: Rules, seats: pl.DataFrame) -> pl.DataFrame:
    """Add, for each number of months, the instant so long after the first sale."""
    zone = rules.document.time_zone
    if not rules.months:
        return seats
    first = pl.col("at").filter(pl.col("number") == 1).min().over("ref")
    return seats.with_columns(
        plus_months(first, months, zone).alias(f"end:{months}") for months in sorted(rules.months)
    )


def _own(each: PlanRules, facts: Facts) -> Facts:
    """Return the facts with the plan's own history, where it counts."""
    if not each.counts:
        return facts
    return {
        **facts,
        "history.count": Fact(offers.history(each, "count"), pl.Int64()),
        "history.value_minor": Fact(offers.history(each, "value"), WIDE()),
    }


def _with_past(
    sheet: Sheet, seats: pl.DataFrame, plans: Sequence[PlanRules]
) -> tuple[pl.DataFrame, Facts]:
    """Add how many successes each plan has seen of a holder in the period, and their value."""
    facts = sheet.facts
    document = sheet.rules.document
    for each in plans:
        if not each.counts:
            continue
        fit, value = f"fits:{each.index}", f"value:{each.index}"
        seats = seats.with_columns(
            fits(each, facts).fill_null(value=False).alias(fit),
            period(pl.col("at"), each.period, document.time_zone).alias("_period"),
        )
        escalation = each.plan.escalation
        if escalation and escalation.measure == "count" and not each.asks_value:
            seats = seats.with_columns(pl.lit(0, dtype=WIDE).alias(value))
        else:
            seats = _with_value(sheet, seats, fit, value)
        past = ["holder", "_period"]
        seats = seats.with_columns(
            pl.col(fit).cast(pl.Int64).cum_sum().over(past).alias(offers.history(each, "count")),
            pl.col(value).cum_sum().over(past).alias(offers.history(each, "value")),
        )
    return seats, facts


def _with_value(sheet: Sheet, seats: pl.DataFrame, fit: str, value: str) -> pl.DataFrame:
    """Add the holder's part of what was sold, in the program's currency."""
    home = sheet.rules.document.currency
    counts = pl.col(fit) & pl.col("currency").is_not_null()
    whole = sheet.told(pl.col("amount_minor"), pl.col("currency"), home)
    part = fraction(whole, pl.col("weight"), BASIS_POINTS)
    seats = seats.with_columns(pl.when(counts).then(part).otherwise(0).alias(value))
    lacking = seats.filter(counts & pl.col(value).is_null())
    sheet.note_missing(lacking, pl.col("currency"), home)
    return seats.with_columns(pl.col(value).fill_null(0))
