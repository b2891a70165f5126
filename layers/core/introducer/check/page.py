"""The landing page: its languages, the consent to them, and what its words and fields name."""

from __future__ import annotations

from collections.abc import Iterator

from introducer.check.finding import Finding, child, meant
from introducer.program import Program


def findings(document: Program) -> Iterator[Finding]:
    """Yield what is wrong with the landing page of *document*."""
    yield from _languages(document)
    yield from _fields(document)
    yield from _labels(document)


def _languages(document: Program) -> Iterator[Finding]:
    intake = document.intake
    page, texts = "$.intake.page", intake.page.texts
    if intake.page.hosted and not texts:
        yield Finding(f"{page}.hosted", "links would lead to a page without words", "add texts")
    if intake.page.hosted and intake.channels and "page" not in intake.channels:
        problem = "links would lead to a page that takes no leads"
        yield Finding(f"{page}.hosted", problem, "add page to intake.channels", "$.intake.channels")
    for locale in texts:
        if locale not in intake.consent.texts:
            path, source = child(f"{page}.texts", locale), "$.intake.consent.texts"
            problem = "there is no text of consent in this language"
            yield Finding(path, problem, "add it to intake.consent.texts", source)


def _fields(document: Program) -> Iterator[Finding]:
    page = document.intake.page
    for index, asked in enumerate(page.asks):
        path = f"$.intake.page.asks[{index}]"
        if asked in page.asks[:index]:
            yield Finding(path, f"{asked} is listed twice", "list it once")
        if asked == "product" and not document.products:
            yield Finding(path, "there is no product to choose", "declare products", "$.products")
        if asked == "industry" and not page.industries:
            remedy, source = "list them in industries", "$.intake.page.industries"
            yield Finding(path, "there is no industry to choose", remedy, source)
    for index, key in enumerate(page.metadata):
        path = f"$.intake.page.metadata[{index}]"
        if key in page.metadata[:index]:
            yield Finding(path, f"{key} is listed twice", "list it once")
        if key not in document.fields:
            remedy = meant(key, document.fields, "declare it in fields")
            yield Finding(path, f"there is no field {key}", remedy, "$.fields")


def _labels(document: Program) -> Iterator[Finding]:
    known = set(_named(document))
    for locale, text in document.intake.page.texts.items():
        for key in text.labels:
            if key not in known:
                path = child(child(child("$.intake.page.texts", locale), "labels"), key)
                remedy = meant(key, known, "write it like answers.when or products.fibre")
                yield Finding(path, "it names nothing the page shows", remedy)


def _named(document: Program) -> Iterator[str]:
    for key, question in document.questions.items():
        yield f"answers.{key}"
        yield from (f"answers.{key}.{option}" for option in question.options)
    yield from (f"products.{key}" for key in document.products)
    yield from (f"metadata.{key}" for key in document.fields)
    yield from (f"industries.{key}" for key in document.intake.page.industries)
