"""Rates: entered by finance, several at once; a rule without a fresh one stops, loudly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import metric
from introducer.errors import MissingRateError
from introducer.rates import Quote
from introducer.tables import programs
from introducer.tables import rates as stored
from payout import exchange
from tests.support import life, money
from tests.support.api import Reply, call, login
from tests.support.money import EUROS, NOW

FINANCE = login("fin", "finance")
PATH = "/v1/programs/acme/rates"


@pytest.fixture(autouse=True)
def program(aws: None, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """A program that pays what it books in euros in dollars as well; returns the clock's mover."""
    del aws
    dollars = EUROS | {"region": "us", "method": "wire", "pays_in": "USD", "countries": ["US"]}
    money.publish(payouts=[EUROS | {"countries": ["DE"]}, dollars])
    return frozen


def rate(**changes: object) -> dict[str, object]:
    """Return one rate as it is sent."""
    sent = {"from": "EUR", "to": "USD", "rate": "1.0875", "source": "ECB", "at": NOW}
    return {**sent, **changes}


def enter(*rates: dict[str, object], claims: Any = FINANCE) -> Reply:
    """Enter rates."""
    return call("PUT", PATH.replace("acme", life.PROGRAM), {"rates": rates}, claims=claims)


def listed() -> Any:
    """Return the list of rates."""
    return call("GET", PATH.replace("acme", life.PROGRAM), claims=login("a", "auditor")).body


def rate_now(now: str = NOW) -> Quote:
    """Return the rate that the rule in dollars pays by."""
    document = programs.current(life.PROGRAM, now).document
    return exchange.rate_for(document, document.payouts[1], now).quote


def test_rates_are_entered_together_and_listed() -> None:
    """Who entered them and until when they may be paid by is told; one pair is still missing."""
    assert ["EUR/USD"] == listed()["missing"]
    assert 2 == enter(rate(), rate(to="GBP", rate="0.87")).body["taken"]
    found = listed()
    assert [] == found["missing"]
    assert [("GBP", "0.87", ""), ("USD", "1.0875", "2026-11-23T11:17:00.000Z")] == [
        (each["to"], each["rate"], each["usable_until"]) for each in found["items"]
    ]
    assert {"user:fin"} == {each["entered_by"] for each in found["items"]}
    assert Quote(rate="1.0875", source="ECB", at=NOW) == rate_now()
    assert 108_750 == exchange.convert(100_000, "EUR", "USD", rate_now())


def test_same_rates_again_change_nothing_and_another_of_that_time_is_refused() -> None:
    """What was paid by is never rewritten."""
    enter(rate())
    assert (200, 0) == ((again := enter(rate())).status, again.body["taken"])
    assert (409, "already_exists") == enter(rate(rate="1.09")).problem()
    assert "1.0875" == rate_now().rate


def test_late_rate_joins_the_history_behind_the_newest() -> None:
    """Order of arrival does not matter."""
    enter(rate())
    assert 1 == enter(rate(at="2026-11-22T08:00:00Z", rate="1.08")).body["taken"]
    assert "1.0875" == rate_now().rate
    found = stored.at(life.PROGRAM, "EUR", "USD", "2026-11-22T08:00:00.000Z")
    assert found is not None
    assert "1.08" == found.rate


def test_slip_is_refused_unless_meant(program: Callable[[str], None]) -> None:
    """Ten times the money is one misplaced point away."""
    enter(rate())
    program("2026-11-22T12:00:00.000Z")
    slip = rate(rate="10.875", at="2026-11-22T12:00:00Z")
    assert (422, "rate_jumps", "rates[0].rate") == enter(slip).field()
    assert 200 == enter({**slip, "jump": True}).status


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"at": "2026-11-22T11:17:01Z"}, "invalid_time", "rates[0].at"),
        ({"rate": "0.00"}, "invalid_rate", "rates[0].rate"),
        ({"to": "EUR"}, "same_currency", "rates[0].to"),
        ({"from": "XXX"}, "unknown_currency", "rates[0].from"),
    ],
)
def test_what_is_no_rate_names_its_field(wrong: dict[str, object], code: str, field: str) -> None:
    """Nothing of the request is taken then."""
    assert (422, code, field) == enter(rate(**wrong)).field()
    assert [] == listed()["items"]


def test_one_wrong_rate_stops_all_and_a_pair_stands_once() -> None:
    """All together or not at all."""
    refused = enter(rate(), rate(to="GBP", rate="0"))
    assert (422, "rates[1].rate") == refused.field()[::2]
    assert (422, "rates[1]") == enter(rate(), rate(rate="1.09")).field()[::2]
    assert [] == listed()["items"]


def test_others_may_not_enter_rates() -> None:
    """Auditors read."""
    for group in ("partner", "rep", "auditor"):
        assert 403 == enter(rate(), claims=login("x", group)).status


def test_two_at_once_leave_the_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read before the other wrote looks again, and its older rate takes nothing back."""
    real = stored.newest
    seen: list[int] = []

    def newest(*pair: str) -> stored.Rate | None:
        found = real(*pair)
        if not seen:
            seen.append(1)
            enter(rate())
        return found

    monkeypatch.setattr(stored, "newest", newest)
    assert 1 == enter(rate(at="2026-11-22T09:00:00Z", rate="1.01")).body["taken"]
    assert "1.0875" == rate_now().rate


@pytest.mark.parametrize(
    ("now", "why"),
    [("2026-11-23T11:17:00.001Z", "stale"), ("2026-11-22T11:16:59.999Z", "future")],
)
def test_stale_rate_stops_the_rule_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, now: str, why: str
) -> None:
    """The alarm hears of it, and the error says which pair of whom."""
    counted: list[str] = []
    monkeypatch.setattr(metric, "count", counted.append)
    enter(rate())
    with pytest.raises(MissingRateError) as raised:
        rate_now(now)
    assert {"why": why, "program": life.PROGRAM, "from": "EUR", "to": "USD"} == raised.value.data
    assert ["RatesMissing"] == counted
