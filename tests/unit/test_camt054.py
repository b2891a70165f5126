"""The bank's bookings, in the shapes banks report them, and the files nobody should trust."""

from __future__ import annotations

from typing import Any

import pytest

from introducer.bank import camt054, document
from introducer.bank.camt054 import Booking
from introducer.errors import InvalidInputError
from tests.support.bank_files import OWNER_IBAN, entry, notification, status_report


def booking(**fields: Any) -> Booking:
    """The booking of the standard entry, but for its key."""
    values = {
        "key": "",
        "notification_id": "NOTE-1",
        "account": OWNER_IBAN,
        "account_servicer_reference": "BANKREF-1",
        "message_id": "batch-1",
        "payment_id": "batch-1",
        "end_to_end_id": "P0000000000001A",
        "amount_minor": 1250,
        "currency": "EUR",
        "direction": "debit",
        "booked_on": "2026-11-24",
    }
    return Booking(**{**values, **fields})


def read(content: bytes) -> tuple[Booking, ...]:
    """The bookings of *content* without their keys, which have tests of their own."""
    return tuple(
        Booking(**{name: getattr(each, name) for name in Booking.__struct_fields__} | {"key": ""})
        for each in camt054.read(content)
    )


def keys(content: bytes) -> list[str]:
    """The keys of the bookings of *content*."""
    return [each.key for each in camt054.read(content)]


@pytest.mark.parametrize("version", [f"camt.054.001.{number:02}" for number in range(4, 14)])
def test_camt054_reads_a_booked_transfer_in_any_version(version: str) -> None:
    """One entry with one transfer below it is one booking with our references."""
    assert (booking(),) == read(notification(entry(), version=version))


def test_camt054_reads_the_oldest_shape() -> None:
    """Version 02 has a bare status, date and time, and the amount one level deeper."""
    old = entry(
        status="<Sts>BOOK</Sts>",
        booked="<BookgDt><DtTm>2026-11-24T10:11:12+01:00</DtTm></BookgDt>",
        details=(
            "<NtryDtls><TxDtls><Refs><PmtInfId>batch-1</PmtInfId>"
            "<EndToEndId>P0000000000001A</EndToEndId></Refs>"
            '<AmtDtls><TxAmt><Amt Ccy="EUR">12.50</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls>'
        ),
    )
    assert (booking(message_id=""),) == read(notification(old, version="camt.054.001.02"))


def test_camt054_batch_entry_gives_one_booking_per_transfer() -> None:
    """A batch booked as one sum is split by the transfers below it, over all blocks."""

    def single(reference: str, amount: str) -> str:
        return (
            f"<TxDtls><Refs><PmtInfId>batch-1</PmtInfId><EndToEndId>{reference}</EndToEndId>"
            f'</Refs><Amt Ccy="EUR">{amount}</Amt></TxDtls>'
        )

    details = (
        f"<NtryDtls>{single('P1', '10.00')}{single('P2', '2')}</NtryDtls>"
        '<NtryDtls><Btch><PmtInfId>batch-2</PmtInfId><TtlAmt Ccy="EUR">0.50</TtlAmt>'
        "<CdtDbtInd>DBIT</CdtDbtInd></Btch></NtryDtls>"
    )
    assert (
        booking(message_id="", end_to_end_id="P1", amount_minor=1000),
        booking(message_id="", end_to_end_id="P2", amount_minor=200),
        booking(message_id="", payment_id="batch-2", end_to_end_id="", amount_minor=50),
    ) == read(notification(entry(details=details)))


def test_camt054_batch_entry_without_transfers_is_one_booking_of_the_block() -> None:
    """A bank may report only the sum of a batch; the block's id says which."""
    details = (
        "<NtryDtls><Btch><MsgId>batch-1</MsgId><PmtInfId>batch-1</PmtInfId>"
        "<NbOfTxs>3</NbOfTxs></Btch></NtryDtls>"
    )
    assert (booking(end_to_end_id=""),) == read(notification(entry(details=details)))


def test_camt054_entry_without_details_keeps_its_amount() -> None:
    """A booking without any reference of ours is still a booking."""
    assert (booking(message_id="", payment_id="", end_to_end_id=""),) == read(
        notification(entry(details=""))
    )


RETURN_INFORMATION = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [
        ("AC04", {"information": RETURN_INFORMATION}),
        ("B-7", {"information": "<RtrInf><Rsn><Prtry>B-7</Prtry></Rsn></RtrInf>"}),
        ("", {"information": "<RtrInf/>"}),
        ("", {"reversal": "<RvslInd>true</RvslInd>"}),
        (
            "",
            {
                "code": (
                    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd>"
                    "<SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>"
                )
            },
        ),
    ],
    ids=["reason", "own reason", "no reason", "reversal", "transaction code"],
)
def test_camt054_money_that_comes_back_is_a_return(reason: str, overrides: dict[str, str]) -> None:
    """A credit is a return when the bank says so in any of its three ways."""
    information = overrides.pop("information", "")
    back = entry(
        direction="<CdtDbtInd>CRDT</CdtDbtInd>",
        details=(
            "<NtryDtls><TxDtls><Refs><EndToEndId>P0000000000001A</EndToEndId></Refs>"
            f'<Amt Ccy="EUR">12.50</Amt>{information}</TxDtls></NtryDtls>'
        ),
        **overrides,
    )
    assert (
        booking(
            message_id="",
            payment_id="",
            direction="credit",
            returned=True,
            return_reason=reason,
        ),
    ) == read(notification(back))


def test_camt054_incoming_credit_is_no_return() -> None:
    """Somebody else's payment to us is not money of ours that came back."""
    incoming = entry(direction="<CdtDbtInd>CRDT</CdtDbtInd>", details="")
    assert [("credit", False)] == [
        (each.direction, each.returned) for each in camt054.read(notification(incoming))
    ]


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR", ""])
def test_camt054_entry_that_is_not_booked_moves_nothing(status: str) -> None:
    """Announced and pending entries are left out."""
    pending = entry(status=f"<Sts><Cd>{status}</Cd></Sts>")
    assert (booking(),) == read(notification(pending, entry()))


def test_camt054_elements_of_another_namespace_are_not_read() -> None:
    """A bank's extension cannot smuggle in an entry or an amount."""
    foreign = '<Ntry xmlns="urn:other"><Amt Ccy="EUR">9.99</Amt></Ntry>'
    assert (booking(),) == read(notification(foreign, entry()))


def test_camt054_key_is_the_same_when_a_booking_is_reported_again() -> None:
    """Another notification with the same entry, in other company, has the same key."""
    other = entry(reference="<AcctSvcrRef>BANKREF-2</AcctSvcrRef>")
    first = keys(notification(entry(), other))
    again = keys(notification(other, entry(), note="NOTE-2", version="camt.054.001.10"))
    assert first == again[::-1]


def test_camt054_two_equal_bookings_in_one_file_have_two_keys() -> None:
    """The bank booked twice, so there are two; the same file again names the same two."""
    content = notification(entry(), entry())
    assert 2 == len(set(keys(content)))
    assert keys(content) == keys(content)


def test_camt054_key_tells_the_same_reference_on_two_accounts_apart() -> None:
    """References are unique within an account only."""
    assert keys(notification(entry())) != keys(notification(entry(), account="NL14MOCK0000000002"))


@pytest.mark.parametrize(
    ("expected", "amount"),
    [
        ((1250, "EUR"), '<Amt Ccy="EUR"> 12.5 </Amt>'),
        ((1250, "EUR"), '<Amt Ccy="EUR">12.50000</Amt>'),
        ((0, "EUR"), '<Amt Ccy="EUR">0</Amt>'),
        ((1250, "JPY"), '<Amt Ccy="JPY">1250</Amt>'),
        ((1250, "JPY"), '<Amt Ccy="JPY">1250.00</Amt>'),
        ((1250, "BHD"), '<Amt Ccy="BHD">1.250</Amt>'),
        ((10**20 - 1, "EUR"), '<Amt Ccy="EUR">999999999999999999.99</Amt>'),
    ],
)
def test_camt054_amounts_are_exact(expected: tuple[int, str], amount: str) -> None:
    """Decimals become minor units by the currency's exponent, without a float."""
    found = camt054.read(notification(entry(amount=amount, details="")))
    assert [expected] == [(each.amount_minor, each.currency) for each in found]


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("bank_file_malformed", notification(entry(amount="", details=""))),
        ("bank_file_malformed", notification(entry(amount='<Amt Ccy="EUR"/>', details=""))),
        (
            "bank_file_malformed",
            notification(entry(amount='<Amt Ccy="EUR">12.505</Amt>', details="")),
        ),
        ("bank_file_malformed", notification(entry(amount='<Amt Ccy="EUR">-1</Amt>', details=""))),
        ("bank_file_malformed", notification(entry(amount='<Amt Ccy="EUR">1e3</Amt>', details=""))),
        (
            "bank_file_malformed",
            notification(entry(amount='<Amt Ccy="EUR">\u0661</Amt>', details="")),
        ),
        ("unknown_currency", notification(entry(amount='<Amt Ccy="ZZZ">1</Amt>', details=""))),
        ("unknown_currency", notification(entry(amount="<Amt>1</Amt>", details=""))),
        ("bank_file_malformed", notification(entry(direction="", details=""))),
        (
            "bank_file_malformed",
            notification(entry(booked="<BookgDt><Dt>24/11/26</Dt></BookgDt>")),
        ),
        (
            "bank_file_malformed",
            notification(entry(reference=f"<AcctSvcrRef>{'R' * 36}</AcctSvcrRef>")),
        ),
        (
            "bank_file_malformed",
            notification(entry(details=f"<NtryDtls>{'<TxDtls/>' * 2}</NtryDtls>")),
        ),
        ("bank_file_unexpected", status_report("")),
    ],
)
def test_camt054_file_with_one_bad_booking_is_refused_whole(code: str, content: bytes) -> None:
    """Nothing of a file is used when an amount, side, date or reference cannot be trusted."""
    with pytest.raises(InvalidInputError) as refused:
        camt054.read(content)
    assert code == refused.value.code


ENTITIES = (
    b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Document>&c;</Document>'
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]><Document>&x;</Document>'


@pytest.mark.parametrize(
    ("message", "code", "content"),
    [
        ("a document type declaration is not accepted", "bank_file_malformed", ENTITIES),
        ("a document type declaration is not accepted", "bank_file_malformed", OUTSIDE),
        (
            "a document type declaration is not accepted",
            "bank_file_malformed",
            b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd"><Document/>',
        ),
        ("elements are nested too deeply", "bank_file_malformed", b"<a>" * 100_000),
        ("not well-formed XML", "bank_file_malformed", b"\x00" * 64),
        ("not well-formed XML", "bank_file_malformed", b'<?xml version="1.0" encoding="x-y"?><a/>'),
        ("not well-formed XML", "bank_file_malformed", notification(entry()) + b"<more/>"),
        ("not well-formed XML", "bank_file_malformed", notification("&undefined;")),
        (
            "longer than a bank file may be",
            "bank_file_too_large",
            b" " * (document.MAX_BYTES + 1),
        ),
    ],
    ids=["expanding", "file", "fetched", "deep", "zeros", "encoding", "two", "entity", "long"],
)
def test_camt054_hostile_file_is_refused_before_it_costs_anything(
    message: str, code: str, content: bytes
) -> None:
    """No entity is expanded, nothing is fetched, and neither depth nor size gets through."""
    with pytest.raises(InvalidInputError) as refused:
        camt054.read(content)
    assert (message, code) == (refused.value.message, refused.value.code)


def test_camt054_reads_other_encodings_the_standard_allows() -> None:
    """A file in UTF-16 says the same."""
    content = notification(entry()).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert (booking(),) == read(content)
