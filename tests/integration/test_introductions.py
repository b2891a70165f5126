"""A mail in the bucket becomes a referral, once, whoever delivers it how often."""

from __future__ import annotations

import json
import os
from email.message import EmailMessage
from typing import Any

import boto3
import pytest

from introducer import identity, keyring
from introducer.errors import UncertainError
from introducer.link import Link
from introducer.referral import Referral
from introducer.tables import events, links, people, referrals
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from route.screen import screen
from submit import mailbox
from tests.support import life
from tests.support.api import call, login
from tests.support.tables import everything

DOMAIN = "refer.acme.example"
OURS = f"piacode1@{DOMAIN}"
RECEIVED = "2026-11-22T11:00:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  (order)
    """A program that receives mail, with Pia and her link `piacode1`."""
    monkeypatch.setenv("INTAKE_DOMAIN", DOMAIN)
    life.publish()
    key = identity.email_key("pia@pias.example", keyring.secret(keyring.IDENTITY))
    contact = Contact(name="Pia Partner", email="pia@pias.example")
    life.enrol("pia", contact=contact, email_key=key, country="AT", locale="de-AT")
    writes = Transaction()
    link = Link(
        code="piacode1",
        program="acme",
        partner="pia",
        destination="https://www.acme.example/start",
        created_at=life.NOW,
        channel="introduction",
    )
    links.add(writes, link, actor="PARTNER#pia")
    writes.commit()


def written(text: str = "Meet Lena. Phone her.", **headers: str) -> EmailMessage:
    """Return a genuine mail of Pia's to Lena with her address in copy, changed as said."""
    sender = headers.get("From", "Pia Partner <pia@pias.example>")
    domain = sender.rstrip(">").rpartition("@")[2]
    given = {
        "Authentication-Results": f"amazonses.com; spf=pass; dmarc=pass header.from={domain}",
        "From": sender,
        "To": "Lena Lead <lena@lead.example>",
        "Cc": OURS,
        "Subject": "Introduction",
        "Message-ID": "<1@pias.example>",
        **headers,
    }
    message = EmailMessage()
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def arrive(*messages: EmailMessage | bytes, at: str = RECEIVED, first: int = 0) -> list[Any]:
    """Put mails into the bucket and deliver what it tells the queue; return what failed."""
    records = []
    for number, message in enumerate(messages, first):
        raw = message if isinstance(message, bytes) else message.as_bytes()
        key = f"mail/{number}"
        boto3.client("s3").put_object(Bucket=os.environ["INTAKE_BUCKET"], Key=key, Body=raw)
        notice = {"Records": [{"eventTime": at, "s3": {"object": {"key": key}}}]}
        records.append({"messageId": key, "body": json.dumps(notice)})
    return mailbox.handler({"Records": records}, None)["batchItemFailures"]


def made() -> list[Referral]:
    """Return every referral there is."""
    found = [
        referrals.get(name.partition("#")[2])
        for name in events.made_on("REFERRAL", "acme", "2026-11-22")
    ]
    return sorted(found, key=lambda each: each.submitted_at)


def unread() -> list[str]:
    """Return the introductions in which nobody was found."""
    return list(events.made_on("INTRODUCTION", "acme", "2026-11-22"))


def test_introduction_becomes_a_referral_of_the_partner() -> None:
    """The friend is the lead, in the partner's country; the mail's text is the rep's note."""
    assert [] == arrive(written())
    (referral,) = made()
    assert ("email", "AT", "submitted", "piacode1") == (
        referral.channel,
        referral.country,
        referral.status,
        referral.link,
    )
    assert Contact(
        name="Lena Lead",
        email="lena@lead.example",
        note="Meet Lena. Phone her.",
        locale="de-AT",
        claims=people.contact(referral.lead).claims,  # type: ignore[union-attr]
    ) == people.contact(referral.lead)
    (touch,) = referrals.detail(referral.id).touches
    assert ("email", RECEIVED, "piacode1", "pia", {"consent": "introduced"}) == (
        touch.kind,
        touch.at,
        touch.link,
        touch.partner,
        touch.data,
    )


def test_same_mail_delivered_again_changes_nothing() -> None:
    """Twice by the queue, and as another copy by the mail service."""
    arrive(written())
    before = everything()
    assert [] == arrive(written())
    assert [] == arrive(written(), first=7)
    assert before == everything()


@pytest.mark.parametrize("failing", [1, 2])
def test_lost_reply_or_crash_is_made_good(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message stays in the queue and comes again; two leads make two referrals, not three."""
    commit, commits = Transaction.commit, []

    def deaf(self: Transaction) -> None:
        commit(self)
        commits.append(1)
        if len(commits) == failing:
            raise UncertainError("the store did not answer")

    mail = written(To="lena@lead.example, liam@lead.example")
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "commit", deaf)
        assert [{"itemIdentifier": "mail/0"}] == arrive(mail)
    assert [] == arrive(mail)
    assert 2 == len(made())


@pytest.mark.parametrize("already_screened", [False, True])
def test_answer_of_the_lead_is_a_touch_of_the_same_referral(*, already_screened: bool) -> None:
    """The lead writes back to all: no second referral, and what they wrote is not lost sight of."""
    arrive(written())
    (referral,) = made()
    answer = written(
        "Yes, please call.",
        **{
            "From": "Lena Lead <Lena@lead.example>",
            "To": f"pia@pias.example, {OURS}",
            "Cc": "",
            "Message-ID": "<2@lead.example>",
        },
    )
    if already_screened:
        screen(referral.id, cause="test")
    assert [] == arrive(answer, at="2026-11-22T11:10:00.000Z", first=1)
    assert [referral.id] == [each.id for each in made()]
    touches = referrals.detail(referral.id).touches
    assert [RECEIVED, "2026-11-22T11:10:00.000Z"] == [each.at for each in touches]


def test_stranger_who_writes_to_the_address_introduces_themselves() -> None:
    """Nobody else they name is referred by them."""
    mail = written("Call me", From="Liam <liam@lead.example>", To=OURS, Cc="other@else.example")
    arrive(mail)
    (referral,) = made()
    contact = people.contact(referral.lead)
    assert contact is not None
    assert ("Liam", "liam@lead.example") == (contact.name, contact.email)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authentication-Results": ""},
        {"Authentication-Results": "amazonses.com; dmarc=fail header.from=pias.example"},
        {"Auto-Submitted": "auto-replied"},
        {"X-SES-Virus-Verdict": "FAIL"},
        {"Cc": f"nobodys1@{DOMAIN}"},
        {"Cc": "piacode1@elsewhere.example"},
    ],
)
def test_mail_that_is_forged_automatic_harmful_or_not_ours_makes_nothing(
    headers: dict[str, str],
) -> None:
    """It is taken from the queue, and neither stored nor answered."""
    before = everything()
    assert [] == arrive(written(**headers))
    assert before == everything()


def test_address_that_reaches_nobody_keeps_no_other_back() -> None:
    """A printer in copy, a slip of the keyboard: whoever can be written to is referred."""
    mail = written(To="scan@office.local, a..b@lead.example, Lena <lena@lead.example>")
    assert [] == arrive(mail)
    (referral,) = made()
    contact = people.contact(referral.lead)
    assert contact is not None
    assert "lena@lead.example" == contact.email


def test_mail_to_two_partners_is_both_partners() -> None:
    """The second finds the lead taken and learns that, as with any other way."""
    key = identity.email_key("paul@pauls.example", keyring.secret(keyring.IDENTITY))
    life.enrol("paul", email_key=key, contact=Contact(name="Paul", email="paul@pauls.example"))
    writes = Transaction()
    link = Link(
        code="paulcode",
        program="acme",
        partner="paul",
        destination="https://www.acme.example/start",
        created_at=life.NOW,
    )
    links.add(writes, link, actor="PARTNER#paul")
    writes.commit()
    mail = written(From="Lena <lena@lead.example>", To=f"{OURS}, paulcode@{DOMAIN}", Cc="")
    arrive(mail)
    arrive(mail, first=1)
    first, second = sorted(made(), key=lambda each: bool(each.duplicate_of))
    assert ("piacode1", "paulcode", first.id) == (first.link, second.link, second.duplicate_of)


def test_program_that_takes_no_mail_leaves_it() -> None:
    """The message is taken from the queue; nothing is stored."""
    life.publish(intake={"channels": ["form", "api"]})
    before = everything()
    assert [] == arrive(written())
    assert before == everything()


def test_suspended_link_receives_nothing() -> None:
    """Whoever suspends a link closes its address too."""
    writes = Transaction()
    link = Link(
        code="piacode2",
        program="acme",
        partner="pia",
        destination="https://www.acme.example/start",
        created_at=life.NOW,
        status="suspended",
    )
    links.add(writes, link, actor="PARTNER#pia")
    writes.commit()
    assert [] == arrive(written(Cc=f"piacode2@{DOMAIN}"))
    assert [] == made()


def test_partner_is_told_once_when_nobody_is_found() -> None:
    """One event, whose mail says what to do, however often the mail is delivered."""
    mail = written("See attached.", To="pia@pias.example")
    arrive(mail)
    arrive(mail, first=1)
    (entity,) = unread()
    (event,) = events.of_entity(entity)
    assert ("IntroductionUnread", {"partner": "pia"}) == (event.type, event.data)
    assert [] == made()


def test_number_that_is_none_stays_in_the_note() -> None:
    """A lead is not lost over a phone number nobody can dial."""
    arrive(written("Lena <lena@lead.example>\nPhone: call the office\nCompany: Lead GmbH", To=OURS))
    (referral,) = made()
    contact = people.contact(referral.lead)
    assert contact is not None
    assert ("", "Lead GmbH") == (contact.phone, contact.company)
    assert "Phone: call the office" in contact.note


def test_bytes_that_are_no_mail_and_the_buckets_test_are_taken_away() -> None:
    """Neither blocks the queue."""
    assert [] == arrive(b"\x00\xff not a mail", b"")
    test = {"messageId": "t", "body": json.dumps({"Event": "s3:TestEvent"})}
    assert {"batchItemFailures": []} == mailbox.handler({"Records": [test]}, None)


def test_partner_reads_the_address_and_it_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent there is credited to them; without a domain there is no address."""
    pia = login("login-pia")
    first = call("GET", "/v1/me/address", claims=pia).body
    assert first == call("GET", "/v1/me/address", claims=pia).body
    code, _, domain = first["address"].partition("@")
    link = links.find(code)
    assert link is not None
    assert (DOMAIN, "pia", "introduction") == (domain, link.partner, link.channel)
    monkeypatch.setenv("INTAKE_DOMAIN", "")
    assert (404, "no_mail") == call("GET", "/v1/me/address", claims=pia).problem()
