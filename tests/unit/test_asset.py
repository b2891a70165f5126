"""Texts of the library: what may be published, and what becomes of what partners write."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import asset as library
from introducer import sharing
from introducer.asset import Asset, OpenField, Text
from introducer.errors import InvalidInputError

URL = "https://go.example.com/r/abc123"
GIVEN = {
    "link": URL,
    "partner_name": "Pia <b>",
    "organization": "Pia & Söhne",
    "program": "Acme",
}


def new_text(**overrides: Any) -> Text:
    """Return a text with one open field."""
    values = {
        "subject": "{partner_name} recommends {program}",
        "body": "{opening}\n\nTry it: {link}\nYours, {organization}",
        "fields": [OpenField(id="opening", label="Opening", default="Hello.", max_length=200)],
    }
    return Text(**(values | overrides))


def new_asset(text: Text | None = None, **overrides: Any) -> Asset:
    """Return an e-mail in English."""
    values = {
        "id": "hello",
        "program": "acme",
        "kind": "email",
        "channel": "email",
        "texts": {"en": text or new_text()},
        "published_at": "2026-11-22T11:17:00.000Z",
    }
    return Asset(**(values | overrides))


def fill(text: Text, **fields: str) -> sharing.Filled:
    """Return a text filled in as Pia would."""
    return sharing.fill(text, library.values(text, fields, GIVEN))


def test_faults_finds_none_in_a_right_asset() -> None:
    """Declared, used, with the link in its body."""
    assert [] == library.faults(new_asset(audiences=["friends"]), ["friends", "partners"])


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"fields": []}, [("unknown_placeholder", "texts.en.body")]),
        ({"subject": "{nobody}"}, [("unknown_placeholder", "texts.en.subject")]),
        ({"subject": "{link}"}, [("link_misplaced", "texts.en.subject")]),
        ({"body": "{opening}"}, [("link_missing", "texts.en.body")]),
        ({"body": "{link} {opening} {Opening}"}, [("stray_brace", "texts.en.body")]),
        ({"body": "{link} {opening} {{opening}}"}, [("stray_brace", "texts.en.body")]),
        ({"body": "{link}"}, [("field_unused", "texts.en.fields")]),
        (
            {"fields": [OpenField(id="opening", label="O")] * 2},
            [("field_taken", "texts.en.fields")] * 2,
        ),
        (
            {"fields": [OpenField(id="opening", label="O"), OpenField(id="link", label="L")]},
            [("field_taken", "texts.en.fields")],
        ),
        (
            {"fields": [OpenField(id="opening", label="O", default="12345", max_length=4)]},
            [("too_long", "texts.en.fields")],
        ),
    ],
)  # fmt: skip
def test_faults_names_everything_that_is_wrong(
    overrides: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Each with its place, all at once."""
    found = library.faults(new_asset(new_text(**overrides)), [])
    assert expected == [(each.code, each.field) for each in found]


def test_faults_knows_audiences_and_how_much_x_takes() -> None:
    """An audience of another program, and a post that X would cut; a link counts as 23 there."""
    post = Text(body="x" * 256 + " {link}")
    asset = new_asset(post, channel="x", audiences=["kings"])
    assert ["unknown_audience"] == [each.code for each in library.faults(asset, ["friends"])]
    longer = new_asset(Text(body="x" * 257 + " {link}"), channel="x")
    assert ["too_long"] == [each.code for each in library.faults(longer, [])]


def test_fill_keeps_brand_parts_and_escapes_the_rest() -> None:
    """Plain text word for word; in HTML names and fields are text and only the link is a link."""
    filled = fill(new_text(), opening="<script>1</script>\n\n& {link}")
    assert (
        sharing.Filled(
            subject="Pia <b> recommends Acme",
            text=f"<script>1</script>\n\n& {{link}}\n\nTry it: {URL}\nYours, Pia & Söhne",
            html=(
                "<p>&lt;script&gt;1&lt;/script&gt;</p><p>&amp; {link}</p>"
                f'<p>Try it: <a href="{URL}">{URL}</a><br>Yours, Pia &amp; Söhne</p>'
            ),
        )
        == filled
    )


def test_fill_uses_defaults_and_keeps_subjects_on_one_line() -> None:
    """A line feed in a subject would be another header of a mail."""
    text = new_text(subject="{opening}", body="{link}")
    assert "a Bcc: x@evil.example" == fill(text, opening="a\r\n Bcc:\tx@evil.example").subject
    assert "Hello." == fill(text).subject


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"link": "https://evil.example"}, ("fields.link", "unknown_open_field")),
        ({"partner_name": "The Company"}, ("fields.partner_name", "unknown_open_field")),
        ({"other": "x"}, ("fields.other", "unknown_open_field")),
        ({"opening": "x" * 201}, ("fields.opening", "too_long")),
    ],
)
def test_values_takes_open_fields_only(fields: dict[str, str], expected: tuple[str, str]) -> None:
    """Nothing of the brand, and not the link, can be replaced."""
    with pytest.raises(InvalidInputError) as caught:
        library.values(new_text(), fields, GIVEN)
    assert expected == (caught.value.field, caught.value.code)


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


_HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    st.lists(
        st.sampled_from(
            ["<script>", "</p>", "<img src=x onerror=1>", '"', "'", "&lt;", "{link}", "javascript:"]
        ),
        max_size=4,
    ).map("".join),
)


@given(_HOSTILE)
def test_fill_makes_no_markup_of_anything_written(value: str) -> None:
    """Whatever a field holds, the page has paragraphs, breaks and the one link, and says it."""
    filled = fill(new_text(), opening=value)
    seen = _Seen()
    seen.feed(filled.html)
    seen.close()
    assert {"p", "br", "a"} >= {tag for tag, _ in seen.tags}
    assert [(("href", URL),)] == [attrs for tag, attrs in seen.tags if tag == "a"]
    assert "".join(filled.text.split()) == "".join(seen.text.split())


@given(_HOSTILE)
def test_share_url_carries_the_text_unharmed(value: str) -> None:
    """Decoded as the channel decodes it, the text is whole, and nothing else was set."""
    filled = fill(new_text(), opening=value)
    for channel, host in (("x", "x.com"), ("whatsapp", "wa.me")):
        address = urlsplit(sharing.share_url(channel, filled, URL))
        assert (host, {"text": [filled.text]}) == (address.netloc, parse_qs(address.query))
    for channel, host, name in (
        ("linkedin", "www.linkedin.com", "url"),
        ("facebook", "www.facebook.com", "u"),
    ):
        address = urlsplit(sharing.share_url(channel, filled, URL))
        assert (host, {name: [URL]}) == (address.netloc, parse_qs(address.query))
    telegram = parse_qs(urlsplit(sharing.share_url("telegram", filled, URL)).query)
    assert ([URL], False) == (telegram["url"], URL in telegram["text"][0])
    scheme, _, query = sharing.share_url("email", filled, URL).partition(":?")
    sent = dict(pair.split("=") for pair in query.split("&"))
    assert ("mailto", filled.subject) == (scheme, unquote(sent["subject"]))
    assert filled.text.replace("\n", "\r\n") == unquote(sent["body"])
    assert f"sms:?body={sent['body'].replace('%0D', '')}" == sharing.share_url("sms", filled, URL)
    assert "+" not in query


def test_share_url_is_empty_where_there_is_none() -> None:
    """A one-pager is printed, not opened."""
    assert ("", "") == tuple(
        sharing.share_url(each, fill(new_text()), URL) for each in ("print", "other")
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["de-AT", "en"], "de-AT"),
        (["de-DE", "en"], "de"),
        (["fr", "en"], "en"),
        (["de"], "de"),
        (["fr"], "de"),
        (["", "en-US"], "en"),
    ],
)
def test_locale_of_prefers_the_same_language(wanted: list[str], expected: str) -> None:
    """Exactly, then the same language, then the next wish, then any."""
    text = new_text()
    asset = new_asset(texts={"en": text, "de": text, "de-AT": text})
    assert expected == library.locale_of(asset, wanted)


def test_is_for_its_audiences_until_it_is_retired() -> None:
    """No audiences are all of them."""
    assert (True, True, False, False) == (
        library.is_for(new_asset(), "friends"),
        library.is_for(new_asset(audiences=["friends"]), "friends"),
        library.is_for(new_asset(audiences=["friends"]), "partners"),
        library.is_for(new_asset(retired=True), "friends"),
    )
