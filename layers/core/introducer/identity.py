"""When two addresses are the same person's, and how that is stored without the address."""

from __future__ import annotations

import hashlib
import hmac

from introducer.errors import InvalidInputError

_DOTS_IGNORED = frozenset({"gmail.com"})
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}
_TAG_SIGN = {"yahoo.com": "-", "ymail.com": "-", "rocketmail.com": "-"}


def check_email(text: str) -> str:
    """Return *text* as the address to write to, its domain in lower case.

    Raises:
        InvalidInputError: It is not an address (syntax as in RFC 5321 and 6531).
    """
    from email_validator import EmailNotValidError, validate_email  # 20 ms, only when needed

    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as failure:
        raise InvalidInputError("email", "not an e-mail address", code="invalid_email") from (
            failure
        )


def match_email(address: str) -> str:
    """Return the form in which all spellings of one mailbox are equal.

    Lower case; the tag after ``+`` (after ``-`` at Yahoo) dropped; dots dropped
    and googlemail folded where the provider ignores them (Google's and Yahoo's
    published rules). Only for matching: mail goes to the form that was typed.
    """
    local, _, domain = address.strip().casefold().rpartition("@")
    domain = _SAME_DOMAIN.get(domain, domain)
    local = local.split(_TAG_SIGN.get(domain, "+"), 1)[0] or local
    if domain in _DOTS_IGNORED:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def email_key(address: str, secret: bytes) -> str:
    """Return the keyed hash of the mailbox, 32 hexadecimal characters."""
    return keyed_hash(match_email(address), secret)


def keyed_hash(text: str, secret: bytes) -> str:
    """Return HMAC-SHA-256 of *text*, cut to 128 bits, in hexadecimal."""
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def check_phone(text: str, country: str) -> str:
    """Return *text* in E.164.

    Args:
        text: As typed.
        country: Two-letter code, for numbers written without one.

    Raises:
        InvalidInputError: It is not a possible number.
    """
    import phonenumbers  # 25 ms, only when a number was given

    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException as failure:
        raise InvalidInputError("phone", "not a phone number", code="invalid_phone") from failure
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:  # a local-only number is no use
        raise InvalidInputError("phone", "not a phone number", code="invalid_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
