"""Links and the salt as the redirect reads them: in good times, late, damaged, missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from introducer import clickid, lean
from submit.click import Clicks
from tests.support.clicks import (
    HEADERS,
    JSON,
    NOT_FOUND,
    SALT,
    Clock,
    FakeStore,
    click_id,
    link_item,
    logged,
    request,
    salt_item,
)


def test_second_link_is_read_without_the_salt(clicks: Clicks, store: FakeStore) -> None:
    """A link not yet known costs half a unit: the salt is known."""
    store.core["LINK#second"] = link_item("second")
    clicks.answer(request())
    clicks.answer(request("second"))
    keys = store.calls[2][1]["RequestItems"]["core"]["Keys"]
    assert keys == [{"pk": {"S": "LINK#second"}, "sk": {"S": "LINK"}}]


def test_code_is_folded_to_lower_case(clicks: Clicks, store: FakeStore) -> None:
    """People type what they see on a poster."""
    assert clicks.answer(request("ABCdefGH"))["statusCode"] == 302
    assert len(store.clicks) == 1


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
    (line,) = logged(capsys.readouterr().out)
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
    assert [line["message"] for line in logged(capsys.readouterr().out)] == ["link_not_refreshed"]
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
    assert [line["message"] for line in logged(capsys.readouterr().out)] == ["link_unread"]
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
    assert [line["message"] for line in logged(capsys.readouterr().out)] == ["link_unusable"]


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
    assert [line["message"] for line in logged(capsys.readouterr().out)] == [
        "salt_unusable",
        "click_lost",
    ]


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


def test_link_ends_at_its_time_though_it_is_remembered(
    clicks: Clicks, store: FakeStore, clock: Clock
) -> None:
    """The last moment still counts; from its end on the link is as if it had never been."""
    store.core["LINK#abcdefgh"] = link_item(expires_at="2026-11-22T11:17:10.000Z")
    clock.now_s += 9.999
    assert clicks.answer(request())["statusCode"] == 302
    clock.now_s += 0.001
    assert clicks.answer(request(headers=JSON)) == NOT_FOUND
    assert clicks.answer(request(headers=JSON)) == NOT_FOUND
    assert 2 == store.count("BatchGetItem")


def test_link_that_ended_is_not_kept_up_by_a_store_that_is_down(
    clicks: Clicks, store: FakeStore, clock: Clock
) -> None:
    """Then it is what any other code is: unavailable."""
    store.core["LINK#abcdefgh"] = link_item(expires_at="2026-11-22T11:17:10.000Z")
    clicks.answer(request())
    store.fail["BatchGetItem"] = lean.NoAnswerError("down")
    clock.now_s += 10
    answers = [clicks.answer(request(code)) for code in ("abcdefgh", "never-was")]
    assert [503, 503] == [each["statusCode"] for each in answers]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("days", [0, -1, 731, "many"])
def test_link_with_an_impossible_retention_is_unknown(
    clicks: Clicks, store: FakeStore, days: object
) -> None:
    """A click is never kept for ever by mistake."""
    store.core["LINK#abcdefgh"] = link_item() | {"clicks_days": {"N": str(days)}}
    assert clicks.answer(request(headers=JSON)) == NOT_FOUND
