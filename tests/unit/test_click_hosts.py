"""Where a browser ends up: thousands of hostile inputs, judged by a browser's own URL parser."""

from __future__ import annotations

from typing import Any

import ada_url
from hypothesis import given, settings
from hypothesis import strategies as st

from introducer.landing import Landing
from submit.click import Clicks
from tests.support.clicks import NOT_FOUND, NOW_S, FakeStore, link_item, request, salt_item

ASKED = "https://go.example/r/abcdefgh"
PAGES = {
    "https://shop.example/fiber",
    "https://shop.example",
    "https://shop.example?plan=1#top",
    "https://www.shop.example/a//b/../c?x=%2F%2Fevil.example#@evil.example",
    "https://shop.example/%5cevil.example",
    "https://shop.example/@evil.example?next=https://evil.example",
}
HOSTS = {"shop.example", "www.shop.example"}

pieces = st.lists(
    st.sampled_from(
        [
            *("https://evil.example", "//evil.example", "\\\\evil.example", "@evil.example"),
            *("/", "\\", "?", "#", "&", "=", ";", ":", "@", "%", "%2f", "%5c", "%40", "%23", "%3f"),
            *("%0d%0a", "\r\n", "\n", "\t", "\x00", "%00", " ", "+", "..", "%2e%2e", ".", "[::1]"),
            *(
                "location:",
                "set-cookie: a=b",
                "javascript:alert(1)",
                "data:text/html,x",
                "<script>",
            ),
            *("utm_source", "utm_medium=", "gclid=", "introducer_click=", "utm_source=", "fbclid="),
            *(
                "shop.example",
                ".evil.example",
                "evil.example%00",
                "ⓔvil.example",
                "\u202e",
                "。",
                "\ud800",
            ),
            *("go.example", "http", "%E3%80%82evil.example", "%ff", "0x7f.1", "user:pass@"),
        ]
    )
    | st.text(max_size=4),
    max_size=14,
).map("".join)


def answered(event: dict[str, Any], **link: Any) -> dict[str, Any]:
    """Return the answer to *event* of a link that is made up so."""
    store = FakeStore(link_item(**link), salt_item())
    return Clicks(store, "core", "clicks", clock=lambda: NOW_S).answer(event)


def place(response: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """Return where a browser goes: scheme, user, password, host with port, path."""
    url = ada_url.URL(response["headers"]["location"], base=ASKED)
    return (url.protocol, url.username, url.password, url.host, url.pathname)


def hold_to_lines(response: dict[str, Any]) -> None:
    """Fail when any header could be read as two, or not at all."""
    for line in (*response["headers"].values(), *response.get("cookies", ())):
        assert line.isascii()
        assert line.isprintable()


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(sorted(PAGES)), pieces, pieces, pieces)
def test_query_cookie_and_headers_never_change_the_page(
    page: str, query: str, cookie: str, header: str
) -> None:
    """Host, port, user and path are the link's own, whatever a visitor sends."""
    event = request(
        query=query,
        cookies=[f"introducer_clicks={cookie}", f"introducer_variants={cookie}", cookie],
        headers={"referer": header, "host": header, "x-forwarded-host": header, "origin": header},
        address=header,
    )
    response = answered(event, destination=page)
    own = ada_url.URL(page)
    assert ("https:", "", "", own.host, own.pathname) == place(response)
    assert own.hash == ada_url.URL(response["headers"]["location"]).hash
    hold_to_lines(response)


@settings(max_examples=400, deadline=None)
@given(pieces, st.lists(st.sampled_from(sorted(PAGES)), min_size=2, max_size=5), pieces)
def test_variants_lead_to_nothing_but_themselves(query: str, pages: list[str], cookie: str) -> None:
    """A cookie may choose among a link's pages, and is no way to any other."""
    event = request(query=query, cookies=[f"introducer_variants=abcdefgh.{cookie}"])
    response = answered(event, variants=[{"destination": page} for page in pages])
    known = {(each.host, each.pathname) for each in map(ada_url.URL, pages)}
    scheme, user, password, host, path = place(response)
    assert ("https:", "", "") == (scheme, user, password)
    assert (host, path) in known
    hold_to_lines(response)


@settings(max_examples=800, deadline=None)
@given(pieces, pieces)
def test_stored_page_is_refused_or_is_the_host_it_says(start: str, end: str) -> None:
    """What should never have been stored is followed only where every parser agrees."""
    page = f"https://{start}shop.example{end}"
    response = answered(
        request(query="utm_source=x", headers={"accept": "application/json"}), destination=page
    )
    hold_to_lines(response)
    if response["statusCode"] != 302:
        assert NOT_FOUND == response
        return
    written = page.removeprefix("https://").replace("?", "/").replace("#", "/").partition("/")[0]
    if not ada_url.check_url(f"https://{written}"):
        return  # such as ``0x7f.1``: a browser goes nowhere
    scheme, user, password, host, _ = place(response)
    assert ("https:", "", "") == (scheme, user, password)
    assert host == ada_url.URL(f"https://{written}").host


@settings(max_examples=200, deadline=None)
@given(pieces, st.dictionaries(st.sampled_from(["utm_source", "utm_term"]), pieces, max_size=2))
def test_own_page_stays_on_our_own_host(query: str, tags: dict[str, str]) -> None:
    """A link to its own hosted page is a path beside it; tags cannot climb out."""
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in tags.items()}
    response = answered(request(query=query), destination="../p/abcdefgh", utm=clean)
    assert ("https:", "", "", "go.example", "/p/abcdefgh") == place(response)
    hold_to_lines(response)


@given(st.lists(st.sampled_from(sorted(HOSTS)), min_size=1, max_size=3), pieces)
def test_landing_never_invents_a_host(hosts: list[str], query: str) -> None:
    """Joined for every host, the page a browser sees is on that host."""
    for host in hosts:
        page = Landing(
            f"https://{host}/x", {"utm_source": query.encode("utf-8", "replace").decode()}
        )
        assert host == ada_url.URL(page.location([])).host
