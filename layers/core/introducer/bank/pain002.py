"""What a bank says about a payment file: ISO 20022 ``pain.002``, versions 03 and later.

One report per level the bank speaks about: the file, the payment block, the transfer.
The bank's free text is left out on purpose: it may hold account numbers and names, and
nothing of it is needed to decide. Code sets: ISO 20022 external payment status and status
reason codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Literal
from xml.etree.ElementTree import Element

import msgspec
from msgspec.structs import replace

from introducer.bank import document

Level = Literal["file", "payment", "transfer"]
Verdict = Literal["accepted", "settled", "pending", "partial", "rejected", "duplicate", "unknown"]

_VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(("ACCP", "ACSP", "ACTC", "ACFC", "ACWC", "ACWP"), "accepted"),
    **dict.fromkeys(("ACSC", "ACCC"), "settled"),
    **dict.fromkeys(("RCVD", "RCVC", "PDNG", "PATC"), "pending"),
    **dict.fromkeys(("PART",), "partial"),
    **dict.fromkeys(("RJCT", "CANC"), "rejected"),
}
_DUPLICATES = frozenset({"DUPL", "DU01", "DU02", "DU03", "DU04", "DU05", "AM05"})


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """One status of one level.

    Attributes:
        report_id: The bank's id of the report.
        level: What the status is about; ids below the level are empty.
        message_id: The file's id: the batch.
        payment_id: The payment block's id; ours equals *message_id*.
        end_to_end_id: The payout's reference.
        status: The bank's code, such as ``ACCP`` or ``RJCT``.
        reasons: The bank's reason codes, such as ``AC04``, in its order.
    """

    report_id: str
    level: Level
    message_id: str
    payment_id: str = ""
    end_to_end_id: str = ""
    status: str
    reasons: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What the status means for the money.

        ``duplicate`` is a refusal because the bank *has* the file or transfer already: it
        says nothing about the first one, so money must never be given back for it. A file
        or block that is ``partial`` says nothing about a transfer it does not name.
        ``unknown`` is for a person.
        """
        verdict = _VERDICTS.get(self.status, "unknown")
        if verdict == "rejected" and not _DUPLICATES.isdisjoint(self.reasons):
            return "duplicate"
        return verdict


def read(content: bytes) -> tuple[StatusReport, ...]:
    """Return every status in the ``pain.002`` file *content*, the narrowest level first.

    Whoever acts on them in order acts on a transfer with its own reason before the block's
    or the file's refusal, which repeats it, is met.

    Raises:
        InvalidInputError: Not such a file (codes as in ``document.read``).
    """
    body = document.read(content, "pain.002")
    about_file = StatusReport(
        report_id=document.text(body, "GrpHdr/MsgId"),
        level="file",
        message_id=document.reference(body, "OrgnlGrpInfAndSts/OrgnlMsgId"),
        status="",
    )
    transfers: list[StatusReport] = []
    payments: list[StatusReport] = []
    for payment in body.iterfind("OrgnlPmtInfAndSts"):
        payment_id = document.reference(payment, "OrgnlPmtInfId")
        about_payment = replace(about_file, level="payment", payment_id=payment_id)
        payments.extend(_report(about_payment, payment, "PmtInfSts"))
        for transfer in payment.iterfind("TxInfAndSts"):
            end_to_end_id = document.reference(transfer, "OrgnlEndToEndId")
            about = replace(about_payment, level="transfer", end_to_end_id=end_to_end_id)
            transfers.extend(_report(about, transfer, "TxSts"))
    files = (_report(about_file, group, "GrpSts") for group in body.iterfind("OrgnlGrpInfAndSts"))
    return (*transfers, *payments, *chain.from_iterable(files))


def _report(about: StatusReport, element: Element, status_tag: str) -> Iterator[StatusReport]:
    status = document.text(element, status_tag)
    if status:  # a level may be there only to frame the one below it
        yield replace(about, status=status, reasons=_reasons(element))


def _reasons(element: Element) -> tuple[str, ...]:
    reasons = element.iterfind("StsRsnInf")
    return tuple(filter(None, (document.text(each, "Rsn/Cd", "Rsn/Prtry") for each in reasons)))
