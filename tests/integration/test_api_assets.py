"""The assets library: published by managers, filled in and used by partners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.asset import Asset, OpenField, Text
from introducer.errors import StaleError
from introducer.event import Event
from introducer.tables import assets, events, links
from introducer.tables.people import Contact
from introducer.tables.store import Transaction
from tests.support import life
from tests.support.api import Reply, call, login
from tests.support.tables import everything

PIA = login("login-pia", "partner")
FRED = login("login-fred", "partner")
MONA = login("login-mona", "manager")
NOW = "2026-11-22T11:17:00.000Z"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with a partner and a friend."""
    document = life.document()
    audiences = {name: {"name": name} for name in (*document.audiences, "friends")}
    life.publish(audiences=audiences)
    contact = Contact(name='Pia "P" <b>', email="pia@partners.example", company="Pia & Co")
    life.enrol("pia", contact=contact, locale="de-AT")
    life.enrol("fred", audience="friends")


def body(**overrides: Any) -> dict[str, Any]:
    """Return an asset in two languages."""
    opening = {"id": "opening", "label": "Opening", "default": "Hello.", "max_length": 100}
    return {
        "kind": "social",
        "channel": "x",
        "texts": {
            "en": {"body": "{opening} Try {program}: {link}", "fields": [opening]},
            "de": {"body": "{opening} Probier {program}: {link}", "fields": [opening]},
        },
        **overrides,
    }


def publish(asset: str = "hello", **overrides: Any) -> Reply:
    """Publish an asset."""
    return call("PUT", f"/v1/programs/acme/assets/{asset}", body(**overrides), claims=MONA)


def mine(claims: dict[str, str] = PIA, query: str = "") -> list[tuple[str, str]]:
    """Return id and language of the assets somebody is shown."""
    items = call("GET", f"/v1/me/assets{query}", claims=claims).body["items"]
    return [(each["id"], each["locale"]) for each in items]


def render(asset: str = "hello", claims: dict[str, str] = PIA, **sent: Any) -> Reply:
    """Fill in an asset."""
    return call("POST", f"/v1/me/assets/{asset}/render", sent, claims=claims, key=None)


def uses(code: str) -> list[tuple[str, int]]:
    """Return type and number of a link's events."""
    return [(each.type, each.seq) for each in events.of_entity(f"LINK#{code}")]


def test_asset_is_published_in_versions() -> None:
    """The first, a later one with its own event, and the same again, which is none."""
    opening = OpenField(id="opening", label="Opening", default="Hello.", max_length=100)
    first = publish()
    text = Text(body="{opening} Try {program}: {link}", fields=[opening])
    german = Text(body="{opening} Probier {program}: {link}", fields=[opening])
    assert Asset(
        id="hello",
        program="acme",
        kind="social",
        channel="x",
        texts={"en": text, "de": german},
        published_at=NOW,
    ) == assets.find("acme", "hello")
    assert (200, 1) == (first.status, first.body["version"])
    assert first.body == publish().body
    assert 2 == publish(retired=True).body["version"]
    listed = call("GET", "/v1/programs/acme/assets", claims=MONA).body
    assert ([("hello", True)], "") == (
        [(each["id"], each["retired"]) for each in listed["items"]],
        listed["next"],
    )
    data = {"asset": "hello", "kind": "social", "channel": "x", "retired": 0}
    assert [(1, data), (2, {**data, "retired": 1})] == [
        (each.seq, each.data) for each in events.of_entity("ASSET#acme#hello")
    ]
    kept = [item["retired"] for item in everything() if item["sk"].startswith("VERSION#")
            and item["pk"].startswith("ASSET#")]  # fmt: skip
    assert [False, True] == kept


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"kind": "poem"}, (400, "invalid_input", "kind")),
        ({"channel": "fax"}, (400, "invalid_input", "channel")),
        ({"texts": {}}, (400, "invalid_input", "texts")),
        ({"texts": {"german": {"body": "{link}"}}}, (400, "invalid_input", "texts")),
        ({"texts": {"en": {"body": "no link"}}}, (422, "link_missing", "texts.en.body")),
        (
            {"texts": {"en": {"body": "{link} {x}"}}},
            (422, "unknown_placeholder", "texts.en.body"),
        ),
        ({"texts": {"en": {"body": "{link}\u202e"}}}, (400, "invalid_input", "texts[...].body")),
        ({"texts": {"en": {"body": "x", "html": "x"}}}, (400, "unknown_field", "texts[...].html")),
        ({"audiences": ["kings"]}, (422, "unknown_audience", "audiences")),
        ({"version": 7}, (400, "unknown_field", "version")),
    ],
)  # fmt: skip
def test_asset_is_refused_and_nothing_stored(
    overrides: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """What could not be shared is not published."""
    before = everything()
    assert expected == publish(**overrides).field()
    assert before == everything()


def test_asset_names_everything_that_is_wrong_at_once() -> None:
    """One answer, not one after the other."""
    reply = publish(texts={"en": {"body": "x"}, "de": {"body": "{y} {link}"}})
    assert (422, "invalid_asset") == reply.problem()
    assert [
        ("link_missing", "texts.en.body"),
        ("unknown_placeholder", "texts.de.body"),
    ] == [(each["code"], each["field"]) for each in reply.body["errors"]]


def test_asset_has_a_plain_name_and_a_program() -> None:
    """Its name goes into links and counters."""
    assert (422, "invalid_input", "asset") == publish("Hello").field()
    reply = call("PUT", "/v1/programs/nosuch/assets/hello", body(), claims=MONA)
    assert (404, "not_found") == reply.problem()


def test_two_managers_at_once_make_one_version_after_the_other() -> None:
    """The later one finds that it was overtaken."""
    publish()
    before = assets.find("acme", "hello")
    assert before is not None
    publish(kind="survey")
    writes = Transaction()
    assets.save(writes, before, before, actor="x")
    with pytest.raises(StaleError):
        writes.commit()


def test_partners_see_what_is_for_them_in_their_language() -> None:
    """By audience and channel; one's own language, then the best there is."""
    publish("all", channel="linkedin")
    publish("friends", audiences=["friends"])
    publish("gone", retired=True)
    publish("english", texts={"en": {"body": "{link}"}})
    assert [("all", "de"), ("english", "en")] == mine()
    assert [("all", "en"), ("english", "en")] == mine(query="?locale=en-US")
    assert [("all", "de")] == mine(query="?channel=linkedin")
    assert [] == mine(query="?kind=survey")
    assert [("all", "en"), ("english", "en"), ("friends", "en")] == mine(FRED)
    row = call("GET", "/v1/me/assets?channel=linkedin", claims=PIA).body["items"][0]
    assert {
        "id": "all",
        "kind": "social",
        "channel": "linkedin",
        "version": 1,
        "locale": "de",
        "locales": ["de", "en"],
        "subject": "",
        "body": "{opening} Probier {program}: {link}",
        "fields": [{"id": "opening", "label": "Opening", "default": "Hello.", "max_length": 100}],
    } == row
    for query, field in (("?channel=fax", "channel"), ("?locale=german", "locale"), ("?x=1", "x")):
        reply = call("GET", f"/v1/me/assets{query}", claims=PIA)
        assert field == reply.field()[2]


def test_assets_are_listed_in_pages() -> None:
    """Each once, over as many pages as it takes, though not all are for everybody."""
    for name in ("a", "b", "c", "d"):
        publish(name, audiences=["friends"] if name == "b" else [])
    seen, cursor = [], ""
    while True:
        page = call("GET", f"/v1/me/assets?limit=2&cursor={cursor}", claims=PIA).body
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert ["a", "c", "d"] == seen


def test_render_fills_in_the_open_field_and_the_own_link() -> None:
    """Text, HTML and the share address, all with the link that counts for this asset."""
    publish(texts={"en": {
        "subject": "{partner_name}: {opening}",
        "body": "{opening}\n\n{organization} on {program}: {link}",
        "fields": [{"id": "opening", "label": "O"}],
    }})  # fmt: skip
    reply = render(fields={"opening": "<img src=x onerror=alert(1)>\nBcc: evil"})
    link = links.find(reply.body["code"])
    assert link is not None
    assert ("pia", "x", "hello", 1, 2) == (
        link.partner,
        link.channel,
        link.asset,
        link.uses,
        link.version,
    )
    url = f"https://go.example.com/r/{link.code}"
    text = f"<img src=x onerror=alert(1)>\nBcc: evil\n\nPia & Co on Acme referrals: {url}"
    assert 200 == reply.status
    assert {
        "asset": "hello",
        "version": 1,
        "locale": "en",
        "channel": "x",
        "code": link.code,
        "url": url,
        "subject": 'Pia "P" <b>: <img src=x onerror=alert(1)> Bcc: evil',
        "text": text,
        "html": (
            "<p>&lt;img src=x onerror=alert(1)&gt;<br>Bcc: evil</p>"
            f'<p>Pia &amp; Co on Acme referrals: <a href="{url}">{url}</a></p>'
        ),
        "share_url": (
            "https://x.com/intent/post?text=%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%0A"
            "Bcc%3A%20evil%0A%0APia%20%26%20Co%20on%20Acme%20referrals%3A%20"
            f"https%3A%2F%2Fgo.example.com%2Fr%2F{link.code}"
        ),
    } == reply.body


def test_use_is_noted_once_a_day(frozen: Callable[[str], None]) -> None:
    """The same text again is the same use; another text, or the next day, another."""
    publish()
    code = render().body["code"]
    assert render().body == render().body
    assert [("LinkCreated", 1), ("AssetUsed", 2)] == uses(code)
    render(fields={"opening": "Hi."})
    assert 3 == len(uses(code))
    frozen("2026-11-23T11:17:00.001Z")
    assert code == render().body["code"]
    assert 4 == len(uses(code))
    link = links.find(code)
    assert link is not None
    assert 3 == link.uses
    assert Event(
        type="AssetUsed",
        entity=f"LINK#{code}",
        seq=2,
        program="acme",
        at=NOW,
        actor="PARTNER#pia",
        data={"partner": "pia", "asset": "hello", "asset_version": 1, "channel": "x"},
    ) == next(each for each in events.of_entity(f"LINK#{code}") if each.seq == 2)


def test_use_stores_nothing_that_was_written() -> None:
    """What partners write about people is answered and not kept."""
    publish()
    render(fields={"opening": "Dear Lena Lead, remember?"})
    assert "Lena" not in str(everything())


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"fields": {"link": "https://evil.example"}}, (422, "unknown_open_field", "fields.link")),
        ({"fields": {"program": "Evil"}}, (422, "unknown_open_field", "fields.program")),
        ({"fields": {"opening": "x" * 101}}, (422, "too_long", "fields.opening")),
        ({"fields": {"opening": "x\x00"}}, (400, "invalid_input", "fields[...]")),
        ({"body": "mine"}, (400, "unknown_field", "body")),
        ({"locale": "german"}, (400, "invalid_input", "locale")),
    ],
)
def test_render_refuses_what_is_not_open(
    sent: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Brand parts stay as they are."""
    publish()
    assert expected == render(**sent).field()


def test_asset_that_is_not_for_somebody_does_not_exist() -> None:
    """For another audience, retired, or none: the same answer."""
    publish("theirs", audiences=["friends"])
    publish("gone", retired=True)
    answers = [render(name).body for name in ("theirs", "gone", "nosuch")]
    assert (404, "not_found") == (answers[0]["status"], answers[0]["code"])
    assert [answers[0]] * 3 == answers


def test_suspended_link_is_not_handed_out_again() -> None:
    """Taking the text anew is no way around a suspension."""
    publish()
    code = render().body["code"]
    path = f"/v1/programs/acme/links/{code}"
    call("PUT", path, {"status": "suspended", "reason": "spam"}, claims=MONA)
    assert (409, "transition_not_allowed") == render(fields={"opening": "Hi."}).problem()
    assert [("LinkCreated", 1), ("AssetUsed", 2), ("LinkChanged", 3)] == uses(code)
