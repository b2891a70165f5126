"""When two leads or partners are the same, and how that is stored without who they are.

Addresses, numbers, company domains and ids of other systems become keyed hashes here; nothing
else of them leaves the People table.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from introducer.errors import InvalidInputError

PHONE = "phone"
DOMAIN = "domain"
EXTERNAL = "external."
"""Begins the name of a key that another system gave; the rest names the system."""

_PUBLIC = Path(__file__).parent / "public_mail.txt"


class _Provider(NamedTuple):
    """How a mail provider reads what stands before the ``@``, by its own published rules.

    Attributes:
        domain: The one that stands for all of its domains with the same mailboxes.
        tags: Signs after which the rest is only a label.
        ignored: Signs that make no difference.
        same: Two signs of which the first is read as the second.
    """

    domain: str = ""
    tags: str = "+"
    ignored: str = ""
    same: str = ""


_ANY = _Provider()
_GOOGLE = _Provider("gmail.com", ignored=".")
_APPLE = _Provider("icloud.com")
_PROTON = _Provider("proton.me", ignored=".-_")
_YANDEX = _Provider("yandex.ru", same="-.")
_YAHOO = _Provider(tags="-+")
# Google: support.google.com/mail/answer/7436150 (dots) and /10313 (googlemail). Apple: accounts
# of me.com and mac.com are icloud.com's, support.apple.com/en-us/118230. Proton: proton.me/support
# on addresses and aliases. Yandex: dot and hyphen are one, all its domains are one mailbox,
# yandex.com/support/id. Yahoo: temporary addresses hang on a hyphen, help.yahoo.com SLN28815.
# A tag after "+" is RFC 5233; Microsoft, Fastmail, Zoho and many others take it.
_PROVIDERS: dict[str, _Provider] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GOOGLE),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _APPLE),
    **dict.fromkeys(("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), _PROTON),
    "ya.ru": _YANDEX,
    **{f"yandex.{end}": _YANDEX for end in "ru com by kz ua az com.tr com.am".split()},
    **dict.fromkeys(("ymail.com", "rocketmail.com", "myyahoo.com"), _YAHOO),
    **{
        f"yahoo.{end}": _YAHOO
        for end in (
            "com de at ch fr it es ie pl se no dk fi nl be pt ro gr hu cz ca in "
            "co.uk co.in co.jp co.id co.nz co.th co.za com.au com.br com.mx com.ar com.co com.hk "
            "com.my com.ph com.sg com.tr com.tw com.vn"
        ).split()
    },
}
_NAME_IN_HOST = tuple(
    f".fastmail.{end}"
    for end in "com fm us co.uk com.au de es in jp net nl org se to tw uk cn".split()
)
"""Fastmail delivers ``anything@pia.fastmail.com`` to ``pia@fastmail.com``."""


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

    Lower case; labels dropped, signs that make no difference dropped and domains folded where
    the provider does so. Only for matching: mail goes to the form that was typed.
    """
    local, _, domain = address.strip().casefold().rpartition("@")
    if domain.endswith(_NAME_IN_HOST):
        name, _, host = domain.partition(".")
        if f".{host}" in _NAME_IN_HOST:
            local, domain = name, host
    provider = _PROVIDERS.get(domain, _ANY)
    for sign in provider.tags:
        local = local.split(sign, 1)[0] or local
    if provider.same:
        local = local.replace(*provider.same)
    local = local.translate(dict.fromkeys(map(ord, provider.ignored))) or local
    return f"{local}@{provider.domain or domain}"


def email_key(address: str, secret: bytes) -> str:
    """Return the keyed hash of the mailbox, 32 hexadecimal characters."""
    return keyed_hash(match_email(address), secret)


def keyed_hash(text: str, secret: bytes) -> str:
    """Return HMAC-SHA-256 of *text*, cut to 128 bits, in hexadecimal."""
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def keys(
    secret: bytes,
    *,
    email: str = "",
    phone: str = "",
    domain: str = "",
    external: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the keyed hashes of what somebody is known by besides the mailbox, by kind.

    Args:
        secret: Of the hashes.
        email: As :func:`check_email` returns it, for the company's domain.
        phone: As :func:`check_phone` returns it.
        domain: The company's, instead of that of *email*.
        external: Their id in other systems, by the system's name.

    Returns:
        ``phone``, ``domain`` and ``external.{source}``, each only where it is known.
    """
    known = {PHONE: phone, DOMAIN: domain or company_domain(email)}
    known |= {f"{EXTERNAL}{source}": said for source, said in (external or {}).items()}
    # The kind is hashed too, so that equal texts of two kinds do not show as equal.
    return {
        kind: keyed_hash(f"{kind}:{said}", secret) for kind, said in sorted(known.items()) if said
    }


def company_domain(address: str) -> str:
    """Return the domain of *address* when it says where somebody works, else nothing.

    Domains under which anybody gets a mailbox say nothing, those of a day included. Hosts below
    a company's domain are domains of their own.
    """
    domain = address.rpartition("@")[2].casefold()
    return "" if is_public(domain) else domain


def is_public(domain: str) -> bool:
    """Return whether anybody gets a mailbox under *domain*, or under a host above it."""
    while domain:
        if domain in _public():
            return True
        domain = domain.partition(".")[2]
    return False


def check_domain(text: str) -> str:
    """Return *text* as a company's domain.

    Raises:
        InvalidInputError: It is no domain, or one under which anybody gets a mailbox.
    """
    try:
        domain = check_email(f"x@{text.strip()}").rpartition("@")[2].casefold()
    except InvalidInputError as failure:
        raise InvalidInputError("domain", "not a domain", code="invalid_domain") from failure
    if is_public(domain):
        raise InvalidInputError("domain", "anybody gets a mailbox there", code="public_domain")
    return domain


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


@cache
def _public() -> frozenset[str]:
    lines = _PUBLIC.read_text().splitlines()  # 2 ms, once, when the first lead comes in
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
