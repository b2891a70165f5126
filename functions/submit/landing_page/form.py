"""What the page asks: its controls, made of the program's document, and what was typed in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from introducer.document.audience import Question
from introducer.document.intake import PageText
from introducer.errors import Fault
from introducer.program import Program
from submit.landing_page import words

MOST_RADIOS = 5
"""More options than these are a list to choose from."""
CONSENT = "consent.given"
_AUTOCOMPLETE = {
    "name": "name",
    "email": "email",
    "phone": "tel",
    "company": "organization",
    "country": "country",
}
_KINDS = {"email": "email", "phone": "tel", "note": "textarea", "size": "number"}

Options = tuple[tuple[str, str], ...]


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One control of the form.

    Attributes:
        name: Under which it is sent.
        kind: text, email, tel, number, textarea, select, radio or checkbox.
        options: Values and what they are called.
        own: Whether the label is one of the page's own words, which may be in another language.
    """

    name: str
    kind: str
    label: str
    own: bool = True
    required: bool = False
    hint: str = ""
    autocomplete: str = "off"
    options: Options = ()
    value: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        """Return the id of its element; of several, the first's."""
        return self.name.replace(".", "-")


def controls(document: Program, text: PageText, language: str) -> list[Control]:
    """Return everything the page asks for, in order, still empty.

    Args:
        document: The program.
        text: Its words in the language of the page.
        language: Of the page's own words.
    """
    asks = document.intake.page.asks
    first = [_plain("name", language, required=True), _plain("email", language, required=True)]
    first += [_plain(name, language) for name in ("phone", "company") if name in asks]
    first.append(_country(document, language))
    if "size" in asks:
        first.append(_plain("size", language, hint=words.WORDS[language]["hint.number"]))
    first += [each for each in _chosen(document, text, language) if each.name in asks]
    first += [_question(key, document, text, language) for key in document.questions]
    first += [_field(key, document, text, language) for key in document.intake.page.metadata]
    if "note" in asks:
        first.append(_plain("note", language))
    return first


def filled(
    made: list[Control], typed: Mapping[str, str], faults: Mapping[str, str]
) -> list[Control]:
    """Return the controls with what was typed and what is wrong with it, both by name."""
    return [
        msgspec.structs.replace(
            each, value=typed.get(each.name, each.value), error=faults.get(each.name, "")
        )
        for each in made
    ]


def tell(fault: Fault, made: list[Control], language: str) -> str:
    """Return what is wrong with a field, in the page's own words."""
    own = words.WORDS[language]
    kind = "missing" if fault.code in {"missing_field", "answer_missing"} else "invalid"
    if f"{kind}.{fault.field}" in own:
        return own[f"{kind}.{fault.field}"]
    control = next((each for each in made if each.name == fault.field), None)
    if control is None:
        return own["form.failed"]
    if kind == "missing":
        sort = "missing.answer"
    elif control.options:
        sort = "invalid.choice"
    else:
        sort = "invalid.number" if control.kind == "number" else "invalid.word"
    return own[sort].format_map(_Literal(label=control.label))


class _Literal(dict[str, str]):
    """Values for a text of ours; what they hold is never a text itself."""


def _plain(name: str, language: str, *, required: bool = False, hint: str = "") -> Control:
    own = words.WORDS[language]
    return Control(
        name=name,
        kind=_KINDS.get(name, "text"),
        label=own[f"label.{name}"],
        required=required,
        hint=hint or own.get(f"hint.{name}", ""),
        autocomplete=_AUTOCOMPLETE.get(name, "off"),
    )


def _country(document: Program, language: str) -> Control:
    names = words.countries(language)
    codes = document.countries or list(names)
    found = sorted(((code, names.get(code, code)) for code in codes), key=_alphabetical)
    return Control(
        name="country",
        kind="select",
        label=words.WORDS[language]["label.country"],
        required=True,
        autocomplete="country",
        options=tuple(found),
    )


def _alphabetical(option: tuple[str, str]) -> str:
    return unicodedata.normalize("NFD", option[1]).encode("ascii", "ignore").decode().casefold()


def _chosen(document: Program, text: PageText, language: str) -> Iterator[Control]:
    keys = {"industry": document.intake.page.industries, "product": document.products}
    plural = {"industry": "industries", "product": "products"}
    for name, listed in keys.items():
        yield Control(
            name=name,
            kind="select" if len(listed) > MOST_RADIOS else "radio",
            label=words.WORDS[language][f"label.{name}"],
            options=tuple((key, _called(text, f"{plural[name]}.{key}")) for key in listed),
        )


def _question(key: str, document: Program, text: PageText, language: str) -> Control:
    question, name = document.questions[key], f"answers.{key}"
    kind = "number"
    if question.type != "number":
        kind = "select" if len(question.options) > MOST_RADIOS else "radio"
    return Control(
        name=name,
        kind=kind,
        label=text.labels.get(name, question.text),
        own=False,
        required=question.required,
        hint=words.WORDS[language]["hint.number"] if kind == "number" else "",
        options=_answers(name, question, text, language),
    )


def _answers(name: str, question: Question, text: PageText, language: str) -> Options:
    if question.type == "flag":
        own = words.WORDS[language]
        return (("true", own["yes"]), ("false", own["no"]))
    return tuple((option, _called(text, f"{name}.{option}")) for option in question.options)


def _field(key: str, document: Program, text: PageText, language: str) -> Control:
    name, own = f"metadata.{key}", words.WORDS[language]
    shape: dict[str, Any] = {
        "flag": {"kind": "checkbox"},
        "number": {"kind": "number", "hint": own["hint.number"]},
        "text": {"kind": "text", "hint": own["hint.word"]},
    }[document.fields[key].type]
    return Control(name=name, label=_called(text, name), own=False, **shape)


def _called(text: PageText, key: str) -> str:
    """Return what *key* is called, or its last part made readable."""
    return text.labels.get(key) or key.rpartition(".")[2].replace("_", " ").capitalize()
