"""E-mail: from the bus, by way of a queue, to partners, reps and managers.

A mail is claimed before it is sent and confirmed after. A crash in between lets the
claim run out, and the message, back in the queue, sends it then. The promise is at
most one intended mail for each event and recipient: only an answer of the mail
service that got lost can make a second copy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from email.header import Header
from email.utils import formataddr
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from introducer import clock, streams
from introducer.clients import client
from introducer.errors import ContentionError
from introducer.program import Program
from introducer.settings import setting
from introducer.streams import Answer, Batch, Record
from introducer.tables import claims, people, programs, rollups
from introducer.tables.claims import Claim
from introducer.tables.people import Contact
from notify import messages
from notify.letters import NEWS_DAYS, Letter, letters
from notify.messages import Mail

LEASE_S = 60
"""Longer than one run of the function, shorter than a failed message stays hidden."""
_REMEMBERED_DAYS = 2 * NEWS_DAYS
_SENDING = "sending"
_HEADER_WIDTH = 70


def handler(event: Mapping[str, Any], _context: object) -> Answer:
    """Send the mails that a batch of events asks for."""
    return streams.from_queue(event, work, read=streams.bus_detail)


def work(batch: Batch) -> None:
    """Deliver every letter; one that fails keeps no other back, only its event in the queue."""
    written = batch.each(record_handler)
    for position, its_letters in written.items():
        for letter in its_letters:
            with batch.attempt([position]):
                deliver(letter)


def record_handler(event: Record) -> list[Letter]:
    """Return the letters that one event asks for."""
    return letters(event, now=clock.now())


def deliver(letter: Letter) -> None:
    """Send *letter* unless that was done or settled before.

    Raises:
        ContentionError: Another delivery of it is under way, or broke off a moment ago.
        ClientError: The mail service refused it.
    """
    now = clock.now()
    claim = Claim(
        scope=letter.program,
        kind="mail",
        value=f"{letter.occasion}:{letter.recipient}",
        target=_SENDING,
        expires_at=clock.plus(now, seconds=LEASE_S),
    )
    if not claims.take(claim, now=now):
        held = claims.find(claim.scope, claim.kind, claim.value, now=now)
        if held is None or held.target == _SENDING:
            message = "another delivery of this mail is under way"
            raise ContentionError(message)
        return
    try:
        outcome = letter.overtaken or _send(letter)
    except ClientError:
        # The service said no, so nothing was sent: the next delivery need not wait.
        claims.settle(msgspec.structs.replace(claim, expires_at=now))
        raise
    kept_until = clock.plus(now, days=_REMEMBERED_DAYS)
    claims.settle(msgspec.structs.replace(claim, target=outcome, expires_at=kept_until))


def _send(letter: Letter) -> str:
    """Send *letter* and return what became of it: ``sent``, or why it has no reader."""
    reader = _reader(letter)
    if reader is None:
        return "no_reader"
    document = programs.current(letter.program, clock.now()).document
    page = letter.message.page.format_map(letter.facts)
    language = messages.language_of(reader.locale)
    mail = messages.compose(
        letter.message,
        {**letter.facts, **letter.local.get(language, {})},
        locale=reader.locale,
        name=reader.name,
        program=document.name,
        url=f"{setting('PORTAL_URL').rstrip('/')}/{page}",
        lines=letter.lines.get(language, []),
    )
    if letter.link:
        rollups.mailed(letter.link, clock.now())
    client("sesv2").send_email(
        FromEmailAddress=_from_header(document),
        Destination={"ToAddresses": [_ascii_domain(reader.email)]},
        Content={"Simple": _content(mail)},
    )
    return "sent"


def _reader(letter: Letter) -> Contact | None:
    """Return whom *letter* reaches; None when the person was erased or nobody is named."""
    if letter.message.to != "managers":
        return people.contact(letter.person)
    address = os.environ.get("MANAGER_MAIL", "")
    return Contact(name="", email=address) if address else None


def _content(mail: Mail) -> dict[str, Any]:
    def utf8(text: str) -> dict[str, str]:
        return {"Data": text, "Charset": "UTF-8"}

    body = {"Text": utf8(mail.text), "Html": utf8(mail.html)}
    return {"Subject": utf8(mail.subject), "Body": body}


def _from_header(document: Program) -> str:
    """Return the sender as one header line (RFC 5322, other scripts as in RFC 2047)."""
    name = messages.one_line(document.sender_name)
    address = setting("MAIL_SENDER")
    if name.isascii():
        return formataddr((name, address))
    return f"{Header(name, 'utf-8', maxlinelen=_HEADER_WIDTH).encode(linesep='')} <{address}>"


def _ascii_domain(address: str) -> str:
    """Return *address* with its domain in ASCII, which is all the mail service takes."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    import idna

    return f"{local}@{idna.encode(domain, uts46=True).decode()}"
