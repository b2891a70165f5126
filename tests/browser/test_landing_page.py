"""The landing page in a real browser, without scripts: sent, stored, never executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from introducer import clickid, clock
from introducer.tables import people, programs, referrals
from tests.browser.conftest import Open
from tests.support import life, pages
from tests.support.site import Site
from tests.support.tables import everything

EARLIER = "2026-11-22T09:30:00.000Z"
HOSTILE = (
    "\"><script>alert(1)</script><img src=x onerror=alert(2)>'--{{7*7}}${7*7}%0d%0a",
    "</textarea><svg onload=alert(3)>",
    '=HYPERLINK("https://evil.example") &lt;b&gt; \\ \U0001f600 עִבְרִית',
)


def fill(page: Page, **values: str) -> None:
    """Fill the form in as somebody who speaks English."""
    given = {"name": "Lena Lead", "email": "lena@customers.example"} | values
    page.get_by_label("Your name").fill(given["name"])
    page.get_by_label("E-mail address").fill(given["email"])
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("radiogroup", name="Do you decide?").get_by_label("Yes").check()
    page.get_by_label("I agree that Acme contacts me.").check()


def send(page: Page) -> None:
    """Press the button."""
    page.get_by_role("button", name="Send").click()


def stored() -> list[dict[str, Any]]:
    """Return the referrals there are."""
    return [
        item
        for item in everything()
        if item["pk"].startswith("REFERRAL#") and item["sk"] == "STATE"
    ]


def click(code: str = pages.CODE) -> str:
    """Return a genuine click id."""
    (key,) = clickid.keys_of(programs.click_salts(), life.NOW).values()
    visitor = clickid.visitor(key, EARLIER[:10], "192.0.2.1", "Firefox")
    return clickid.make(code, clickid.hour_of(clock.epoch_s(EARLIER)), visitor, key)


def test_page_takes_a_lead_without_scripts_and_with_cookies_blocked(
    site: Site, without_cookies: BrowserContext
) -> None:
    """The click in the address is enough: it comes back with the form and credits the partner."""
    page = without_cookies.new_page()
    query = f"?introducer_click={click()}&utm_source=news&utm_term=lena%40x.example"
    page.goto(site.page(query=query))
    fill(page)
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("We will be in touch within a day.")
    assert f"{site.page()}?sent=yes&lang=en" == page.url
    (referral,) = stored()
    detail = referrals.detail(referral["pk"].partition("#")[2])
    assert ("page", pages.CODE) == (detail.referral.channel, detail.referral.link)
    assert [("click", "pia"), ("form", "")] == [
        (touch.kind, touch.partner) for touch in detail.touches
    ]
    assert {"utm_source": "news"} == detail.touches[-1].utm
    assert [("GET", ""), ("POST", ""), ("GET", "")] == [
        (method, cookie) for method, path, cookie in site.seen if "/p/" in path
    ]


def test_page_shows_everything_again_when_something_is_wrong(site: Site, visit: Open) -> None:
    """What was typed stays, the summary has the focus, and each of its links leads to a field."""
    page = visit(site.page(), phone=True)
    page.get_by_label("Your name").fill("Lena Lead")
    page.get_by_label("E-mail address").fill("lena.customers.example")
    page.get_by_label("Phone number").fill("12")
    page.get_by_label("How many sites?").fill("a few")
    page.get_by_label("Anything else").fill("\n  Call after six\nplease")
    page.get_by_label("Urgent").check()
    page.get_by_role("radiogroup", name="Industry").get_by_label("Retail").check()
    send(page)
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(page).to_have_title("Error: Faster internet for your company - Acme")
    told = summary.get_by_role("link")
    assert [
        "Enter an e-mail address like name@example.com",
        "Enter a phone number like 030 123456 or +49 30 123456",
        "Choose your country",
        "Enter a whole number: How many sites?",
        "Answer this question: Do you decide?",
        "Tick the box if you agree; without it we may not contact you",
    ] == told.all_inner_texts()
    targets = [link.get_attribute("href") or "" for link in told.all()]
    assert [
        "#email",
        "#phone",
        "#country",
        "#answers-sites",
        "#answers-decides",
        "#consent-given",
    ] == targets
    for target in targets:
        expect(page.locator(target)).to_be_visible()
    email = page.get_by_label("E-mail address")
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_have_attribute("aria-describedby", "email-error")
    expect(page.locator("#email-error")).to_contain_text("like name@example.com")
    expect(page.get_by_label("Your name")).to_have_value("Lena Lead")
    expect(page.get_by_label("Anything else")).to_have_value("\n  Call after six\nplease")
    expect(page.get_by_label("How many sites?")).to_have_value("a few")
    expect(page.get_by_label("Urgent")).to_be_checked()
    expect(page.get_by_role("radiogroup", name="Industry").get_by_label("Retail")).to_be_checked()
    assert [] == stored()


@pytest.mark.parametrize("text", HOSTILE)
def test_page_survives_hostile_text_in_every_field(site: Site, visit: Open, text: str) -> None:
    """It is shown as it was typed, stored as it was typed, and nothing of it runs or is fetched."""
    said: list[str] = []
    pages.greet(display_name=text[:70], message=text)
    page = visit(site.page(query=f"?utm_source={text}"), script=True)
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda line: said.append(line.text) if "422" not in line.text else None)
    page.reload()
    expect(page.locator("blockquote")).to_have_text(text)
    fill(page, name=text)
    page.get_by_label("Company (optional)").fill(text)
    page.get_by_label("Anything else").fill(text)
    page.get_by_label("Contract").fill(text)
    page.get_by_label("How many sites?").fill(text)
    page.get_by_label("Phone number").fill(text)
    send(page)
    for label in (
        "Your name",
        "Company (optional)",
        "Anything else",
        "Contract",
        "How many sites?",
    ):
        expect(page.get_by_label(label)).to_have_value(text)
    page.get_by_label("Contract").fill("")
    page.get_by_label("How many sites?").fill("")
    page.get_by_label("Phone number").fill("")
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    (referral,) = stored()
    contact = people.contact(referral["lead"])
    assert contact is not None
    assert (text, text, text) == (contact.name, contact.company, contact.note)
    assert [] == said
    assert {"/behind/a/prefix/p/piacode1"} == {
        path.partition("?")[0] for _, path, _ in site.seen if "favicon" not in path
    }


def test_page_gives_a_person_who_was_too_fast_another_chance(
    site: Site, visit: Open, frozen: Callable[[str], None]
) -> None:
    """Sent within two seconds it comes back filled in, and sent again it is taken."""
    pages.program(least_seconds=2)
    page = visit(site.page())
    fill(page)
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("That was very quick")
    expect(page.get_by_label("Your name")).to_have_value("Lena Lead")
    expect(page.get_by_label("I agree")).to_be_checked()
    assert [] == stored()
    frozen("2026-11-22T11:17:09.000Z")
    send(page)
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert 1 == len(stored())


def test_page_sent_twice_is_one_referral(site: Site, visit: Open) -> None:
    """An impatient double click makes no second referral."""
    page = visit(site.page())
    fill(page)
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert 1 == len(stored())


def test_page_sent_again_after_going_back_is_a_duplicate(site: Site, visit: Open) -> None:
    """Who goes back gets a new form; the same person sent again is known, and not told so."""
    page = visit(site.page())
    for _ in range(2):
        fill(page)
        send(page)
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        page.go_back()
    first, second = sorted(stored(), key=lambda each: each.get("duplicate_of", ""))
    assert first["id"] == second["duplicate_of"]


def test_page_is_in_the_language_of_the_browser_or_the_one_chosen(site: Site, visit: Open) -> None:
    """A German browser gets German; a link leads to the other language and back."""
    page = visit(site.page(query="?utm_source=x"), locale="de-AT")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_label("Ihr Name")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("input[name=utm_source]")).to_have_value("x")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Please check what you entered")
