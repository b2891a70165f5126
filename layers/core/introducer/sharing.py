"""Texts of the assets library filled in for one partner, and where they are shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from urllib.parse import quote

import msgspec

from introducer.asset import HOLE, LINK, Text

_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """A text ready to be sent: plain and, the same, as HTML of paragraphs and one link."""

    subject: str
    text: str
    html: str


def fill(text: Text, values: Mapping[str, str]) -> Filled:
    """Return *text* with its placeholders replaced.

    They are replaced in one go, so what looks like a placeholder in a value stays what it is.
    """
    plain = HOLE.sub(lambda hole: values[hole[1]], text.body)
    subject = HOLE.sub(lambda hole: values[hole[1]], text.subject)
    return Filled(
        # A line feed in a subject would begin another header.
        subject=_SPACES.sub(" ", subject).strip(),
        text=plain,
        html=_html(text.body, values),
    )


def share_url(channel: str, filled: Filled, link: str) -> str:
    """Return the address that opens *channel* with the text in it; empty where there is none.

    LinkedIn and Facebook take the link alone: their users paste the text. These addresses are
    the networks' own share pages; ``mailto`` is RFC 6068, ``sms`` RFC 5724.
    """
    text = quote(filled.text, safe="")
    url = quote(link, safe="")
    match channel:
        case "linkedin":
            return f"https://www.linkedin.com/sharing/share-offsite/?url={url}"
        case "facebook":
            return f"https://www.facebook.com/sharer/sharer.php?u={url}"
        case "x":
            return f"https://x.com/intent/post?text={text}"
        case "whatsapp":
            return f"https://wa.me/?text={text}"
        case "telegram":
            # The link stands apart there, above the text.
            rest = quote(filled.text.replace(link, "").strip(), safe="")
            return f"https://t.me/share/url?url={url}&text={rest}"
        case "email":
            body = quote(filled.text.replace("\r", "").replace("\n", "\r\n"), safe="")
            return f"mailto:?subject={quote(filled.subject, safe='')}&body={body}"
        case "sms":
            return f"sms:?body={text}"
    return ""


def _html(body: str, values: Mapping[str, str]) -> str:
    parts, end = [], 0
    for hole in HOLE.finditer(body):
        parts.append(escape(body[end : hole.start()]))
        value = escape(values[hole[1]])
        parts.append(f'<a href="{value}">{value}</a>' if hole[1] == LINK else value)
        end = hole.end()
    parts.append(escape(body[end:]))
    paragraphs = _BLANK_LINES.split("".join(parts).strip())
    return "".join(f"<p>{each}</p>".replace("\n", "<br>") for each in paragraphs)
