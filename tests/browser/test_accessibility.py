"""The landing page for everybody: WCAG 2.1 AA by axe, narrow screens, keyboard, roles."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Open
from tests.support import pages
from tests.support.site import Site

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaft"
LOOKS = {
    "light desk": {},
    "dark phone in German": {"dark": True, "phone": True, "locale": "de"},
}


def empty(site: Site, page: Page) -> None:
    """Show the form."""
    page.goto(site.page())


def wrong(site: Site, page: Page) -> None:
    """Show the form with everything wrong that can be."""
    page.goto(site.page())
    page.locator("[name=email]").fill("nonsense")
    page.locator("[name='metadata.contract']").fill("two words")
    page.locator("button").click()


def thanks(site: Site, page: Page) -> None:
    """Show the thanks."""
    page.goto(site.page(query="?sent=yes"))


def missing(site: Site, page: Page) -> None:
    """Show what there is where nothing is."""
    page.goto(site.page("nosuchcode"))


def long_names(site: Site, page: Page) -> None:
    """Show the form with names and words that do not fit."""
    texts = {
        locale: {**text, "headline": LONG, "labels": {"products.fibre": LONG}}
        for locale, text in pages.TEXTS.items()
    }
    pages.program(least_seconds=0, texts=texts)
    pages.greet(display_name=LONG, message=LONG * 5)
    page.goto(site.page())
    page.locator("[name=name]").fill(LONG)
    page.locator("button").click()


STATES = (empty, wrong, thanks, missing, long_names)
State = Callable[[Site, Page], None]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(site: Site, visit: Open, state: State, look: str) -> None:
    """No rule of WCAG 2.1 AA, nor of good practice, is broken in any state and look."""
    page = visit(site.page(), script=True, **LOOKS[look])
    state(site, page)
    found = Axe().run(page, options=RULES).response
    broken = {each["id"]: [node["html"] for node in each["nodes"]] for each in found["violations"]}
    assert {} == broken
    assert found["passes"]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_page_fits_the_narrowest_phone(site: Site, visit: Open, state: State) -> None:
    """At 320 pixels nothing runs out of the screen (WCAG 1.4.10)."""
    page = visit(site.page(), script=True, phone=True)
    state(site, page)
    assert PHONE["width"] == page.evaluate("document.documentElement.scrollWidth")


def test_what_one_presses_is_large_enough(site: Site, visit: Open) -> None:
    """Fields and the button are 44 pixels high, boxes and links at least 24 (WCAG 2.5.8)."""
    page = visit(site.page(), script=True, phone=True)
    for element in page.locator("button, select, textarea, input[type=text]:not(#website)").all():
        box = element.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    for element in page.locator("a, input[type=radio], input[type=checkbox]").all():
        box = element.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_keyboard_goes_through_the_page_in_order(site: Site, visit: Open) -> None:
    """Tab reaches everything once, from top to bottom, and never the trap."""
    page = visit(site.page(), script=True)
    reached = []
    while True:
        page.keyboard.press("Tab")
        name = page.evaluate(
            "document.activeElement.name || document.activeElement.textContent.trim()"
        )
        reached.append(name)
        if name == "Privacy notice":
            break
    assert [
        "Deutsch",
        "name",
        "email",
        "phone",
        "company",
        "country",
        "size",
        "industry",
        "product",
        "answers.sites",
        "answers.decides",
        "answers.when",
        "metadata.contract",
        "metadata.urgent",
        "note",
        "consent.given",
        "Send",
        "Privacy notice",
    ] == reached


def test_screen_reader_hears_landmarks_names_and_errors(site: Site, visit: Open) -> None:
    """Every control has its name, its hint and its error; groups are groups."""
    page = visit(site.page())
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Faster internet for your company")
    expect(
        page.get_by_role("textbox", name="Phone number (optional)")
    ).to_have_accessible_description("From abroad with the country code, such as +49 30 123456")
    expect(page.get_by_role("combobox", name="Country")).to_have_attribute("required", "")
    decides = page.get_by_role("radiogroup", name="Do you decide?")
    expect(decides.get_by_role("radio")).to_have_count(2)
    expect(page.get_by_role("group", name="Your consent").get_by_role("checkbox")).to_have_count(1)
    expect(page.get_by_role("textbox", name="Leave this field empty")).to_have_count(0)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert", name="Please check what you entered")).to_be_focused()
    expect(page.get_by_role("textbox", name="Your name")).to_have_accessible_description(
        "Error: Enter your name"
    )
    expect(decides).to_have_accessible_description("Error: Answer this question: Do you decide?")


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("name", "name"),
        ("email", "email"),
        ("phone", "tel"),
        ("company", "organization"),
        ("country", "country"),
    ],
)
def test_browser_may_fill_in_what_it_knows(
    site: Site, visit: Open, name: str, purpose: str
) -> None:
    """Fields about the visitor say what they are for (WCAG 1.3.5)."""
    page = visit(site.page())
    expect(page.locator(f"[name={name}]")).to_have_attribute("autocomplete", purpose)
