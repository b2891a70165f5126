"""What an account held and what moved on it that day: ISO 20022 ``camt.053``, versions 02 on.

Its entries are those of :mod:`introducer.bank.camt054`, with the same keys: an amount that
was notified before is the same amount on the statement. What the statement adds is proof:
it is numbered, and its balances say whether an entry is missing.
"""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element

import msgspec

from introducer.bank import camt054, document
from introducer.bank.camt054 import Booking

_OPENING = ("OPBD", "PRCD", "OPAV")
_CLOSING = ("CLBD", "ITBD")


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of one account, or one page of it.

    Attributes:
        number: By which the bank counts them, 0 when it does not.
        page: From 1; only the ``last`` one tells what the account held in the end.
        day: The last day it is about, ``YYYY-MM-DD``.
        opening_minor: What was there before, below zero for an overdraft; None when not told.
        closing_minor: What was there after.
        moved_minor: The sum of the entries that are booked, debits below zero.
    """

    account: str
    currency: str
    number: int
    day: str
    moved_minor: int
    opening_minor: int | None = None
    closing_minor: int | None = None
    page: int = 1
    last: bool = True
    bookings: tuple[Booking, ...] = ()


def read(content: bytes) -> tuple[Statement, ...]:
    """Return every statement in the ``camt.053`` file *content*.

    Raises:
        InvalidInputError: Not such a file (codes as in ``document.read``), or an amount or
            date in it cannot be trusted; then nothing of the file is used.
    """
    body = document.read(content, "camt.053")
    same: Counter[str] = Counter()
    return tuple(_statement(body, each, same) for each in body.iterfind("Stmt"))


def _statement(body: Element, stated: Element, same: Counter[str]) -> Statement:
    opening, closing = _balance(stated, _OPENING), _balance(stated, _CLOSING)
    pages = next((found for each in (stated, body) for found in _pages(each)), None)
    entries = tuple(camt054.bookings_in(stated, same))
    currency = (opening or closing or (0, document.text(stated, "Acct/Ccy"), ""))[1]
    return Statement(
        account=document.text(stated, "Acct/Id/IBAN", "Acct/Id/Othr/Id"),
        currency=currency,
        number=_number(document.text(stated, "ElctrncSeqNb", "LglSeqNb")),
        day=document.day(stated, "FrToDt/ToDtTm", "FrToDt/ToDt")
        or (closing[2] if closing else "")
        or document.day(stated, "CreDtTm"),
        opening_minor=opening[0] if opening else None,
        closing_minor=closing[0] if closing else None,
        moved_minor=_moved(stated, currency),
        page=_number(document.text(pages, "PgNb")) or 1 if pages is not None else 1,
        last=pages is None or document.text(pages, "LastPgInd") in {"true", "1"},
        bookings=entries,
    )


def _pages(element: Element) -> list[Element]:
    return [*element.iterfind("StmtPgntn"), *element.iterfind("GrpHdr/MsgPgntn")]


def _balance(stated: Element, kinds: tuple[str, ...]) -> tuple[int, str, str] | None:
    """Return amount, currency and day of the first balance of one of *kinds*."""
    for kind in kinds:
        for balance in stated.iterfind("Bal"):
            value = document.amount(balance, "Amt")
            if value and document.text(balance, "Tp/CdOrPrtry/Cd") == kind:
                sign = -1 if document.text(balance, "CdtDbtInd") == "DBIT" else 1
                return sign * value[0], value[1], document.day(balance, "Dt/Dt", "Dt/DtTm")
    return None


def _moved(stated: Element, currency: str) -> int:
    """Return the sum of the booked entries: of the entries, not of the transfers in them."""
    moved = 0
    for entry in stated.iterfind("Ntry"):
        value = document.amount(entry, "Amt")
        if value is None or value[1] != currency:
            document.refuse("an entry is not in the statement's currency")
        if document.text(entry, "Sts/Cd", "Sts") == "BOOK":
            moved += value[0] if document.text(entry, "CdtDbtInd") == "CRDT" else -value[0]
    return moved


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() else 0
