"""Links lead to the program's hosts, as a browser sees hosts."""

from __future__ import annotations

import ada_url
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from introducer.errors import InvalidInputError
from introducer.landing import Landing
from introducer.link import check_destination
from submit.own_links import Wish, planned
from tests.support import life

DOCUMENT = life.document(destinations=["www.acme.example", "shop.acme.example"])
HOSTS = {"www.acme.example", "shop.acme.example"}


@pytest.mark.parametrize(
    "url",
    [
        "https://www.acme.example",
        "https://www.acme.example/",
        "https://WWW.acme.example/a/b?c=d#e",
        "https://shop.acme.example?x=1",
        "https://shop.acme.example#top",
        "https://www.acme.example/@evil.example",
        "https://www.acme.example/%2e%2e/x",
    ],
)
def test_check_destination_takes_own_hosts(url: str) -> None:
    """Path, query and fragment are free."""
    check_destination(url, DOCUMENT)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.acme.example/",
        "HTTPS://www.acme.example/",
        "https:/www.acme.example/",
        "https:www.acme.example",
        "//www.acme.example/",
        "javascript:alert(1)",
        "https://evil.example/",
        "https://www.acme.example.evil.example/",
        "https://evilwww.acme.example/",
        "https://www.acme.example@evil.example/",
        "https://user@www.acme.example/",
        "https://www.acme.example:443/",
        "https://www.acme.example:8443/",
        "https://www.acme.example\\@evil.example/",
        "https://www.acme.example\\.evil.example/",
        "https://www.acme.example/\\evil",
        "https://www.acme.example%2eevil.example/",
        "https://www.acme.example\t.evil.example/",
        "https://www.acme.example/\r\nSet-Cookie: a=b",
        "https://www.acme.example/ x",
        " https://www.acme.example/",
        "https://\uff57\uff57\uff57.acme.example/",
        "https://www\u3002acme.example/",
        "https://www.acme.example./",
        "https://xn--www-acme-example/",
        "https://www.acme.example%00.evil.example/",
        "https://www.acme.example%2f.evil.example/",
        "https://www.acme.example;evil.example/",
        "https://www.acme.example\N{FULLWIDTH FULL STOP}evil.example/",
        "https://www.acme.example\N{FRACTION SLASH}.evil.example/",
        "https://www.acme.example\N{FULLWIDTH SOLIDUS}@evil.example/",
        "https://www.acme\N{SOFT HYPHEN}.example/",
        "https://www.acme\N{ZERO WIDTH SPACE}.example/",
        "https://www.\N{CYRILLIC SMALL LETTER A}cme.example/",
        "https://www.acme.example:@evil.example/",
        "https://www.acme.example:pass@evil.example/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://\\www.acme.example/",
        "https:\\\\www.acme.example/",
        "https:////www.acme.example/",
        "https://./www.acme.example/",
        "ht\ttps://www.acme.example/",
        "\x00https://www.acme.example/",
        "blob:https://www.acme.example/",
        "data:text/html,https://www.acme.example/",
        "filesystem:https://www.acme.example/",
        "view-source:https://www.acme.example/",
        "https://www.acme.example/<script>",
        'https://www.acme.example/"onload=',
        "https://www.acme.example/`x`",
        "https://www.acme.example/{x}|^",
        "https:///www.acme.example/",
        "https://",
        "",
    ],
)
def test_check_destination_refuses_everything_else(url: str) -> None:
    """Another host in whatever disguise is no destination."""
    with pytest.raises(InvalidInputError) as caught:
        check_destination(url, DOCUMENT)
    assert "destination_not_allowed" == caught.value.code


_PIECES = st.sampled_from(
    [
        *HOSTS,
        "evil.example",
        "@",
        ":",
        "//",
        "/",
        "\\",
        "?",
        "#",
        "%2e",
        "%00",
        "\t",
        " ",
        ".",
        "\u3002",
    ]
)


@given(st.lists(_PIECES, max_size=8).map(lambda parts: "https://" + "".join(parts)))
@example("https://www.acme.example/https://evil.example")
def test_check_destination_agrees_with_browsers(url: str) -> None:
    """Whatever is taken, a WHATWG parser sees the same host, and the click path can use it."""
    try:
        check_destination(url, DOCUMENT)
    except InvalidInputError:
        return
    assert ada_url.URL(url).hostname in HOSTS
    Landing(url, {})


@given(st.text(st.characters(max_codepoint=0x3002), max_size=12))
def test_check_destination_agrees_with_browsers_on_any_host(text: str) -> None:
    """Whatever stands around one of the hosts, a browser that is let through goes there."""
    for url in (f"https://{text}www.acme.example/", f"https://www.acme.example{text}"):
        try:
            check_destination(url, DOCUMENT)
        except InvalidInputError:
            continue
        assert ada_url.URL(url).hostname in HOSTS


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20))
@example("/evil.example")
@example("\\evil.example")
@example("@evil.example")
@example("..//evil.example")
@example("?@evil.example#//evil.example")
def test_path_never_leaves_the_host(path: str) -> None:
    """A page beside the landing page is on its host, however it is spelled."""
    try:
        made = planned(life.new_partner(), DOCUMENT, Wish(path=f"/{path}"), now=life.NOW)
    except InvalidInputError:
        return
    assert "www.acme.example" == ada_url.URL(made.destination).hostname
