"""What a holder's account shows for a period, and what one payout was made of.

Everything here is a function of journals and payouts. Nothing needs a person's data: who is
erased keeps every number, and a name on a document is given to it apart.

A document is data (:class:`Paper`) until somebody draws it, so what it says is testable here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from introducer import money, rates
from introducer.clock import Instant
from introducer.errors import InvalidInputError, LedgerError
from introducer.ledger import ACCOUNTS, Journal
from introducer.payout import Payout
from introducer.spreadsheet import neutral
from introducer.wording import Language, capital

Accounts = dict[str, int]
COLUMNS: dict[str, tuple[str, ...]] = {
    "pending": ("pending",),
    "payable": ("payable",),
    "on_way": ("reserved", "in_transit"),
    "paid": ("paid",),
    "receivable": ("receivable",),
}
"""What a printed statement shows in a column each; the file for spreadsheets has all accounts."""
CSV_COLUMNS = (
    *("number", "booked_at", "happened_at", "kind", "booking", "reason", "referral", "payout"),
    *("currency", *ACCOUNTS),
)
_ADVICE = {
    reason: key
    for key, reasons in {
        "number": "AC01 AC03 RC01 RC04 RC07 RC10 R03 R04 R12 R13 R17 no_account",
        "closed": "AC04 AC07 R02 account_closed",
        "blocked": "AC06 R16 account_frozen bank_account_restricted RECEIVER_ACCOUNT_LOCKED",
        "kind": "AC13 AC14 AG01 CNOR R20 incorrect_account_type",
        "holder": "BE01 BE04 BE06 BE07 RR01 RR02 RR03 incorrect_account_holder_name",
        "bank": "MS03 R23",
        "us": "RR04 MD07 R14 R15",
    }.items()
    for reason in reasons.split()
} | dict.fromkeys(("invalid_account_number", "RECEIVER_UNREGISTERED"), "number")


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of one holder, in one unit of the books, for one period.

    Attributes:
        program: The program's name.
        holder: As the books call it.
        name: Of the person; empty when nobody knows it any more.
        unit: ``EUR``, ``PTS``, ``EUR.credit``.
        since: First day (UTC), empty for the beginning; ``until`` the last, empty for today.
        opening: What the accounts held before; ``closing`` after ``movements``, oldest first.
        number: Of the last journal in the books; ``as_of`` is when it was booked.
    """

    program: str
    holder: str
    name: str
    unit: str
    since: str
    until: str
    opening: Accounts
    movements: list[Journal]
    closing: Accounts
    number: int
    as_of: Instant


class Row(msgspec.Struct, frozen=True):
    """A line of a table; a strong one is a sum."""

    cells: tuple[str, ...]
    strong: bool = False


class Column(msgspec.Struct, frozen=True):
    """A column: its title, its part of the width, and whether figures stand in it."""

    title: str
    width: int
    figures: bool = False


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be drawn: head, facts, one table, notes. ``at`` is its date, for ever."""

    title: str
    program: str
    facts: list[tuple[str, str]]
    columns: list[Column]
    rows: list[Row]
    notes: list[str]
    page: str
    """The words of a page's foot, with ``{page}`` and ``{pages}``."""
    language: str
    at: Instant


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One booking that made up a payout: by how much it changed what was payable."""

    kind: str
    at: Instant
    amount_minor: int
    referral: str
    payout: str
    reason: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a payout was made of: ``carried + parts = gross + left``, in minor units.

    ``carried_minor`` is what was payable before the first part; ``complete`` tells that this is
    what the payout before left over, not bookings that are too many to list.
    """

    carried_minor: int
    parts: list[Part]
    left_minor: int
    complete: bool


def require_balanced(sheet: Sheet) -> Sheet:
    """Return *sheet* when its bookings lead from the opening to the closing balance.

    Raises:
        LedgerError: They do not; such a statement is never handed out.
    """
    for name in ACCOUNTS:
        moved = sum(each.legs.get(name, 0) for each in sheet.movements)
        if sheet.opening[name] + moved != sheet.closing[name]:
            message = "a statement does not add up"
            raise LedgerError(message, holder=sheet.holder, account=name)
    return sheet


def contents(
    journals: Sequence[Journal], before: Accounts, gross_minor: int, *, complete: bool
) -> Contents:
    """Return what a payout of *gross_minor* was made of.

    Args:
        journals: Booked since the payout before it, oldest first, without its own.
        before: The accounts just before it was reserved.
        gross_minor: What it took from ``payable``.
        complete: Whether *journals* are all of them.
    """
    parts = [
        Part(
            kind=each.kind,
            at=each.at,
            amount_minor=each.legs["payable"],
            referral=each.refs.get("referral", ""),
            payout=each.refs.get("payout", ""),
            reason=each.reason,
        )
        for each in journals
        if each.legs.get("payable")
    ]
    payable = before["payable"]
    return Contents(
        carried_minor=payable - sum(each.amount_minor for each in parts),
        parts=parts,
        left_minor=payable - gross_minor,
        complete=complete,
    )


def reason_words(reason: str, language: Language) -> str:
    """Return the words for the reason code *reason*, or what a person wrote, as it is."""
    return language.phrase(f"reason.{reason}", reason)


def advice(payout: Payout, language: Language) -> str:
    """Return what the payee should do about a payout that came back; empty when it did not."""
    if payout.status != "returned":
        return ""
    return language.say(f"advice.{_ADVICE.get(payout.reason, 'other')}")


def advice_on(reason: str, language: Language) -> str:
    """Return what to do about an account to which a payment failed because of *reason*."""
    return language.say(f"advice.{_ADVICE.get(reason, 'other')}")


def csv_of(sheet: Sheet, language: Language) -> str:
    """Return *sheet* for a spreadsheet: opening, every booking, closing (RFC 4180).

    Amounts are decimal numbers with a point. No other cell is taken for a formula.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    writer.writerow(_balance_cells("opening", sheet.opening, sheet.unit, sheet.since))
    for each in sheet.movements:
        refs = (each.refs.get("referral", ""), each.refs.get("payout", ""))
        said = (
            language.phrase(f"kind.{each.kind}", each.kind),
            reason_words(each.reason, language),
        )
        texts = (each.posted_at, each.at, each.kind, *said, *refs, sheet.unit)
        changes = (_decimal(each.legs.get(name, 0), sheet.unit) for name in ACCOUNTS)
        writer.writerow([str(each.seq), *map(neutral, texts), *changes])
    writer.writerow(_balance_cells("closing", sheet.closing, sheet.unit, sheet.until))
    return out.getvalue()


def paper_of(sheet: Sheet, language: Language) -> Paper:
    """Return *sheet* as a document."""
    say = language.say
    opening = (sheet.since, say("statement.opening"), *_columns(sheet.opening, sheet, language))
    closing = (sheet.until, say("statement.closing"), *_columns(sheet.closing, sheet, language))
    rows = [Row(opening, strong=True)]
    rows += [
        Row(
            (
                each.posted_at[:10],
                _told(each.kind, each.refs, each.reason, language),
                *_columns(each.legs, sheet, language),
            )
        )
        for each in sheet.movements
    ]
    rows.append(Row(closing, strong=True))
    last = say("statement.booking", number=language.number(sheet.number), day=sheet.as_of[:10])
    notes = [say("statement.note", unit=sheet.unit), say("statement.on_way")]
    if any(each["receivable"] for each in (sheet.opening, sheet.closing)):
        notes.append(say("statement.owed"))
    return Paper(
        title=say("statement.title"),
        program=sheet.program,
        facts=[
            (say("statement.holder"), sheet.name or sheet.holder),
            (say("statement.account"), sheet.holder),
            (say("statement.unit"), sheet.unit),
            (say("statement.period"), _period(sheet, language)),
            (say("statement.as_of"), last if sheet.number else say("statement.nothing")),
        ],
        columns=[
            Column(say("statement.day"), 10),
            Column(say("statement.what"), 45),
            *(Column(say(f"account.{name}"), 14, figures=True) for name in COLUMNS),
        ],
        rows=rows,
        notes=notes,
        page=say("page", page="{page}", pages="{pages}"),
        language=language.code,
        at=sheet.as_of,
    )


def payout_paper(
    payout: Payout, made_of: Contents, *, name: str, program: str, method: str, language: Language
) -> Paper:
    """Return one payout as a document.

    Args:
        payout: As it stands.
        made_of: What it was made of.
        name: Of the payee; empty when nobody knows it any more.
        program: The program's name.
        method: The way of the money.
        language: Whose words are used.
    """
    say = language.say
    carried = "payout.carried" if made_of.complete else "payout.earlier"
    sums = [
        (carried, made_of.carried_minor),
        ("payout.gross", -payout.gross_minor),
        ("payout.left", made_of.left_minor),
    ]
    lines = [
        Row(("", say(key), language.amount(sum_, payout.currency)), strong=True)
        for key, sum_ in sums
    ]
    parts = [
        Row(
            (
                each.at[:10],
                _told(
                    each.kind,
                    {"referral": each.referral, "payout": each.payout},
                    each.reason,
                    language,
                ),
                language.amount(each.amount_minor, payout.currency),
            )
        )
        for each in made_of.parts
    ]
    notes = [say("payout.contents"), say("payout.fees")]
    if not made_of.complete:
        notes.insert(1, say("payout.cut"))
    return Paper(
        title=say("payout.title", reference=payout.reference),
        program=program,
        facts=payout_facts(payout, name=name, method=method, language=language),
        columns=[
            Column(say("statement.day"), 14),
            Column(say("statement.what"), 62),
            Column(say("payout.amount"), 24, figures=True),
        ],
        rows=[lines[0], *parts, *lines[1:]],
        notes=notes,
        page=say("page", page="{page}", pages="{pages}"),
        language=language.code,
        at=payout.updated_at,
    )


def payout_facts(
    payout: Payout, *, name: str, method: str, language: Language
) -> list[tuple[str, str]]:
    """Return what is to be said about a payout, each with its label; what is empty is left out."""
    say = language.say
    currency = payout.currency.partition(".")[0]
    rate = payout.rate and say(
        "payout.rate.is",
        currency=currency,
        rate=language.ratio(*rates.ratio(payout.rate)),
        to=payout.sent_currency,
        source=payout.rate_source,
        day=payout.rate_at[:10],
    )
    sent, withheld = payout.sent_minor, payout.withheld_minor
    facts = [
        ("statement.holder", name or payout.partner),
        ("statement.account", payout.partner),
        ("payout.status", language.phrase(f"status.{payout.status}", payout.status)),
        ("payout.reason", reason_words(payout.reason, language)),
        ("payout.advice", advice(payout, language)),
        ("payout.gross", language.amount(payout.gross_minor, payout.currency)),
        ("payout.withheld", language.amount(withheld, payout.currency) if withheld else ""),
        ("payout.amount", language.amount(payout.amount_minor, payout.currency)),
        ("payout.sent", language.amount(sent, payout.sent_currency) if sent else ""),
        ("payout.rate", rate),
        ("payout.method", language.phrase(f"method.{method}", method)),
        ("payout.created", payout.created_at[:10]),
        ("payout.booked", payout.booked_on),
        ("payout.returned", payout.returned_on),
        ("payout.batch", payout.batch),
    ]
    return [(say(key), text) for key, text in facts if text]


def _told(kind: str, refs: dict[str, str], reason: str, language: Language) -> str:
    """Return a booking in words: what it is, what it is about, and why."""
    parts = [language.phrase(f"kind.{kind}", kind)]
    parts += [
        language.say(f"ref.{key}", id=refs[key]) for key in ("referral", "payout") if refs.get(key)
    ]
    if reason:
        parts.append(reason_words(reason, language))
    return " · ".join(parts)


def _columns(legs: Accounts, sheet: Sheet, language: Language) -> Iterable[str]:
    currency = sheet.unit.partition(".")[0]
    for names in COLUMNS.values():
        total = sum(legs.get(name, 0) for name in names)
        touched = any(name in legs for name in names)
        yield language.figure(total, currency) if touched else ""


def _period(sheet: Sheet, language: Language) -> str:
    if sheet.since and sheet.until:
        return language.say("statement.between", since=sheet.since, until=sheet.until)
    if sheet.since:
        return capital(language.say("statement.from", since=sheet.since))
    if sheet.until:
        return capital(language.say("statement.upto", until=sheet.until))
    return capital(language.say("statement.all"))


def _balance_cells(kind: str, accounts: Accounts, unit: str, day: str) -> list[str]:
    amounts = [_decimal(accounts[name], unit) for name in ACCOUNTS]
    return ["", day, "", kind, "", "", "", "", unit, *amounts]


def _decimal(amount_minor: int, unit: str) -> str:
    try:
        return money.decimal_text(amount_minor, unit.partition(".")[0])
    except InvalidInputError:
        return str(amount_minor)
