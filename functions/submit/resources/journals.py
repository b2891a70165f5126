"""The books as finance and auditors read them: journals, and balances at any moment."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from introducer import clock
from introducer.clock import Instant
from introducer.errors import InvalidInputError, NotFoundError
from introducer.ledger import ACCOUNTS, Journal
from introducer.tables import accounts_at, journals, ledger, payouts
from submit import inputs
from submit.acting import READERS
from submit.http import Answer, Call, Resource
from submit.inputs import Input, Paging

resource = Resource(__name__)

Day = Annotated[
    str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)", examples=["2026-11-22"])
]
Unit = Annotated[str, Meta(pattern=r"^([A-Z]{3}(\.[a-z_]{1,20})?)?$(?!\n)", examples=["EUR"])]
JournalId = Annotated[str, Meta(max_length=400, pattern=r"^([!-~]+)?$(?!\n)")]
WordOrNone = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$(?!\n)")]


class JournalQuery(Paging, frozen=True, kw_only=True):
    """Which journals: those of a day (UTC), of a holder in a currency, of a batch, or one.

    ``journal`` takes every id, also one with a slash in it.
    """

    day: Day = ""
    holder: WordOrNone = ""
    currency: Unit = ""
    batch: WordOrNone = ""
    journal: JournalId = ""


class BalanceQuery(Input, frozen=True, kw_only=True):
    """Which currency, all without one; and when: the end of a day (UTC) or a moment, else now."""

    currency: Unit = ""
    at: Annotated[str, Meta(max_length=40, examples=["2026-11-22"])] = ""


class JournalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A journal, whole. ``legs`` is the change of each account and adds up to zero.

    ``number`` counts the holder's journals in the currency; ``prev`` is the hash of the one
    before, ``hash`` the SHA-256 over all of it.
    """

    id: str
    kind: str
    program: str
    holder: str
    currency: str
    amount_minor: int
    legs: dict[str, int]
    at: str
    posted_at: str
    number: int
    prev: str
    hash: str
    refs: dict[str, str]
    reason: str


class JournalList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of journals; ``next`` is empty on the last."""

    items: list[JournalRow]
    next: str


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A holder's accounts in one currency after journal ``number``, in minor units."""

    currency: str
    number: int
    accounts: dict[str, int]


class Balances(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder's accounts held just before ``at``."""

    holder: str
    at: str
    balances: list[BalanceRow]


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/journals",
    roles=READERS,
    query=JournalQuery,
    answer=JournalList,
    codes=("one_filter_needed",),
)
def list_journals(call: Call[Any, JournalQuery]) -> Answer:
    """List journals of a day, of a holder (newest first), of a batch, or the one of an id."""
    query, program = call.query, call.path["program"]
    asked = [bool(query.day), bool(query.holder), bool(query.batch), bool(query.journal)]
    if sum(asked) != 1 or bool(query.holder) != bool(query.currency):
        message = "name a day, a holder and a currency, a batch, or a journal"
        raise InvalidInputError("day", message, code="one_filter_needed")
    place, limit = call.start(), query.limit
    following: dict[str, Any] | None = None
    if query.day:
        _day("day", query.day)
        found, following = journals.of_day(program, query.day, limit=limit, place=place)
    elif query.batch:
        owner = payouts.find_batch(query.batch)
        if owner is None or owner.program != program:
            raise NotFoundError("no such batch")
        found, following = journals.of_batch(query.batch, limit=limit, place=place)
    elif query.journal:
        one = ledger.journal(query.journal)
        found = [one] if one else []
    else:
        upto = place["upto"] if place else None
        _, found, more = ledger.statement(query.holder, query.currency, limit=limit, upto=upto)
        following = {"upto": more} if more else None
    items = [_row(each) for each in found if each.program == program]
    return Answer(body=JournalList(items=items, next=call.next(following)))


@resource.endpoint("GET", "/v1/journals/{journal}", roles=READERS, answer=JournalRow)
def read_journal(call: Call[Any, Any]) -> Answer:
    """Read a journal: its legs, what it is about, its place in the chain of hashes."""
    found = ledger.journal(call.path["journal"])
    if found is None:
        raise NotFoundError("no such journal")
    return Answer(body=_row(found))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/balances/{holder}",
    roles=READERS,
    query=BalanceQuery,
    answer=Balances,
    codes=("invalid_time", "period_too_busy"),
)
def read_balances(call: Call[Any, BalanceQuery]) -> Answer:
    """Read what a holder's accounts hold, or held at a moment of the past."""
    query, holder = call.query, call.path["holder"]
    at = _moment(query.at, call.now)
    rows = []
    for now in ledger.balances(holder):
        if now.program == call.path["program"] and query.currency in {"", now.currency}:
            number = accounts_at.booked_before(now, at) if query.at else now.version
            held = accounts_at.after(now, number, field="at")
            rows.append(BalanceRow(currency=now.currency, number=number, accounts=held))
    if not rows:
        raise NotFoundError("no such account")
    return Answer(body=Balances(holder=holder, at=at, balances=rows))


def _moment(text: str, now: Instant) -> Instant:
    """Return the instant before which something must have been booked."""
    if not text:
        return now
    if len(text) == len("2026-11-22"):
        try:
            return clock.plus(f"{_day('at', text)}T00:00:00.000Z", days=1)
        except OverflowError as failure:  # no day comes after it
            raise InvalidInputError("at", "not a day", code="invalid_time") from failure
    return inputs.instant("at", text, now)


def _day(field: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as failure:
        raise InvalidInputError(field, "not a day", code="invalid_time") from failure


def _row(each: Journal) -> JournalRow:
    return JournalRow(
        id=each.id,
        kind=each.kind,
        program=each.program,
        holder=each.partner,
        currency=each.currency,
        amount_minor=each.amount_minor,
        legs={name: each.legs[name] for name in sorted(each.legs, key=_place)},
        at=each.at,
        posted_at=each.posted_at,
        number=each.seq,
        prev=each.prev,
        hash=each.hash,
        refs=each.refs,
        reason=each.reason,
    )


def _place(account: str) -> tuple[int, str]:
    """Return where an account stands among the legs: the holder's in the money's order first."""
    return (ACCOUNTS.index(account), "") if account in ACCOUNTS else (len(ACCOUNTS), account)
