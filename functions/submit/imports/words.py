"""What is told of cells, in words people understand."""

from __future__ import annotations

import re

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_UPPER = frozenset({"country", "currency"})
_LOWER = frozenset(
    {
        "audience",
        "event",
        "industry",
        "kind",
        "language",
        "owner",
        "product",
        "remove",
        "rep",
        "source",
        "status",
        "type",
    }
)
_ID = "letters, digits and . _ : / - only, 100 at most"
_WANTED = {
    "name": "one line of at most 200 characters",
    "email": "an e-mail address, such as lena@example.com",
    "phone": "a telephone number, such as +49 30 901820",
    "country": "two letters, such as DE",
    "currency": "three letters, such as EUR",
    "locale": "a language with or without a country, such as de or de-DE",
    "language": "two letters, such as de",
    "company": "one line of at most 200 characters",
    "note": "at most 1,000 characters",
    "product": "the key of a product of the program",
    "audience": "the key of an audience of the program",
    "type": "one of the words in the documentation",
    "kind": "customer, open or named",
    "source": "the name of the system the ids are of, such as crm",
    "stage": "one line of at most 200 characters",
    "event": "the key of an event of the program",
    "event_id": _ID,
    "refund": _ID,
    "click": "a click id",
    "domain": "a domain, such as example.com",
    "remove": "true or false",
    "until": "a day or a time, such as 2027-05-17 or 2027-05-17T10:00:00Z",
    "occurred_at": "a day or a time, such as 2024-05-17 or 2024-05-17T10:00:00Z",
    "industry": "a key of small letters, digits and underscores",
    "size": "a whole number of people",
    "consent_version": "the version of the consent text",
    "code": "a link code",
    "partner": "an e-mail address or an id",
    "owner": "the id of a rep",
    "rep": "the id of a rep",
    "org": "the id of a partner company",
    "external_id": _ID,
    "reward_id": _ID,
    "referral": _ID,
    "reference": _ID,
    "sale": _ID,
    "campaign": "at most 60 letters, digits, spaces and . _ -",
    "destination": "an address that begins with https://",
    "status": "one of the words in the documentation",
    "reason": "a key of small letters, digits and underscores",
    "enrolled_at": "a day or a time, such as 2024-05-17 or 2024-05-17T10:00:00Z",
    "submitted_at": "a day or a time, such as 2024-05-17 or 2024-05-17T10:00:00Z",
    "won_at": "a day or a time, such as 2024-05-17 or 2024-05-17T10:00:00Z",
    "paid_at": "a day or a time, such as 2024-05-17 or 2024-05-17T10:00:00Z",
    "amount": "an amount with a point and no separators, such as 1250.00",
    "amount_minor": "a whole number of cents or other smallest units",
}


def wanted(field: str) -> str:
    """Return what a cell of the column *field* must be."""
    hint = _WANTED.get(field.partition(".")[0])
    return f"this must be {hint}" if hint else "this cannot be understood"


def folded(field: str, value: str) -> str:
    """Return a cell in the case its column is written in."""
    if field in _UPPER:
        return value.upper()
    return value.lower() if field in _LOWER else value


def sentence(message: str) -> str:
    """Return *message* as a sentence."""
    end = "" if message.endswith(("?", ".")) else "."
    return f"{message[:1].upper()}{message[1:]}{end}"
