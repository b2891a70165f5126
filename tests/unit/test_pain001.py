"""The payment file: its exact bytes, its schema, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from introducer.bank import latin, order, pain001
from introducer.errors import InvalidInputError
from tests.support.bank_files import (
    OUTSIDE_IBAN,
    OWNER_IBAN,
    credit_transfer_file,
    debtor,
    transfer,
    validated,
)

SEPA_FILE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
    "<GrpHdr><MsgId>batch-1</MsgId><CreDtTm>2026-11-23T09:00:00Z</CreDtTm>"
    "<NbOfTxs>2</NbOfTxs><CtrlSum>12.51</CtrlSum>"
    "<InitgPty><Nm>Nordlink Telecom</Nm></InitgPty></GrpHdr>"
    "<PmtInf><PmtInfId>batch-1</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg>"
    "<NbOfTxs>2</NbOfTxs><CtrlSum>12.51</CtrlSum>"
    "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>"
    "<ReqdExctnDt><Dt>2026-11-24</Dt></ReqdExctnDt>"
    "<Dbtr><Nm>Nordlink Telecom</Nm>"
    "<PstlAdr><TwnNm>Amsterdam</TwnNm><Ctry>NL</Ctry></PstlAdr></Dbtr>"
    "<DbtrAcct><Id><IBAN>NL41MOCK0000000001</IBAN></Id><Ccy>EUR</Ccy></DbtrAcct>"
    "<DbtrAgt><FinInstnId><BICFI>MOCKNL2A</BICFI></FinInstnId></DbtrAgt>"
    "<ChrgBr>SLEV</ChrgBr>"
    "<CdtTrfTxInf><PmtId><InstrId>P0000000000001A</InstrId>"
    "<EndToEndId>P0000000000001A</EndToEndId></PmtId>"
    '<Amt><InstdAmt Ccy="EUR">12.50</InstdAmt></Amt>'
    "<Cdtr><Nm>Petra Muster</Nm></Cdtr>"
    "<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct></CdtTrfTxInf>"
    "<CdtTrfTxInf><PmtId><InstrId>P2</InstrId><EndToEndId>P2</EndToEndId></PmtId>"
    '<Amt><InstdAmt Ccy="EUR">0.01</InstdAmt></Amt>'
    "<CdtrAgt><FinInstnId><BICFI>POFICHBEXXX</BICFI></FinInstnId></CdtrAgt>"
    "<Cdtr><Nm>Rene O'Neil</Nm>"
    "<PstlAdr><TwnNm>Zurich</TwnNm><Ctry>CH</Ctry></PstlAdr></Cdtr>"
    "<CdtrAcct><Id><IBAN>CH9300762011623852957</IBAN></Id></CdtrAcct>"
    "<RmtInf><Ustrd>Rewards + thanks</Ustrd></RmtInf></CdtTrfTxInf>"
    "</PmtInf></CstmrCdtTrfInitn></Document>\n"
)

WIRE_BLOCK = (
    "<CtrlSum>1250</CtrlSum>"
    "<PmtTpInf><SvcLvl><Cd>NURG</Cd></SvcLvl></PmtTpInf>"
    "<ReqdExctnDt><Dt>2026-11-24</Dt></ReqdExctnDt>"
    "<Dbtr><Nm>Nordlink Telecom</Nm>"
    "<PstlAdr><TwnNm>Amsterdam</TwnNm><Ctry>NL</Ctry></PstlAdr></Dbtr>"
    "<DbtrAcct><Id><IBAN>NL41MOCK0000000001</IBAN></Id><Ccy>JPY</Ccy></DbtrAcct>"
    "<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>"
    "<ChrgBr>SHAR</ChrgBr>"
    "<CdtTrfTxInf><PmtId><InstrId>P0000000000001A</InstrId>"
    "<EndToEndId>P0000000000001A</EndToEndId></PmtId>"
    '<Amt><InstdAmt Ccy="JPY">1250</InstdAmt></Amt>'
    "<CdtrAgt><FinInstnId><BICFI>BOMLAEAD</BICFI></FinInstnId></CdtrAgt>"
    "<Cdtr><Nm>Petra Muster</Nm>"
    "<PstlAdr><TwnNm>Dubai</TwnNm><Ctry>AE</Ctry></PstlAdr></Cdtr>"
    "<CdtrAcct><Id><IBAN>AE070331234567890123456</IBAN></Id></CdtrAcct></CdtTrfTxInf>"
    "</PmtInf></CstmrCdtTrfInitn></Document>\n"
)


def sepa_file() -> order.CreditTransferFile:
    """One payee inside the EEA and one outside, with characters no bank carries."""
    return credit_transfer_file(
        transfers=(
            transfer(),
            transfer(
                reference="P2",
                amount_minor=1,
                name="René  O\u2019Neil",
                iban="CH9300762011623852957",
                bic="POFICHBEXXX",
                town="Zürich",
                country="CH",
                remittance="Rewards & thanks",
            ),
        )
    )


def wire_file(**overrides: Any) -> order.CreditTransferFile:
    """A payment in yen to a bank outside SEPA, from an account whose BIC is not known."""
    payee = {"currency": "JPY", "iban": OUTSIDE_IBAN, "bic": "BOMLAEAD", "town": "Dubai"}
    return credit_transfer_file(
        method="wire",
        currency="JPY",
        debtor=debtor(bic=""),
        transfers=(transfer(**{**payee, "country": "AE", **overrides}),),
    )


def test_pain001_sepa_file_is_written_byte_for_byte() -> None:
    """The file is exactly this, with an address only where a bank is outside the EEA."""
    assert SEPA_FILE == pain001.write(sepa_file()).decode()


def test_pain001_wire_file_names_bank_address_and_shared_charges() -> None:
    """Outside SEPA: service level NURG, shared charges, whole yen, bank and address."""
    written = pain001.write(wire_file()).decode()
    assert WIRE_BLOCK == written[written.rindex("<CtrlSum>") :]


@pytest.mark.parametrize(
    "file",
    [
        sepa_file(),
        wire_file(),
        credit_transfer_file(message_id="b" * 35, transfers=(transfer(remittance="x" * 500),)),
        credit_transfer_file(
            method="wire", currency="BHD", transfers=(transfer(currency="BHD", amount_minor=1001),)
        ),
        credit_transfer_file(transfers=(transfer(amount_minor=order.MAX_SEPA_MINOR),)),
    ],
    ids=["sepa", "wire", "longest", "three digits", "largest"],
)
def test_pain001_is_valid_by_the_published_schema(file: order.CreditTransferFile) -> None:
    """What is written is a pain.001.001.09 by its XML schema."""
    assert "Document" == etree.QName(validated(pain001.write(file))).localname


def test_pain001_same_batch_gives_the_same_bytes() -> None:
    """Writing a stored batch again gives the same file."""
    assert pain001.write(sepa_file()) == pain001.write(sepa_file())


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("Ake Angstrom", "Åke Ångström"),
        ("Lukasz Strasse", "Łukasz Straße"),
        ("Ivan SHTarbov", "Иван Щърбов"),
        ("Georgios PSaros", "Γεώργιος Ψaros"),
        ("Mary (x) + Co", "Mary <x> & Co"),
        ("Tab New line", "Tab\tNew\r\n line"),
        ("Hidden", "Hid\u200bden\u202e"),
        ("...", "王小明"),
        ("fi 1/2", "ﬁ ½"),
        ("", "\u0000 \u0301"),
    ],
)
def test_latin_converts_to_the_banks_characters(expected: str, text: str) -> None:
    """Accents, other alphabets, signs and invisible marks become what a bank carries."""
    assert expected == latin.convert(text, 70)


def test_pain001_long_name_is_cut_after_conversion() -> None:
    """A name that conversion makes longer is still cut to the 70 characters allowed."""
    written = pain001.write(credit_transfer_file(transfers=(transfer(name="ß" * 70),)))
    assert f"<Cdtr><Nm>{'s' * 70}</Nm></Cdtr>" in written.decode()


FILE_REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("message_id", {"message_id": ""}),
    ("message_id", {"message_id": "b" * 36}),
    ("message_id", {"message_id": "-batch"}),
    ("message_id", {"message_id": "batch#1"}),
    ("created_at", {"created_at": "2026-11-23T09:00:00Z"}),
    ("created_at", {"created_at": "2026-02-30T09:00:00.000Z"}),
    ("created_at", {"created_at": "٢026-11-23T09:00:00.000Z"}),
    ("requested_date", {"requested_date": "24.11.2026"}),
    ("requested_date", {"requested_date": "2026-02-29"}),
    ("method", {"method": "cash"}),
    ("currency", {"currency": "USD"}),
    ("currency", {"currency": "XXX"}),
    ("debtor.name", {"debtor": debtor(name="  ")}),
    ("debtor.iban", {"debtor": debtor(iban="NL42MOCK0000000001")}),
    ("debtor.bic", {"debtor": debtor(bic="MOCK")}),
    ("debtor.town", {"debtor": debtor(town="")}),
    ("debtor.country", {"debtor": debtor(country="Netherlands")}),
    ("transfers", {"transfers": ()}),
    ("transfers", {"transfers": (transfer(),) * (order.MAX_TRANSFERS + 1)}),
    ("transfers[1].reference", {"transfers": (transfer(), transfer())}),
]
TRANSFER_REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("reference", {"reference": ""}),
    ("reference", {"reference": "P" * 16}),
    ("reference", {"reference": "p1"}),
    ("reference", {"reference": "P-1"}),
    ("amount_minor", {"amount_minor": 0}),
    ("amount_minor", {"amount_minor": -1}),
    ("amount_minor", {"amount_minor": order.MAX_SEPA_MINOR + 1}),
    ("currency", {"currency": "USD"}),
    ("name", {"name": ""}),
    ("name", {"name": "王小明"}),
    ("iban", {"iban": ""}),
    ("iban", {"iban": "DE88370400440532013000"}),
    ("iban", {"iban": "DE89 3704 0044 0532 0130 00"}),
    ("iban", {"iban": "de89370400440532013000"}),
    ("iban", {"iban": OUTSIDE_IBAN, "town": "Dubai", "country": "AE"}),
    ("bic", {"bic": "COBADEFFXX"}),
    ("town", {"iban": "CH9300762011623852957", "country": "CH"}),
    ("country", {"iban": "CH9300762011623852957", "town": "Bern"}),
]


@pytest.mark.parametrize(("field", "overrides"), FILE_REFUSALS)
def test_pain001_file_that_a_bank_would_refuse_is_not_written(
    field: str, overrides: dict[str, Any]
) -> None:
    """A wrong header, debtor or list of transfers is refused by the name of the field."""
    with pytest.raises(InvalidInputError) as refused:
        pain001.write(credit_transfer_file(**overrides))
    assert field == refused.value.field


@pytest.mark.parametrize(("field", "overrides"), TRANSFER_REFUSALS)
def test_pain001_transfer_that_a_bank_would_refuse_is_not_written(
    field: str, overrides: dict[str, Any]
) -> None:
    """A wrong transfer is refused by its place in the file; the good one before it is not."""
    wrong = transfer(**{"reference": "P2", **overrides})
    with pytest.raises(InvalidInputError) as refused:
        pain001.write(credit_transfer_file(transfers=(transfer(), wrong)))
    assert (f"transfers[1].{field}", "invalid_payment") == (
        refused.value.field,
        refused.value.code,
    )


def test_pain001_wire_outside_sepa_needs_the_payees_bank() -> None:
    """An account no SEPA bank holds cannot be reached without a BIC."""
    with pytest.raises(InvalidInputError) as refused:
        pain001.write(wire_file(bic=""))
    assert "transfers[0].bic" == refused.value.field


def test_pain001_sum_longer_than_a_control_sum_is_refused() -> None:
    """A total of more than 18 digits cannot be written, so the file is not."""
    transfers = tuple(
        transfer(reference=f"P{index}", currency="JPY", amount_minor=10**15)
        for index in range(1000)
    )
    with pytest.raises(InvalidInputError) as refused:
        pain001.write(credit_transfer_file(method="wire", currency="JPY", transfers=transfers))
    assert "transfers" == refused.value.field


def test_pain001_refusals_never_quote_what_they_refuse() -> None:
    """Errors end in logs, so they hold no name and no account number."""
    canaries = {"name": "Canary Personsdottir", "iban": OWNER_IBAN[:-1] + "9"}
    with pytest.raises(InvalidInputError) as refused:
        pain001.write(credit_transfer_file(transfers=(transfer(**canaries),)))
    said = f"{refused.value} {refused.value.data}"
    assert [] == [canary for canary in canaries.values() if canary in said]
