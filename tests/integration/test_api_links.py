"""A partner's links: chosen codes, tags, variants, changes, suspension, QR codes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from introducer import link
from introducer.clients import client
from introducer.errors import StaleError
from introducer.link import Link, Variant
from introducer.tables import events, links
from introducer.tables.store import Transaction
from submit import own_links
from tests.support import life, qr
from tests.support.api import Reply, call, login
from tests.support.tables import everything

PIA = login("login-pia", "partner")
PAUL = login("login-paul", "partner")
MONA = login("login-mona", "manager")
START = "https://www.acme.example/start"

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def program(aws: None) -> None:  # noqa: ARG001  (pytest orders fixtures by it)
    """A program with two partners."""
    life.publish(intake={"clicks_days": 30})
    life.enrol("pia")
    life.enrol("paul")


def make(claims: dict[str, str] = PIA, **body: Any) -> Reply:
    """Make a link."""
    return call("POST", "/v1/me/links", body, claims=claims)


def change(code: str, claims: dict[str, str] = PIA, **body: Any) -> Reply:
    """Change a link."""
    return call("PUT", f"/v1/me/links/{code}", body, claims=claims)


def suspend(code: str, program: str = "acme", **body: Any) -> Reply:
    """Suspend a link as a manager."""
    return call("PUT", f"/v1/programs/{program}/links/{code}", body, claims=MONA)


def standing(reply: Reply) -> tuple[str, int]:
    """Return status and version of a link."""
    return reply.body["status"], reply.body["version"]


def told(code: str) -> list[tuple[str, int, str]]:
    """Return type, number and actor of a link's events."""
    return [(each.type, each.seq, each.actor) for each in events.of_entity(f"LINK#{code}")]


def test_link_is_stored_with_everything_that_was_wished() -> None:
    """A chosen code, a page beside the landing page, tags filled in, two variants, an end."""
    reply = make(
        code="maria-s",
        path="/fibre?plan=a",
        campaign="autumn",
        channel="linkedin",
        utm={"utm_source": "{partner}", "utm_campaign": "{campaign}-{code}", "utm_id": "{asset}"},
        variants=[
            {"destination": "https://www.acme.example/a", "weight": 3},
            {"destination": "https://www.acme.example/b"},
        ],
        fallback="https://www.acme.example/sorry",
        expires_at="2027-01-01T00:00:00+01:00",
    )
    assert (201, {"code": "maria-s", "url": "https://go.example.com/r/maria-s"}) == (
        reply.status,
        reply.body,
    )
    assert Link(
        code="maria-s",
        program="acme",
        partner="pia",
        destination="https://www.acme.example/fibre?plan=a",
        created_at="2026-11-22T11:17:00.000Z",
        fallback="https://www.acme.example/sorry",
        campaign="autumn",
        channel="linkedin",
        expires_at="2026-12-31T23:00:00.000Z",
        utm={"utm_source": "pia", "utm_campaign": "autumn-maria-s"},
        variants=[
            Variant(destination="https://www.acme.example/a", weight=3),
            Variant(destination="https://www.acme.example/b"),
        ],
        clicks_days=30,
    ) == links.find("maria-s")
    (created,) = events.of_entity("LINK#maria-s")
    assert ("LinkCreated", {"partner": "pia", "channel": "linkedin"}) == (
        created.type,
        created.data,
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"code": "ab"}, (400, "invalid_input", "code")),
        ({"code": "Maria"}, (400, "invalid_input", "code")),
        ({"code": "admin"}, (422, "code_not_allowed", "code")),
        ({"code": "7km2p9xwq"}, (422, "code_not_allowed", "code")),
        ({"path": "//evil.example/", "destination": START}, (422, "invalid_input", "path")),
        ({"path": "fibre"}, (400, "invalid_input", "path")),
        ({"path": "/\\evil.example"}, (422, "destination_not_allowed", "destination")),
        ({"fallback": "https://evil.example/"}, (422, "destination_not_allowed", "fallback")),
        (
            {
                "variants": [
                    {"destination": START},
                    {"destination": "https://www.acme.example.evil/"},
                ]
            },
            (422, "destination_not_allowed", "variants[1].destination"),
        ),
        ({"variants": [{"destination": START}]}, (400, "invalid_input", "variants")),
        (
            {"variants": [{"destination": START, "weight": 0}] * 2},
            (400, "invalid_input", "variants[0].weight"),
        ),
        ({"variants": [{"destination": START}] * 6}, (400, "invalid_input", "variants")),
        ({"utm": {"utm_source": "{login}"}}, (422, "unknown_placeholder", "utm.utm_source")),
        ({"utm": {"utm_source": "a@b"}}, (400, "invalid_input", "utm[...]")),
        ({"expires_at": "2026-11-22T11:17:00Z"}, (422, "invalid_time", "expires_at")),
        ({"expires_at": "tomorrow"}, (422, "invalid_time", "expires_at")),
        ({"channel": "Linked In"}, (400, "invalid_input", "channel")),
        ({"asset": "hello"}, (400, "unknown_field", "asset")),
        ({"batch": "x"}, (400, "unknown_field", "batch")),
        ({"clicks_days": 1}, (400, "unknown_field", "clicks_days")),
    ],
)
def test_link_refuses_and_stores_nothing(
    body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """What cannot be is refused by its field."""
    before = everything()
    assert expected == make(**body).field()
    assert before == everything()


def test_chosen_code_belongs_to_whoever_was_first() -> None:
    """Of two who want the same word one gets it, and keeps it whole."""
    make(code="spring")
    first = links.find("spring")
    assert (409, "already_exists") == make(PAUL, code="spring").problem()
    assert (409, "already_exists") == make(code="spring").problem()
    assert first == links.find("spring")
    assert [("LinkCreated", 1, "PARTNER#pia")] == told("spring")


def test_change_says_what_is_new_and_keeps_the_rest() -> None:
    """One version and one event for each change; the same again is no change."""
    make(code="spring", campaign="a", utm={"utm_campaign": "{campaign}"})
    body = {
        "destination": "https://www.acme.example/b",
        "campaign": "b",
        "utm": {"utm_campaign": "{campaign}"},
        "expires_at": "2027-01-01T00:00:00Z",
    }
    reply = change("spring", **body)
    assert (
        200,
        {
            "code": "spring",
            "url": "https://go.example.com/r/spring",
            "destination": "https://www.acme.example/b",
            "campaign": "b",
            "channel": "",
            "asset": "",
            "status": "active",
            "reason": "",
            "fallback": "",
            "expires_at": "2027-01-01T00:00:00.000Z",
            "created_at": "2026-11-22T11:17:00.000Z",
            "utm": {"utm_campaign": "b"},
            "variants": [],
            "uses": 0,
            "version": 2,
        },
    ) == (reply.status, reply.body)
    assert reply.body == change("spring", **body).body
    assert reply.body == call("GET", "/v1/me/links", claims=PIA).body["items"][0]
    assert 3 == change("spring", expires_at="", status="suspended").body["version"]
    assert [
        ("LinkCreated", 1, "PARTNER#pia"),
        ("LinkChanged", 2, "PARTNER#pia"),
        ("LinkChanged", 3, "PARTNER#pia"),
    ] == told("spring")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"destination": "https://evil.example/"}, (422, "destination_not_allowed", "destination")),
        ({"fallback": "https://evil.example/"}, (422, "destination_not_allowed", "fallback")),
        ({"variants": [{"destination": START}]}, (422, "invalid_input", "variants")),
        ({"status": "blocked"}, (400, "invalid_input", "status")),
        ({"expires_at": "2020-01-01T00:00:00Z"}, (422, "invalid_time", "expires_at")),
        ({"partner": "paul"}, (400, "unknown_field", "partner")),
        ({"channel": "x"}, (400, "unknown_field", "channel")),
    ],
)
def test_change_refuses_and_stores_nothing(
    body: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """A changed link is as safe as a new one."""
    make(code="spring")
    before = everything()
    assert expected == change("spring", **body).field()
    assert before == everything()


def test_link_of_another_does_not_exist() -> None:
    """Nobody reads, changes or draws a link that is not theirs."""
    make(code="spring")
    unknown = change("nosuch", PAUL, status="suspended")
    assert unknown.body == change("spring", PAUL, status="suspended").body
    for path in ("qr", "qr.svg"):
        reply = call("GET", f"/v1/me/links/spring/{path}", claims=PAUL)
        assert (404, "not_found") == reply.problem()
    assert (404, "not_found") == suspend("spring", program="other", status="active").problem()


def test_program_suspends_a_link_and_the_partner_cannot_undo_it() -> None:
    """With a reason, told to the partner; until the program lets it lead on."""
    make(code="spring")
    assert (422, "reason_missing", "reason") == suspend("spring", status="suspended").field()
    assert {
        "code": "spring",
        "partner": "pia",
        "destination": START,
        "status": "suspended",
        "reason": "spam",
        "version": 2,
    } == suspend("spring", status="suspended", reason="spam").body
    assert 2 == suspend("spring", status="suspended", reason="spam").body["version"]
    row = call("GET", "/v1/me/links", claims=PIA).body["items"][0]
    assert ("suspended", "spam") == (row["status"], row["reason"])
    refused = change("spring", status="active")
    assert (409, "transition_not_allowed") == refused.problem()
    assert ("active", 3) == standing(suspend("spring", status="active"))
    assert 4 == change("spring", status="suspended").body["version"]
    # What the partner put to rest is the partner's to wake.
    assert ("suspended", 4) == standing(suspend("spring", status="active"))


def test_suspended_link_can_be_put_to_rest_though_its_host_was_dropped(
    frozen: Callable[[str], None],
) -> None:
    """The host may have left the program; ending a link needs no valid destination."""
    make(code="spring", destination=START)
    frozen("2026-11-23T00:00:00.000Z")
    life.publish(destinations=["new.acme.example"], landing_url="https://new.acme.example/")
    refused = change("spring", campaign="x")
    assert (422, "destination_not_allowed", "destination") == refused.field()
    assert "suspended" == change("spring", status="suspended").body["status"]


def test_two_changes_at_once_are_one_after_the_other() -> None:
    """The later write sees that it was overtaken; nothing is lost in between."""
    make(code="spring")
    before = links.find("spring", consistent=True)
    assert before is not None
    change("spring", campaign="first")
    after, event = link.changed(before, before, now=life.NOW, actor="x")
    writes = Transaction()
    links.save(writes, before, after, event)
    with pytest.raises(StaleError):
        writes.commit()


def test_link_for_is_one_link_for_a_use() -> None:
    """The same use gives the same link, however often; another use another."""
    document = life.document(intake={"clicks_days": 30})
    pia, paul = life.new_partner("pia"), life.new_partner("paul")

    def made(partner: Any = pia, **use: str) -> Link:
        values = {"channel": "linkedin", "asset": "hello"} | use
        return own_links.link_for(partner, document, now=life.NOW, **values)  # type: ignore[arg-type]

    first = made()
    assert (
        Link(
            code=first.code,
            program="acme",
            partner="pia",
            destination=START,
            created_at=life.NOW,
            channel="linkedin",
            asset="hello",
            clicks_days=30,
        )
        == first
    )
    assert first == made() == links.find(first.code)
    others = [made(paul), made(channel="x"), made(asset="other"), made(campaign="spring")]
    assert 5 == len({first.code, *(each.code for each in others)})
    assert [("LinkCreated", 1, "PARTNER#pia")] == told(first.code)


def test_link_for_goes_on_when_its_code_is_another_s() -> None:
    """One in 10^15; the next code of the use is taken instead, by everybody who asks."""
    pia, document = life.new_partner(), life.document()
    use = {"channel": "x", "asset": "a", "now": life.NOW}
    code = own_links.link_for(pia, document, **use).code
    foreign = Link(
        code=code, program="acme", partner="paul", destination=START, created_at=life.NOW
    )
    name = os.environ["CORE_TABLE"]
    client("dynamodb").delete_item(
        TableName=name, Key={"pk": {"S": f"LINK#{code}"}, "sk": {"S": "EVENT#000001"}}
    )
    client("dynamodb").delete_item(
        TableName=name, Key={"pk": {"S": f"LINK#{code}"}, "sk": {"S": "LINK"}}
    )
    writes = Transaction()
    links.add(writes, foreign, actor="x")
    writes.commit()
    made = own_links.link_for(pia, document, **use)
    assert ("pia", True) == (made.partner, made.code != code)
    assert made == own_links.link_for(pia, document, **use)
    assert foreign == links.find(code)


def test_link_for_returns_what_another_request_just_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once, or a write whose answer was lost: the link that stands is returned."""
    pia, document = life.new_partner(), life.document()
    use = {"channel": "x", "asset": "a"}
    first = own_links.link_for(pia, document, now=life.NOW, **use)
    find, blind = links.find, iter([True])
    monkeypatch.setattr(
        links,
        "find",
        lambda code, **how: None if next(blind, False) else find(code, **how),
    )
    assert first == own_links.link_for(pia, document, now="2026-12-01T00:00:00.000Z", **use)


def test_qr_says_the_address_of_the_link() -> None:
    """As text, and as two files behind links that need no login."""
    make(code="spring")
    drawn = call("GET", "/v1/me/links/spring/qr.svg?scale=3", claims=PIA)
    assert (200, "image/svg+xml") == (drawn.status, drawn.headers["content-type"])
    assert "https://go.example.com/r/spring" == qr.read_svg(drawn.body)
    files = call("GET", "/v1/me/links/spring/qr", claims=PIA).body
    assert ["png_url", "svg_url"] == sorted(files)
    stored = {
        name: client("s3").get_object(
            Bucket="introducer-test-intake", Key=f"cards/qr/spring-8.{name}"
        )
        for name in ("svg", "png")
    }
    assert {"svg": "image/svg+xml", "png": "image/png"} == {
        name: each["ContentType"] for name, each in stored.items()
    }
    assert "https://go.example.com/r/spring" == qr.read_png(stored["png"]["Body"].read())
    assert "https://go.example.com/r/spring" == qr.read_svg(stored["svg"]["Body"].read().decode())
    for scale in ("0", "41", "big"):
        reply = call("GET", f"/v1/me/links/spring/qr.svg?scale={scale}", claims=PIA)
        assert (400, "invalid_input", "scale") == reply.field()
