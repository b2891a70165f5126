"""Account numbers as payees type them: what is accepted, in the one form that is stored.

Every function takes what somebody typed, spaces and lower case included, and returns the
form without them. What cannot be an account is refused with a stable code and no quote of
the value: it is personal data. That a number is well formed does not mean that the account
exists; only the bank's answer tells.
"""

from __future__ import annotations

import re

from introducer.errors import InvalidInputError

ACCOUNT_TYPES = ("checking", "savings")
"""What an account at a bank of the United States can be, in the ACH network's terms."""

_SEPARATORS = re.compile(r"[\s-]+")
_US_ACCOUNT = re.compile(r"[0-9]{4,17}")
# The first two digits: Federal Reserve districts, the same plus 20 and plus 60 for thrifts
# and electronic use, and 80 for travellers' cheques, which no payment can be sent to.
_DISTRICTS = frozenset((*range(1, 13), *range(21, 33), *range(61, 73)))


def iban(value: str, field: str = "iban") -> str:
    """Return an IBAN in upper case without separators.

    Its check digits, the length and form of its country (the SWIFT registry) and, where the
    country has them, its national check digits agree.

    Raises:
        InvalidInputError: ``invalid_iban`` of *field*.
    """
    from stdnum import iban as registry  # 10 ms, only where somebody names an account
    from stdnum.exceptions import ValidationError

    try:
        number = str(registry.validate(value))
        # 00, 01 and 99 pass the remainder too, and no bank issues them.
        if number[2:4] == registry.calc_check_digits(number):
            return number
    except (ValidationError, ValueError):
        pass
    message = "not an IBAN: letters or digits are missing, swapped or mistyped"
    raise InvalidInputError(field, message, code="invalid_iban")


def bic(value: str, field: str = "bic") -> str:
    """Return a BIC (ISO 9362) of 8 or 11 characters in upper case without separators.

    Raises:
        InvalidInputError: ``invalid_bic`` of *field*.
    """
    from stdnum import bic as registry
    from stdnum.exceptions import ValidationError

    try:
        return str(registry.validate(value))
    except ValidationError:
        message = "not a BIC: 8 or 11 characters that name a bank and its country"
        raise InvalidInputError(field, message, code="invalid_bic") from None


def routing(value: str, field: str = "routing") -> str:
    """Return the nine digits of an ABA routing number.

    The check digit agrees (3, 7, 1 weights, modulo 10) and the first two digits are ones
    that the American Bankers Association gives to banks.

    Raises:
        InvalidInputError: ``invalid_routing`` of *field*.
    """
    from stdnum.exceptions import ValidationError
    from stdnum.us import rtn

    try:
        number = str(rtn.validate(_SEPARATORS.sub("", value)))
        if int(number[:2]) in _DISTRICTS:
            return number
    except ValidationError:
        pass
    message = "not a routing number: nine digits, and the last one checks the others"
    raise InvalidInputError(field, message, code="invalid_routing")


def us_account(value: str, field: str = "account") -> str:
    """Return the 4 to 17 digits of an account at a bank of the United States.

    There is no check digit; 17 is what a NACHA entry holds.

    Raises:
        InvalidInputError: ``invalid_account`` of *field*.
    """
    number = _SEPARATORS.sub("", value)
    if _US_ACCOUNT.fullmatch(number) and number.strip("0"):
        return number
    message = "not an account number: 4 to 17 digits"
    raise InvalidInputError(field, message, code="invalid_account")
