"""What is told to whom, as data, and how it is put into words.

A message has one template per language, ``templates/{language}/{name}.txt``: two
``set`` lines give the subject and the label of the button, the rest is paragraphs
with blank lines between them. The plain text and the HTML are made of the same
paragraphs by the two layouts. ``words.json`` beside them holds what all messages
share and the words for reason codes.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_FOLDER = Path(__file__).parent / "templates"
_FALLBACK = "en"
_LINE_WIDTH = 72
_VALUE_LIMIT = 80
_SUBJECT_LIMIT = 150
_SENTENCE_LIMIT = 600
_JOINERS = "\u200c\u200d"
"""Format characters that names in Persian and Indian scripts are spelled with."""
_LINKLIKE = re.compile(r"[/\\@<>]|\w\.\w")
"""What a mail program may turn into a link."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message: its template, who gets it, what it is about and where its button leads.

    ``page`` is a path in the portal; the names in braces are ids. ``once_per`` widens
    what it is sent once for: all rewards of a sale are one piece of news. ``to_invited`` is
    for people who were invited and have not enrolled; they get no other.
    """

    template: str
    to: Literal["partner", "rep", "managers"]
    about: Literal[
        "partner",
        "payee",
        "referral",
        "reward",
        "payout",
        "batch",
        "program",
        "introduction",
        "dispute",
    ]
    page: str
    once_per: Literal["event", "occasion"] = "event"
    to_invited: bool = False


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words."""

    subject: str
    text: str
    html: str


def _of_referral(template: str) -> tuple[Message, ...]:
    page = "referrals/{referral}"
    return (Message(template=template, to="partner", about="referral", page=page),)


def _to_invited(template: str) -> Message:
    page = "join/{program_id}/{audience}"
    return Message(template=template, to="partner", about="partner", page=page, to_invited=True)


def _of_dispute(template: str, to: Literal["partner", "managers"]) -> Message:
    return Message(template=template, to=to, about="dispute", page="disputes/{dispute}")


MESSAGES: dict[str, tuple[Message, ...]] = {
    "PartnerEnrolled": (
        Message(template="partner_enrolled", to="partner", about="partner", page="links"),
    ),
    "PartnerInvited": (_to_invited("partner_invited"),),
    "PartnerReminded": (_to_invited("partner_reminded"),),
    "AskRequested": (
        Message(template="partner_asked", to="partner", about="partner", page="links"),
    ),
    "PayeeChangeRequested": (
        Message(
            template="payee_change_requested", to="partner", about="payee", page="payee/confirm"
        ),
    ),
    "PayeeChanged": (Message(template="payee_changed", to="partner", about="payee", page="payee"),),
    "IntroductionUnread": (
        Message(
            template="introduction_unread", to="partner", about="introduction", page="referrals/new"
        ),
    ),
    "ReferralAssigned": (
        Message(template="lead_assigned", to="rep", about="referral", page="leads/{referral}"),
        *_of_referral("referral_assigned"),
    ),
    "ReferralReminded": (
        Message(template="lead_reminder", to="rep", about="referral", page="leads/{referral}"),
    ),
    "ReferralAccepted": _of_referral("referral_accepted"),
    "ReferralAdvanced": _of_referral("referral_advanced"),
    "ReferralWon": _of_referral("referral_won"),
    "ReferralLost": _of_referral("referral_lost"),
    "ReferralRejected": _of_referral("referral_rejected"),
    "ReferralWithdrawn": _of_referral("referral_withdrawn"),
    "ReferralDuplicate": _of_referral("referral_duplicate"),
    "ReferralIneligible": _of_referral("referral_ineligible"),
    "RewardEarned": (
        Message(
            template="reward_earned",
            to="partner",
            about="reward",
            page="referrals/{referral}",
            once_per="occasion",
        ),
    ),
    "RewardReleased": (
        Message(template="reward_released", to="partner", about="reward", page="rewards"),
    ),
    "RewardReversed": (
        Message(template="reward_reversed", to="partner", about="reward", page="rewards"),
    ),
    "PayoutPaid": (
        Message(template="payout_paid", to="partner", about="payout", page="statement"),
    ),
    "PayoutReturned": (
        Message(template="payout_returned", to="partner", about="payout", page="payee"),
    ),
    "DisputeOpened": (_of_dispute("dispute_opened", "managers"),),
    "DisputeEscalated": (_of_dispute("dispute_escalated", "managers"),),
    "DisputeDecided": (_of_dispute("dispute_decided", "partner"),),
    "BatchApprovalRequested": (
        Message(template="batch_approval", to="managers", about="batch", page="batches/{batch}"),
    ),
}
"""Which event sends which messages; the rule that fills the queue names the same events."""

NOTICE = Message(template="program_changed", to="partner", about="program", page="rewards-table")
"""What everybody affected by a new version is told; :mod:`notify.notice` finds them."""


CREDIT_WAITING = _to_invited("credit_waiting")
"""What somebody invited is told, once, instead of the rewards they have not enrolled for."""


def compose(
    message: Message,
    facts: Mapping[str, str],
    *,
    locale: str,
    name: str,
    program: str,
    url: str,
    lines: Sequence[str] = (),
) -> Mail:
    """Return *message* in words.

    Args:
        message: Which one.
        facts: Its ids, codes and amounts. ``reason`` and ``stage`` are codes; a reason
            without words in the language is left out rather than shown raw.
        locale: The reader's, such as ``de-AT``; English when there are no words in it.
        name: The reader's name, or nothing.
        program: What the program is called.
        url: Where the button leads.
        lines: Sentences in the reader's language, for messages that list some.
    """
    language = language_of(locale)
    words = _words(language)
    values: dict[str, Any] = {
        # Half an address leads nowhere.
        key: one_line(value, limit=_SENTENCE_LIMIT if key == "link" else _VALUE_LIMIT)
        for key, value in facts.items()
    }
    values |= {
        "lines": [one_line(line, limit=_SENTENCE_LIMIT) for line in lines],
        "program": one_line(program),
        "reason": words["reasons"].get(facts.get("reason", ""), ""),
        "stage": words["stages"].get(
            facts.get("stage", ""), values.get("stage", "").replace("_", " ")
        ),
    }
    footer = "footer_invited" if message.to_invited else "footer"
    content = _environment().get_template(f"{language}/{message.template}.txt").make_module(values)
    parts: dict[str, Any] = {
        "language": language,
        "subject": one_line(content.subject, limit=_SUBJECT_LIMIT),  # type: ignore[attr-defined]
        "greeting": _greeting(words, name),
        "paragraphs": _paragraphs(str(content)),
        "action": content.action,  # type: ignore[attr-defined]
        "url": url,
        "footer": words[footer].replace("{program}", values["program"]),
    }
    html = _environment().get_template("layout.html").render(parts)
    wrapped = [_wrapped(paragraph) for paragraph in parts["paragraphs"]]
    text = _environment().get_template("layout.txt").render({**parts, "paragraphs": wrapped})
    return Mail(subject=parts["subject"], text=text, html=html)


def one_line(value: str, *, limit: int = _VALUE_LIMIT) -> str:
    """Return *value* as one short line that cannot steer anything.

    Line breaks, control characters and marks that turn the writing direction become
    spaces; what is longer than *limit* characters is cut.
    """
    visible = "".join(" " if _is_steering(sign) else sign for sign in value)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def language_of(locale: str) -> str:
    """Return the folder whose words come closest to *locale*."""
    language = locale.partition("-")[0].lower()
    return language if language in languages() else _FALLBACK


@cache
def languages() -> frozenset[str]:
    """Return the languages there are templates in."""
    return frozenset(folder.name for folder in _FOLDER.iterdir() if folder.is_dir())


def _is_steering(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Zl", "Zp"} and sign not in _JOINERS


def _greeting(words: Mapping[str, Any], name: str) -> str:
    # Anybody can enrol somebody else's address with a name that advertises a site, so a
    # name that could become a link is not repeated.
    line = one_line(name)
    if not line or _LINKLIKE.search(line):
        return str(words["greeting_without_name"])
    return str(words["greeting"]).replace("{name}", line)


def _paragraphs(content: str) -> list[str]:
    blocks = re.split(r"\n\s*\n", content)
    return [" ".join(block.split()) for block in blocks if block.strip()]


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, _LINE_WIDTH, break_long_words=False, break_on_hyphens=False)


@cache
def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((_FOLDER / language / "words.json").read_text("utf-8"))
    return words


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
