"""Spellings of one mailbox meet; different mailboxes do not."""

import pytest

from introducer import identity
from introducer.errors import InvalidInputError


@pytest.mark.parametrize(
    "spelling",
    [
        "pia.partner@gmail.com",
        "PiaPartner@Gmail.com",
        "p.i.a.partner+crm@googlemail.com",
        " piapartner@googlemail.com ",
    ],
)
def test_spellings_of_a_google_mailbox_are_one(spelling: str) -> None:
    """Dots, tags, case and the old domain do not make another person."""
    assert "piapartner@gmail.com" == identity.match_email(spelling)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pia.partner@example.com", "piapartner@example.com"),
        ("pia@example.com", "pia@example.org"),
        ("pia-one@example.com", "pia-two@example.com"),
    ],
)
def test_other_mailboxes_stay_apart(one: str, other: str) -> None:
    """Rules of one provider are not applied to another's customers."""
    assert identity.match_email(one) != identity.match_email(other)


def test_yahoo_tags_are_dropped() -> None:
    """Yahoo's disposable addresses hang on a hyphen."""
    assert "pia@yahoo.com" == identity.match_email("pia-shop@yahoo.com")


def test_the_key_needs_the_secret() -> None:
    """Who has the table but not the secret cannot try addresses."""
    one = identity.email_key("pia@example.com", b"a" * 32)
    assert one == identity.email_key("PIA+x@example.com", b"a" * 32)
    assert one != identity.email_key("pia@example.com", b"b" * 32)
    assert "pia" not in one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pia",
        "pia@",
        "@example.com",
        "pia@example",
        "pia@@example.com",
        "a b@example.com",
        "pia@example.com\r\nBcc: all@example.com",
        "x" * 65 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """No mail header can be smuggled in as an address."""
    with pytest.raises(InvalidInputError) as refused:
        identity.check_email(text)
    assert "invalid_email" == refused.value.code


def test_phones_become_one_form() -> None:
    """National and international spellings are the same number."""
    assert "+493012345678" == identity.check_phone("030 12345678", "DE")
    assert "+493012345678" == identity.check_phone("+49 (30) 1234-5678", "")


@pytest.mark.parametrize("text", ["1", "call me", "0301234567890123456789"])
def test_what_is_no_phone_is_refused(text: str) -> None:
    """A note in the phone field is told apart from a number."""
    with pytest.raises(InvalidInputError):
        identity.check_phone(text, "DE")
