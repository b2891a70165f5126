"""Exchange rates: finance enters them, batches that pay in another currency go by them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock, money, rates
from introducer.clock import Instant
from introducer.errors import AlreadyExistsError, InvalidInputError, MissingRateError
from introducer.program import Program
from introducer.tables import programs
from introducer.tables import rates as stored
from introducer.tables.rates import Rate
from introducer.tables.store import Transaction
from submit import inputs
from submit.acting import FINANCE, READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

MOST = 40
"""Rates in one request: each is two items of a transaction that holds a hundred."""

resource = Resource(__name__)


class NewRate(Input, frozen=True, kw_only=True, rename={"base": "from"}):
    """What 1 of the one currency is in the other, who says so, and of when that is.

    A rate more than a fifth off the one before is refused unless ``jump`` says it is meant; what
    is paid by it then waits for a second person.
    """

    base: inputs.Currency
    to: inputs.Currency
    rate: Annotated[str, Meta(pattern=rates.RATE, examples=["1.0875"])]
    source: inputs.ShortLine
    at: inputs.Time
    jump: bool = False


class NewRates(Input, frozen=True, kw_only=True):
    """Several rates, taken all together or not at all."""

    rates: Annotated[list[NewRate], Meta(min_length=1, max_length=MOST)]


class RatesTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many are new; those known already are not counted."""

    program: str
    taken: int


class RateRow(msgspec.Struct, frozen=True, kw_only=True, rename={"base": "from"}):
    """The newest rate of a pair. ``usable_until`` is empty where no rule pays by it."""

    base: str
    to: str
    rate: str
    source: str
    at: str
    entered_at: str
    entered_by: str
    usable_until: str


class RateList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of pairs; ``missing`` names those that a rule pays by and nobody has a rate of.

    ``missing`` is complete on every page, each as ``EUR/USD``, and holds what is too old as well.
    """

    items: list[RateRow]
    missing: list[str]
    next: str


@resource.endpoint(
    "PUT",
    "/v1/programs/{program}/rates",
    roles=FINANCE,
    body=NewRates,
    answer=RatesTaken,
    codes=(
        "already_exists",
        "invalid_rate",
        "invalid_time",
        "rate_jumps",
        "same_currency",
        "unknown_currency",
    ),
)
def enter_rates(call: Call[NewRates, Any]) -> Answer:
    """Enter exchange rates. The same rates again change nothing; a correction is of a later time.

    Batches go by the newest of a pair, as old as their rule allows.
    """
    program = programs.current(call.path["program"], call.now).program
    writes = Transaction()
    pairs: set[tuple[str, str]] = set()
    taken = 0
    for n, given in enumerate(call.body.rates):
        new = _checked(f"rates[{n}]", given, program, call)
        if (new.base, new.to) in pairs:
            raise InvalidInputError(f"rates[{n}]", "this pair is in the request before")
        pairs.add((new.base, new.to))
        taken += _add(writes, f"rates[{n}]", new, jump=given.jump)
    return Answer(body=RatesTaken(program=program, taken=taken), writes=writes if taken else None)


@resource.endpoint(
    "GET", "/v1/programs/{program}/rates", roles=READERS, query=Paging, answer=RateList
)
def list_rates(call: Call[Any, Paging]) -> Answer:
    """List the newest exchange rate of each pair, and the pairs that payouts wait for."""
    document = programs.current(call.path["program"], call.now).document
    found, page = stored.list_newest(document.id, limit=call.query.limit, start=call.start())
    ages = _ages(document)
    return Answer(
        body=RateList(
            items=[_row(each, ages) for each in found],
            missing=[
                f"{base}/{to}"
                for (base, to), hours in ages.items()
                if _is_missing(stored.newest(document.id, base, to), hours, call.now)
            ],
            next=call.next(page.next),
        )
    )


def _checked(field: str, given: NewRate, program: str, call: Call[Any, Any]) -> Rate:
    """Return *given* as it is stored."""
    for name, currency in (("from", given.base), ("to", given.to)):
        try:
            money.exponent(currency)
        except InvalidInputError as failure:
            raise InvalidInputError(
                f"{field}.{name}", failure.message, code=failure.code
            ) from failure
    if given.base == given.to:
        raise InvalidInputError(f"{field}.to", "the same currency twice", code="same_currency")
    try:
        rates.ratio(given.rate)
    except InvalidInputError as failure:
        raise InvalidInputError(f"{field}.rate", failure.message, code=failure.code) from failure
    at = inputs.instant(f"{field}.at", given.at, call.now)
    if at > call.now:
        raise InvalidInputError(f"{field}.at", "lies in the future", code="invalid_time")
    return Rate(
        program=program,
        base=given.base,
        to=given.to,
        rate=given.rate,
        source=given.source,
        at=at,
        entered_at=call.now,
        entered_by=call.caller.name,
    )


def _add(writes: Transaction, field: str, new: Rate, *, jump: bool) -> bool:
    """Add *new*, unless it is known; return whether it was added."""
    before = stored.at(new.program, new.base, new.to, new.at)
    if before and before.quote == new.quote:
        return False
    if before:
        message = "there is another rate of that time; a correction is of a later one"
        raise AlreadyExistsError(message)
    newest = stored.newest(new.program, new.base, new.to)
    if newest and not jump and rates.jumps(newest.rate, new.rate):
        message = f"more than a fifth off the rate before, {newest.rate}; say jump if it is meant"
        raise InvalidInputError(f"{field}.rate", message, code="rate_jumps")
    stored.add(writes, msgspec.structs.replace(new, jumped=_jumped(newest, new)), newest)
    return True


def _jumped(newest: Rate | None, new: Rate) -> bool:
    """Return whether a second person should look at what is paid by *new*.

    A rate like the one that jumped calms nobody when the same person entered both.
    """
    if newest is None:
        return False
    again = newest.jumped and newest.entered_by == new.entered_by
    return again or rates.jumps(newest.rate, new.rate)


def _ages(document: Program) -> dict[tuple[str, str], int]:
    """Return the pairs that rules pay by, each with the strictest age in hours."""
    ages: dict[tuple[str, str], int] = {}
    for rule in document.payouts:
        base = rule.currency.partition(".")[0]
        if rule.pays_in and rule.pays_in != base:
            pair = (base, rule.pays_in)
            ages[pair] = min(ages.get(pair, rule.rate_max_age_hours), rule.rate_max_age_hours)
    return ages


def _is_missing(newest: Rate | None, hours: int, now: Instant) -> bool:
    try:
        rates.require_fresh(newest.quote if newest else None, now, hours)
    except MissingRateError:
        return True
    return False


def _row(each: Rate, ages: dict[tuple[str, str], int]) -> RateRow:
    hours = ages.get((each.base, each.to))
    return RateRow(
        base=each.base,
        to=each.to,
        rate=each.rate,
        source=each.source,
        at=each.at,
        entered_at=each.entered_at,
        entered_by=each.entered_by,
        usable_until=clock.plus(each.at, seconds=hours * 3600) if hours else "",
    )
