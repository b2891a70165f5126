"""Links that lead to one of several pages: who gets which, and that they keep it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit import click_variants
from submit.click import Clicks
from submit.click_variants import chosen, cookie_value
from tests.support.clicks import (
    NOT_FOUND,
    Clock,
    FakeStore,
    click_id,
    link_item,
    logged,
    request,
)

PAGES = ("https://shop.example/a", "https://shop.example/b?x=1", "https://www.shop.example/c")


@pytest.fixture
def store(store: FakeStore) -> FakeStore:
    """A store whose link has three destinations of different weight."""
    variants = [{"destination": page, "weight": 2 - (at > 0)} for at, page in enumerate(PAGES)]
    store.core["LINK#abcdefgh"] = link_item(variants=variants)
    return store


def place(response: dict[str, Any]) -> int:
    """Return which of the pages a response leads to."""
    location = response["headers"]["location"].partition("?")[0]
    return [page.partition("?")[0] for page in PAGES].index(location)


def test_variant_is_shown_recorded_and_remembered(clicks: Clicks, store: FakeStore) -> None:
    """The whole answer: page with its own query, the link's tags, id, and both cookies."""
    response = clicks.answer(request(cookies=["introducer_variants=other.0~abcdefgh.1"]))
    made = click_id(response)
    assert (
        f"https://shop.example/b?x=1&utm_source=partner&introducer_click={made}"
        == response["headers"]["location"]
    )
    ends = "; Path=/; Max-Age=7776000; Secure; SameSite=Lax; Domain=example.com"
    assert [
        f"introducer_clicks={made}{ends}",
        f"introducer_variants=other.0~abcdefgh.1{ends}; HttpOnly",
    ] == response["cookies"]
    assert {"N": "1"} == store.clicks[made]["variant"]


def test_visitors_are_spread_by_weight(clicks: Clicks) -> None:
    """Two, one and one of four, within what chance allows."""
    shown = Counter(
        place(clicks.answer(request(address=f"198.51.{each // 250}.{each % 250}")))
        for each in range(2000)
    )
    assert 0.46 < shown[0] / 2000 < 0.54
    assert 0.21 < shown[1] / 2000 < 0.29


def test_visitor_without_cookies_keeps_their_page_all_day(clicks: Clicks, clock: Clock) -> None:
    """A visitor hash lasts a day; a cookie lasts longer than that."""
    for number in range(20):
        address = f"198.51.100.{number}"
        first = clicks.answer(request(address=address))
        clock.now_s += 3600 * (number % 12)
        assert place(first) == place(clicks.answer(request(address=address)))
        clock.now_s += 86_400
        cookies = [each.partition(";")[0] for each in first["cookies"]]
        again = clicks.answer(request(address="192.0.2.1", cookies=cookies))
        assert place(first) == place(again)
        clock.now_s -= 86_400 + 3600 * (number % 12)


def test_two_links_do_not_show_a_visitor_the_same_place(clicks: Clicks, store: FakeStore) -> None:
    """What decides is the visitor and the link, or one visitor would always come first."""
    variants = [{"destination": page} for page in PAGES[:2]]
    for code in ("one", "two"):
        store.core[f"LINK#{code}"] = link_item(code, variants=variants)
    alike = sum(
        place(clicks.answer(request("one", address=f"198.51.100.{each}")))
        == place(clicks.answer(request("two", address=f"198.51.100.{each}")))
        for each in range(200)
    )
    assert 60 < alike < 140


def test_bot_sees_a_page_and_is_given_no_cookie(clicks: Clicks, store: FakeStore) -> None:
    """What a preview shows is one of the pages, without an id."""
    response = clicks.answer(request(headers={"user-agent": "Twitterbot/1.0"}))
    assert "cookies" not in response
    ((_, item),) = store.clicks.items()
    assert {"N": str(place(response))} == item["variant"]


def test_missing_salt_shows_the_first_page(clicks: Clicks, store: FakeStore) -> None:
    """Without a key nobody can be told apart; the visitor is sent on all the same."""
    del store.core["SALT#click"]
    assert 0 == place(clicks.answer(request()))


@pytest.mark.parametrize(
    "variants",
    [
        [{"destination": "https://user@evil.example/"}],
        [{"destination": "https://shop.example/"}, {"destination": "//evil.example"}],
        [{"destination": "javascript:alert(1)"}],
        [{"destination": "https://shop.example/", "weight": 0}],
        [{"destination": "https://shop.example/", "weight": -1}],
    ],
)
def test_link_with_a_damaged_variant_is_unknown_and_reported(
    clicks: Clicks,
    store: FakeStore,
    variants: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A destination that should never have been stored is not followed, nor are its neighbours."""
    store.core["LINK#abcdefgh"] = link_item(variants=variants)
    assert NOT_FOUND == clicks.answer(request(headers={"accept": "application/json"}))
    assert ["link_unusable"] == [line["message"] for line in logged(capsys.readouterr().out)]


@pytest.mark.parametrize(
    "cookie",
    [
        "abcdefgh.3",
        "abcdefgh.-1",
        "abcdefgh.1.5",
        "abcdefgh.٢",
        "abcdefgh.999999",
        "abcdefgh",
        ".1",
        "~~~",
        "x" * 5000,
    ],
)
def test_cookie_that_names_no_page_is_not_believed(clicks: Clicks, cookie: str) -> None:
    """The visitor hash decides, and the cookie is written anew."""
    usual = place(clicks.answer(request()))
    response = clicks.answer(request(cookies=[f"introducer_variants={cookie}"]))
    assert usual == place(response)
    assert response["cookies"][1].startswith(f"introducer_variants=abcdefgh.{usual};")


def test_cookie_keeps_the_last_ten_links() -> None:
    """It cannot grow for ever."""
    cookies = [""]
    for number in range(14):
        value = cookie_value(cookies, f"link{number}", number % 3)
        cookies = [f"introducer_variants={value}"]
    assert "~".join(f"link{number}.{number % 3}" for number in range(4, 14)) == value


@given(
    st.lists(st.integers(1, 1000), max_size=5),
    st.text(max_size=30),
    st.lists(st.text(max_size=60).map(lambda text: f"{click_variants.COOKIE}={text}"), max_size=3),
)
def test_choice_is_always_one_there_is(
    weights: list[int], visitor: str, cookies: list[str]
) -> None:
    """Whatever cookies say, a place is in the list, and -1 says that there is no list."""
    place = chosen("abcdefgh", weights, visitor.encode("utf-8", "replace").decode(), cookies)
    assert place in (range(len(weights)) if weights else (-1,))
    assert cookie_value(cookies, "abcdefgh", 1).isascii()
