"""Which parts each kind of account has."""

from __future__ import annotations

import msgspec
import pytest

from introducer.errors import InvalidInputError
from submit.resources import payees
from submit.resources.payees import NewPayee

WHO = {"name": "Pia P.", "town": "Berlin", "country": "DE"}
BANK = WHO | {"iban": "de89 3704 0044 0532 0130 00"}
ACH = WHO | {
    "method": "ach",
    "routing": "021000021",
    "account": "1234 5678",
    "account_type": "savings",
}
STRIPE = WHO | {"method": "stripe", "provider_account": "acct_1abcDEF"}
PAYPAL = WHO | {"method": "paypal", "provider_account": "pia@mail.example"}


def account(body: dict[str, str]) -> tuple[str, str]:
    """Return the number that is stored and the end that is shown."""
    made = payees._account(msgspec.convert(body, NewPayee))
    return made.number, made.last4


def test_account_is_stored_in_its_plain_form() -> None:
    """Without spaces, and with what tells it from every other."""
    assert ("DE89370400440532013000", "3000") == account(BANK)
    assert ("02100002112345678", "5678") == account(ACH)
    assert ("acct_1abcdef", "cDEF") == account(STRIPE)
    assert ("pia@mail.example", "p…@mail.example") == account(PAYPAL)
    assert account(BANK | {"bic": "COBADEFFXXX"}) == account(BANK)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (BANK | {"iban": ""}, ("missing_field", "iban")),
        (BANK | {"iban": "DE88370400440532013000"}, ("invalid_iban", "iban")),
        (BANK | {"routing": "021000021"}, ("not_of_this_method", "routing")),
        (ACH | {"routing": "021000022"}, ("invalid_routing", "routing")),
        (ACH | {"account": "0000"}, ("invalid_account", "account")),
        (ACH | {"account_type": ""}, ("missing_field", "account_type")),
        (ACH | {"bic": "COBADEFFXXX"}, ("not_of_this_method", "bic")),
        (
            STRIPE | {"provider_account": "pia@mail.example"},
            ("invalid_provider_account", "provider_account"),
        ),
        (PAYPAL | {"provider_account": "acct_1"}, ("invalid_provider_account", "provider_account")),
        (PAYPAL | {"iban": BANK["iban"]}, ("not_of_this_method", "iban")),
    ],
)
def test_account_names_the_part_that_cannot_be(
    body: dict[str, str], expected: tuple[str, str]
) -> None:
    """A part that is missing, belongs to another kind, or is mistyped."""
    with pytest.raises(InvalidInputError) as caught:
        account(body)
    assert expected == (caught.value.code, caught.value.field)
