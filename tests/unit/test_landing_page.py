"""What the landing page makes of a document and of what was typed, without any store."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import keyring, landing
from introducer.landing import Landing
from submit import lead_form
from submit.landing_page import check, form, language, stamp, words
from tests.support import life, pages
from tests.support.documents import Finding, document, found_in

DOCUMENT = life.document(**pages.PROGRAM)
NOW = "2026-11-22T11:17:00.000Z"
FILLED = {
    "name": "Lena Lead",
    "email": "lena@customers.example",
    "country": "DE",
    "answers.decides": "false",
    "consent.given": "on",
}


def wrong(**changes: str) -> list[str]:
    """Return the fields that are wrong in a form that would be right without *changes*."""
    typed = FILLED | {name.replace("__", "."): value for name, value in changes.items()}
    body = lead_form.read_form(list(typed.items()))
    return [each.field for each in check.faults(DOCUMENT, body)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"name": ""}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": "Lena\nBcc: all@x.example"}, ["name"]),
        ({"name": "\u202egnp.exe"}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"email": "lena"}, ["email"]),
        ({"email": "lena@nowhere"}, ["email"]),
        ({"phone": "12345678901234567890"}, ["phone"]),
        ({"phone": "call me"}, ["phone"]),
        ({"phone": "030 901820", "country": ""}, ["country"]),
        ({"country": "XX"}, ["country"]),
        ({"company": "a\tb"}, ["company"]),
        ({"size": "many"}, ["size"]),
        ({"size": "0"}, ["size"]),
        ({"product": "yacht"}, ["product"]),
        ({"industry": "mining"}, ["industry"]),
        ({"note": "x" * 1001}, ["note"]),
        ({"answers__sites": "some"}, ["answers.sites"]),
        ({"answers__decides": ""}, ["answers.decides"]),
        ({"answers__when": "never"}, ["answers.when"]),
        ({"answers__when": "x" * 40}, ["answers.when"]),
        ({"metadata__contract": "two words"}, ["metadata.contract"]),
        ({"metadata__contract": "x" * 65}, ["metadata.contract"]),
        ({"metadata__urgent": "perhaps"}, ["metadata.urgent"]),
        ({"consent__given": ""}, ["consent.given"]),
        ({"consent__given": "no"}, ["consent.given"]),
    ],
)
def test_form_names_what_is_wrong(changes: dict[str, str], expected: list[str]) -> None:
    """Each field by the name of its control."""
    assert expected == wrong(**changes)


@pytest.mark.parametrize(
    ("asked", "header", "usual", "expected"),
    [
        ("", "de-AT,de;q=0.9,en;q=0.8", "en", "de"),
        ("", "fr,de;q=0.5,en;q=0.6", "de", "en"),
        ("de", "en", "en", "de"),
        ("de-CH", "en", "en", "de"),
        ("pt", "en", "en", "pt-BR"),
        ("pt_br", "", "", "pt-BR"),
        ("fr", "nl", "de", "de"),
        ("", "de;q=0, en;q=0.1", "de", "en"),
        ("", "*", "de", "de"),
        ("", "", "", "en"),
        ("%00", "q=;;,,;q=x,\x00", "xx", "en"),
        ("<script>", "de" * 5000, "en", "de"),
    ],
)
def test_language_that_suits_best(asked: str, header: str, usual: str, expected: str) -> None:
    """What was asked for, then the browser's by weight, then the audience's, then the first."""
    assert expected == language.choose(["en", "de", "pt-BR"], asked, header, usual)


def test_both_languages_have_the_same_words() -> None:
    """Nothing the page says is missing in one of them, placeholders and countries included."""
    assert words.EN.keys() == words.DE.keys()
    for key, text in words.EN.items():
        assert ("{label}" in text, "{company}" in text) == (
            "{label}" in words.DE[key],
            "{company}" in words.DE[key],
        )
    assert words.countries("en").keys() == words.countries("de").keys()


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_every_control_can_be_wrong_in_words(tongue: str) -> None:
    """No fault of any field ends in a shrug."""
    made = form.controls(DOCUMENT, DOCUMENT.intake.page.texts[tongue], tongue)
    shrug = words.WORDS[tongue]["form.failed"]
    for control in made:
        for code in ("missing_field", "invalid_input"):
            told = form.tell(form.Fault(code, control.name, ""), made, tongue)
            assert (True, False) == (bool(told), told == shrug)


def test_label_is_never_read_as_a_text_of_ours() -> None:
    """A question with braces is shown with its braces."""
    question = {"text": "{label} {0.__class__} {company}", "type": "number", "required": True}
    found = life.document(**(pages.PROGRAM | {"questions": {**pages.QUESTIONS, "odd": question}}))
    made = form.controls(found, found.intake.page.texts["en"], "en")
    told = form.tell(form.Fault("answer_missing", "answers.odd", ""), made, "en")
    assert "Answer this question: {label} {0.__class__} {company}" == told


def test_many_options_are_a_list_and_few_are_buttons() -> None:
    """Five fit on a screen, fifty do not."""
    few, many = ([f"o{number}" for number in range(count)] for count in (5, 6))
    for options, kind in ((few, "radio"), (many, "select")):
        questions = {"q": {"text": "Which?", "type": "choice", "options": options}}
        intake = {"consent": pages.CONSENT, "page": {"texts": bare()}}
        found = life.document(questions=questions, intake=intake)
        made = form.controls(found, found.intake.page.texts["en"], "en")
        assert {"answers.q": kind} == {c.name: c.kind for c in made if c.name == "answers.q"}


def test_page_asks_only_in_the_countries_of_the_program() -> None:
    """Where it does not run, nobody need apply."""
    found = life.document(countries=["AT", "DE"], **pages.PROGRAM)
    made = form.controls(found, found.intake.page.texts["de"], "de")
    (country,) = [each for each in made if each.name == "country"]
    assert (("DE", "Deutschland"), ("AT", "Österreich")) == country.options


def test_stamp_is_bound_to_what_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its age is told for the same page, language and words, and for nothing else."""
    monkeypatch.setattr(keyring, "secret", lambda name: name.encode().ljust(32))
    made = stamp.make(NOW, "piacode1", "en", "1")
    later = "2026-11-22T11:17:07.400Z"
    assert 7 == stamp.age_s(made, later, "piacode1", "en", "1")
    for other in (("piacode2", "en", "1"), ("piacode1", "de", "1"), ("piacode1", "en", "2")):
        assert stamp.age_s(made, later, *other) is None
    at, _, mac = made.partition(".")
    for forged in ("", ".", at, f"{int(at) - 9}.{mac}", f"{at}.{mac}0", f"{at}.ä", f"²{made}"):
        assert stamp.age_s(forged, later, "piacode1", "en", "1") is None


def test_own_page_is_reached_from_the_link_wherever_it_stands() -> None:
    """A link to its own page is relative, and keeps tags and click as every link does."""
    made = Landing("../p/piacode1", {"utm_source": "pia"})
    tags = landing.passed("utm_medium=mail&x=1")
    assert "../p/piacode1?utm_medium=mail&utm_source=pia&introducer_click=c" == made.location(
        tags, "c"
    )
    for other in ("../p/", "../p/a/b", "../p/a?b", "../q/a", "../p/..", "//p/a", "../p/A%2F"):
        with pytest.raises(ValueError, match="destination"):
            Landing(other, {})


def bare() -> dict[str, Any]:
    """Return words without labels."""
    return {"en": {name: text for name, text in pages.TEXTS["en"].items() if name != "labels"}}


def findings(page: dict[str, Any], **intake: Any) -> list[Finding]:
    """Return what is wrong with a program that has this *page*."""
    consent = {"version": "1", "texts": {"en": "I agree."}}
    return found_in(document(intake={"consent": consent, "page": page, **intake}))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"texts": bare()}, []),
        (
            {"texts": {**bare(), "de": bare()["en"]}},
            [
                (
                    "$.intake.page.texts.de",
                    "there is no text of consent in this language",
                    "add it to intake.consent.texts",
                )
            ],
        ),
        (
            {"hosted": True},
            [("$.intake.page.hosted", "links would lead to a page without words", "add texts")],
        ),
        (
            {"asks": ["phone", "phone", "industry"]},
            [
                ("$.intake.page.asks[1]", "phone is listed twice", "list it once"),
                (
                    "$.intake.page.asks[2]",
                    "there is no industry to choose",
                    "list them in industries",
                ),
            ],
        ),
        (
            {"metadata": ["contract"]},
            [("$.intake.page.metadata[0]", "there is no field contract", "declare it in fields")],
        ),
        (
            {"texts": {"en": {**bare()["en"], "labels": {"products.fiber": "Fibre"}}}},
            [
                (
                    '$.intake.page.texts.en.labels["products.fiber"]',
                    "it names nothing the page shows",
                    "did you mean products.fibre?",
                )
            ],
        ),
    ],
)
def test_document_is_told_what_is_wrong_with_its_page(
    page: dict[str, Any], expected: list[Finding]
) -> None:
    """By path, with a remedy."""
    assert expected == findings(page)


def test_links_must_not_lead_to_a_page_that_takes_nothing() -> None:
    """A hosted page and closed doors contradict each other."""
    assert [
        (
            "$.intake.page.hosted",
            "links would lead to a page that takes no leads",
            "add page to intake.channels",
        )
    ] == findings({"texts": bare(), "hosted": True}, channels=["api"])
