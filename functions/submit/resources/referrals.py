"""Submitting a referral: the one thing anybody may do without a login.

JSON and HTML forms carry the same fields. What led the lead here are its touches: click
ids from the body or the first-party cookie, and a typed code. Whoever is named in it
goes to the People table; the referral holds ids.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from introducer import attribution, clickid, clock, identity, ids, keyring, life, score
from introducer.errors import InvalidInputError
from introducer.partner import Link
from introducer.program import ProgramVersion
from introducer.referral import Facts, Referral, Touch
from introducer.tables import claims, partners, programs, referrals
from introducer.tables.people import Contact
from introducer.tables.referrals import LeadTakenError
from introducer.tables.store import Transaction
from submit import facts, inputs
from submit.http import Answer, Call, Form, Reply, Resource
from submit.inputs import FORM, Input, Pairs

MAX_CLICKS = 20
MAX_CO_REFERRERS = 10

resource = Resource(__name__)

Clicks = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MAX_CLICKS)]
CoReferrers = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=32)]], Meta(max_length=MAX_CO_REFERRERS)
]


class Consent(Input, frozen=True, kw_only=True):
    """The lead's agreement: to which text, and that it was given."""

    text_version: inputs.Word
    given: Literal[True]


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

    ``consent.given`` and ``consent.text_version`` make up the consent, ``answers.*`` the
    answers, ``metadata.*`` the metadata, ``clicks`` and ``co_referrers`` may be repeated,
    ``utm_*`` are campaign tags; empty fields count as not sent.
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
        elif name == "consent.text_version":
            consent["text_version"] = value
        else:
            # Browsers send line breaks as CR LF; stored text has line feeds.
            plain[name] = value.replace("\r\n", "\n")
    lists = {"clicks": clicks, "co_referrers": co_referrers}
    groups = {"answers": answers, "metadata": metadata, "utm": utm, "consent": consent}
    return {**plain, **lists, **groups}


def thank(path: dict[str, str]) -> Reply:
    """Send whoever submitted a form on to the program's landing page (303)."""
    landing = programs.current(path["program"], clock.now()).document.landing_url
    page, mark, fragment = landing.partition("#")
    joint = "&" if "?" in page else "?"
    location = f"{page}{joint}introducer=submitted{mark}{fragment}"
    return Reply(status=303, body="", headers={"location": location, "content-type": "text/plain"})


@resource.endpoint(
    "POST",
    "/v1/programs/{program}/referrals",
    body=NewReferral,
    answer=ReferralMade,
    status=201,
    again=(LeadTakenError,),
    form=Form(read=read_form, answer=thank),
    codes=(
        "unknown_code",
        "unknown_co_referrer",
        "no_partner",
        "unknown_product",
        "unknown_question",
        "invalid_answer",
        "answer_missing",
        "invalid_answers",
        "unknown_metadata",
        "invalid_metadata",
        "invalid_email",
        "invalid_phone",
    ),
)
def submit_referral(call: Call[NewReferral, Any]) -> Answer:
    """Submit a referral.

    Whether the lead was referred before is not told: the answer is the same.
    """
    version = programs.current(call.path["program"], call.now)
    body = call.body
    if body.product and body.product not in version.document.products:
        raise InvalidInputError("product", "no such product", code="unknown_product")
    contact = Contact(
        name=body.name,
        email=identity.check_email(body.email),
        phone=identity.check_phone(body.phone, body.country) if body.phone else "",
        company=body.company,
        note=body.note,
        locale=body.locale,
    )
    known = _facts(call, version)
    touches = _touches(call)
    made = _referral(call, version, contact, touches, known)
    scored = score.score(version.document.score, score.facts_of(made))
    if scored:
        made = msgspec.structs.replace(made, facts={**known, score.FACT: scored.score})
        touches.append(score.touch_of(scored, at=call.now))
    writes = Transaction()
    referrals.submit(
        writes,
        made,
        life.submitted(made, actor=call.caller.name),
        contact=contact,
        touches=touches,
        protected_until=clock.plus(call.now, days=version.document.attribution.protection_days),
    )
    return Answer(body=ReferralMade(id=made.id), writes=writes)


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


def _referral(
    call: Call[NewReferral, Any],
    version: ProgramVersion,
    contact: Contact,
    touches: list[Touch],
    known: Facts,
) -> Referral:
    lead_key = identity.email_key(contact.email, keyring.secret(keyring.IDENTITY))
    earlier = claims.find(version.program, "lead_email", lead_key, now=call.now)
    own = [touch for touch in touches if touch.link and attribution.ROLE not in touch.data]
    newest = max(own, key=lambda touch: touch.at)
    return Referral(
        id=ids.new_id(),
        program=version.program,
        program_version=version.version,
        version=1,
        status="submitted",
        submitted_at=call.now,
        updated_at=call.now,
        channel="form" if call.kind == FORM else "api",
        lead=ids.new_id(),
        lead_key=lead_key,
        link=newest.link,
        country=call.body.country,
        product=call.body.product,
        duplicate_of=earlier.target if earlier else "",
        facts=known,
    )


def _touches(call: Call[NewReferral, Any]) -> list[Touch]:
    """Return everything that led the lead here, the consent last.

    Raises:
        InvalidInputError: The typed code is not a link of this program, nothing leads to
            a partner, or a co-referrer is none of its partners.
    """
    links = _Links(call.path["program"])
    touches = _clicks(call, links)
    typed = call.body.code.strip().lower()
    if typed:
        link = links.find(typed)
        if link is None:
            raise InvalidInputError("code", "no such code", code="unknown_code")
        touches.append(
            Touch(
                id=f"code-{link.code}",
                kind="code",
                at=call.now,
                link=link.code,
                partner=link.partner,
            )
        )
    if not touches:
        raise InvalidInputError("clicks", "nothing here leads to a partner", code="no_partner")
    form = Touch(
        id="form",
        kind="form",
        at=call.now,
        utm=call.body.utm,
        data={"consent": "given", "consent_text": call.body.consent.text_version},
    )
    return [*touches, *_co_referrers(call, links, touches), form]


def _co_referrers(call: Call[NewReferral, Any], links: _Links, touches: list[Touch]) -> list[Touch]:
    """Return a touch for each partner named beside those who led the lead here, in their order."""
    seen = {touch.partner for touch in touches}
    named = []
    for place, text in enumerate(call.body.co_referrers):
        link = links.find(text.strip().lower())
        partner = link.partner if link else _partner_id(text.strip(), call.path["program"])
        if not partner:
            field = f"co_referrers[{place}]"
            raise InvalidInputError(field, "no such partner", code="unknown_co_referrer")
        if partner in seen:
            continue
        seen.add(partner)
        named.append(
            Touch(
                # Sorts after a typed code, and by place: that is the order of fixed shares.
                id=f"named-{place:02}-{partner}",
                kind="code",
                at=call.now,
                link=link.code if link else "",
                partner=partner,
                data={attribution.ROLE: attribution.CO_REFERRER},
            )
        )
    return named


def _partner_id(text: str, program: str) -> str:
    found = partners.find_partner(text) if inputs.PATH.fullmatch(text) else None
    return found.id if found and found.program == program and found.status == "active" else ""


def _clicks(call: Call[NewReferral, Any], links: _Links) -> list[Touch]:
    """Return the genuine clicks among those sent, oldest first."""
    sent = list(dict.fromkeys([*_cookie_clicks(call.headers.get("cookie", "")), *call.body.clicks]))
    if not sent:
        return []
    keys = clickid.keys_of(programs.click_salts(), call.now)
    touches = []
    for text in sent:
        said = clickid.read(text, keys)
        link = links.find(said.code) if said else None
        if said and link:
            touches.append(
                Touch(id=text, kind="click", at=said.at, link=link.code, partner=link.partner)
            )
    return sorted(touches, key=lambda touch: (touch.at, touch.id))


def _cookie_clicks(header: str) -> list[str]:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == clickid.COOKIE:
            return clickid.split_cookie(value)
    return []


class _Links:
    """The links of one program, each looked up once in a request."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._known: dict[str, Link | None] = {}

    def find(self, code: str) -> Link | None:
        """Return the active link of this program with *code*, or None."""
        if code not in self._known:
            link = partners.find_link(code) if inputs.PATH.fullmatch(code) else None
            usable = link and link.program == self._program and link.status == "active"
            self._known[code] = link if usable else None
        return self._known[code]
