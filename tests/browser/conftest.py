"""A real Chromium, and the landing page for it to look at.

The page is served by the function's own handler over the template's tables in memory, so
what the browser sends is stored and can be read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from infra import browser as browsers
from tests.support import life, pages
from tests.support.site import Site, serve

PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def program_path() -> str:
    """The browser's program; ``make browser`` puts one there."""
    found = browsers.find()
    assert found, "no Chromium on this machine: run `make browser`"
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One Playwright for all tests of a worker."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, program_path: str) -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    started = playwright.chromium.launch(executable_path=program_path)
    yield started
    started.close()


@pytest.fixture
def site(aws: None, frozen: Callable[[str], None]) -> Iterator[Site]:  # noqa: ARG001
    """The landing page of Pia, whose program does not mind how fast one types."""
    pages.program(least_seconds=0)
    life.enrol("pia")
    pages.link()
    with serve() as served:
        yield served


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Open a page as somebody: ``visit(url, script=False, phone=True, dark=True, locale="de")``."""
    opened: list[BrowserContext] = []

    def open_page(
        url: str,
        *,
        script: bool = False,
        phone: bool = False,
        dark: bool = False,
        locale: str = "en",
    ) -> Page:
        context = browser.new_context(
            java_script_enabled=script,
            viewport=PHONE if phone else DESK,
            color_scheme="dark" if dark else "light",
            locale=locale,
        )
        opened.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture
def without_cookies(
    playwright: Playwright, program_path: str, tmp_path: Path
) -> Iterator[BrowserContext]:
    """A browser whose settings block every cookie, without scripts."""
    blocked: dict[str, Any] = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default/Preferences").write_text(json.dumps(blocked))
    context = playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=program_path, java_script_enabled=False
    )
    yield context
    context.close()
