"""Statements, returns and US formats: what they say, and the files nobody should trust."""

from __future__ import annotations

import pytest

from introducer.bank import bai2, camt053, camt054, nacha_return, pacs004
from introducer.errors import InvalidInputError
from tests.support.bank_files import NAMESPACE, OWNER_IBAN, entry, notification

RETURNED = (
    '<Amt Ccy="EUR">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2026-11-25</Dt></BookgDt><AcctSvcrRef>RTR-2</AcctSvcrRef>"
)


def statement(
    *entries: str, opening: str = "1000.00", closing: str = "987.50", more: str = ""
) -> bytes:
    """A statement of *entries*, number 7."""

    def balance(kind: str, amount: str) -> str:
        side = "DBIT" if amount.startswith("-") else "CRDT"
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="EUR">{amount.lstrip("-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
            "<Dt><Dt>2026-11-24</Dt></Dt></Bal>"
        )

    return (
        f'<?xml version="1.0"?><Document xmlns="{NAMESPACE}camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>S</MsgId></GrpHdr><Stmt><Id>S</Id>"
        f"{more}<ElctrncSeqNb>7</ElctrncSeqNb><Acct><Id><IBAN>{OWNER_IBAN}</IBAN></Id></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{''.join(entries)}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def payment_return(more: str = "", amount: str = "12.50") -> bytes:
    """A pacs.004 of one payment."""
    return (
        f'<?xml version="1.0"?><Document xmlns="{NAMESPACE}pacs.004.001.09"><PmtRtr>'
        "<GrpHdr><MsgId>R</MsgId></GrpHdr><OrgnlGrpInf><OrgnlMsgId>batch-1</OrgnlMsgId>"
        "</OrgnlGrpInf><TxInf><RtrId>RTR-2</RtrId>"
        "<OrgnlEndToEndId>P0000000000001A</OrgnlEndToEndId>"
        '<OrgnlIntrBkSttlmAmt Ccy="EUR">12.50</OrgnlIntrBkSttlmAmt>'
        f'<RtrdIntrBkSttlmAmt Ccy="EUR">{amount}</RtrdIntrBkSttlmAmt>'
        f"<IntrBkSttlmDt>2026-11-25</IntrBkSttlmDt>{more}"
        "<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf><OrgnlTxRef><DbtrAcct><Id>"
        f"<IBAN>{OWNER_IBAN}</IBAN></Id></DbtrAcct></OrgnlTxRef></TxInf></PmtRtr></Document>"
    ).encode()


def test_statement_repeats_the_key_of_the_notification() -> None:
    """What was notified and stands on the statement is one booking."""
    (stated,) = camt053.read(statement(entry()))
    assert camt054.read(notification(entry()))[0].key == stated.bookings[0].key
    assert (7, "2026-11-24", 100_000, 98_750, -1_250, 1, True) == (
        stated.number,
        stated.day,
        stated.opening_minor,
        stated.closing_minor,
        stated.moved_minor,
        stated.page,
        stated.last,
    )


def test_statement_of_an_overdraft_and_of_nothing() -> None:
    """Balances may be below zero; a day without entries has a statement too."""
    (stated,) = camt053.read(statement(opening="-5.00", closing="-5.00"))
    assert (-500, -500, 0, ()) == (
        stated.opening_minor,
        stated.closing_minor,
        stated.moved_minor,
        stated.bookings,
    )


def test_statement_in_pages_says_which_one_it_is() -> None:
    """A page that is not the last is told apart from a whole statement."""
    pages = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"
    (stated,) = camt053.read(statement(entry(), more=pages))
    assert (1, False) == (stated.page, stated.last)


def test_statement_with_an_entry_in_another_currency_is_refused() -> None:
    """Its sum could not be checked."""
    with pytest.raises(InvalidInputError):
        camt053.read(statement(entry(amount='<Amt Ccy="USD">12.50</Amt>')))


def test_return_repeats_the_key_of_the_credit() -> None:
    """The message about a return and the credit that it books are one statement."""
    detail = (
        "<NtryDtls><TxDtls><Refs><EndToEndId>P0000000000001A</EndToEndId></Refs>"
        '<Amt Ccy="EUR">12.50</Amt><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>'
    )
    (credit,) = camt054.read(notification(f"<Ntry>{RETURNED}{detail}</Ntry>"))
    (returned,) = pacs004.read(payment_return())
    assert credit.key == returned.key
    assert (True, "AC04", "batch-1", 1250) == (
        returned.returned,
        returned.return_reason,
        returned.message_id,
        returned.amount_minor,
    )


def test_return_tells_what_banks_kept() -> None:
    """Charges on the way are told apart from what arrives."""
    charges = '<ChrgsInf><Amt Ccy="EUR">2.50</Amt></ChrgsInf>'
    (returned,) = pacs004.read(payment_return(charges, amount="10.00"))
    assert (1000, 250, 1250, "EUR") == (
        returned.amount_minor,
        returned.charges_minor,
        returned.instructed_minor,
        returned.instructed_currency,
    )


def test_entry_tells_included_charges_and_what_is_a_charge() -> None:
    """Charges within an amount are a part of it; an entry of the bank's own is one as a whole."""
    charged = entry(
        details=(
            "<NtryDtls><TxDtls><Refs><EndToEndId>P1</EndToEndId></Refs>"
            '<Amt Ccy="EUR">12.50</Amt><Chrgs><Rcrd><Amt Ccy="EUR">0.50</Amt>'
            "<ChrgInclInd>true</ChrgInclInd></Rcrd><Rcrd><Amt Ccy='EUR'>9.00</Amt></Rcrd></Chrgs>"
            "</TxDtls></NtryDtls>"
        )
    )
    fee = entry(
        code="<BkTxCd><Domn><Fmly><SubFmlyCd>CHRG</SubFmlyCd></Fmly></Domn></BkTxCd>", details=""
    )
    first, second = camt054.read(notification(charged, fee))
    assert (50, False, 0, True) == (
        first.charges_minor,
        first.charge,
        second.charges_minor,
        second.charge,
    )


BAI2 = """01,MOCKBANK,USA,261127,0900,1,,,2/
02,USA,MOCKBANK,1,261125,0900,USD,/
03,0975312468,,010,+100000,,Z,015,+98751,,/
16,447,1250,V,261125,,BANK-7,batch-1,PAYMENT P0000000000000A/
88,TO PETRA/
16,257,1,S,1,0,0,,,RETURN P0000000000000B, REFUSED/
49,+200002,5/
98,+200002,1,7/
99,+200002,1,9/
"""


def test_bai2_finds_our_reference_in_the_text() -> None:
    """Direction by the code, the day by the group, more of a text by a continuation."""
    (stated,) = bai2.read(BAI2.encode())
    debit, credit = stated.bookings
    assert ("0975312468", "USD", "2026-11-25", 100_000, 98_751, -1_249) == (
        stated.account,
        stated.currency,
        stated.day,
        stated.opening_minor,
        stated.closing_minor,
        stated.moved_minor,
    )
    assert ("debit", 1250, "P0000000000000A", "BANK-7", False) == (
        debit.direction,
        debit.amount_minor,
        debit.end_to_end_id,
        debit.account_servicer_reference,
        debit.returned,
    )
    assert ("credit", 1, "P0000000000000B", True) == (
        credit.direction,
        credit.amount_minor,
        credit.end_to_end_id,
        credit.returned,
    )


def test_bai2_numbers_equal_amounts_of_one_file() -> None:
    """Two equal lines are two bookings; the same file again has the same keys."""
    twice = BAI2.replace("16,257,1,S,1,0,0,,,RETURN P0000000000000B, REFUSED/", "16,475,5,Z,A,,/")
    twice = twice.replace("49,+200002,5/", "16,475,5,Z,A,,/\n49,+200011,6/")
    twice = twice.replace("+200002,1,7", "+200011,1,8").replace("+200002,1,9", "+200011,1,10")
    keys = [each.key for each in bai2.read(twice.encode())[0].bookings]
    assert 3 == len(set(keys))
    assert keys == [each.key for each in bai2.read(twice.encode())[0].bookings]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("49,+200002,5/", "49,+200003,5/"),
        ("49,+200002,5/", "49,+200002,6/"),
        ("98,+200002,1,7/", "98,+200002,2,7/"),
        ("99,+200002,1,9/", "99,+200001,1,9/"),
        ("99,+200002,1,9/", ""),
        ("16,447,1250", "16,447,12.50"),
        ("261125,0900,USD", "25-Nov,0900,USD"),
        ("0900,USD", "0900,XXQ"),
        ("01,MOCKBANK", "MOCKBANK"),
    ],
)
def test_bai2_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    """Control totals, counts, days and currencies must be right, or nothing is used."""
    with pytest.raises(InvalidInputError):
        bai2.read(BAI2.replace(old, new).encode())


def ach(*, code: str = "R03", addenda: str = "99", cents: int = 1, total: int | None = None) -> str:
    """A return file as a bank writes it."""
    amount = f"{cents:010}"
    return "\n".join(
        line.ljust(94)
        for line in (
            "101           9999999922611270900A094101US                     MOCK BANK",
            (
                "5220US                                            CCDRETURN          261125   1"
                "999999990000001"
            ),
            (
                f"621999999992{'123456789':17}{amount}P0000000000000BPetra Muster            1"
                "999999990000001"
            ),
            f"7{addenda}{code}091000010000007      09100001".ljust(79) + "999999990000001",
            f"822000000200999999990000000000000000{amount[-8:]:>8}".ljust(79) + "999999990000001",
            f"9000001000001000000020099999999{0:012}{cents if total is None else total:012}",
            "9" * 94,
        )
    )


def test_nacha_return_says_who_why_and_when() -> None:
    """The reference is the individual identification number, the code stands in addenda 99."""
    (found,) = nacha_return.read(ach().encode())
    assert ("return", "P0000000000000B", "R03", 1, "2026-11-25", "091000010000007") == (
        found.kind,
        found.reference,
        found.code,
        found.amount_minor,
        found.on,
        found.trace,
    )
    assert found.key == nacha_return.read(ach().encode())[0].key


def test_nacha_change_is_told_apart() -> None:
    """A notification of change moves no money."""
    (found,) = nacha_return.read(ach(addenda="98", code="C01", cents=0).encode())
    assert ("change", "C01", 0) == (found.kind, found.code, found.amount_minor)


@pytest.mark.parametrize(
    "content",
    [
        ach(code="X03"),
        ach(addenda="05"),
        ach(total=2),
        ach().replace("\n7", "\n "),
        ach().replace("0000000001P", "00000000XXP"),
        ach().replace("Petra", "Pétra"),
        ach().replace("\n9000001", "too long\n9000001"),
    ],
)
def test_nacha_file_that_is_no_return_is_refused(content: str) -> None:
    """An entry without its reason, a wrong total, a letter that is not ASCII."""
    with pytest.raises(InvalidInputError):
        nacha_return.read(content.encode())
