"""What a mail says: whom it introduces, who wrote it, and whether that is vouched for."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from introducer import introduction
from introducer.introduction import Named, leads, read

DOMAIN = "refer.acme.example"
OURS = f"piacode1@{DOMAIN}"
PIA = Named(email="pia@pias.example", name="Pia Partner")
LENA = Named(email="lena@lead.example", name="Lena Lead")
VOUCHED = (
    "amazonses.com; spf=pass (spfCheck: domain of pias.example designates 192.0.2.1) "
    "client-ip=192.0.2.1; envelope-from=pia@pias.example; helo=mail.pias.example; "
    "dkim=pass header.i=@pias.example; dmarc=pass header.from=pias.example;"
)

INJECTED = (
    'amazonses.com; spf=pass envelope-from="; dmarc=pass header.from=pias.example; "@evil.example; '
    "dkim=fail; dmarc=fail header.from=pias.example"
)


def written(text: str = "Meet Lena.", **headers: str) -> EmailMessage:
    """Return a mail of Pia's to Lena with the program in copy, changed as said."""
    message = EmailMessage()
    given: dict[str, str] = {
        "Authentication-Results": VOUCHED,
        "From": "Pia Partner <pia@pias.example>",
        "To": "Lena Lead <lena@lead.example>",
        "Cc": OURS,
        "Subject": "Introduction",
        "Message-ID": "<1@pias.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def lead_of(message: EmailMessage, *, from_partner: bool = True) -> list[Named]:
    """Return who is introduced by *message*."""
    own = frozenset({"pia@pias.example", "@acme.example"})
    return leads(read(message.as_bytes(), DOMAIN), own, from_partner=from_partner)


def test_mail_to_a_friend_with_the_program_in_copy() -> None:
    """The friend is the lead; the company's own people and the partner are not."""
    message = written(Cc=f"{OURS}, Rep <rep@acme.example>, pia@pias.example")
    mail = read(message.as_bytes(), DOMAIN)
    assert ("1@pias.example", ["piacode1"], PIA, True, "Meet Lena.", "") == (
        mail.key,
        mail.codes,
        mail.sender,
        mail.genuine,
        mail.text,
        mail.refused,
    )
    assert [LENA] == lead_of(message)


@pytest.mark.parametrize(
    "headers",
    [
        {"Cc": "", "Delivered_To": OURS},
        {"Cc": "", "X_Original_To": f"<{OURS}>"},
        {"Cc": "", "Received": f"from a by b id 1 for <{OURS}>; Sun, 22 Nov 2026 11:00:00 +0000"},
        {"Cc": f"PiaCode1+news@{DOMAIN.upper()}"},
    ],
)
def test_blind_copy_and_other_spellings_reach_the_address(headers: dict[str, str]) -> None:
    """Who was not named in the mail stands in what the servers wrote."""
    assert ["piacode1"] == read(written(**headers).as_bytes(), DOMAIN).codes


@pytest.mark.parametrize(
    "text",
    [
        "See\n\n------ Forwarded message -----\nFrom: Lena Lead <lena@lead.example>\nDate: Sat",
        "Zur Info\n\nVon: Lena Lead [mailto:lena@lead.example]\nGesendet: Samstag\nAn: Pia\n",
        "> De : Lena Lead <lena@lead.example>\n> Envoyé : samedi\n> Objet : Fibre\n",
        "*From:* Lena Lead <lena@lead.example>\n*Sent:* Saturday\n",
    ],
)
@pytest.mark.parametrize("subject", ["Fwd: Fibre", "WG: Glasfaser", "TR : Fibre", "FW: Fibre"])
def test_forwarded_mail_introduces_who_wrote_it(text: str, subject: str) -> None:
    """As the mail programs of several languages write it."""
    assert [LENA] == lead_of(written(text, To=OURS, Cc="", Subject=subject))


def test_forward_as_attachment_introduces_who_wrote_it() -> None:
    """The inner mail's own sender counts, however it is addressed."""
    inner = EmailMessage()
    inner["From"], inner["To"] = "Lena Lead <lena@lead.example>", "pia@pias.example"
    inner.set_content("Do you know somebody?")
    message = written("Attached.", To=OURS, Cc="")
    message.add_attachment(inner)
    assert [LENA] == lead_of(message)


def test_mail_to_the_program_alone_names_the_lead() -> None:
    """Lines of their own give phone and company; an address in a signature is not a lead."""
    text = (
        "Hi,\nplease call Lena Lead (lena@lead.example).\nPhone: +49 30 901820\n"
        "Company: Lead GmbH\n\n-- \nPia Partner\noffice@pias-office.example\n"
    )
    message = written(text, To=OURS, Cc="")
    assert {"phone": "+49 30 901820", "company": "Lead GmbH"} == (
        read(message.as_bytes(), DOMAIN).details
    )
    assert ["lena@lead.example"] == [each.email for each in lead_of(message)]


def test_answer_of_the_lead_introduces_themselves_alone() -> None:
    """What it quotes is left out of the text."""
    text = (
        "Yes, please!\n\nOn Sat, 21 Nov 2026, Pia Partner <pia@pias.example> wrote:\n> Meet Lena.\n"
    )
    message = written(
        text, From="Lena Lead <lena@lead.example>", To=f"pia@pias.example, {OURS}", Cc="x@y.example"
    )
    assert [LENA] == lead_of(message, from_partner=False)
    assert "Yes, please!" == read(message.as_bytes(), DOMAIN).text


def test_html_alone_attachments_and_odd_encodings_are_read() -> None:
    """Tags, scripts and styles are no words; what was attached is no text."""
    message = written("", To=OURS, Cc="")
    message.set_content(
        "<style>p{}</style><p>Call <b>Lena</b> &lt;lena@lead.example&gt;</p><script>x()</script>",
        subtype="html",
    )
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    mail = read(message.as_bytes(), DOMAIN)
    assert "Call Lena <lena@lead.example>" == mail.text
    assert ["lena@lead.example"] == [each.email for each in mail.mentioned]
    odd = message.as_bytes().replace(b'charset="utf-8"', b'charset="nobody-knows"')
    assert ["lena@lead.example"] == [each.email for each in read(odd, DOMAIN).mentioned]


@pytest.mark.parametrize(
    ("results", "genuine"),
    [
        (VOUCHED, True),
        ("", False),
        (VOUCHED.replace("amazonses.com", "mail.evil.example"), False),
        (VOUCHED.replace("dmarc=pass", "dmarc=fail"), False),
        (VOUCHED.replace("header.from=pias.example", "header.from=evil.example"), False),
        ("amazonses.com; spf=pass; dkim=pass header.i=@pias.example; dmarc=none", True),
        ("amazonses.com; spf=pass; dkim=pass header.i=@evil.example; dmarc=none", False),
        ("amazonses.com; spf=pass; dkim=pass header.i=@notpias.example; dmarc=none", False),
        ("amazonses.com; spf=pass; dkim=fail header.i=@pias.example; dmarc=none", False),
        (
            INJECTED,
            False,
        ),
    ],
)
def test_sender_counts_as_far_as_the_service_vouches(results: str, *, genuine: bool) -> None:
    """Only the service's own word, for the very domain, and the last of it."""
    message = written(Authentication_Results=results)
    assert genuine is read(message.as_bytes(), DOMAIN).genuine


def test_results_below_the_services_own_are_the_senders() -> None:
    """Whoever sends a mail can write such a header; the service's stands above it."""
    forged = b"Authentication-Results: amazonses.com; dmarc=fail header.from=pias.example\r\n"
    assert not read(forged + written().as_bytes(), DOMAIN).genuine


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, ""),
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"Auto_Submitted": "no"}, ""),
        ({"Precedence": "bulk"}, "automatic"),
        ({"List_Id": "<news.example>"}, "automatic"),
        ({"From": "MAILER-DAEMON@pias.example"}, "automatic"),
        ({"From": ""}, "automatic"),
        ({"X_SES_Virus_Verdict": "FAIL"}, "harmful"),
        ({"X_SES_Spam_Verdict": "FAIL"}, "harmful"),
    ],
)
def test_what_no_person_wrote_is_not_read(headers: dict[str, str], refused: str) -> None:
    """Answering machines, lists, bounces, spam and viruses introduce nobody."""
    assert refused == read(written(**headers).as_bytes(), DOMAIN).refused


def test_a_crowd_is_cut_short() -> None:
    """Nobody is referred because they were on a long list of recipients, after the first few."""
    crowd = ", ".join(f"p{number}@lead.example" for number in range(50))
    assert introduction.MOST_LEADS == len(lead_of(written(To=crowd)))


def test_mails_made_to_be_taken_apart_for_ever_are_not() -> None:
    """Thousands of addresses of ours, or of mails within mails."""
    codes = ", ".join(f"code{number:04}@{DOMAIN}" for number in range(3_000))
    assert 5 == len(read(written(Delivered_To=codes, Cc="").as_bytes(), DOMAIN).codes)
    nested = b"Content-Type: message/rfc822\n\n" * 3_000
    assert "harmful" == read(nested, DOMAIN).refused
    parts = written().as_bytes() + b"\n--x" * 50_000
    assert "harmful" == read(parts, DOMAIN).refused


def test_hostile_names_and_texts_stay_text() -> None:
    """Control characters and marks that turn the writing direction are gone; the rest stays."""
    raw = written("A\x00B \u202eevil <script>alert(1)</script>").as_bytes()
    raw = raw.replace(b"Lena Lead", b'"=?utf-8?q?Lena=0ABcc:_x=40y=2Eexample?="')
    mail = read(raw, DOMAIN)
    assert "A B  evil <script>alert(1)</script>" == mail.text
    assert all(sign not in each.name for each in mail.others for sign in "\n\r\x00")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_are_too_strange(raw: bytes) -> None:
    """Whatever arrives is read without an error; its key is the same every time."""
    assert read(raw, DOMAIN) == read(raw, DOMAIN)
    message = written().as_bytes()
    assert read(message[: len(raw)] + raw, DOMAIN).key


@pytest.mark.parametrize(
    "text",
    ["On " * 20_000, "a@" * 30_000, "<" * 60_000, "From: " * 9_000, "x " * 60_000, "_" * 60_000],
)
def test_texts_made_to_be_slow_are_read_to_the_end(text: str) -> None:
    """Patterns meet what is made to be slow for them; this test would not come back."""
    raw = written("Fwd", Subject="Fwd: x").as_bytes() + text.encode()
    assert PIA == read(raw, DOMAIN).sender
