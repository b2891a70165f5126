"""What a lead's form says, and the referral it makes: the same for JSON, forms and the page.

What led the lead here are its touches: click ids from the body or the first-party cookie, and
a typed code. Whoever is named in it goes to the People table; the referral holds ids.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import clickid
from introducer.document.intake import Channel
from introducer.errors import InvalidInputError
from introducer.program import ProgramVersion
from introducer.referral import Facts, Touch
from submit import facts, inputs, intake, trail
from submit.exchange import Answer, Call
from submit.inputs import FORM, Input, Pairs
from submit.intake import Lead

MAX_CLICKS = 20
MAX_CO_REFERRERS = 10

Clicks = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MAX_CLICKS)]
CoReferrers = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=32)]], Meta(max_length=MAX_CO_REFERRERS)
]


class Consent(Input, frozen=True, kw_only=True):
    """The lead's agreement: to which text, and that it was given."""

    text_version: inputs.Word
    given: Literal[True]
    locale: Annotated[str, Meta(pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$(?!\n)")] = ""
    """The language it was shown in, where there are several."""


class NewReferral(Input, frozen=True, kw_only=True):
    """A lead who wants to be contacted, and what led them here.

    ``clicks`` are click ids as the landing page got them, ``code`` is a link code that
    somebody typed. One of them, or the cookie, must lead to a partner. ``co_referrers`` are
    link codes or ids of partners who share in it. ``answers`` are to the program's questions,
    ``metadata`` are fields it declares.
    """

    name: inputs.Line
    email: inputs.Email
    country: inputs.Country
    consent: Consent
    phone: inputs.Phone = ""
    company: Annotated[str, Meta(max_length=200, pattern=inputs.LINE_OR_EMPTY)] = ""
    product: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    note: inputs.Lines = ""
    locale: inputs.Locale = "en"
    clicks: Clicks = msgspec.field(default_factory=list)
    code: Annotated[str, Meta(max_length=32)] = ""
    co_referrers: CoReferrers = msgspec.field(default_factory=list)
    answers: facts.Answers = msgspec.field(default_factory=dict)
    metadata: facts.Metadata = msgspec.field(default_factory=dict)
    size: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    industry: Annotated[str, Meta(pattern=r"^([a-z][a-z0-9_]{0,31})?$(?!\n)")] = ""
    language: Annotated[str, Meta(pattern=r"^([a-z]{2})?$(?!\n)")] = ""
    utm: inputs.Utm = msgspec.field(default_factory=dict)


class ReferralMade(msgspec.Struct, frozen=True, kw_only=True):
    """The new referral."""

    id: str
    status: Literal["submitted"] = "submitted"


def read_form(pairs: Pairs) -> dict[str, object]:
    """Return the fields of a form in the shape of :class:`NewReferral`.

    ``consent.given``, ``consent.text_version`` and ``consent.locale`` make up the consent,
    ``answers.*`` the answers, ``metadata.*`` the metadata; ``clicks`` and ``co_referrers`` may
    be repeated, ``utm_*`` are campaign tags. Empty fields count as not sent.
    """
    plain: dict[str, object] = {}
    clicks: list[str] = []
    co_referrers: list[str] = []
    answers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    utm: dict[str, str] = {}
    consent: dict[str, object] = {}
    for name, value in pairs:
        if not value:
            continue
        if name in {"clicks", clickid.PARAMETER}:
            clicks.append(value)
        elif name == "co_referrers":
            co_referrers.append(value)
        elif name.startswith("answers."):
            answers[name.removeprefix("answers.")] = value
        elif name.startswith("metadata."):
            metadata[name.removeprefix("metadata.")] = value
        elif name.startswith("utm_"):
            utm[name] = value
        elif name == "consent.given":
            consent["given"] = value.lower() in {"on", "true", "yes", "1"}
        elif name in {"consent.text_version", "consent.locale"}:
            consent[name.removeprefix("consent.")] = value
        else:
            # Browsers send line breaks as CR LF; stored text has line feeds.
            plain[name] = value.replace("\r\n", "\n")
    lists = {"clicks": clicks, "co_referrers": co_referrers}
    groups = {"answers": answers, "metadata": metadata, "utm": utm, "consent": consent}
    return {**plain, **lists, **groups}


def take(
    version: ProgramVersion, call: Call[NewReferral, Any], *, channel: Channel, implied: str = ""
) -> Answer:
    """Return the answer to a submitted lead, with the transaction that stores the referral.

    Args:
        version: The program version it is made under.
        call: The checked request.
        channel: How it came in.
        implied: The code of the page it was sent from. Nobody typed it, so a click of that very
            link stands for both.
    """
    body = call.body
    lead = Lead(
        name=body.name,
        country=body.country,
        email=body.email,
        phone=body.phone,
        company=body.company,
        note=body.note,
        locale=body.locale,
        product=body.product,
        facts=_facts(call, version),
    )
    made = intake.submit(
        version,
        lead,
        _touches(call, version.program, implied),
        channel=channel,
        actor=call.caller.name,
        now=call.now,
    )
    return Answer(body=ReferralMade(id=made.referral.id), writes=made.writes)


def _facts(call: Call[NewReferral, Any], version: ProgramVersion) -> Facts:
    body, document, from_form = call.body, version.document, call.kind == FORM
    known = facts.of_answers(document, body.answers, from_form=from_form)
    known |= facts.of_metadata(document, body.metadata, from_form=from_form)
    known["lead.language"] = body.language or body.locale[:2]
    if body.size is not None:
        known["lead.size"] = body.size
    if body.industry:
        known["lead.industry"] = body.industry
    return known


def _touches(call: Call[NewReferral, Any], program: str, implied: str) -> list[Touch]:
    """Return everything that led the lead here, the consent last.

    Raises:
        InvalidInputError: The typed code is not a link of this program, nothing leads to
            a partner, or a co-referrer is none of its partners.
    """
    body, now = call.body, call.now
    codes = trail.Codes(program, now)
    touches = trail.clicks(body.clicks, call.headers, codes, now)
    if not (implied and any(touch.link == implied for touch in touches)):
        touches += trail.typed(body.code or implied, codes, now)
    if not touches:
        raise InvalidInputError("clicks", "nothing here leads to a partner", code="no_partner")
    form = Touch(
        id="form",
        kind="form",
        at=now,
        utm=body.utm,
        data=_consent(body.consent),
    )
    return [*touches, *trail.co_referrers(body.co_referrers, touches, codes, now), form]


def _consent(consent: Consent) -> dict[str, str]:
    given = {"consent": "given", "consent_text": consent.text_version}
    return {**given, "consent_locale": consent.locale} if consent.locale else given
