"""The clock that asks providers: one out of order takes nobody's time, one that moved is not asked.

A second account does not know the keys of the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from introducer import ids
from introducer.errors import NotFoundError
from introducer.tables import ledger, payouts, providers
from introducer.tables.store import Transaction
from payout import send
from tests.support import calls, life, money, provider
from tests.support.calls import furnish, pay_out, run_clock, the_payout
from tests.support.money import NOW
from tests.support.provider import Provider

pytestmark = pytest.mark.usefixtures("aws", "frozen")
NAMES = ("pia", "quin", "rosa", "sven", "tilo", "uma")
LATER = "2026-11-22T12:00:00.000Z"


@pytest.fixture(autouse=True)
def laptop(function_environment: pytest.MonkeyPatch) -> None:
    """Open the loopback, where the provider listens."""
    function_environment.setenv("OUTBOUND_NETWORKS", "127.0.0.0/8")


@pytest.fixture
def shop() -> Iterator[Provider]:
    """A provider that hands out gift cards."""
    with provider.listening() as found:
        yield found


def six_are_due(shop: Provider) -> str:
    """Leave a batch of six payouts due, none of them asked for."""
    furnish(shop.url)
    for number, name in enumerate(NAMES[1:]):
        money.enrol(name, payee=False)
        money.sell(f"s{number}", shares={name: 10_000})
        money.deliver(f"s{number}")
    money.release()
    return pay_out(until="write")


@pytest.mark.parametrize("trouble", ["dead", "busy"])
def test_provider_that_is_out_of_order_is_asked_once_a_run(shop: Provider, trouble: str) -> None:
    """The rest of its payouts stay due, and are asked about as soon as it answers again."""
    batch = six_are_due(shop)
    shop.plan = [trouble]
    assert (1, 0) == run_clock(LATER)
    waiting = [each for each in payouts.of_batch(batch) if not each.attempts]
    assert (1, 5) == (len(shop.calls), len([each for each in waiting if each.next_at <= LATER]))
    run_clock("2026-11-22T12:30:00.000Z")
    assert (7, {1}) == (len(shop.calls), set(shop.paid.values()))


def test_silent_provider_keeps_nobody_else_waiting(shop: Provider) -> None:
    """Its payouts are the oldest; those of the next provider are asked about in the same run."""
    six_are_due(shop)
    with provider.listening() as other:
        calls.configure(other.url, "fulfil", name="other")
        money.publish(payouts=[{**calls.RULE, "method": "gift_card", "provider": "other"}])
        money.sell("r2")
        money.deliver("r2")
        money.release()
        pay_out(until="write", now="2026-11-22T11:40:00.000Z", run=2)
        shop.plan = ["dead"] * 6
        assert (2, 0) == run_clock(LATER)
        assert (1, 1) == (len(shop.calls), len(other.calls))


def test_shards_are_taken_in_turns(shop: Provider) -> None:
    """The first of each comes before the second of any."""
    six_are_due(shop)
    shards = [ids.shard(each.reference, payouts.SHARDS) for each in payouts.due_to_send(LATER)]
    assert 6 == len(shards)
    firsts = len(set(shards))
    assert firsts == len(set(shards[:firsts]))


def test_halted_program_and_missing_provider_are_looked_at_once(
    shop: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many payouts they have: none of them is read by itself."""
    batch = six_are_due(shop)
    reads: list[str] = []
    tried: list[Any] = []

    def gone(*given: Any) -> None:
        tried.append(given)
        message = "no such provider"
        raise NotFoundError(message)

    with monkeypatch.context() as patched:
        patched.setattr(payouts, "find", reads.append)
        ledger.halt(life.PROGRAM, "the books do not agree", now=NOW)
        assert (0, 0) == run_clock(LATER)
        patched.setattr(send, "_line_of", gone)
        assert (0, 1) == run_clock(LATER)
    assert (1, [], []) == (len(tried), reads, shop.calls)
    assert LATER > the_payout(batch).next_at > ""


def change(url: str = "", *, secret: str = "", webhook_secret: str = "") -> None:
    """Have finance change the provider."""
    before = providers.find(life.PROGRAM, "shop")
    assert before is not None
    after = msgspec.structs.replace(before, version=before.version + 1, url=url or before.url)
    writes = Transaction()
    providers.save(writes, after, secret=secret, webhook_secret=webhook_secret)
    writes.commit()


@pytest.mark.parametrize("trouble", ["lost", "broken"])
def test_account_that_was_changed_is_not_asked_to_pay_again(shop: Provider, trouble: str) -> None:
    """The former one may have paid: a person looks, and nobody is paid twice meanwhile."""
    shop.plan = [trouble]
    furnish(shop.url)
    batch = pay_out()
    with provider.listening() as moved:
        change(moved.url, secret=calls.SECRET)
        run_clock(LATER)
        assert [] == moved.calls
    listed = [(each.problem, each.reason) for each in payouts.unmatched()]
    assert [("unknown_status", "unanswered")] == listed
    assert ("in_transit", "") == (the_payout(batch).status, the_payout(batch).next_at)


def test_key_that_was_wrong_is_set_right_and_asked_again(
    shop: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 paid nothing, nor did a closed door: no person has to look."""
    furnish("http://127.0.0.1:1")
    batch = pay_out()
    assert (1, 0) == (the_payout(batch).attempts, the_payout(batch).provider_account)
    change(shop.url, secret=calls.SECRET)
    with monkeypatch.context() as patched:
        patched.setattr(shop, "answer", lambda _: (401, {}, {}))
        run_clock(LATER)
    assert (2, 0) == (the_payout(batch).attempts, the_payout(batch).provider_account)
    change(secret=calls.SECRET)
    run_clock("2026-11-22T13:00:00.000Z")
    assert ({the_payout(batch).reference: 1}, []) == (shop.paid, list(payouts.unmatched()))


def test_new_secret_of_its_messages_moves_no_account(shop: Provider) -> None:
    """What it signs with says nothing of where it pays from: the same key is asked for again."""
    shop.plan = ["lost"]
    furnish(shop.url)
    batch = pay_out()
    change(webhook_secret=calls.SECRET)
    run_clock(LATER)
    assert [the_payout(batch).reference] * 2 == shop.keys()
    assert {the_payout(batch).reference: 1} == shop.paid
