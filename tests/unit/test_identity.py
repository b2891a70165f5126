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


@pytest.mark.parametrize(
    ("mailbox", "spellings"),
    [
        ("pia@outlook.com", ["Pia+shop@Outlook.com"]),
        ("pia@hotmail.de", ["pia+a+b@hotmail.de"]),
        ("pia@yahoo.com", ["pia-shop@yahoo.com", "pia+shop@yahoo.com"]),
        ("pia@yahoo.co.uk", ["pia-shop@yahoo.co.uk"]),
        ("pia@fastmail.com", ["shop@pia.fastmail.com", "pia+shop@fastmail.com"]),
        ("pia@fastmail.co.uk", ["shop@pia.fastmail.co.uk"]),
        ("pia@icloud.com", ["pia@me.com", "pia@mac.com", "pia+shop@icloud.com"]),
        (
            "piapartner@proton.me",
            ["pia.partner@protonmail.com", "pia-partner+x@pm.me", "pia_partner@protonmail.ch"],
        ),
        ("pia.p@yandex.ru", ["pia-p@ya.ru", "pia.p@yandex.com", "pia-p+x@yandex.com.tr"]),
    ],
)
def test_each_providers_own_rules_are_followed(mailbox: str, spellings: list[str]) -> None:
    """What its customers may write instead of one address is one mailbox."""
    assert {mailbox} == {identity.match_email(each) for each in [mailbox, *spellings]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pia@outlook.com", "pia@hotmail.com"),
        ("pia.p@outlook.com", "piap@outlook.com"),
        ("pia-p@aol.com", "pia@aol.com"),
        ("pia@yahoo.com", "pia@yahoo.de"),
        ("pia@a.b.fastmail.com", "a@fastmail.com"),
        ("pia@notfastmail.com", "not@fastmail.com"),
        ("pia@mail.ru", "pia@bk.ru"),
        ("pia@gmail.com.example", "pia@gmail.com"),
    ],
)
def test_what_providers_keep_apart_stays_apart(one: str, other: str) -> None:
    """A rule that is stretched would make two customers one."""
    assert identity.match_email(one) != identity.match_email(other)


@pytest.mark.parametrize("local", ["+a", "...", "-a+b", "+-", "-.-"])
@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.com", "proton.me", "example.com"])
def test_an_address_of_signs_alone_keeps_a_name(local: str, domain: str) -> None:
    """Nobody's address becomes an empty one that all such addresses would share."""
    assert identity.match_email(f"{local}@{domain}").rpartition("@")[0]


PUBLIC = (
    "gmail.com googlemail.com outlook.com outlook.de hotmail.com hotmail.co.uk live.com msn.com "
    "yahoo.com yahoo.de ymail.com icloud.com me.com mac.com proton.me protonmail.com pm.me aol.com "
    "aol.de gmx.de gmx.net gmx.at web.de t-online.de freenet.de mail.ru yandex.ru ya.ru "
    "fastmail.com tutanota.com tuta.com mailbox.org posteo.de zoho.com hey.com duck.com mail.com "
    "qq.com 163.com 126.com sina.com naver.com daum.net libero.it virgilio.it orange.fr free.fr "
    "laposte.net sfr.fr bluewin.ch wp.pl onet.pl seznam.cz uol.com.br comcast.net verizon.net "
    "att.net btinternet.com sky.com vodafone.de ziggo.nl telenet.be a1.net "
    "privaterelay.appleid.com mozmail.com users.noreply.github.com mailinator.com "
    "guerrillamail.com yopmail.com 10minutemail.com trashmail.com"
).split()
COMPANIES = (
    "acme.example google.com microsoft.com apple.com amazon.com ibm.com siemens.com telekom.de "
    "sap.com bosch.com oracle.com facebook.com deloitte.com basf.de allianz.de visa.com cisco.com "
    "vodafone.com orange.com verizon.com swisscom.com alibaba.com tencent.com bbc.co.uk nasa.gov "
    "tum.de ox.ac.uk"
).split()


@pytest.mark.parametrize("domain", PUBLIC)
def test_a_domain_where_anybody_gets_a_mailbox_is_no_company(domain: str) -> None:
    """Two customers of one provider do not work for one company; nor below it, nor for a day."""
    assert "" == identity.company_domain(f"pia@{domain}")
    assert "" == identity.company_domain(f"pia@host.{domain.upper()}")


@pytest.mark.parametrize("domain", COMPANIES)
def test_a_companys_own_domain_says_where_somebody_works(domain: str) -> None:
    """Big ones that also run a provider of another name included."""
    assert domain == identity.company_domain(f"Pia@{domain.upper()}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" ACME.example.com ", "acme.example.com"), ("bücher.de", "bücher.de")],
)
def test_a_domain_is_read_as_an_address_has_it(text: str, expected: str) -> None:
    """So a listed domain and a lead's meet."""
    assert expected == identity.check_domain(text)
    assert expected == identity.company_domain(identity.check_email(f"x@{text.strip()}"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gmail.com", "public_domain"),
        ("acme", "invalid_domain"),
        ("a@acme.com", "invalid_domain"),
        ("https://acme.com", "invalid_domain"),
        ("", "invalid_domain"),
    ],
)
def test_what_is_no_companys_domain_is_refused(text: str, code: str) -> None:
    """One public domain on a list would make everybody a customer."""
    with pytest.raises(InvalidInputError) as refused:
        identity.check_domain(text)
    assert code == refused.value.code


def test_keys_are_named_by_what_they_are_of() -> None:
    """Only what is known has one; the same text of two kinds does not show as the same."""
    secret = b"a" * 32
    found = identity.keys(
        secret, email="pia@acme.com", phone="+493012345678", external={"crm": "acme.com"}
    )
    assert ["domain", "external.crm", "phone"] == list(found)
    assert 3 == len(set(found.values()))
    assert {} == identity.keys(secret, email="pia@gmail.com")
    assert {"domain": found["domain"]} == identity.keys(secret, domain="acme.com")


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
