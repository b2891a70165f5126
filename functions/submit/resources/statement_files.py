"""Statements and payouts as files, and what finance may read of anybody's account.

A file is written to the bucket of short-lived files and read by a link, whatever its size: one
way for a page and for a thousand.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from introducer import clock, ids, statement
from introducer.errors import NotFoundError
from introducer.ledger import Balance
from introducer.tables import ledger, partners, people, programs
from introducer.wording import language
from submit import files, paper, statements
from submit.acting import PARTNER, READERS, partner_of
from submit.http import Answer, Call, Resource
from submit.resources import payouts
from submit.resources.payouts import Locale, PayoutWords
from submit.statements import Period, Statement, StatementQuery

MOST = {"csv": 20_000, "pdf": 3_000}
"""Bookings in one file: what is read, and drawn, in a third of the time an answer may take."""
_MEDIA = {"csv": "text/csv; charset=utf-8", "pdf": paper.MEDIA}
_BOM = "\ufeff"
"""Without it the most used spreadsheet program takes UTF-8 for something else."""

resource = Resource(__name__)


class FileQuery(Period, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """Of which unit and period, as what, and in which language; the partner's own unless said."""

    format: Literal["csv", "pdf"]
    locale: Locale = ""


class StatementFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file is read, without a login, and until when; and what it should be called."""

    url: str
    until: str
    name: str
    bytes: int


@resource.endpoint(
    "GET",
    "/v1/me/statement/file",
    roles=PARTNER,
    query=FileQuery,
    answer=StatementFile,
    codes=("not_enrolled", "invalid_period", "period_too_long", "period_too_busy"),
)
def write_statement(call: Call[Any, FileQuery]) -> Answer:
    """Get one's statement of a period as a spreadsheet or a PDF."""
    partner = partner_of(call)
    now = ledger.balance(partner.id, call.query.currency)
    return _answer(now, call, partner.program, _name(partner.person), partner.locale)


@resource.endpoint(
    "GET",
    "/v1/me/payouts/{payout}/file",
    roles=PARTNER,
    query=PayoutWords,
    answer=StatementFile,
    codes=("not_enrolled",),
)
def write_payout(call: Call[Any, PayoutWords]) -> Answer:
    """Get one of one's own payouts as a PDF."""
    partner = partner_of(call)
    payout = payouts.own(partner, call.path["payout"])
    drawn = paper.draw(
        statement.payout_paper(
            payout,
            payouts.contents_of(payout),
            name=_name(partner.person),
            program=programs.current(partner.program, call.now).document.name,
            method=payouts.method_of(payout),
            language=language(call.query.locale or partner.locale),
        )
    )
    return _published(partner.id, f"payout-{payout.reference}.pdf", drawn, "pdf", call)


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/statements/{holder}",
    roles=READERS,
    query=StatementQuery,
    answer=Statement,
    codes=("invalid_period", "period_too_busy"),
)
def read_statement_of(call: Call[Any, StatementQuery]) -> Answer:
    """Read the statement of a partner, or of anybody else in the books of a program."""
    _theirs(call, call.query.currency)
    return Answer(body=statements.page(call.path["holder"], call))


@resource.endpoint(
    "GET",
    "/v1/programs/{program}/statements/{holder}/file",
    roles=READERS,
    query=FileQuery,
    answer=StatementFile,
    codes=("invalid_period", "period_too_long", "period_too_busy"),
)
def write_statement_of(call: Call[Any, FileQuery]) -> Answer:
    """Get such a statement as a spreadsheet or a PDF; it names the account, not the person."""
    now = _theirs(call, call.query.currency)
    return _answer(now, call, call.path["program"], "", "en")


def _theirs(call: Call[Any, Any], unit: str) -> Balance:
    """Return the present balance of the holder that the path names.

    Raises:
        NotFoundError: Nobody of that name is in the books or among the partners of the program.
    """
    holder, program = call.path["holder"], call.path["program"]
    now = ledger.balance(holder, unit)
    if now.version == 0 and "." not in holder:
        profile = partners.find_partner(holder)
        if profile is not None and profile.program == program:
            return now
    if now.program != program:
        raise NotFoundError("no such account in the program")
    return now


def _answer(
    now: Balance, call: Call[Any, FileQuery], program: str, name: str, locale: str
) -> Answer:
    query = call.query
    words = language(query.locale or locale)
    sheet = statements.sheet(
        now,
        query,
        program=programs.current(program, call.now).document.name,
        name=name,
        most=MOST[query.format],
    )
    if query.format == "csv":
        body = (_BOM + statement.csv_of(sheet, words)).encode()
    else:
        body = paper.draw(statement.paper_of(sheet, words))
    span = [each for each in (query.since, query.until) if each]
    name = "-".join(["statement", query.currency, *span])
    return _published(now.partner, f"{name}.{query.format}", body, query.format, call)


def _published(holder: str, name: str, body: bytes, kind: str, call: Call[Any, Any]) -> Answer:
    # Everybody who asks has a key of their own: nobody's link ever shows another one's file.
    key = f"statements/{holder}/{ids.derived_id('file', call.caller.name, name)}/{name}"
    url = files.publish(key, body, _MEDIA[kind])
    until = clock.plus(call.now, seconds=files.LINK_S)
    return Answer(body=StatementFile(url=url, until=until, name=name, bytes=len(body)))


def _name(person: str) -> str:
    """Return a person's name, empty when it was erased."""
    contact = people.contact(person)
    return contact.name if contact else ""
