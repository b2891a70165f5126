"""What a payment file is made of, and what a bank would refuse in it.

Rules from outside: the EPC's SEPA credit transfer guidelines for customers (EPC132-08:
EUR, at most 999,999,999.99 a transfer), the field lengths of the ISO 20022 schemas, and
the end of unstructured postal addresses on 15 November 2026: where both banks are in the
EEA no address is needed, elsewhere town and country are.

Errors name the place (``transfers[3].iban``) and never quote a value: it is personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from introducer import money
from introducer.bank import latin
from introducer.errors import InvalidInputError

EEA = frozenset(
    (
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
    ).split()
)
SEPA = EEA | frozenset("AD AL CH GB GI MC MD ME MK RS SM VA".split())
"""Country codes with which an IBAN reachable by SEPA credit transfer begins (2026)."""

MAX_TRANSFERS = 100_000
MAX_SEPA_MINOR = 99_999_999_999
MAX_SUM_MINOR = 10**18 - 1
"""A control sum has 18 digits at most."""

NAME_CHARACTERS = 70
TOWN_CHARACTERS = 35

_MESSAGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:+-]{0,34}")
_REFERENCE = re.compile(r"[A-Z0-9]{1,15}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_COUNTRY = re.compile(r"[A-Z]{2}")

_Findings = Iterator[tuple[str, str]]


class Debtor(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays: the program owner, its account, and its town and country."""

    name: str
    iban: str
    bic: str = ""
    town: str
    country: str


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One payment to one payee.

    Attributes:
        reference: 1 to 15 characters A-Z 0-9, unique in the file; the bank echoes it in
            every answer.
        amount_minor: Positive, in minor units of *currency*.
        iban: Without spaces, upper case.
        bic: Of the payee's bank; required outside SEPA only.
        town: The payee's; required, like *country*, when one of the two banks is outside
            the EEA, and not sent otherwise.
        country: ISO 3166-1 alpha-2.
        remittance: What the payee reads on the statement; may be empty.
    """

    reference: str
    amount_minor: int
    currency: str
    name: str
    iban: str
    bic: str = ""
    town: str = ""
    country: str = ""
    remittance: str = ""


class CreditTransferFile(msgspec.Struct, frozen=True, kw_only=True):
    """One payment file: one account, one currency, one day.

    Attributes:
        message_id: The batch id, 1 to 35 characters A-Z a-z 0-9 . : + -; a bank refuses a
            second file with the same one.
        created_at: Instant, ``2026-11-22T11:17:00.000Z``.
        requested_date: The day the bank is to pay, ``YYYY-MM-DD``.
        currency: Of every transfer.
        method: ``sepa`` (EUR inside SEPA) or ``wire`` (anything else).
        transfers: In the order they are written; at least one.
    """

    message_id: str
    created_at: str
    requested_date: str
    debtor: Debtor
    currency: str
    method: str
    transfers: tuple[Transfer, ...]

    @property
    def is_sepa(self) -> bool:
        """Whether the file goes through the SEPA credit transfer scheme."""
        return self.method == "sepa"

    @property
    def sum_minor(self) -> int:
        """The sum of the transfers, never a number somebody handed in."""
        return sum(transfer.amount_minor for transfer in self.transfers)


def check(file: CreditTransferFile) -> None:
    """Refuse what a bank would refuse, while nothing has been sent.

    Raises:
        InvalidInputError: With the path of the first value that cannot be sent.
    """
    money.exponent(file.currency)
    for field, message in _findings(file):
        raise InvalidInputError(field, message, code="invalid_payment")


def needs_address(transfer: Transfer, debtor: Debtor) -> bool:
    """Return whether one of the two banks is outside the EEA."""
    return not {transfer.iban[:2], debtor.iban[:2]} <= EEA


def _findings(file: CreditTransferFile) -> _Findings:
    yield from _header_findings(file)
    for field, message in _party_findings(file.debtor, sepa=file.is_sepa, address=True):
        yield f"debtor.{field}", message
    if not 0 < len(file.transfers) <= MAX_TRANSFERS:
        yield "transfers", f"1 to {MAX_TRANSFERS}"
    seen: set[str] = set()
    for index, transfer in enumerate(file.transfers):
        for field, message in _transfer_findings(file, transfer):
            yield f"transfers[{index}].{field}", message
        if transfer.reference in seen:
            yield f"transfers[{index}].reference", "used twice in this file"
        seen.add(transfer.reference)
    if file.sum_minor > MAX_SUM_MINOR:
        yield "transfers", "the sum has more digits than a file can carry"


def _header_findings(file: CreditTransferFile) -> _Findings:
    if not _MESSAGE_ID.fullmatch(file.message_id):
        yield "message_id", "1 to 35 characters A-Z a-z 0-9 . : + -, a letter or digit first"
    if not (_INSTANT.fullmatch(file.created_at) and _exists(file.created_at)):
        yield "created_at", "not an instant"
    if not (_DATE.fullmatch(file.requested_date) and _exists(file.requested_date)):
        yield "requested_date", "not a date"
    if file.method not in {"sepa", "wire"}:
        yield "method", "sepa or wire"
    if file.is_sepa and file.currency != "EUR":
        yield "currency", "a SEPA transfer is in EUR"


def _transfer_findings(file: CreditTransferFile, transfer: Transfer) -> _Findings:
    if not _REFERENCE.fullmatch(transfer.reference):
        yield "reference", "1 to 15 characters A-Z 0-9"
    if transfer.currency != file.currency:
        yield "currency", "not the file's currency"
    if not 0 < transfer.amount_minor <= (MAX_SEPA_MINOR if file.is_sepa else money.MAX_MINOR):
        yield "amount_minor", "not above zero, or more than one transfer may carry"
    address = needs_address(transfer, file.debtor)
    yield from _party_findings(transfer, sepa=file.is_sepa, address=address)
    if not transfer.bic and transfer.iban[:2] not in SEPA:
        yield "bic", "required for an account outside SEPA"


def _party_findings(party: Debtor | Transfer, *, sepa: bool, address: bool) -> _Findings:
    if not latin.is_readable(latin.convert(party.name, NAME_CHARACTERS)):
        yield "name", "has no letter that a bank can carry"
    if not (_IBAN.fullmatch(party.iban) and _remainder(party.iban) == 1):
        yield "iban", "not an IBAN, or its check digits are wrong"
    if sepa and party.iban[:2] not in SEPA:
        yield "iban", "the account cannot be reached by SEPA"
    if party.bic and not _BIC.fullmatch(party.bic):
        yield "bic", "not a BIC"
    if address and not latin.is_readable(latin.convert(party.town, TOWN_CHARACTERS)):
        yield "town", "required: banks refuse an address without a town"
    if address and not _COUNTRY.fullmatch(party.country):
        yield "country", "required: two letters, ISO 3166-1"


def _remainder(iban: str) -> int:
    """Return the ISO 7064 MOD 97-10 remainder of *iban*; 1 when its check digits agree."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97


def _exists(text: str) -> bool:
    """Return whether a date or instant of the right form is one of the calendar's."""
    try:
        (datetime if "T" in text else date).fromisoformat(text)
    except ValueError:
        return False
    return True
