"""Payments that came back: ISO 20022 ``pacs.004``, versions 02 and later.

A bank sends it beside the credit that it books, or instead of telling there why. The key of
what it says is that of the credit, where the bank calls both the same.
"""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element

from introducer.bank import camt054, document
from introducer.bank.camt054 import Booking


def read(content: bytes) -> tuple[Booking, ...]:
    """Return every payment that the ``pacs.004`` file *content* sends back.

    ``amount_minor`` is what comes in; the charges kept by the banks on the way are
    ``charges_minor`` of what was sent.

    Raises:
        InvalidInputError: Not such a file (codes as in ``document.read``), or an amount or
            date in it cannot be trusted; then nothing of the file is used.
    """
    body = document.read(content, "pacs.004")
    same: Counter[str] = Counter()
    found = []
    for transaction in body.iterfind("TxInf"):
        booking = _booking(body, transaction)
        found.append(camt054.numbered(booking, same[booking.key]))
        same[booking.key] += 1
    return tuple(found)


def _booking(body: Element, returned: Element) -> Booking:
    value = document.amount(returned, "RtrdIntrBkSttlmAmt", "RtrdInstdAmt")
    if value is None:
        document.refuse("a return has no amount")
    amount_minor, currency = value
    original = document.amount(returned, "OrgnlIntrBkSttlmAmt") or (0, "")
    account = document.text(
        returned, "OrgnlTxRef/DbtrAcct/Id/IBAN", "OrgnlTxRef/DbtrAcct/Id/Othr/Id"
    )
    day = document.day(returned, "IntrBkSttlmDt") or document.day(body, "GrpHdr/IntrBkSttlmDt")
    end_to_end_id = document.reference(returned, "OrgnlEndToEndId")
    bank_reference = document.text(returned, "RtrId")
    message_id = document.reference(body, "OrgnlGrpInf/OrgnlMsgId") or document.reference(
        returned, "OrgnlGrpInf/OrgnlMsgId"
    )
    charges = [document.amount(each, "Amt") for each in returned.iterfind("ChrgsInf")]
    return Booking(
        key=camt054.booking_key(
            account=account,
            references=(bank_reference, "", end_to_end_id),
            side="credit",
            value=f"{amount_minor} {currency} {day}",
        ),
        notification_id=document.text(body, "GrpHdr/MsgId"),
        account=account,
        account_servicer_reference=bank_reference,
        message_id=message_id,
        payment_id="",
        end_to_end_id=end_to_end_id,
        amount_minor=amount_minor,
        currency=currency,
        direction="credit",
        booked_on=day,
        returned=True,
        return_reason=document.text(returned, "RtrRsnInf/Rsn/Cd", "RtrRsnInf/Rsn/Prtry"),
        charges_minor=sum(each[0] for each in charges if each and each[1] == currency),
        instructed_minor=original[0],
        instructed_currency=original[1],
    )
