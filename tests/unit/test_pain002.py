"""The bank's status reports, in the versions and levels banks use."""

from __future__ import annotations

import pytest

from introducer.bank import pain002
from introducer.bank.pain002 import StatusReport
from introducer.errors import InvalidInputError
from tests.support.bank_files import notification, status_report

FILE = "<OrgnlGrpInfAndSts><OrgnlMsgId>batch-1</OrgnlMsgId>{}</OrgnlGrpInfAndSts>"
PARTLY = FILE.format("<GrpSts>PART</GrpSts>") + (
    "<OrgnlPmtInfAndSts><OrgnlPmtInfId>batch-1</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>"
    "<TxInfAndSts><OrgnlInstrId>P1</OrgnlInstrId><OrgnlEndToEndId>P1</OrgnlEndToEndId>"
    "<TxSts>ACSC</TxSts></TxInfAndSts>"
    "<TxInfAndSts><OrgnlEndToEndId>P2</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
    "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>account DE89370400440532013000</AddtlInf>"
    "</StsRsnInf><StsRsnInf><Rsn><Prtry>H-12</Prtry></Rsn></StsRsnInf>"
    "<StsRsnInf><AddtlInf>and so on</AddtlInf></StsRsnInf></TxInfAndSts>"
    "</OrgnlPmtInfAndSts>"
)


def report(**fields: object) -> StatusReport:
    """A status of the file of these tests."""
    values = {"report_id": "BANK-1", "level": "file", "message_id": "batch-1"}
    return StatusReport(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "version",
    [
        "pain.002.001.03",
        "pain.002.001.08",
        "pain.002.001.10",
        "pain.002.001.12",
        "pain.002.001.03.ch.02",
    ],
)
def test_pain002_reads_every_level_in_any_version(version: str) -> None:
    """Transfers, block and file come out, narrowest first, without the bank's free text."""
    assert (
        report(level="transfer", payment_id="batch-1", end_to_end_id="P1", status="ACSC"),
        report(
            level="transfer",
            payment_id="batch-1",
            end_to_end_id="P2",
            status="RJCT",
            reasons=("AC04", "H-12"),
        ),
        report(level="payment", payment_id="batch-1", status="PART"),
        report(status="PART"),
    ) == pain002.read(status_report(PARTLY, version))


def test_pain002_later_report_names_only_the_transfer() -> None:
    """A report on one transfer says nothing about file and block, so neither is reported."""
    body = FILE.format("") + (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>batch-1</OrgnlPmtInfId><TxInfAndSts>"
        "<OrgnlEndToEndId>P2</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>"
        "</OrgnlPmtInfAndSts>"
    )
    assert (
        report(level="transfer", payment_id="batch-1", end_to_end_id="P2", status="RJCT"),
    ) == pain002.read(status_report(body))


def test_pain002_block_without_transfers_does_not_inherit_the_block_before() -> None:
    """Ids of one block do not leak into the next."""
    body = PARTLY + (
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>NOTPROVIDED</OrgnlPmtInfId>"
        "<PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"
    )
    assert (
        report(level="payment", payment_id="batch-1", status="PART"),
        report(level="payment", status="RJCT"),
        report(status="PART"),
    ) == pain002.read(status_report(body))[2:]


@pytest.mark.parametrize(
    ("verdict", "status", "reasons"),
    [
        ("accepted", "ACCP", ()),
        ("accepted", "ACTC", ()),
        ("settled", "ACSC", ()),
        ("pending", "PDNG", ()),
        ("partial", "PART", ()),
        ("rejected", "RJCT", ()),
        ("rejected", "RJCT", ("AC04",)),
        ("duplicate", "RJCT", ("DUPL",)),
        ("duplicate", "RJCT", ("AM05",)),
        ("accepted", "ACCP", ("DUPL",)),
        ("unknown", "BLCK", ()),
        ("unknown", "WHAT", ("AC04",)),
    ],
)
def test_pain002_verdict_is_what_it_means_for_the_money(
    verdict: str, status: str, reasons: tuple[str, ...]
) -> None:
    """Only a refusal that is not of a repetition gives money back; the unknown decides nothing."""
    assert verdict == report(status=status, reasons=reasons).verdict


def test_pain002_of_an_unreadable_file_has_no_message_id() -> None:
    """The standard's filler for a missing id is not taken for an id."""
    body = (
        "<OrgnlGrpInfAndSts><OrgnlMsgId>NOTPROVIDED</OrgnlMsgId><GrpSts>RJCT</GrpSts>"
        "<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
    )
    assert (report(message_id="", status="RJCT", reasons=("FF01",)),) == pain002.read(
        status_report(body)
    )


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("bank_file_unexpected", notification()),
        ("bank_file_unexpected", b'<Document xmlns="urn:x:pain.002.001.10"/>'),
        ("bank_file_unexpected", status_report("").replace(b"Document", b"Dokument")),
        ("bank_file_malformed", b""),
        ("bank_file_malformed", status_report(PARTLY)[:-20]),
        ("bank_file_malformed", status_report(FILE.format(f"<GrpSts>{'A' * 36}</GrpSts>"))),
    ],
)
def test_pain002_file_that_is_none_is_refused(code: str, content: bytes) -> None:
    """Another message, no XML, half a file or an endless code is an error with a code."""
    with pytest.raises(InvalidInputError) as refused:
        pain002.read(content)
    assert ("file", code) == (refused.value.field, refused.value.code)
