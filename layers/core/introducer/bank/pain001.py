"""Payment orders to a bank: ISO 20022 ``pain.001.001.09``, credit transfers.

:func:`write` is a function of its input and of nothing else, so the file of a stored
batch can be written again at any time and is the same, byte for byte. Counts and sums
are computed from the transfers; nobody can hand in a total that disagrees with them.

Rules from outside: the message's XML schema (version 09 of 2019) and, for EUR inside
SEPA, EPC132-08: service level SEPA, each side bears its own charges, names of 70 and
texts of 140 characters in the SEPA Latin set.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from introducer import money
from introducer.bank import latin
from introducer.bank.order import (
    NAME_CHARACTERS,
    TOWN_CHARACTERS,
    CreditTransferFile,
    Debtor,
    Transfer,
    check,
    needs_address,
)

__all__ = ["NAMESPACE", "CreditTransferFile", "Debtor", "Transfer", "amounts_in", "write"]

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

_REMITTANCE_CHARACTERS = 140


def write(file: CreditTransferFile) -> bytes:
    """Return *file* as the UTF-8 bytes of a ``pain.001.001.09`` document.

    The batch id is both the message's and its one payment block's id, so that an answer
    about either, or one booking for the whole batch, is found again. A payout's reference
    is both InstrId and EndToEndId.

    Raises:
        InvalidInputError: A value cannot be sent to a bank; ``field`` is its path.
    """
    check(file)
    name = _text("Nm", latin.convert(file.debtor.name, NAME_CHARACTERS))
    totals = (
        _text("NbOfTxs", str(len(file.transfers))),
        _text("CtrlSum", money.decimal_text(file.sum_minor, file.currency)),
    )
    header = _node(
        "GrpHdr",
        _text("MsgId", file.message_id),
        _text("CreDtTm", file.created_at[:19] + "Z"),
        *totals,
        _node("InitgPty", name),
    )
    block = _node(
        "PmtInf",
        _text("PmtInfId", file.message_id),
        _text("PmtMtd", "TRF"),
        _text("BtchBookg", "true"),
        *totals,
        _node("PmtTpInf", _node("SvcLvl", _text("Cd", "SEPA" if file.is_sepa else "NURG"))),
        _node("ReqdExctnDt", _text("Dt", file.requested_date)),
        _node("Dbtr", name, _address(file.debtor)),
        _node("DbtrAcct", _account(file.debtor), _text("Ccy", file.currency)),
        _node("DbtrAgt", _bank(file.debtor.bic)),
        _text("ChrgBr", "SLEV" if file.is_sepa else "SHAR"),
        *(_transfer(transfer, file.debtor) for transfer in file.transfers),
    )
    body = _node("CstmrCdtTrfInitn", header, block)
    prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{prolog}<Document xmlns="{NAMESPACE}">{body}</Document>\n'.encode()


def _transfer(transfer: Transfer, debtor: Debtor) -> str:
    amount = money.decimal_text(transfer.amount_minor, transfer.currency)
    remittance = latin.convert(transfer.remittance, _REMITTANCE_CHARACTERS)
    return _node(
        "CdtTrfTxInf",
        _node(
            "PmtId",
            _text("InstrId", transfer.reference),
            _text("EndToEndId", transfer.reference),
        ),
        _node("Amt", f'<InstdAmt Ccy="{transfer.currency}">{amount}</InstdAmt>'),
        _node("CdtrAgt", _bank(transfer.bic)) if transfer.bic else "",
        _node(
            "Cdtr",
            _text("Nm", latin.convert(transfer.name, NAME_CHARACTERS)),
            _address(transfer) if needs_address(transfer, debtor) else "",
        ),
        _node("CdtrAcct", _account(transfer)),
        _node("RmtInf", _text("Ustrd", remittance)) if remittance else "",
    )


def _account(party: Debtor | Transfer) -> str:
    return _node("Id", _text("IBAN", party.iban))


def _bank(bic: str) -> str:
    # The schema wants the debtor's bank named; without a BIC this is the agreed filler.
    named = _text("BICFI", bic) if bic else _node("Othr", _text("Id", "NOTPROVIDED"))
    return _node("FinInstnId", named)


def _address(party: Debtor | Transfer) -> str:
    town = latin.convert(party.town, TOWN_CHARACTERS)
    return _node("PstlAdr", _text("TwnNm", town), _text("Ctry", party.country))


def _node(tag: str, *children: str) -> str:
    return f"<{tag}>{''.join(children)}</{tag}>"


def _text(tag: str, value: str) -> str:
    return f"<{tag}>{escape(value)}</{tag}>"


_ORDERED = re.compile(
    r"<EndToEndId>([A-Z0-9]{1,15})</EndToEndId></PmtId>"
    r'<Amt><InstdAmt Ccy="([A-Z]{3})">([0-9]+)(?:\.([0-9]+))?</InstdAmt></Amt>'
)


def amounts_in(content: bytes, currency: str) -> dict[str, int]:
    """Return the amount in minor units by reference, of every transfer in *currency*.

    The file is our own writer's, byte for byte, so its exact form is known; anything else
    finds nothing and shows as a difference.
    """
    digits = money.exponent(currency)
    return {
        reference: int(major + (minor or "").ljust(digits, "0"))
        for reference, code, major, minor in _ORDERED.findall(content.decode())
        if code == currency
    }
