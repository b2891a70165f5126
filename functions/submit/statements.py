"""Statements of account for whoever may read them: a page at a time, or a whole period."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock
from introducer.errors import InvalidInputError
from introducer.ledger import ACCOUNTS, Balance, Journal
from introducer.statement import Sheet, require_balanced
from introducer.tables import accounts_at, ledger
from introducer.tables.accounts_at import Accounts
from submit.http import Call
from submit.inputs import Input, Paging

Day = Annotated[
    str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)", examples=["2026-11-01"])
]
Unit = Annotated[str, Meta(pattern=r"^[A-Z]{3}(\.[a-z_]{1,20})?$(?!\n)", examples=["EUR"])]


class Period(Input, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """Of which unit of the books and, if wanted, its first and last day (UTC)."""

    currency: Unit
    since: Day = ""
    until: Day = ""


class StatementQuery(Paging, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """Which statement: a currency and, if wanted, the first and last day (UTC)."""

    currency: Unit
    since: Day = ""
    until: Day = ""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One booking. ``amounts`` is the change of each account, minor units."""

    id: str
    number: int
    kind: str
    at: str
    booked_at: str
    amounts: Accounts
    reason: str
    referral: str
    payout: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """``opening`` plus ``movements`` is ``closing``, on every page; newest first.

    ``balance`` is what stands now. All amounts are minor units of ``currency``.
    """

    currency: str
    opening: Accounts
    movements: list[Movement]
    closing: Accounts
    balance: Accounts
    next: str


def page(holder: str, call: Call[Any, StatementQuery]) -> Statement:
    """Return one page of *holder*'s statement, newest first.

    Raises:
        InvalidInputError: The period is none, or ends amid too many bookings.
        ContentionError: The index of journals has not caught up yet.
    """
    query = call.query
    now = ledger.balance(holder, query.currency)
    first, last = numbers(now, query.since, query.until)
    place = call.start()
    if place:
        last, closing = min(place["last"], now.version), Accounts(place["closing"])
    else:
        closing = accounts_at.after(now, last, field="to")
    begin = max(first, last - query.limit + 1)
    booked = accounts_at.booked(holder, query.currency, begin, last)
    opening = accounts_at.less(closing, booked)
    place = {"last": begin - 1, "closing": opening} if begin > first else None
    return Statement(
        currency=query.currency,
        opening=opening,
        movements=[_movement(each) for each in reversed(booked)],
        closing=closing,
        balance=now.accounts,
        next=call.next(place),
    )


def sheet(now: Balance, period: Period, *, program: str, name: str, most: int) -> Sheet:
    """Return the whole statement of a period, its sums proved.

    Args:
        now: The present balance of the holder.
        period: Of which days.
        program: The program's name.
        name: Of the holder; empty when nobody knows it.
        most: More bookings than this are refused.

    Raises:
        InvalidInputError: The period is none, holds too much, or lies amid too many bookings.
        LedgerError: The books do not add up.
    """
    first, last = numbers(now, period.since, period.until)
    if last - first + 1 > most:
        message = f"the period holds more than {most} bookings; choose a shorter one"
        raise InvalidInputError("from", message, code="period_too_long")
    opening, closing = accounts_at.ends(now, first, last)
    booked = accounts_at.booked(now.partner, now.currency, first, last)
    return require_balanced(
        Sheet(
            program=program,
            holder=now.partner,
            name=name,
            unit=now.currency,
            since=period.since,
            until=period.until,
            opening=opening,
            movements=booked,
            closing=closing,
            number=now.version,
            as_of=now.posted_at,
        )
    )


def numbers(now: Balance, since: str, until: str) -> tuple[int, int]:
    """Return the numbers of the first and the last journal of a period.

    Raises:
        InvalidInputError: *since* or *until* is no day, or the end is before the beginning.
    """
    try:
        begin = clock.parse(f"{since}T00:00:00Z") if since else ""
        end = clock.plus(clock.parse(f"{until}T00:00:00Z"), days=1) if until else ""
    except (ValueError, OverflowError) as failure:
        raise InvalidInputError("from", "not a day", code="invalid_period") from failure
    if begin and end and begin >= end:
        raise InvalidInputError("to", "ends before it begins", code="invalid_period")
    first = accounts_at.booked_before(now, begin) + 1 if begin else 1
    last = accounts_at.booked_before(now, end) if end else now.version
    return first, last


def _movement(journal: Journal) -> Movement:
    return Movement(
        id=journal.id,
        number=journal.seq,
        kind=journal.kind,
        at=journal.at,
        booked_at=journal.posted_at,
        amounts={name: journal.legs[name] for name in ACCOUNTS if name in journal.legs},
        reason=journal.reason,
        referral=journal.refs.get("referral", ""),
        payout=journal.refs.get("payout", ""),
    )
