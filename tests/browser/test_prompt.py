"""The embedded prompt in a real browser, on a page of somebody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from introducer import identity, keyring
from introducer.tables.people import Contact
from submit.embed.handler import handler
from submit.signature import source_key
from tests.integration.test_embed import APP, PIA, token
from tests.support import life

GO = "https://go.example.com"
HOSTILE = '<img src=x onerror=alert(1)> & "quotes" </style><script>alert(2)</script>'


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """A program whose app shows a prompt with a hostile text, and the partner Pia."""
    prompt = {"audience": "partners", "texts": {"en": HOSTILE}, "origins": [APP]}
    life.publish(prompts={"account": prompt})
    key = identity.email_key(PIA, keyring.secret(keyring.IDENTITY))
    life.enrol("pia", contact=Contact(name="Pia", email=PIA), email_key=key, verified=True)
    keyring.create_secret(source_key("acme", "app"))


@pytest.fixture
def host(browser: Browser) -> Any:
    """Open the host's page: ``host(person, answer=..., phone=True, dark=True)``."""
    contexts = []

    def open_page(
        person: str, *, broken: str = "", phone: bool = False, dark: bool = False
    ) -> Page:
        context = browser.new_context(
            viewport={"width": 320 if phone else 900, "height": 500},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        page.route(
            f"{APP}/**", lambda route: route.fulfill(body=_html(person), content_type="text/html")
        )
        page.route(f"{GO}/**", lambda route: _serve(route, broken))
        page.goto(f"{APP}/account")
        return page

    yield open_page
    for context in contexts:
        context.close()


def _html(person: str) -> str:
    return (
        '<!doctype html><html lang="en-GB"><meta charset="utf-8"><title>Account</title>'
        "<style>:root{color-scheme:light dark}body{font:1rem/1.5 sans-serif}p{color:green}</style>"
        "<main><h1>Your account</h1>"
        f'<div data-introducer="acme/account" data-introducer-person="{person}"></div>'
        f'</main><script async src="{GO}/e.js"></script></html>'
    )


def _serve(route: Route, broken: str) -> None:
    request = route.request
    if request.url.endswith("/e.js"):
        event: dict[str, Any] = {"routeKey": "GET /e.js", "requestContext": {}, "headers": {}}
    elif broken == "down":
        route.abort()
        return
    elif broken:
        route.fulfill(status=200, body=broken, headers={"access-control-allow-origin": "*"})
        return
    else:
        program, prompt = request.url.rsplit("/", 2)[1:]
        event = {
            "routeKey": "POST /e/{program}/{prompt}",
            "pathParameters": {"program": program, "prompt": prompt},
            "headers": request.headers | {"origin": APP},
            "requestContext": {},
            "body": request.post_data,
        }
    answer = handler(event, None)
    route.fulfill(status=answer["statusCode"], headers=answer["headers"], body=answer["body"])


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_prompt_shows_the_own_link_and_runs_nothing(
    host: Callable[..., Page], *, phone: bool, dark: bool
) -> None:
    """The text stays text, the page's styles stay outside, and the button copies the link."""
    page = host(token(), phone=phone, dark=dark)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    prompt = page.get_by_role("region", name="Refer somebody")
    expect(prompt.get_by_text(HOSTILE)).to_be_visible()
    prompt.get_by_role("button", name="Copy link").click()
    expect(prompt.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{GO}/r/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "" == page.evaluate("document.cookie")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert [] == [each["id"] for each in found.response["violations"]]
    prompt.get_by_role("button", name="Close").click()
    expect(prompt).to_have_count(0)


def test_who_is_no_partner_gets_a_link_to_join(host: Callable[..., Page]) -> None:
    """An ordinary link, to the portal."""
    page = host(token("cara@customers.example"))
    join = page.get_by_role("link", name="Join")
    expect(join).to_have_attribute("href", "https://portal.example.com/join/acme/partners")


@pytest.mark.parametrize(
    "broken",
    [
        "down",
        "not json",
        json.dumps({"show": False}),
        json.dumps({"show": True, "own": False, "text": "x", "url": "javascript:alert(1)"}),
    ],
)
def test_page_does_without_when_anything_is_wrong(host: Callable[..., Page], broken: str) -> None:
    """No error, no empty box, nothing to click."""
    faults: list[object] = []

    def note(fault: object) -> None:
        faults.append(fault)

    page = host(token(), broken=broken)
    page.on("pageerror", note)
    page.wait_for_load_state("networkidle")
    assert ([], 0) == (faults, page.get_by_role("region").count())
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
