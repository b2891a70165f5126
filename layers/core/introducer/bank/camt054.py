"""What moved on the account: ISO 20022 ``camt.054``, versions 02 and later.

The entries of a statement (``camt.053``) are the same and are read here too. Only entries
that are booked count; an entry announced or pending moves no money. A bank books a batch as
one entry with or without the single transfers below it, or each transfer as its own entry:
in each case one :class:`Booking` per amount the bank names.

Names, addresses and texts are left out on purpose: nothing of them is needed to settle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal
from xml.etree.ElementTree import Element

import msgspec

from introducer import ids
from introducer.bank import document

Direction = Literal["debit", "credit"]

_DIRECTIONS: dict[str, Direction] = {"DBIT": "debit", "CRDT": "credit"}
_RETURNS = frozenset({"RRTN", "RPCR"})  # bank transaction codes: after a return, after a recall
_CHARGES = frozenset({"CHRG", "FEES", "COMM", "COME", "COMI", "COMT", "TAXE"})  # the bank's own


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One amount that was booked.

    Attributes:
        key: The same for the same booking in every file that reports it.
        notification_id: The bank's id of the notification it was read from.
        account: Our account: IBAN, or the bank's number of it.
        account_servicer_reference: The bank's reference of the entry.
        message_id: Our file, where the bank names it.
        payment_id: Our payment block, where the bank names it; with an empty
            *end_to_end_id* the booking is of the whole block.
        end_to_end_id: The payout's reference.
        direction: ``debit``: left the account; ``credit``: came in, or came back.
        booked_on: ``YYYY-MM-DD`` by the bank's calendar, which may be ahead of our clock.
        returned: The money of an earlier debit came back.
        return_reason: The bank's code, such as ``AC04``.
        charges_minor: The part of the amount that the bank charges, in the same currency.
        charge: The whole of it is what the bank charges.
        instructed_minor: What the order had said, in ``instructed_currency``, where the bank
            repeats it: it differs when money was exchanged, or charges were taken from it.
    """

    key: str
    notification_id: str
    account: str
    account_servicer_reference: str
    message_id: str
    payment_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    direction: Direction
    booked_on: str
    returned: bool = False
    return_reason: str = ""
    charges_minor: int = 0
    charge: bool = False
    instructed_minor: int = 0
    instructed_currency: str = ""


def read(content: bytes) -> tuple[Booking, ...]:
    """Return every booking in the ``camt.054`` file *content*, in its order.

    Raises:
        InvalidInputError: Not such a file (codes as in ``document.read``), or an amount or
            date in it cannot be trusted; then nothing of the file is used.
    """
    body = document.read(content, "camt.054")
    same: Counter[str] = Counter()
    return tuple(
        booking for found in body.iterfind("Ntfctn") for booking in bookings_in(found, same)
    )


def bookings_in(notification: Element, same: Counter[str]) -> Iterator[Booking]:
    """Yield every booking of a notification or statement.

    Args:
        notification: The ``Ntfctn`` or ``Stmt``.
        same: How often each key was in the file before; counted on.
    """
    for entry in notification.iterfind("Ntry"):
        if document.text(entry, "Sts/Cd", "Sts") != "BOOK":
            continue
        for booking in _entry(notification, entry):
            # Two equal bookings in one file are two; the same file again is not.
            yield numbered(booking, same[booking.key])
            same[booking.key] += 1


def booking_key(*, account: str, references: tuple[str, ...], side: str, value: str) -> str:
    """Return the key of a booking, the same in every kind of message that tells of it.

    Args:
        account: Ours.
        references: The bank's of the entry and of the transfer, and the payment's own.
        side: ``debit`` or ``credit``.
        value: Amount, currency and day, joined by spaces.
    """
    return ids.derived_id("booking", account, *references, side, *value.split(" "))


def _entry(notification: Element, entry: Element) -> Iterator[Booking]:
    """Yield one booking per amount named: the transfers, else the batches, else the entry."""
    details = [
        detail
        for block in entry.iterfind("NtryDtls")
        for detail in block.findall("TxDtls") or block.findall("Btch")
    ] or [entry]
    for detail in details:
        yield _booking(notification, entry, detail, alone=len(details) == 1)


def _booking(notification: Element, entry: Element, detail: Element, *, alone: bool) -> Booking:
    value = document.amount(detail, "Amt", "AmtDtls/TxAmt/Amt", "TtlAmt")
    if value is None and alone:
        value = document.amount(entry, "Amt")
    if value is None:
        document.refuse("a booking has no amount")
    amount_minor, currency = value
    direction = _DIRECTIONS.get(
        document.text(detail, "CdtDbtInd") or document.text(entry, "CdtDbtInd")
    )
    if direction is None:
        document.refuse("a booking is neither debit nor credit")
    account = document.text(notification, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    servicer_reference = document.text(entry, "AcctSvcrRef") or document.text(
        detail, "Refs/AcctSvcrRef"
    )
    own_reference = document.text(detail, "Refs/AcctSvcrRef", "Refs/TxId")
    end_to_end_id = document.reference(detail, "Refs/EndToEndId")
    instructed = document.amount(detail, "AmtDtls/InstdAmt/Amt") or (0, "")
    booked_on = document.day(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    return Booking(
        key=booking_key(
            account=account,
            references=(servicer_reference, own_reference, end_to_end_id),
            side=direction,
            value=f"{amount_minor} {currency} {booked_on}",
        ),
        notification_id=document.text(notification, "Id"),
        account=account,
        account_servicer_reference=servicer_reference,
        message_id=document.reference(detail, "Refs/MsgId") or document.reference(detail, "MsgId"),
        payment_id=(
            document.reference(detail, "Refs/PmtInfId") or document.reference(detail, "PmtInfId")
        ),
        end_to_end_id=end_to_end_id,
        amount_minor=amount_minor,
        currency=currency,
        direction=direction,
        booked_on=booked_on,
        returned=direction == "credit" and _is_reversal(entry, detail),
        return_reason=document.text(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        charges_minor=_charges(detail, currency) or (_charges(entry, currency) if alone else 0),
        charge=_code(entry, detail) in _CHARGES,
        instructed_minor=instructed[0],
        instructed_currency=instructed[1],
    )


def _is_reversal(entry: Element, detail: Element) -> bool:
    """Return whether the bank says, in any of its three ways, that this is money back."""
    return (
        detail.find("RtrInf") is not None
        or document.text(entry, "RvslInd") in {"true", "1"}
        or _code(entry, detail) in _RETURNS
    )


def _code(entry: Element, detail: Element) -> str:
    family = "BkTxCd/Domn/Fmly/SubFmlyCd"
    return document.text(detail, family) or document.text(entry, family)


def _charges(element: Element, currency: str) -> int:
    """Return the charges that the amount includes; others are booked as an entry of their own."""
    found = 0
    for record in element.iterfind("Chrgs/Rcrd"):
        value = document.amount(record, "Amt")
        included = document.text(record, "ChrgInclInd") in {"true", "1"}
        if included and value is not None and value[1] == currency:
            credit = document.text(record, "CdtDbtInd") == "CRDT"
            found += -value[0] if credit else value[0]
    return max(found, 0)


def numbered(booking: Booking, count: int) -> Booking:
    """Return *booking* as the one after *count* equal ones in the same file."""
    if count == 0:
        return booking
    return msgspec.structs.replace(booking, key=ids.derived_id(booking.key, str(count)))
