"""A visit to a partner's landing page: what is shown, what comes back, what becomes of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from introducer import clickid, landing
from introducer.clock import Instant
from introducer.document.audience import Audience
from introducer.document.intake import PageText
from introducer.errors import (
    ContentionError,
    Fault,
    InvalidInputError,
    NotFoundError,
    SeveralFaultsError,
)
from introducer.link import Link
from introducer.program import ProgramVersion
from introducer.screening import CREDITED
from introducer.tables import partners, people, programs
from introducer.tables.people import Greeting
from introducer.tables.referrals import LeadTakenError
from submit import inputs, lead_form, trail
from submit.exchange import (
    KEY_FIELD,
    TRAP_FIELD,
    Answer,
    Call,
    Endpoint,
    Form,
    Reply,
)
from submit.inputs import Pairs
from submit.landing_page import check, form, language, stamp, view, words
from submit.landing_page.form import CONSENT
from submit.lead_form import NewReferral, ReferralMade
from submit.problem import Problem, RequestError

ROUTE = "/p/{slug}"
SENT = "sent"
"""The query parameter of the page that thanks."""
_STAMP, _VERSION, _LOCALE = "stamp", "consent.text_version", "locale"
_SPARE = ("email", "phone", "size")
"""Fields in which spaces around what was typed mean nothing."""
_SEE_OTHER = 303
_WRONG = 422
_MOST_TAGS = 10
_OURS = 500
"""From here on a status means that the fault is not the visitor's."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A usable link with the program it belongs to and the partner whose page it is."""

    link: Link
    version: ProgramVersion
    usual_locale: str
    greeting: Greeting | None


def find(slug: str, now: Instant) -> Place | None:
    """Return the page of *slug*, None where there is none.

    A code nobody has, one that was switched off and one that has expired cost one read each.
    """
    link = trail.usable_link(slug.lower(), now)
    if link is None:
        return None
    try:
        version = programs.current(link.program, now)
    except NotFoundError:
        return None
    intake = version.document.intake
    if not intake.page.texts or (intake.channels and "page" not in intake.channels):
        return None
    partner = partners.find_partner(link.partner)
    nobody = Audience(name="")
    audience = version.document.audiences.get(partner.audience, nobody) if partner else nobody
    speaks = partner is not None and partner.status in CREDITED
    greeting = people.greeting(partner.person) if partner and speaks else None
    return Place(
        link=link,
        version=version,
        usual_locale=audience.locale,
        greeting=greeting if greeting and greeting.show else None,
    )


class Visit:
    """One request for a page that exists."""

    def __init__(
        self, place: Place, headers: Mapping[str, str], query: str, raw: bytes, now: Instant
    ) -> None:
        """Look at the request.

        Args:
            place: Whose page.
            headers: Of the request, names in lower case.
            query: As it came.
            raw: The body, empty for none.
            now: The present instant.
        """
        self._place = place
        self._headers = headers
        self._query = inputs.query_pairs(query)
        self._passed = landing.passed(query)
        self._pairs = _pairs(raw)
        self._now = now
        self._document = place.version.document
        asked = dict(self._pairs).get(_LOCALE) or dict(self._query).get("lang", "")
        self.locale = language.choose(
            self._document.intake.page.texts,
            asked,
            headers.get("accept-language", ""),
            place.usual_locale,
        )

    @property
    def text(self) -> PageText:
        """Return the program's words in the language of the visit."""
        return self._document.intake.page.texts[self.locale]

    def endpoint(self) -> Endpoint:
        """Return how the form is taken: once, with its trap, by the machinery of the API."""
        return Endpoint(
            method="POST",
            route=ROUTE,
            roles=frozenset(),
            answer=ReferralMade,
            status=_SEE_OTHER,
            once=True,
            body=NewReferral,
            again=(LeadTakenError, ContentionError),
            form=Form(read=self._read, answer=self._thank),
        )

    def take(self, call: Call[NewReferral, Any]) -> Answer:
        """Make the referral of a form that is in order."""
        return lead_form.take(
            self._place.version, call, channel="page", implied=self._place.link.code
        )

    def show(self) -> Reply:
        """Return the page: the empty form, or thanks."""
        if SENT in dict(self._query):
            return view.thanks(self._frame(), self.text)
        return self._form()

    def refuse(self, problem: Problem) -> Reply:
        """Return the form as it was filled in, with everything that is wrong told beside it."""
        status = problem.status if problem.status >= _OURS else _WRONG
        own = words.WORDS[words.spoken(self.locale)]
        found = [
            Fault(each.code or problem.code, each.field, each.detail) for each in problem.errors
        ]
        made = self._controls()
        names = {each.name for each in made} | {CONSENT}
        told = {each.field: form.tell(each, made, words.spoken(self.locale)) for each in found}
        beside = {name: text for name, text in told.items() if name in names}
        general = ""
        if not beside or problem.status >= _OURS:
            code = "busy" if problem.status >= _OURS else problem.code
            general = own.get(f"form.{code}", own["form.failed"])
        return self._form(status=status, code=problem.code, faults=beside, general=general)

    def _form(
        self,
        *,
        status: int = 200,
        code: str = "",
        faults: Mapping[str, str] | None = None,
        general: str = "",
    ) -> Reply:
        typed = dict(self._pairs)
        made = form.filled(self._controls(), self._begun() | typed, faults or {})
        anew = code == "idempotency_key_reused"
        consent = self._document.intake.consent
        agreed = bool(typed.get(CONSENT)) and typed.get(_VERSION) == consent.version
        key = "" if anew else typed.get(KEY_FIELD, "")
        hidden = [
            *self._led_here(),
            (KEY_FIELD, key or secrets.token_urlsafe(18)),
            (_STAMP, self._stamp(typed, code)),
            (_VERSION, consent.version),
            ("consent.locale", self.locale),
            (_LOCALE, self.locale),
        ]
        page = view.FormPage(
            text=self.text,
            controls=made,
            hidden=hidden,
            trap=TRAP_FIELD,
            consent=consent.texts[self.locale],
            agreed=agreed,
            consent_error=(faults or {}).get(CONSENT, ""),
            general=general,
        )
        return view.form(self._frame(), page, status=status, code=code)

    def _stamp(self, typed: Mapping[str, str], code: str) -> str:
        """Return the form's stamp, the one it came with where that still counts."""
        came = typed.get(_STAMP, "")
        genuine = code != "form_outdated" and self._age_s(came) is not None
        return came if genuine else stamp.make(self._now, *self._shown())

    def _shown(self) -> tuple[str, str, str]:
        return self._place.link.code, self.locale, self._document.intake.consent.version

    def _age_s(self, came: str) -> int | None:
        return stamp.age_s(came, self._now, *self._shown())

    def _led_here(self) -> list[tuple[str, str]]:
        """Return the hidden fields that say what led here: of the form, else of the address."""
        code = [("code", self._place.link.code)]
        if self._pairs:
            return code + _led(self._pairs)
        renamed = {clickid.PARAMETER: "clicks"}
        return code + _led([(renamed.get(name, name), value) for name, value in self._query])

    def _begun(self) -> dict[str, str]:
        """Return what may be filled in before the visitor has typed anything."""
        country = self._headers.get("cloudfront-viewer-country", "") or self.locale[3:]
        only = self._document.countries
        return {"country": only[0] if len(only) == 1 else country}

    def _controls(self) -> list[form.Control]:
        return form.controls(self._document, self.text, words.spoken(self.locale))

    def _read(self, pairs: Pairs) -> dict[str, object]:
        """Return the fields of the form; those the page does not have are nobody's.

        Raises:
            SeveralFaultsError: Some cannot be accepted.
            InvalidInputError: It came too fast to have been filled in by a person, is not ours,
                or its text has changed meanwhile.
        """
        typed = dict(pairs)
        names = {each.name for each in self._controls()} | {CONSENT}
        kept = [
            (name, value.strip() if name in _SPARE else value)
            for name, value in pairs
            if name in names
        ]
        body = lead_form.read_form(kept + _led(pairs))
        found = check.faults(self._document, body)
        if found:
            raise SeveralFaultsError("invalid_form", "some fields cannot be accepted", found)
        self._check_stamp(typed.get(_STAMP, ""))
        consent = {
            "given": True,
            "text_version": self._document.intake.consent.version,
            "locale": self.locale,
        }
        return {**body, "consent": consent, "locale": self.locale}

    def _check_stamp(self, came: str) -> None:
        age_s = self._age_s(came)
        if age_s is None or age_s > stamp.LONGEST_S:
            message = "the page was open for too long, or its text has changed"
            raise InvalidInputError("form", message, code="form_outdated")
        if age_s < self._document.intake.page.least_seconds:
            message = "nobody fills in a form so fast"
            raise InvalidInputError("form", message, code="sent_too_fast")

    def _thank(self, path: Mapping[str, str]) -> Reply:
        # Relative to the form, so that it holds for every domain and behind every prefix.
        location = f"{path['slug']}?{urlencode({SENT: 'yes', 'lang': self.locale})}"
        return Reply(status=_SEE_OTHER, body="", headers={"location": location, **view.HEADERS})

    def _frame(self) -> view.Frame:
        kept = [*self._passed]
        kept += [(name, value) for name, value in self._query if name in {clickid.PARAMETER, SENT}]
        others = [
            view.Other(
                locale=each,
                name=words.NAMES.get(each[:2], each),
                address=f"?{urlencode([*kept, ('lang', each)])}",
            )
            for each in self._document.intake.page.texts
            if each != self.locale
        ]
        return view.Frame(
            locale=self.locale,
            company=self._document.sender_name,
            greeting=self._place.greeting,
            others=others,
            privacy_url=self.text.privacy_url or "",
        )


def _led(pairs: Pairs) -> Pairs:
    """Return what of *pairs* says what led here: genuine-looking clicks, campaign tags, once each.

    Whatever else stands there is no fault of the visitor's and is left out.
    """
    clicks = [
        (name, value) for name, value in pairs if name == "clicks" and clickid.looks_right(value)
    ]
    tags: dict[str, str] = {}
    sent = urlencode([(name, value) for name, value in pairs if name.startswith("utm_")])
    for name, value in landing.passed(sent):
        tags.setdefault(name, value)
    return clicks[-lead_form.MAX_CLICKS :] + list(tags.items())[:_MOST_TAGS]


def _pairs(raw: bytes) -> Pairs:
    """Return the form's fields to show them again, none when it cannot be read."""
    try:
        return inputs.form_pairs(raw) if raw else []
    except RequestError:
        return []
