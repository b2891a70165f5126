"""Where a click lands: the query may add tags, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import landing
from introducer.landing import Landing

DEFAULTS = {"utm_source": "partner", "utm_medium": "referral"}
CLICK = "abcdefgh.AB5yjyBPWUmWHvb5F63mO3puG"


@pytest.mark.parametrize(
    ("destination", "query", "location"),
    [
        ("https://a.example", "", f"https://a.example?introducer_click={CLICK}"),
        (
            "https://a.example/x?plan=1#top",
            "utm_source=news",
            f"https://a.example/x?plan=1&utm_source=news&introducer_click={CLICK}#top",
        ),
        (
            "https://a.example/?utm_source=own&b=2",
            "utm_source=mine&utm_source=again",
            f"https://a.example/?b=2&utm_source=mine&utm_source=again&introducer_click={CLICK}",
        ),
        (
            "https://a.example/?introducer_click=forged&b=2",
            "introducer_click=forged&b=3&gclid=g",
            f"https://a.example/?b=2&gclid=g&introducer_click={CLICK}",
        ),
        (
            "https://a.example/#/route?x=1",
            "utm_term=a+b%26c",
            f"https://a.example/?utm_term=a%20b%26c&introducer_click={CLICK}#/route?x=1",
        ),
    ],
)
def test_location_joins_destination_tags_and_click(
    destination: str, query: str, location: str
) -> None:
    """Tags go before the fragment, own click id last, the click's own query wins."""
    assert location == Landing(destination, {}).location(landing.passed(query), CLICK)


def test_location_fills_defaults_only_where_nothing_was_said() -> None:
    """The link's own tags complete the click's and the destination's, never replace them."""
    link = Landing("https://a.example/?utm_medium=own", DEFAULTS)
    assert link.location([]) == "https://a.example/?utm_medium=own&utm_source=partner"
    assert link.location([("utm_source", "news")]) == (
        "https://a.example/?utm_medium=own&utm_source=news"
    )
    assert link.tags([("utm_source", "news")]) == {"utm_source": "news", "utm_medium": "own"}


@given(
    st.text(max_size=300), st.sampled_from(["https://a.example", "https://a.example:8443/p?q=1#f"])
)
def test_location_never_leaves_the_destination(query: str, destination: str) -> None:
    """Whatever the query, scheme, host, path and fragment stay, and no line can end."""
    location = Landing(destination, DEFAULTS).location(landing.passed(query), CLICK)
    before, after = urlsplit(destination), urlsplit(location)
    assert (before.scheme, before.netloc, before.path, before.fragment) == (
        after.scheme,
        after.netloc,
        after.path,
        after.fragment,
    )
    assert location.isascii()
    assert location.isprintable()
    assert " " not in location
    names = [name for name, _ in parse_qsl(after.query)]
    assert names.count("introducer_click") == 1
    assert {n for n in names if not n.startswith("utm_") and n not in landing.PAID} <= {
        "introducer_click",
        "q",
    }


@given(
    st.lists(st.tuples(st.sampled_from(["utm_source", "gclid", "utm_x_y"]), st.text(max_size=50)))
)
def test_passed_keeps_order_and_repeats(pairs: list[tuple[str, str]]) -> None:
    """What may pass arrives as it was sent, decoded."""
    query = urlencode(pairs)
    if len(query) > 2048:
        return
    fit = [(name, value) for name, value in pairs if value and value.isprintable()]
    assert [pair for pair in fit if "@" not in pair[1]][:30] == landing.passed(query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&&&==&=",
        "utm_source",
        "utm_source=",
        "utm_source=a%0d%0aSet-Cookie:%20x=1",
        "utm_source=a%00",
        "utm_source=%E2%80%A8",
        "utm_=1",
        "utm_SOURCE=1",
        "utm_sou%72ce=1",
        "UTM_source=1",
        "utm_source[]=1",
        f"utm_{'a' * 21}=1",
        f"utm_source={'x' * 101}",
        f"gclid={'x' * 257}",
        "utm_content=jane@example.com",
        "utm_content=jane%40example.com",
        f"utm_source=ok&x={'x' * 2048}",
        "//evil.example",
        "next=//evil.example&url=https://evil.example",
    ],
)
def test_passed_leaves_out_what_is_unknown_or_unsafe(query: str) -> None:
    """Other names, control characters, line separators, and anything too long do not pass."""
    assert landing.passed(query) == []


def test_passed_stops_at_thirty() -> None:
    """A query of nothing but tags is cut."""
    assert len(landing.passed("&".join(["utm_id=1"] * 200))) == 30


def test_location_that_would_be_too_long_keeps_only_the_click() -> None:
    """The destination and the click id matter more than tags."""
    link = Landing("https://a.example/" + "p" * 2000, {})
    incoming = [("utm_source", "ü" * 100)] * 5
    assert (
        link.location(incoming, CLICK) == f"https://a.example/{'p' * 2000}?introducer_click={CLICK}"
    )


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "http://a.example",
        "//evil.example",
        "https://",
        "https:///path",
        "https://?x",
        "https://user@evil.example",
        "https://user:pass@evil.example/",
        "https://a.example\\@evil.example",
        "https://a.example/\r\nSet-Cookie: x",
        "https://a.example/ b",
        "https://ä.example",
        "https://a.example/ä",
        "https://[::1]/",
        "javascript:alert(1)",
        'https://a.example/"><script>',
    ],
)
def test_destination_that_is_not_a_plain_https_url_is_refused(destination: str) -> None:
    """No other scheme, no credentials, nothing that browsers read differently."""
    with pytest.raises(ValueError, match="absolute https URL"):
        Landing(destination, {})


def test_summary_is_short_and_names_no_person() -> None:
    """Campaign tags by initial, ad networks by their parameter's name only, never too long."""
    tags = [
        ("utm_source", "news letter"),
        ("utm_campaign", "x" * 100),
        ("gclid", "Cj0KCQ-visitor"),
        ("utm_custom", "left out"),
    ]
    assert landing.summary(tags, 115) == f"s=news%20letter&c={'x' * 40}&p=gclid"
    assert landing.summary(tags, 30) == "s=news%20letter&p=gclid"
    assert landing.summary([], 115) == ""
