"""Account numbers: what is accepted, in which form, and under which code the rest is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from introducer.bank import account
from introducer.errors import InvalidInputError


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" de75 5121 0800 1245 1261 99", "DE75512108001245126199"),
        ("be71-0961-2345-6769", "BE71096123456769"),
        ("MT31MALT01100000000000000000123", "MT31MALT01100000000000000000123"),
        ("NO9386011117947", "NO9386011117947"),
    ],
)
def test_iban_is_stored_without_separators(typed: str, stored: str) -> None:
    """Spaces, hyphens and case are how people type; one form is kept."""
    assert stored == account.iban(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "DE",
        "DE75512108001245126198",
        "DE7551210800124512619",
        "BE73096123456770",  # right for ISO, wrong for Belgium
        "US64SVBKUS6S3300958879",
        "DE00512108001245126199",
        "DE75 5121 0800 1245 1261 9é",
        "٣٣75512108001245126199",
        "GB99" + "A" * 30,
    ],
)
def test_iban_that_no_bank_issued_is_refused(typed: str) -> None:
    """A wrong digit, length, country or national check digit is ``invalid_iban``."""
    assert ("invalid_iban", "iban") == refused(account.iban, typed)


def test_iban_check_digits_are_those_a_bank_would_give() -> None:
    """Of two check digits with the same remainder only the one between 02 and 98 counts."""
    assert ("invalid_iban", "iban") == refused(account.iban, "AT99" + "94".zfill(16))


@pytest.mark.parametrize(
    ("typed", "stored"), [("deut deff", "DEUTDEFF"), ("AGRIFRPP882", "AGRIFRPP882")]
)
def test_bic_is_stored_in_upper_case(typed: str, stored: str) -> None:
    """Eight or eleven characters, without spaces."""
    assert stored == account.bic(typed)


@pytest.mark.parametrize("typed", ["", "DEUTDEF", "DEUTZZFF", "DEUT1EFF", "DEUTDEFF50", "1234DEFF"])
def test_bic_of_no_bank_is_refused(typed: str) -> None:
    """A wrong length or a country that is none is ``invalid_bic``."""
    assert ("invalid_bic", "bic") == refused(account.bic, typed)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("021000021", "021000021"), ("0210-0002 1", "021000021"), ("322271627", "322271627")],
)
def test_routing_number_is_nine_digits(typed: str, stored: str) -> None:
    """The ABA's check digit agrees; separators go."""
    assert stored == account.routing(typed)


@pytest.mark.parametrize(
    "typed", ["", "021000022", "02100002", "0210000211", "02100002A", "000000000", "800000017"]
)
def test_routing_number_of_no_bank_is_refused(typed: str) -> None:
    """A wrong check digit, length or district is ``invalid_routing``."""
    assert ("invalid_routing", "routing") == refused(account.routing, typed)


def test_every_wrong_digit_of_a_routing_number_is_found() -> None:
    """One mistyped digit never passes: that is what the check digit is for."""
    right = "021000021"
    wrong = [
        right[:place] + digit + right[place + 1 :]
        for place in range(9)
        for digit in "0123456789"
        if digit != right[place]
    ]
    assert {("invalid_routing", "routing")} == {refused(account.routing, each) for each in wrong}


def test_us_account_is_digits() -> None:
    """Four to seventeen digits are kept as they are, leading zeros too."""
    assert "0012345" == account.us_account(" 00-123 45")
    assert "1" * 17 == account.us_account("1" * 17)


@pytest.mark.parametrize("typed", ["", "123", "1" * 18, "12A45", "0000", "１２３４５"])  # noqa: RUF001
def test_us_account_that_an_entry_cannot_hold_is_refused(typed: str) -> None:
    """Too short, too long, letters and nothing but zeros are ``invalid_account``."""
    assert ("invalid_account", "account") == refused(account.us_account, typed)


def test_refusals_name_the_field_they_are_told() -> None:
    """The edge says where the value stood."""
    with pytest.raises(InvalidInputError) as refusal:
        account.iban("nothing", "payee.iban")
    assert "payee.iban" == refusal.value.field
    assert "nothing" not in refusal.value.message


def refused(check: Callable[[str], str], typed: str) -> tuple[str, str]:
    """Return the code and the field of the refusal of *typed*."""
    with pytest.raises(InvalidInputError) as refusal:
        check(typed)
    return refusal.value.code, refusal.value.field
