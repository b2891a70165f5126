"""The books as a whole: trial balance and general ledger, from the daily seals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import clock, sealing, spreadsheet
from introducer.errors import InvalidInputError
from introducer.sealing import Line, Tally
from introducer.tables import ledger, programs, seals
from submit.acting import READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input

resource = Resource(__name__)

Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", examples=["2026-11-22"])]
DayOrNone = Annotated[
    str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)", examples=["2026-11-22"])
]
Unit = Annotated[str, Meta(pattern=r"^([A-Z]{3}(\.[a-z_]{1,20})?)?$(?!\n)", examples=["EUR"])]
_MOST_UNSEALED = 7
_MOST_DAYS = 366
_CHUNK = 500
_HEADER = (
    "period", "account", "accounting_class", "currency", "debit_minor", "credit_minor", "count"
)  # fmt: skip


class TrialQuery(Input, frozen=True, kw_only=True):
    """Which currency, all without one; and the last day (UTC) that counts, today without one."""

    currency: Unit = ""
    at: DayOrNone = ""


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account: all debits, all credits, and what credits are more, in minor units."""

    currency: str
    account: str
    debit_minor: int
    credit_minor: int
    balance_minor: int


class TrialBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Every account with what it holds; the balances of a currency add up to zero.

    What was booked until ``sealed_until`` comes from the seals, the rest from the journals.
    ``difference_minor`` is the sum of the balances by currency: always zero.
    """

    at: str
    sealed_until: str
    rows: list[TrialRow]
    difference_minor: dict[str, int]


class LedgerQuery(
    Input, frozen=True, kw_only=True, rename={"since": "from", "until": "to", "shape": "format"}
):
    """The first and the last day (UTC), added up by day, month or altogether; CSV or JSON."""

    since: Day
    until: Day
    by: Literal["day", "month", "period"] = "month"
    currency: Unit = ""
    shape: Literal["json", "csv"] = "json"


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was booked on an account for an accounting class; ``count`` postings."""

    period: str
    account: str
    accounting_class: str
    currency: str
    debit_minor: int
    credit_minor: int
    count: int


class GeneralLedger(msgspec.Struct, frozen=True, kw_only=True):
    """What was booked in a period; debits and credits of a currency are the same."""

    rows: list[LedgerRow]


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/trial-balance",
    roles=READERS,
    query=TrialQuery,
    answer=TrialBalance,
    codes=("invalid_period", "not_sealed_yet"),
)
def read_trial_balance(call: Call[Any, TrialQuery]) -> Answer:
    """Read what every account of the program holds at the end of a day."""
    program, today = call.path["program"], clock.day(call.now)
    at = _day("at", call.query.at or today).isoformat()
    sealed = seals.last_day(program)
    lines = [line for seal in _sealed(program, "", at) for line in seal.lines]
    lines += _unsealed(program, sealed, min(at, today))
    rows: dict[tuple[str, str], TrialRow] = {}
    for line in lines:
        if call.query.currency in {"", line.currency}:
            _add(rows, line)
    difference: dict[str, int] = {}
    for row in rows.values():
        difference[row.currency] = difference.get(row.currency, 0) + row.balance_minor
    return Answer(
        body=TrialBalance(
            at=at,
            sealed_until=min(sealed, at),
            rows=[rows[key] for key in sorted(rows)],
            difference_minor=difference,
        )
    )


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/general-ledger",
    roles=READERS,
    query=LedgerQuery,
    answer=GeneralLedger,
    codes=("invalid_period", "not_sealed_yet"),
)
def export_general_ledger(call: Call[Any, LedgerQuery]) -> Answer:
    """Export debits and credits by account, accounting class and currency, for an accountant."""
    query, program = call.query, call.path["program"]
    programs.current(program, call.now)
    since, until = _day("from", query.since), _day("to", query.until)
    if not 0 <= (until - since).days < _MOST_DAYS:
        message = "a period ends after it begins and has at most 366 days"
        raise InvalidInputError("to", message, code="invalid_period")
    if query.until > seals.last_day(program):
        raise InvalidInputError("to", "this day is not sealed yet", code="not_sealed_yet")
    together: dict[str, list[Line]] = {}
    for seal in _sealed(program, query.since, query.until):
        lines = together.setdefault(_period(seal.day, query), [])
        lines += (line for line in seal.lines if query.currency in {"", line.currency})
    rows = [
        LedgerRow(period=period, **msgspec.structs.asdict(line))
        for period, lines in together.items()
        for line in sealing.merged(lines)
    ]
    if query.shape == "json":
        return Answer(body=GeneralLedger(rows=rows))
    cells = [[str(getattr(row, name)) for name in _HEADER] for row in rows]
    name = f"general-ledger-{program}-{query.since}-{query.until}.csv"
    return Answer(
        body=msgspec.Raw(spreadsheet.lines([_HEADER, *cells]).encode()),
        headers={
            "content-type": "text/csv; charset=utf-8",
            "content-disposition": f'attachment; filename="{name}"',
        },
    )


def _sealed(program: str, first: str, last: str) -> list[sealing.Seal]:
    """Return the seal that counts of each day from *first*, the first of all without, to *last*."""
    return sealing.newest(seals.of_period(program, first or "0000-00-00", last))


def _unsealed(program: str, sealed: str, last: str) -> Iterator[Line]:
    """Yield what was booked behind the last sealed day, up to *last*, from the journals."""
    begin = sealed or programs.version(program, 1).published_at[:10]
    first = date.fromisoformat(begin) + timedelta(days=1 if sealed else 0)
    days = (date.fromisoformat(last) - first).days + 1
    if days > _MOST_UNSEALED:
        message = "the days before are not sealed yet; the job `seal` makes up for it"
        raise InvalidInputError("at", message, code="not_sealed_yet")
    tally = Tally()
    for ahead in range(days):
        keys = ledger.day_keys(program, (first + timedelta(days=ahead)).isoformat())
        names = sorted(name for name, _ in keys)
        for start in range(0, len(names), _CHUNK):
            for journal in ledger.journals_by_id(names[start : start + _CHUNK]):
                tally.add(journal)
    yield from tally.lines


def _add(rows: dict[tuple[str, str], TrialRow], line: Line) -> None:
    before = rows.get((line.currency, line.account))
    debit = line.debit_minor + (before.debit_minor if before else 0)
    credit = line.credit_minor + (before.credit_minor if before else 0)
    rows[line.currency, line.account] = TrialRow(
        currency=line.currency,
        account=line.account,
        debit_minor=debit,
        credit_minor=credit,
        balance_minor=credit - debit,
    )


def _period(day: str, query: LedgerQuery) -> str:
    return {"day": day, "month": day[:7], "period": f"{query.since}/{query.until}"}[query.by]


def _day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as failure:
        raise InvalidInputError(field, "not a day", code="invalid_period") from failure
