"""Who is not counted: what they get, and what is kept of them."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import lean
from submit.click import Clicks
from tests.support.clicks import DAY_S, NOW_S, FakeStore, click_id, logged, request


@pytest.mark.parametrize(
    ("overrides", "who", "why"),
    [
        ({"method": "HEAD"}, "head", "method"),
        ({"headers": {"sec-purpose": "prefetch;prerender"}}, "prefetch", "purpose"),
        ({"headers": {"purpose": "prefetch"}}, "prefetch", "purpose"),
        ({"headers": {"x-purpose": "preview"}}, "prefetch", "purpose"),
        ({"headers": {"sec-fetch-dest": "image"}}, "prefetch", "embedded"),
        ({"headers": {"user-agent": None}}, "bot", "none"),
        ({"headers": {"user-agent": ""}}, "bot", "none"),
        ({"headers": {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}}, "bot", "robot"),
        ({"headers": {"user-agent": "curl/8.5.0"}}, "bot", "tool"),
        ({"headers": {"user-agent": "WhatsApp/2.23.20.0"}}, "preview", "preview"),
        ({"headers": {"user-agent": "facebookexternalhit/1.1"}}, "preview", "preview"),
    ],
)
def test_click_of_no_person_is_sent_on_and_kept_uncounted(
    clicks: Clicks, store: FakeStore, overrides: dict[str, Any], who: str, why: str
) -> None:
    """Everybody gets the redirect; only what a person may yet see carries an id."""
    response = clicks.answer(request(**overrides))
    assert response["statusCode"] == 302
    assert response["headers"]["location"].startswith("https://shop.example/fiber?utm_source=")
    assert (who == "prefetch") == bool(click_id(response)) == ("cookies" in response)
    ((key, item),) = store.clicks.items()
    made = key.removesuffix(f"!{who}")
    assert made.startswith("abcdefgh.A")
    assert item == {
        "pk": {"S": f"{made}!{who}"},
        "link": {"S": "abcdefgh"},
        "program": {"S": "telecom"},
        "partner": {"S": "0123456789abcdefghjk"},
        "at": {"S": "2026-11-22T11:17:00.000Z"},
        "device": {"S": "desktop"},
        "expires": {"N": str(int(NOW_S) + 90 * DAY_S)},
        "utm": {"S": "s=partner"},
        "net": {"S": "203.0.113.0/24"},
        "uncounted": {"S": who},
        "why": {"S": why},
    }


def test_person_counts_after_their_browser_fetched_ahead(clicks: Clicks, store: FakeStore) -> None:
    """The prefetched page's id is the person's own, and was left free for them."""
    ahead = clicks.answer(request(headers={"sec-purpose": "prefetch"}))
    followed = clicks.answer(request())
    made = click_id(followed)
    assert click_id(ahead) == made
    assert [f"{made}!prefetch", made] == list(store.clicks)
    assert "uncounted" not in store.clicks[made]


def test_bot_that_comes_again_within_the_hour_is_kept_once(
    clicks: Clicks, store: FakeStore
) -> None:
    """A crawler does not fill the table."""
    for _ in range(3):
        clicks.answer(request(headers={"user-agent": "curl/8.5.0"}))
    assert 1 == len(store.clicks)


@pytest.mark.parametrize(
    "failure", [lean.NoAnswerError("down"), lean.CallError(400, "ThrottlingException")]
)
def test_bot_that_could_not_be_kept_is_no_loss(
    clicks: Clicks,
    store: FakeStore,
    failure: Exception,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The metric of lost clicks counts clicks that somebody would have earned by."""
    store.fail["PutItem"] = failure
    answer = clicks.answer(request(headers={"user-agent": "curl/8.5.0"}))
    assert 302 == answer["statusCode"]
    assert [] == logged(capsys.readouterr().out)
