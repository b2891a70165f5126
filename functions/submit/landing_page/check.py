"""Everything that is wrong with a form at once, so that nobody has to send it five times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from introducer import identity
from introducer.check.places import COUNTRIES
from introducer.errors import Fault, InvalidInputError, SeveralFaultsError
from introducer.program import Program
from submit import facts
from submit.landing_page.form import CONSENT
from submit.lead_form import NewReferral

_NEEDED = ("name", "email", "country")
_SHAPED = ("name", "email", "country", "phone", "company", "note", "size")


def faults(document: Program, body: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with a form's fields, each named as its control.

    Args:
        document: The program that asks.
        body: The fields as :func:`submit.lead_form.read_form` gives them.
    """
    found = list(_fields(document, body))
    for kind, check in (("answers", facts.of_answers), ("metadata", facts.of_metadata)):
        try:
            check(document, body[kind], from_form=True)
        except SeveralFaultsError as wrong:
            found += wrong.faults
    if not body["consent"].get("given"):
        found.append(Fault("missing_field", CONSENT, "consent is needed"))
    return found


def _fields(document: Program, body: Mapping[str, Any]) -> Iterator[Fault]:
    wrong = set()
    for name in _SHAPED:
        text = str(body.get(name, ""))
        if not text.strip():
            if name in _NEEDED:
                wrong.add(name)
                yield Fault("missing_field", name, "this field is required")
        elif not _fits(name, text):
            wrong.add(name)
            yield Fault("invalid_input", name, "not of the shape it must have")
    known = {
        "product": document.products,
        "industry": document.intake.page.industries,
        "country": document.countries or COUNTRIES,
    }
    for name, listed in known.items():
        if body.get(name) and name not in wrong and body[name] not in listed:
            wrong.add(name)
            yield Fault("invalid_input", name, "not one of the list")
    if body.get("email") and "email" not in wrong:
        yield from _refused("email", lambda: identity.check_email(body["email"]))
    if body.get("phone") and not wrong & {"phone", "country"}:
        yield from _refused("phone", lambda: identity.check_phone(body["phone"], body["country"]))


def _fits(name: str, text: str) -> bool:
    try:
        msgspec.convert(text, _types()[name], strict=False)
    except msgspec.ValidationError:
        return False
    return True


@cache
def _types() -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(NewReferral)}


def _refused(name: str, check: Any) -> Iterator[Fault]:  # noqa: ANN401  (calls one of two)
    try:
        check()
    except InvalidInputError as wrong:
        yield Fault(wrong.code, name, wrong.message)
