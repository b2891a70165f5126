"""Which events are told to whom, and the words."""

import json
import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, meta

from infra import template
from introducer.ledger import Kind
from introducer.referral import HANDED_BACK, TURNED_DOWN
from notify import messages
from notify.messages import CREDIT_WAITING, MESSAGES, NOTICE, Mail, Message

TEMPLATES = Path("functions/notify/templates")
EVERY = [*(message for group in MESSAGES.values() for message in group), NOTICE, CREDIT_WAITING]
FACTS = {
    "referral": "r1",
    "country": "DE",
    "product": "fibre",
    "reason": "no_interest",
    "stage": "qualified",
    "until": "2026-11-23 10:00 UTC",
    "amount": "12.50 EUR",
    "payout": "P0123456789ABCD",
    "dispute": "d1",
    "outcome": "upheld",
    "batch": "b1",
    "count": "3",
    "from": "1 January 2027",
    "program_id": "acme",
    "audience": "partners",
    "inviter": "Anna",
    "credited": "yes",
    "link": "https://go.acme.example/r/k7m2p9xw3d",
    "old": "3000",
    "new": "1234",
    "replaces": "j…@example.com",
    "code": "K7M2-P9XW",
    "fix": "",
}
URL = "https://portal.example.com/referrals/r1?a=1&b=2"


def _compose(message: Message = EVERY[0], **overrides: str) -> Mail:
    facts = {key: overrides.pop(key, value) for key, value in FACTS.items()}
    words = {"locale": "en", "name": "Pia", "program": "Acme referrals", "url": URL}
    return messages.compose(message, facts, **(words | overrides))


def _message(event: str, to: str = "partner") -> Message:
    return next(message for message in MESSAGES[event] if message.to == to)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.template)
def test_every_message_reads_the_same_in_both_forms(message: Message, language: str) -> None:
    """Subject, paragraphs, button and link are there in plain text and in HTML."""
    mail = _compose(message, locale=language)
    assert mail.subject
    assert len(mail.subject.splitlines()) == 1
    assert f'<html lang="{language}">' in mail.html
    assert f"<title>{mail.subject}</title>" in mail.html
    assert URL in mail.text
    assert f'href="{URL.replace("&", "&amp;")}"' in mail.html
    body = mail.html.partition("<body>")[2].replace("&#39;", "'")
    plain = " ".join(re.sub(r"<[^>]+>", " ", body).split())
    for paragraph in mail.text.partition("--\n")[0].split("\n\n")[:-2]:
        assert " ".join(paragraph.split()) in plain
    assert not re.search(r"[{}%]", mail.text + body)


@pytest.mark.parametrize("message", EVERY, ids=lambda message: message.template)
def test_every_message_uses_only_known_facts(message: Message) -> None:
    """Templates see ids, codes and amounts: nothing by which a lead could be named."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    for language in ("en", "de"):
        source = (TEMPLATES / language / f"{message.template}.txt").read_text("utf-8")
        used = meta.find_undeclared_variables(environment.parse(source))
        assert used <= {*FACTS, "program", "lines"}


def test_every_template_belongs_to_a_message_in_every_language() -> None:
    """No message without words, no words without a message."""
    expected = {f"{message.template}.txt" for message in EVERY} | {"words.json"}
    assert {"de", "en"} == messages.languages()
    for language in messages.languages():
        assert expected == {file.name for file in (TEMPLATES / language).iterdir()}


def test_every_language_has_the_same_words() -> None:
    """A reason that is explained in one language is explained in all."""
    english, german = (
        json.loads((TEMPLATES / language / "words.json").read_text("utf-8"))
        for language in ("en", "de")
    )
    assert english.keys() == german.keys()
    assert english["reasons"].keys() == german["reasons"].keys()
    assert english["stages"].keys() == german["stages"].keys()
    assert {*TURNED_DOWN, *HANDED_BACK, "country", "refunded", "churned"} <= set(english["reasons"])


def test_the_rule_that_fills_the_queue_names_the_same_events() -> None:
    """An event without a message would cost a delivery, a message without its event never goes."""
    rule = template.resources(template.load(), "AWS::Events::Rule")["MailRule"]
    assert MESSAGES.keys() == set(rule["EventPattern"]["detail-type"])


def test_every_message_about_money_is_of_a_journal() -> None:
    """The journal's kind is the event's type."""
    money = {event for event, group in MESSAGES.items() if group[0].about in {"reward", "payout"}}
    assert money <= set(Kind)


def test_a_message_whole() -> None:
    """What a partner reads when a referral was turned down."""
    assert _compose(_message("ReferralRejected")).text == (
        "Hello Pia,\n"
        "\n"
        "We could not accept your referral. The reason: the contact is not\n"
        "interested.\n"
        "\n"
        "Reference: r1\n"
        "\n"
        "See your referral:\n"
        f"{URL}\n"
        "\n"
        "--\n"
        "You receive this message because you take part in Acme referrals."
    )


@pytest.mark.parametrize(
    ("locale", "greeting"),
    [
        ("en", "Hello Pia,"),
        ("de", "Guten Tag Pia,"),
        ("de-AT", "Guten Tag Pia,"),
        ("DE", "Guten Tag Pia,"),
        ("fr", "Hello Pia,"),
        ("", "Hello Pia,"),
        ("../../../etc", "Hello Pia,"),
        ("layout.html", "Hello Pia,"),
    ],
)
def test_the_locale_chooses_the_words(locale: str, greeting: str) -> None:
    """An unknown language, or something that is none, reads English."""
    assert _compose(locale=locale).text.startswith(f"{greeting}\n")


def test_markup_in_a_name_is_text() -> None:
    """A name cannot write HTML, and a template cannot be written in a name."""
    mail = _compose(program="<b>Acme</b> & {{ 7*7 }}", name="{{ url }} & Co")
    assert "<b>" not in mail.html
    assert "&lt;b&gt;Acme&lt;/b&gt; &amp; {{ 7*7 }}" in mail.html
    assert mail.text.startswith("Hello {{ url }} & Co,")


@pytest.mark.parametrize(
    "name",
    [
        "You won, go to https://evil.example",
        "evil.example/claim",
        "write to me@evil.example",
        "<a>",
        "C:\\evil",
        " \r\n\t ",
        "",
    ],
)
def test_a_name_that_could_be_a_link_is_left_out(name: str) -> None:
    """Enrolling a stranger's address must not send them somebody's advertisement."""
    mail = _compose(name=name)
    assert mail.text.startswith("Hello,\n")
    assert "evil" not in mail.text + mail.html


@pytest.mark.parametrize("name", ["Dr. Pia von Stein-O'Neil", "Σοφία", "José 李", "Anne-Marie"])
def test_an_ordinary_name_is_greeted(name: str) -> None:
    """Titles, hyphens, apostrophes and other scripts are names."""
    assert _compose(name=name).text.startswith(f"Hello {name},\n")


def test_a_long_name_is_cut() -> None:
    """A name of a thousand letters leaves a mail that can be read."""
    first = _compose(name="x" * 1_000).text.splitlines()[0]
    assert first == f"Hello {'x' * 79}…,"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Acme\r\nBcc: all@example.com", "Acme Bcc: all@example.com"),
        ("Acme\x00\x0b\x1b[31m", "Acme [31m"),
        ("Acme\u2028\u2029\u0085next", "Acme next"),
        ("Acme\u202egpj.exe", "Acme gpj.exe"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
        ("  Acme   Ltd  ", "Acme Ltd"),
        ("a" * 81, "a" * 79 + "…"),
        ("a" * 80, "a" * 80),
    ],
)
def test_one_line_steers_nothing(value: str, expected: str) -> None:
    """No line break, control character or writing direction gets through."""
    assert messages.one_line(value) == expected


def test_a_hostile_program_name_stays_in_the_subject_line() -> None:
    """A subject is one header line however the program is called."""
    mail = _compose(_message("PartnerEnrolled"), program="Acme\r\nBcc: x@y.example\r\n\r\nHi")
    assert mail.subject == "Welcome to Acme Bcc: x@y.example Hi"


def test_a_reason_without_words_is_left_out() -> None:
    """What a CRM typed as a reason is never shown raw: it could name somebody."""
    mail = _compose(_message("ReferralLost"), reason="Lena Lead is on holiday")
    assert "Lena" not in mail.text + mail.html
    assert "reason" not in mail.text


def test_a_returned_payout_says_what_to_fix_where_the_account_is_why() -> None:
    """An account that cannot be paid must be given anew; other reasons ask for a look only."""
    message = _message("PayoutReturned")
    closed = _compose(message, reason="R02", fix="yes").text
    assert "the account is closed" in closed
    assert "give us your bank details anew" in " ".join(closed.split())
    assert "anew" not in _compose(message, reason="MS03").text


def test_a_stage_without_words_is_shown_by_its_name() -> None:
    """Stages are named by the program, so its own word is the best there is."""
    mail = _compose(_message("ReferralAdvanced"), stage="site_visit")
    assert "has reached a new stage: site visit." in mail.text


def test_the_html_fetches_nothing() -> None:
    """No picture, script or style from elsewhere: nothing tells that a mail was opened."""
    for message in EVERY:
        html = _compose(message).html
        shown = html.replace(FACTS["link"], "")  # as text
        assert re.findall(r"https?:[^\"\s]+", shown) == [URL.replace("&", "&amp;")]
        assert not re.search(r"<(img|script|link|iframe)|@import|url\(", html)


def test_a_notice_lists_its_sentences() -> None:
    """Each is a paragraph of its own, cleaned like any other value."""
    mail = messages.compose(
        messages.NOTICE,
        {"from": "1 January 2027"},
        locale="en",
        name="Pia",
        program="Acme",
        url=URL,
        lines=["Commission, new: 12%.", "A\r\nBcc: <b>x</b>", "x" * 601],
    )
    assert "The rules of Acme change" == mail.subject
    assert "From 1 January 2027 on other rules apply in Acme." in " ".join(mail.text.split())
    assert "\n\nCommission, new: 12%.\n\nA Bcc: <b>x</b>\n\n" in mail.text
    assert "<p>A Bcc: &lt;b&gt;x&lt;/b&gt;</p>" in mail.html
    assert f"<p>{'x' * 599}…</p>" in mail.html
