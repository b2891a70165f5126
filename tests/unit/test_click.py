"""The redirect: what a visitor gets and what is recorded, in good times and bad."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from introducer import clickid, lean
from submit.click import Clicks
from tests.support.clicks import (
    BROWSER,
    KEYS,
    NOW_S,
    SALT,
    FakeStore,
    link_item,
    request,
    salt_item,
)

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
NOT_FOUND = {
    "statusCode": 404,
    "headers": {**HEADERS, "content-type": "application/problem+json"},
    "body": json.dumps(
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "not_found",
            "detail": "This link does not exist.",
            "request_id": "",
        }
    ),
}
JSON = {"accept": "application/json"}


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The time of the tests."""
    return Clock()


@pytest.fixture
def store() -> FakeStore:
    """A store with one active link and the salt."""
    return FakeStore(link_item(), salt_item())


@pytest.fixture
def clicks(store: FakeStore, clock: Clock) -> Clicks:
    """The service on that store."""
    return Clicks(store, "core", "clicks", cookie_domain="example.com", clock=clock)


def click_id(response: dict[str, Any]) -> str:
    """Return the click id in a response's location."""
    query = parse_qs(urlsplit(response["headers"]["location"]).query)
    return query.get("introducer_click", [""])[0]


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the log lines written since the last time."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_click_redirects_and_is_recorded(clicks: Clicks, store: FakeStore) -> None:
    """The whole response and the whole stored item of an ordinary click."""
    event = request(
        query="utm_source=news&utm_medium=email&gclid=Cj0&next=//evil.example",
        headers={"referer": "https://Blog.example/post?id=7", "cloudfront-viewer-country": "DE"},
        cookies=["session=1", "introducer_clicks=junk"],
    )
    response = clicks.answer(event)
    made = click_id(response)
    attributes = "; Path=/; Max-Age=7776000; Secure; SameSite=Lax; Domain=example.com"
    assert response == {
        "statusCode": 302,
        "headers": {
            "location": "https://shop.example/fiber?utm_source=news&utm_medium=email&gclid=Cj0"
            f"&introducer_click={made}",
            **HEADERS,
        },
        "cookies": [f"introducer_clicks={made}{attributes}"],
        "body": "",
    }
    assert store.clicks == {
        made: {
            "pk": {"S": made},
            "link": {"S": "abcdefgh"},
            "program": {"S": "telecom"},
            "partner": {"S": "0123456789abcdefghjk"},
            "at": {"S": "2026-11-22T11:17:00.000Z"},
            "device": {"S": "desktop"},
            "expires": {"N": str(int(NOW_S) + 90 * 86400)},
            "utm": {"S": "s=news&m=email&p=gclid"},
            "referrer": {"S": "blog.example"},
            "country": {"S": "DE"},
        }
    }


def test_click_id_proves_link_and_hour(clicks: Clicks) -> None:
    """A conversion finds link and hour in the id alone."""
    proven = clickid.read(click_id(clicks.answer(request())), KEYS)
    assert proven is not None
    assert (proven.code, proven.at) == ("abcdefgh", "2026-11-22T11:00:00.000Z")


def test_click_record_stays_small_and_nameless(clicks: Clicks, store: FakeStore) -> None:
    """At most 400 bytes whatever was sent, with neither address nor browser in it."""
    store.core["LINK#" + "c" * 22] = link_item("c" * 22, program="p" * 32)
    event = request(
        "c" * 22,
        query="utm_source=" + "%C3%BC" * 60 + "&utm_campaign=" + "y" * 100 + "&gad_campaignid=1",
        address="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        headers={
            "referer": f"https://{'r' * 57}.de/",
            "user-agent": "SomeTablet " + "z" * 400,
            "cloudfront-viewer-country": "DE",
        },
    )
    clicks.answer(event)
    ((made, item),) = store.clicks.items()
    sizes = {name: len(name) + len(next(iter(value.values()))) for name, value in item.items()}
    sizes["expires"] = len("expires") + 6  # ten digits are six bytes
    assert len(made) == 48
    assert sizes["referrer"] == len("referrer") + 60
    assert sum(sizes.values()) <= 400
    assert "2001:db8" not in json.dumps(item)
    assert "SomeTablet" not in json.dumps(item)


def test_click_when_warm_reads_nothing(clicks: Clicks, store: FakeStore) -> None:
    """One read brings link and salt; a hundred more visitors are a hundred puts."""
    for number in range(101):
        clicks.answer(request(address=f"203.0.113.{number}"))
    assert store.count("BatchGetItem") == 1
    assert store.count("PutItem") == 101
    assert len(store.clicks) == 101
    assert [key["sk"]["S"] for key in store.calls[0][1]["RequestItems"]["core"]["Keys"]] == [
        "LINK",
        "CURRENT",
    ]


def test_second_link_is_read_without_the_salt(clicks: Clicks, store: FakeStore) -> None:
    """A link not yet known costs half a unit: the salt is known."""
    store.core["LINK#second"] = link_item("second")
    clicks.answer(request())
    clicks.answer(request("second"))
    keys = store.calls[2][1]["RequestItems"]["core"]["Keys"]
    assert keys == [{"pk": {"S": "LINK#second"}, "sk": {"S": "LINK"}}]


def test_repeat_within_the_hour_is_the_same_click(
    clicks: Clicks, store: FakeStore, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reloading changes nothing and is no fault; the next hour is another click."""
    first = clicks.answer(request())
    clock.now_s += 42 * 60
    assert click_id(clicks.answer(request())) == click_id(first)
    assert len(store.clicks) == 1
    clock.now_s += 60
    later = clicks.answer(request(cookies=[first["cookies"][0].partition(";")[0]]))
    assert click_id(later) != click_id(first)
    assert later["cookies"][0].startswith(
        f"introducer_clicks={click_id(first)}~{click_id(later)}; "
    )
    assert len(store.clicks) == 2
    assert logged(capsys) == []


@pytest.mark.parametrize(
    "other", [{"address": "203.0.113.8"}, {"headers": {"user-agent": BROWSER + " other"}}]
)
def test_two_visitors_are_two_clicks(
    clicks: Clicks, store: FakeStore, other: dict[str, Any]
) -> None:
    """Another address or another browser is another visitor."""
    clicks.answer(request())
    clicks.answer(request(**other))
    assert len(store.clicks) == 2


def test_code_is_folded_to_lower_case(clicks: Clicks, store: FakeStore) -> None:
    """People type what they see on a poster."""
    assert clicks.answer(request("ABCdefGH"))["statusCode"] == 302
    assert len(store.clicks) == 1


@pytest.mark.parametrize(
    ("overrides", "with_id"),
    [
        ({"method": "HEAD"}, False),
        ({"headers": {"sec-purpose": "prefetch;prerender"}}, True),
        ({"headers": {"purpose": "prefetch"}}, True),
        ({"headers": {"x-purpose": "preview"}}, True),
        ({"headers": {"user-agent": None}}, False),
        ({"headers": {"user-agent": ""}}, False),
        ({"headers": {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}}, False),
        ({"headers": {"user-agent": "WhatsApp/2.23.20.0"}}, False),
        ({"headers": {"user-agent": "facebookexternalhit/1.1"}}, False),
        ({"headers": {"user-agent": "curl/8.5.0"}}, False),
    ],
)
def test_click_of_no_person_is_redirected_and_not_recorded(
    clicks: Clicks, store: FakeStore, overrides: dict[str, Any], *, with_id: bool
) -> None:
    """HEAD, prefetch and bots are sent on; only what a person may yet see carries an id."""
    response = clicks.answer(request(**overrides))
    assert response["statusCode"] == 302
    assert response["headers"]["location"].startswith("https://shop.example/fiber?utm_source=")
    assert with_id == bool(click_id(response)) == ("cookies" in response)
    assert store.count("PutItem") == 0


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148", "phone"),
        ("Mozilla/5.0 (Linux; Android 16; CUBOT X90) Chrome/142.0 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (iPad; CPU OS 19_0 like Mac OS X) Mobile/15E148", "tablet"),
        (BROWSER, "desktop"),
    ],
)
def test_device_is_a_class_of_three(
    clicks: Clicks, store: FakeStore, agent: str, device: str
) -> None:
    """Real browsers are people, a phone maker called Cubot included."""
    clicks.answer(request(headers={"user-agent": agent}))
    assert [item["device"]["S"] for item in store.clicks.values()] == [device]


@pytest.mark.parametrize("referrer", ["https://[", "about:blank", "https://ä.example/", "x" * 9999])
def test_referrer_that_is_no_host_is_left_out(
    clicks: Clicks, store: FakeStore, referrer: str
) -> None:
    """A strange Referer neither fails the click nor gets stored."""
    clicks.answer(request(headers={"referer": referrer}))
    assert ["referrer" in item for item in store.clicks.values()] == [False]


def test_unknown_and_suspended_codes_are_alike(store: FakeStore, clock: Clock) -> None:
    """Same answer, same reads, no write: nobody learns which codes once existed."""
    store.core["LINK#suspended"] = link_item("suspended", status="suspended")
    calls = []
    for code in ("suspended", "never-was"):
        store.calls.clear()
        clicks = Clicks(store, "core", "clicks", clock=clock)
        assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
        assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
        clock.now_s += 20
        assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
        calls.append([name for name, _, _ in store.calls])
    assert calls == [["BatchGetItem", "BatchGetItem"]] * 2


def test_unknown_code_is_a_page_for_a_person(clicks: Clicks) -> None:
    """A browser gets a sentence, not JSON."""
    response = clicks.answer(request("never-was"))
    assert response["statusCode"] == 404
    assert response["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "<p>This link does not exist.</p>" in response["body"]


def test_suspended_link_with_a_fallback_leads_there_uncounted(
    clicks: Clicks, store: FakeStore
) -> None:
    """A deactivated partner's poster still brings visitors, and earns nothing."""
    store.core["LINK#abcdefgh"] = link_item(status="suspended", fallback="https://shop.example/")
    assert clicks.answer(request(query="utm_source=poster")) == {
        "statusCode": 302,
        "headers": {"location": "https://shop.example/?utm_source=poster", **HEADERS},
        "body": "",
    }
    assert store.clicks == {}


@pytest.mark.parametrize(
    "code",
    [
        "",
        "ab",
        "../../etc/passwd",
        "%00",
        "abc\x00def",
        "abc\r\nx: y",
        "//evil.com",
        "LINK#abc",
        "äöü",
        "x" * 100_000,
        "CURRENT#",
        "' OR 1=1",
        "\ud800abc",
    ],
)
def test_hostile_code_never_reaches_the_store(clicks: Clicks, store: FakeStore, code: str) -> None:
    """What cannot be a code is answered without a read, as an unknown code is."""
    assert clicks.answer(request(code, headers=JSON)) == NOT_FOUND
    assert store.calls == []


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=80))
def test_hostile_input_never_leaves_the_destination(query: str, cookie: str, agent: str) -> None:
    """Any query, cookie and header end in the link's own host, in clean header lines."""
    clicks = Clicks(FakeStore(link_item(), salt_item()), "core", "clicks", clock=lambda: NOW_S)
    event = request(
        query=query,
        cookies=[cookie, f"introducer_clicks={cookie}"],
        headers={"user-agent": agent, "referer": agent, "sec-purpose": cookie, "purpose": agent},
    )
    response = clicks.answer(event)
    location = urlsplit(response["headers"]["location"])
    assert (location.scheme, location.netloc, location.path) == ("https", "shop.example", "/fiber")
    for line in (*response["headers"].values(), *response.get("cookies", [])):
        assert line.isascii()
        assert line.isprintable()


@pytest.mark.parametrize(
    "event", [{}, {"pathParameters": None, "headers": None}, {"pathParameters": {"code": None}}]
)
def test_event_without_its_parts_is_an_unknown_code(clicks: Clicks, event: dict[str, Any]) -> None:
    """A malformed event is answered, not crashed on."""
    assert clicks.answer(event) == NOT_FOUND


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (lean.NoAnswerError("PutItem: TimeoutError()"), "no_answer"),
        (lean.CallError(400, "ThrottlingException"), "ThrottlingException"),
        (lean.CallError(500, "InternalServerError"), "InternalServerError"),
    ],
)
def test_failed_write_is_counted_and_the_visitor_sent_on(
    clicks: Clicks,
    store: FakeStore,
    failure: Exception,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The redirect and its id are those of a good click; the loss is one metric line."""
    expected = clicks.answer(request())
    store.clicks.clear()
    store.fail["PutItem"] = failure
    assert clicks.answer(request()) == expected
    assert store.calls[-1][2] == 0.3
    (line,) = logged(capsys)
    (metric,) = line["_aws"]["CloudWatchMetrics"]
    assert metric == {
        "Namespace": "Introducer",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "ClickLost", "Unit": "Count"}],
    }
    assert (line["ClickLost"], line["reason"], line["link"]) == (1, reason, "abcdefgh")


def test_link_is_used_past_its_time_while_the_store_is_down(
    clicks: Clicks, store: FakeStore, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A remembered link still redirects, asks again only every few seconds, then recovers."""
    clicks.answer(request())
    store.fail["BatchGetItem"] = lean.NoAnswerError("down")
    clock.now_s += 60
    for _ in range(3):
        assert clicks.answer(request())["statusCode"] == 302
    assert [timeout for name, _, timeout in store.calls if name == "BatchGetItem"] == [2.0, 0.3]
    assert [line["message"] for line in logged(capsys)] == ["link_not_refreshed"]
    store.fail.clear()
    store.core["LINK#abcdefgh"] = link_item(destination="https://shop.example/new")
    clock.now_s += 6
    location = clicks.answer(request())["headers"]["location"]
    assert location.startswith("https://shop.example/new?")


def test_link_too_old_is_not_used_for_ever(clicks: Clicks, store: FakeStore, clock: Clock) -> None:
    """After an hour without an answer we say so."""
    clicks.answer(request())
    store.fail["BatchGetItem"] = lean.CallError(500, "InternalServerError")
    clock.now_s += 2 * 3600
    assert clicks.answer(request())["statusCode"] == 503


def test_unread_link_is_unavailable_not_unknown(
    clicks: Clicks, store: FakeStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that is down does not make links vanish, and the failure is not remembered."""
    store.fail["BatchGetItem"] = lean.NoAnswerError("down")
    response = clicks.answer(request(headers=JSON))
    assert response["statusCode"] == 503
    assert response["headers"]["retry-after"] == "1"
    assert json.loads(response["body"])["code"] == "unavailable"
    assert [line["message"] for line in logged(capsys)] == ["link_unread"]
    store.fail.clear()
    assert clicks.answer(request())["statusCode"] == 302


def test_keys_left_unread_are_no_answer(clock: Clock) -> None:
    """A throttled batch read is a fault, not an unknown code."""

    class Throttled(FakeStore):
        def call(self, *args: Any, **options: Any) -> dict[str, Any]:
            answer = super().call(*args, **options)
            return {"Responses": {}, "UnprocessedKeys": {"core": answer["Responses"]}}

    clicks = Clicks(Throttled(link_item(), salt_item()), "core", "clicks", clock=clock)
    assert clicks.answer(request())["statusCode"] == 503


@pytest.mark.parametrize(
    "overrides",
    [
        {"destination": "https://user@evil.example/"},
        {"destination": "http://shop.example/"},
        {"destination": None},
    ],
)
def test_link_that_is_damaged_is_unknown_and_reported(
    store: FakeStore,
    clicks: Clicks,
    overrides: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A destination that should never have been stored is not followed."""
    store.core["LINK#abcdefgh"] = link_item(**overrides)
    assert clicks.answer(request(headers=JSON)) == NOT_FOUND
    assert [line["message"] for line in logged(capsys)] == ["link_unusable"]


def test_link_stored_without_its_defaults_is_active(store: FakeStore, clicks: Clicks) -> None:
    """Storage leaves out what is the default, and a link's default is to work."""
    store.core["LINK#abcdefgh"] = link_item(status=None)
    assert clicks.answer(request())["statusCode"] == 302


def test_missing_salt_loses_the_count_not_the_visitor(
    clicks: Clicks, store: FakeStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a key there is no id; the redirect works and the loss is counted."""
    del store.core["SALT#click"]
    response = clicks.answer(request())
    assert response["headers"]["location"] == "https://shop.example/fiber?utm_source=partner"
    assert "cookies" not in response
    assert [line["message"] for line in logged(capsys)] == ["salt_unusable", "click_lost"]


def test_new_salt_is_taken_up_and_old_ids_stay_good(
    clicks: Clicks, store: FakeStore, clock: Clock
) -> None:
    """After a rotation the id changes; the one made before still proves itself."""
    before = click_id(clicks.answer(request()))
    rotated = clickid.new_salt(b"t" * 32, "2026-11-22", "2028", after="A")
    store.core["SALT#click"] = salt_item(rotated)
    clock.now_s += 15 * 60
    after = click_id(clicks.answer(request()))
    assert (before[9], after[9]) == ("A", "B")
    keys = clickid.keys_of(
        [{**rotated, "sk": "CURRENT"}, {**SALT, "sk": "A"}], "2026-11-22T12:00:00.000Z"
    )
    for made in (before, after):
        assert clickid.read(made, keys) is not None


def test_cookie_holds_ten_and_forgets_the_oldest(clicks: Clicks, clock: Clock) -> None:
    """Twelve clicks in twelve hours leave the last ten, each shorter than the limit."""
    cookie, made = "introducer_clicks=", []
    for _ in range(12):
        response = clicks.answer(request(cookies=[cookie]))
        cookie = response["cookies"][0].partition(";")[0]
        made.append(click_id(response))
        clock.now_s += 3600
    assert cookie == "introducer_clicks=" + "~".join(made[-10:])


@pytest.mark.parametrize(
    "cookie", ["introducer_clicks=" + "a" * 50_000, "introducer_clicks", "=", ""]
)
def test_cookie_that_is_no_list_of_ids_is_replaced(clicks: Clicks, cookie: str) -> None:
    """A swollen or broken cookie is forgotten."""
    response = clicks.answer(request(cookies=[cookie]))
    assert response["cookies"][0].startswith(f"introducer_clicks={click_id(response)};")


def test_guessing_codes_does_not_push_links_out(clicks: Clicks, store: FakeStore) -> None:
    """After thousands of unknown codes the known link needs no read; memory is bounded."""
    clicks.answer(request())
    for number in range(5000):
        clicks.answer(request(f"guess{number}"))
    reads = store.count("BatchGetItem")
    clicks.answer(request(address="203.0.113.9"))
    assert reads == store.count("BatchGetItem") == 5001
    assert len(clicks._links._unknown) == 2000


def test_debug_line_holds_nothing_personal(
    store: FakeStore, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Locally each click is one line: link and outcome."""
    clicks = Clicks(store, "core", "clicks", debug=True, clock=clock)
    for event in (request(), request(), request(method="HEAD"), request("never-was")):
        clicks.answer(event)
    assert logged(capsys) == [
        {"level": "DEBUG", "message": "click", "link": link, "outcome": outcome}
        for link, outcome in [
            ("abcdefgh", "counted"),
            ("abcdefgh", "repeated"),
            ("abcdefgh", "head"),
            ("never-was", "not_active"),
        ]
    ]
