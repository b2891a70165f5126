"""Reading a mail that introduces somebody: to whom it was sent, by whom, and who is meant.

A partner writes to a friend and puts their own address of the program in copy, forwards
what a friend wrote, or writes to that address alone and says who it is. Or the friend, with
all in copy, answers. Who sent it counts only as far as the receiving mail service vouches
for it. A mail comes from outside: nothing here trusts its size, encoding or shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Literal

import msgspec

MOST_LEADS = 5
"""Of more people at once one is told by file; such a mail goes to a crowd."""
_MOST_CODES = 5
_MOST_PARTS = 200
_TEXT_LIMIT = 20_000
_NOTE_LIMIT = 1_000
_NAME_LIMIT = 200
_HEADERS_LIMIT = 100
_MAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_ADDRESS = re.compile(_MAIL)
_NAMED = re.compile(
    rf"([^\s<>\[\]:;,\"'(][^<>\[\]:;,\n\"]{{0,80}}?)\s{{0,3}}[<\[(](?:mailto:)?({_MAIL})"
)
_FORWARDED = re.compile(
    r"^[>\s*]{0,6}(?:from|von|de|da|van|från|fra|od)\s?:\s?\*?\s?(.{1,300})$",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARD_MARK = re.compile(r"^\s*(?:fwd?|wg|tr|i|enc|vs)\s*:", re.IGNORECASE)
_FIELD = re.compile(
    r"^\s*(name|phone|tel|telephone|telefon|mobile|mobil|company|firma)\s*:\s*(.{1,200})$",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD_NAMES = {
    "name": "name",
    "company": "company",
    "firma": "company",
}
_RECEIVED_FOR = re.compile(r"\bfor\s+<?([^\s;>]{3,254})>?\s*;")
_AUTHORITY = "amazonses.com"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a mail; ``name`` is empty where only the address is told."""

    email: str
    name: str = ""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """What of a mail matters here.

    Attributes:
        key: What is the same for every delivery of it.
        codes: Local parts of the program's addresses it went to.
        sender: Who wrote it, None for nobody.
        genuine: Whether the receiving service vouches for the sender.
        others: Whom it was also sent to.
        forwarded: Who wrote what it passes on.
        mentioned: Who is named in what was written.
        details: ``name``, ``phone`` and ``company`` as written in lines of their own.
        text: What was written, without what it answers to and without signature.
        refused: Why it is not read at all: ``automatic``, ``harmful``, or nothing.
    """

    key: str
    codes: list[str]
    sender: Named | None
    genuine: bool
    others: list[Named]
    forwarded: list[Named]
    mentioned: list[Named]
    details: dict[str, str]
    text: str
    refused: Literal["", "automatic", "harmful"] = ""


_HARMFUL = Mail(
    key="",
    codes=[],
    sender=None,
    genuine=False,
    others=[],
    forwarded=[],
    mentioned=[],
    details={},
    text="",
    refused="harmful",
)


def read(raw: bytes, domain: str) -> Mail:
    """Return what the mail *raw* says.

    Args:
        raw: As it was received (RFC 5322), with the headers the receiving service added.
        domain: The one of the program's addresses.
    """
    if raw.count(b"message/rfc822") > _MOST_PARTS or raw.count(b"\n--") > 10 * _MOST_PARTS:
        return _HARMFUL  # made to be taken apart for ever
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101  (what that policy makes)
    ours, others = _recipients(message, domain)
    sender = next(iter(_people(message, "from")), None)
    inner = _attached(message)
    text = _plain(message)
    written = _own_words(text)
    return Mail(
        key=_header(message, "message-id").strip("<> ") or _digest(raw),
        codes=ours,
        sender=sender,
        genuine=_vouched(message, sender),
        others=[each for each in others if sender is None or each.email != sender.email],
        forwarded=[*inner, *_forwarded(message, text)],
        mentioned=_mentioned(written),
        details=_details(written),
        text=written[:_NOTE_LIMIT],
        refused=_refused(message, sender),
    )


def leads(mail: Mail, own: frozenset[str], *, from_partner: bool) -> list[Named]:
    """Return who is introduced, at most :data:`MOST_LEADS`.

    Args:
        mail: What was read.
        own: Addresses that are nobody's lead, in lower case: the partner's, and hosts of the
            program's people as ``@example.com``.
        from_partner: Whether the partner wrote it. What somebody else wrote introduces
            themselves alone.
    """
    if not from_partner:
        return _distinct([mail.sender] if mail.sender else [], own)
    for found in (mail.others, mail.forwarded, mail.mentioned):
        people = _distinct(found, own)
        if people:
            return people[:MOST_LEADS]
    return []


def _distinct(people: Iterable[Named], own: frozenset[str]) -> list[Named]:
    found: dict[str, Named] = {}
    for each in people:
        address = each.email.lower()
        if address in own or f"@{address.rpartition('@')[2]}" in own:
            continue
        if address not in found or (each.name and not found[address].name):
            found[address] = each
    return list(found.values())


def _recipients(message: EmailMessage, domain: str) -> tuple[list[str], list[Named]]:
    named = [each for header in ("to", "cc") for each in _people(message, header)]
    # Who was put in blind copy stands in what the servers wrote, if at all.
    blind = [
        Named(email=address)
        for header in ("x-original-to", "delivered-to", "x-forwarded-to")
        for address in _ADDRESS.findall(_header(message, header))
    ]
    for received in _all(message, "received")[:1]:
        blind += [Named(email=each) for each in _RECEIVED_FOR.findall(received)]
    end = f"@{domain.lower()}"
    codes = dict.fromkeys(
        each.email.lower().removesuffix(end).partition("+")[0]
        for each in (*named, *blind)
        if each.email.lower().endswith(end)
    )
    return list(codes)[:_MOST_CODES], [
        each for each in named if not each.email.lower().endswith(end)
    ]


def _people(message: EmailMessage, header: str) -> list[Named]:
    found = []
    for text in _all(message, header):
        for name, address in getaddresses([text])[:_HEADERS_LIMIT]:
            match = _ADDRESS.fullmatch(address.strip())
            if match:
                found.append(Named(email=match.group(), name=_tidy(name)))
    return found


def _attached(message: EmailMessage) -> list[Named]:
    found = []
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], EmailMessage):
                found += _people(inner[0], "from")
    return found


def _forwarded(message: EmailMessage, text: str) -> list[Named]:
    if not _FORWARD_MARK.match(_header(message, "subject")):
        return []
    found = []
    for line in _FORWARDED.findall(text):
        named = _mentioned(line)
        found += named[:1]
    return found


def _mentioned(text: str) -> list[Named]:
    names = {address.lower(): _tidy(name) for name, address in _NAMED.findall(text)}
    addresses = dict.fromkeys(_ADDRESS.findall(text))
    return [Named(email=each, name=names.get(each.lower(), "")) for each in addresses]


def _details(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for label, value in _FIELD.findall(text):
        found.setdefault(_FIELD_NAMES.get(label.lower(), "phone"), _tidy(value))
    return found


def _plain(message: EmailMessage) -> str:
    """Return the text of *message*: the plain part, or the HTML part without its tags."""
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        if part is None:
            continue
        try:
            content = str(part.get_content())
        except (LookupError, ValueError, KeyError):  # an encoding nobody has heard of
            payload = part.get_payload(decode=True)
            content = payload.decode("latin-1") if isinstance(payload, bytes) else ""
        text = _without_tags(content) if kind == "html" else content
        if text.strip():
            return _clean(text[:_TEXT_LIMIT])
    return ""


def _without_tags(html: str) -> str:
    from html.parser import HTMLParser  # few mails have no plain part

    words: list[str] = []

    class Text(HTMLParser):
        hidden = 0

        def handle_starttag(self, tag: str, _attrs: object) -> None:
            self.hidden += tag in {"style", "script", "head"}
            words.append("\n" if tag in {"br", "p", "div", "tr", "li"} else "")

        def handle_endtag(self, tag: str) -> None:
            self.hidden -= tag in {"style", "script", "head"} and self.hidden > 0

        def handle_data(self, data: str) -> None:
            words.append("" if self.hidden else data)

    Text().feed(html[: 10 * _TEXT_LIMIT])
    return "".join(words)


def _own_words(text: str) -> str:
    """Return what the sender wrote, without what it answers to and without a signature."""
    from mailparser_reply import EmailReplyParser

    # Its patterns grow with the square of a line: a mail of one endless line is cut into many.
    above = re.split(r"^-- ?$", text, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line[:500] for line in above.splitlines()[:400]]
    parser = EmailReplyParser(languages=["en", "de", "fr", "es", "it", "nl"])
    return (parser.parse_reply("\n".join(lines)) or "").strip()


def _vouched(message: EmailMessage, sender: Named | None) -> bool:
    """Return whether the receiving service found the sender's domain genuine (RFC 8601).

    Only the topmost result counts, and only by the service's own name: a sender can write
    results of their own below it.
    """
    if sender is None:
        return False
    results = _all(message, "authentication-results")[:1]
    if not results or results[0].split(";")[0].strip().lower() != _AUTHORITY:
        return False
    domain = sender.email.rpartition("@")[2].lower()
    # The envelope's sender is quoted in here and can hold anything; what the service says of
    # DKIM and DMARC comes after it, so the last of each is its own.
    clauses = [" ".join(each.lower().split()) for each in results[0].split(";")]
    dmarc = next((each for each in reversed(clauses) if each.startswith("dmarc=")), "")
    if dmarc and not dmarc.startswith("dmarc=none"):
        return dmarc.startswith("dmarc=pass") and f"header.from={domain}" in dmarc.split()
    dkim = next((each for each in reversed(clauses) if each.startswith("dkim=")), "")
    signed = re.search(r"\bheader\.(?:i=[^@\s]*@|d=)([a-z0-9.-]+)", dkim)
    if not dkim.startswith("dkim=pass") or signed is None:
        return False
    return domain == signed[1] or domain.endswith(f".{signed[1]}")


def _refused(message: EmailMessage, sender: Named | None) -> Literal["", "automatic", "harmful"]:
    if _header(message, "x-ses-virus-verdict").upper() == "FAIL":
        return "harmful"
    if _header(message, "x-ses-spam-verdict").upper() == "FAIL":
        return "harmful"
    automatic = (
        sender is None
        or sender.email.lower().startswith(
            ("mailer-daemon@", "postmaster@", "no-reply@", "noreply@")
        )
        or _header(message, "auto-submitted").lower() not in {"", "no"}
        or _header(message, "precedence").lower() in {"bulk", "list", "junk", "auto_reply"}
        or _header(message, "list-id") != ""
    )
    return "automatic" if automatic else ""


def _header(message: EmailMessage, name: str) -> str:
    return next(iter(_all(message, name)), "").strip()


def _all(message: EmailMessage, name: str) -> list[str]:
    """Return the values of a header; one that cannot be read is as if it were not there."""
    found: list[str] = []
    for key, value in message.raw_items():
        if key.lower() == name and len(found) < _HEADERS_LIMIT:
            try:
                found.append(str(policy.default.header_fetch_parse(key, value)))
            except Exception:  # noqa: BLE001, S112  (the parser raises what it likes)
                continue
    return found


def _tidy(text: str) -> str:
    return " ".join(_clean(text).replace('"', " ").split())[:_NAME_LIMIT]


def _clean(text: str) -> str:
    """Return *text* without control characters and marks that turn the writing direction."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", " ", text
    )


def _digest(raw: bytes) -> str:
    from hashlib import sha256

    return sha256(raw).hexdigest()
