"""Payouts that are calls: paid once, whatever is lost, repeated, late or refused on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from introducer import clock, outbound
from introducer.errors import NotFoundError, PayoutsHaltedError, UncertainError
from introducer.tables import ledger, payouts
from payout import send, settle
from tests.support import calls, life, money, provider
from tests.support.api import call, login
from tests.support.calls import furnish, pay_out, run_clock, the_payout
from tests.support.money import NOW
from tests.support.provider import Provider

pytestmark = pytest.mark.usefixtures("aws", "frozen")


@pytest.fixture(autouse=True)
def laptop(function_environment: pytest.MonkeyPatch) -> None:
    """Open the loopback, where the provider listens."""
    function_environment.setenv("OUTBOUND_NETWORKS", "127.0.0.0/8")


@pytest.fixture
def shop() -> Iterator[Provider]:
    """A provider that hands out gift cards to Pia."""
    with provider.listening() as found:
        yield found


def problems() -> list[str]:
    """Return why each unmatched statement is one."""
    return [each.problem for each in payouts.unmatched()]


def test_gift_card_is_handed_out_by_acknowledgement(shop: Provider) -> None:
    """No file: a signed order, an acknowledgement, once each however often they are told."""
    furnish(shop.url)
    batch = pay_out()
    sent = the_payout(batch)
    assert ("in_transit", "shop", f"G-{sent.reference}", 1, NOW, "") == (
        sent.status,
        sent.provider,
        sent.provider_id,
        sent.attempts,
        sent.asked_at,
        sent.next_at,
    )
    assert ("in_transit", "") == (money.the_batch(batch).status, money.the_batch(batch).file)
    for _ in range(2):
        calls.acknowledge(calls.fulfilled(sent))
    assert ({"paid": 2_500, "pending": 7_500}, "settled") == (
        money.accounts(),
        money.the_batch(batch).status,
    )
    assert (1, []) == (shop.paid[sent.reference], problems())


def test_order_done_at_once_is_paid_at_once(shop: Provider) -> None:
    """The acknowledgement that follows is the same fact."""
    shop.done = True
    furnish(shop.url)
    batch = pay_out()
    assert ("paid", "settled") == (the_payout(batch).status, money.the_batch(batch).status)
    calls.acknowledge(calls.fulfilled(the_payout(batch)))
    assert ([], 2_500) == (problems(), money.accounts()["paid"])


@pytest.mark.parametrize("trouble", ["lost", "dead", "broken"])
def test_doubtful_answer_is_asked_for_again_with_the_same_key(shop: Provider, trouble: str) -> None:
    """Not before its time, and paid once in the end."""
    shop.plan, shop.done = [trouble], True
    furnish(shop.url)
    batch = pay_out()
    waiting = the_payout(batch)
    assert ("in_transit", clock.plus(NOW, seconds=5)) == (waiting.status, waiting.next_at)
    assert (0, 0) == run_clock(NOW)
    assert (1, 0) == run_clock(waiting.next_at)
    assert [waiting.reference] * 2 == shop.keys()
    assert {waiting.reference: 1} == shop.paid
    assert ("paid", "settled") == (the_payout(batch).status, money.the_batch(batch).status)
    assert (0, 0) == run_clock("2027-01-01T00:00:00.000Z")


def test_busy_provider_says_when_to_ask_again(shop: Provider) -> None:
    """Its Retry-After is later than our schedule, and counts."""
    shop.plan = ["busy"]
    furnish(shop.url)
    batch = pay_out()
    assert clock.plus(NOW, seconds=900) == the_payout(batch).next_at


@pytest.mark.parametrize("written", ["_note", "_take"])
def test_crash_after_the_call_pays_once(
    shop: Provider, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """The provider was asked, we died before we wrote it down: the same call again."""

    def crash(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    furnish(shop.url)
    shop.done = True
    with monkeypatch.context() as patched:
        patched.setattr(send, written, crash)
        with pytest.raises(KeyboardInterrupt):
            pay_out()
    batch = pay_out(until="send")  # the step is done again: nothing is asked a first time
    waiting = the_payout(batch)
    assert ("in_transit", 1) == (waiting.status, len(shop.calls))
    run_clock(waiting.next_at)
    assert ({waiting.reference: 1}, 2) == (shop.paid, len(shop.calls))
    assert "paid" == the_payout(batch).status


def test_batch_that_died_before_its_calls_is_sent_by_the_clock(shop: Provider) -> None:
    """Being in transit and being due are one write."""
    furnish(shop.url)
    batch = pay_out(until="write")
    waiting = the_payout(batch)
    assert ([], clock.plus(NOW, seconds=300)) == (shop.calls, waiting.next_at)
    assert (1, 0) == run_clock(waiting.next_at)
    assert [waiting.reference] == shop.keys()


def test_nothing_is_sent_before_the_batch_is_on_its_way(shop: Provider) -> None:
    """Marked but not written: a payout waits."""
    furnish(shop.url)
    batch = pay_out(until="mark")
    assert (0, 0) == run_clock("2026-12-01T00:00:00.000Z")
    assert ([], "in_transit") == (shop.calls, the_payout(batch).status)


def test_two_workers_make_one_attempt(shop: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the attempt down makes the call."""
    furnish(shop.url)
    batch = pay_out(until="write")
    real = send._save

    def other_first(*given: Any) -> None:
        monkeypatch.setattr(send, "_save", real)
        send.send(money.the_batch(batch), "pia", now=NOW)
        real(*given)

    monkeypatch.setattr(send, "_save", other_first)
    send.send(money.the_batch(batch), "pia", now=NOW)
    assert 1 == len(shop.calls)
    assert (1, "") == (the_payout(batch).attempts, the_payout(batch).next_at)


def test_acknowledgement_may_be_quicker_than_the_answer(
    shop: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the answer says then is known already."""
    furnish(shop.url)
    batch = pay_out(until="write")
    real = outbound.call

    def told_first(*given: Any, **named: Any) -> outbound.Reply:
        answer = real(*given, **named)
        calls.acknowledge(calls.fulfilled(the_payout(batch)))
        return answer

    monkeypatch.setattr(outbound, "call", told_first)
    send.send(money.the_batch(batch), "pia", now=NOW)
    assert ("paid", []) == (the_payout(batch).status, problems())


def test_refusal_makes_the_money_payable_again(shop: Provider) -> None:
    """For good: nothing is asked any more, and the reason is kept."""
    shop.plan = ["refuse"]
    furnish(shop.url)
    batch = pay_out()
    refused = the_payout(batch)
    assert ("returned", "gone", "") == (refused.status, refused.reason, refused.next_at)
    assert {"payable": 2_500, "pending": 7_500} == money.accounts()
    assert "settled" == money.the_batch(batch).status
    calls.acknowledge(calls.fulfilled(refused, type="payout.failed"))
    assert [] == problems()
    calls.acknowledge(calls.fulfilled(refused))
    assert ["payout_is_returned"] == problems()


def test_card_that_came_back_later_is_payable_again(shop: Provider) -> None:
    """Paid, then returned: the normal path of a late failure."""
    shop.done = True
    furnish(shop.url)
    sent = the_payout(pay_out())
    calls.acknowledge(calls.fulfilled(sent, type="payout.returned", reason="expired"))
    assert {"payable": 2_500, "pending": 7_500} == money.accounts()


def test_silent_provider_is_asked_for_three_days_and_then_a_person(shop: Provider) -> None:
    """Ten attempts on the schedule; nothing is given back by itself."""
    shop.plan = ["dead"] * 20
    furnish(shop.url)
    batch = pay_out()
    at, waits = NOW, []
    while due := the_payout(batch).next_at:
        waits.append(clock.epoch_s(due) - clock.epoch_s(at))
        at = due
        run_clock(at)
    assert [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] == waits
    assert (10, "in_transit") == (len(shop.calls), the_payout(batch).status)
    assert ["unknown_status"] == problems()
    assert (0, 0) == run_clock("2027-01-01T00:00:00.000Z")
    calls.acknowledge(calls.fulfilled(the_payout(batch)))
    assert "paid" == the_payout(batch).status


def test_person_decides_that_nothing_was_paid(shop: Provider) -> None:
    """Having looked at the provider: the money is payable again, with who said so and why."""
    shop.plan = ["dead"] * 20
    furnish(shop.url)
    batch = pay_out()
    while due := the_payout(batch).next_at:
        run_clock(due)
    (listed,) = payouts.unmatched()
    said = {"action": "match", "reason": "they have no such order", "reference": listed.reference}
    path = f"/v1/bookings/{listed.key}/resolve"
    assert 200 == call("POST", path, said, claims=login("sub-f", "finance")).status
    settle.retry_unmatched(now=NOW)
    assert ("returned", "unanswered") == (the_payout(batch).status, the_payout(batch).reason)
    assert ({"payable": 2_500, "pending": 7_500}, []) == (money.accounts(), problems())


def test_crash_of_the_last_attempt_still_ends_with_a_person(
    shop: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was counted before the call; the next run asks nobody and lists it."""
    shop.plan = ["dead"] * 20
    furnish(shop.url)
    batch = pay_out()
    for _ in range(8):
        run_clock(the_payout(batch).next_at)
    with monkeypatch.context() as patched:
        patched.setattr(send, "_give_up", lambda *_, **__: None)
        run_clock(the_payout(batch).next_at)
    assert (10, []) == (len(shop.calls), problems())
    run_clock(the_payout(batch).next_at)
    assert (10, ["unknown_status"], "") == (
        len(shop.calls),
        problems(),
        the_payout(batch).next_at,
    )


def test_key_that_the_provider_may_have_forgotten_is_not_used_again(shop: Provider) -> None:
    """Stripe knows a key for a day: a call after that might pay a second time."""
    shop.plan = ["lost"] * 20
    with_account(shop, "stripe", "acct_1")
    batch = pay_out("stripe")
    for _ in range(20):
        if due := the_payout(batch).next_at:
            run_clock(due)
    asked = the_payout(batch)
    assert (7, ["unknown_status"], "in_transit") == (len(shop.calls), problems(), asked.status)
    assert {asked.reference: 1} == shop.paid


def with_account(shop: Provider, method: str, account: str, *, api_key: str = "sk_1") -> None:
    """Store a program that pays by *method*, and Pia's account there."""
    money.publish(payouts=[{**calls.RULE, "method": method}])
    money.enrol("pia", payee=False)
    calls.set_account("pia", method, account)
    calls.configure(shop.url, method, secret=api_key)
    money.sell("r1")
    money.deliver("r1")
    money.release()


def test_transfer_is_there_at_once(shop: Provider) -> None:
    """An account of the provider's own."""
    with_account(shop, "stripe", "acct_1")
    batch = pay_out("stripe")
    paid = the_payout(batch)
    assert ("paid", f"tr_{paid.reference}") == (paid.status, paid.provider_id)


def test_payout_to_a_bank_ends_by_webhook(shop: Provider) -> None:
    """Accepted, then failed by an event: payable again."""
    with_account(shop, "stripe", "ba_1")
    batch = pay_out("stripe")
    sent = the_payout(batch)
    assert ("in_transit", f"po_{sent.reference}") == (sent.status, sent.provider_id)
    about = {
        "amount": 2_500,
        "currency": "eur",
        "failure_code": "could_not_process",
        "metadata": {"reference": sent.reference},
    }
    event = {"type": "payout.failed", "created": 1_795_400_000, "data": {"object": about}}
    calls.acknowledge(event, kind="stripe")
    assert ("returned", "could_not_process") == (
        the_payout(batch).status,
        the_payout(batch).reason,
    )


def test_paypal_is_signed_in_to_once_a_step(shop: Provider) -> None:
    """The token is sent, never the secret."""
    with_account(shop, "paypal", "pia@example.com", api_key="client:secret")
    batch = pay_out("paypal")
    first, second = shop.calls
    assert ("/v1/oauth2/token", "Bearer token-of-an-hour") == (
        first.path,
        second.headers["authorization"],
    )
    assert f"PB-{the_payout(batch).reference}" == the_payout(batch).provider_id


@pytest.mark.parametrize(
    ("said", "provider_name"),
    [({"amount_minor": 2_499}, "shop"), ({"unit": "PTS"}, "shop"), ({}, "other")],
)
def test_answers_that_do_not_fit_are_listed(
    shop: Provider, said: dict[str, Any], provider_name: str
) -> None:
    """Another amount or unit, or a provider that was never asked: nothing moves."""
    furnish(shop.url)
    batch = pay_out()
    calls.acknowledge(calls.fulfilled(the_payout(batch), **said), provider=provider_name)
    assert (1, "in_transit") == (len(problems()), the_payout(batch).status)
    calls.acknowledge(calls.fulfilled(the_payout(batch)))
    assert "paid" == the_payout(batch).status


def test_unknown_reference_is_listed(shop: Provider) -> None:
    """It may be somebody else's payout."""
    furnish(shop.url)
    sent = the_payout(pay_out())
    calls.acknowledge(calls.fulfilled(sent, reference="PNOBODYKNOWSIT"))
    assert ["unknown_reference"] == problems()


def test_nothing_is_asked_while_payouts_are_halted(shop: Provider) -> None:
    """Neither by the step nor by the clock; it stays due."""
    shop.plan = ["dead"]
    furnish(shop.url)
    batch = pay_out()
    ledger.halt(life.PROGRAM, "the books do not agree", now=NOW)
    due = the_payout(batch).next_at
    assert (0, 0) == run_clock(due)
    assert due == the_payout(batch).next_at
    with pytest.raises(PayoutsHaltedError):
        pay_out(until="send")


def test_batch_without_a_provider_does_not_begin() -> None:
    """Nothing is reserved for what nobody could be asked to pay."""
    money.publish(payouts=[{**calls.RULE, "method": "points"}])
    money.enrol("pia", payee=False)
    calls.configure("http://127.0.0.1:1", "stripe")  # of another kind
    money.sell("r1")
    money.deliver("r1")
    money.release()
    with pytest.raises(NotFoundError):
        pay_out("points")
    assert 2_500 == money.accounts()["payable"]


def test_address_that_leads_inside_is_never_called(
    shop: Provider, function_environment: pytest.MonkeyPatch
) -> None:
    """However it got there: nothing is sent, and the payout stays due."""
    furnish("https://169.254.169.254/latest")
    function_environment.setenv("OUTBOUND_NETWORKS", "")
    batch = pay_out()
    assert ("in_transit", 1, []) == (
        the_payout(batch).status,
        the_payout(batch).attempts,
        shop.calls,
    )
    assert the_payout(batch).next_at


def test_clock_tells_what_it_could_not_ask(
    shop: Provider, frozen: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One payout's trouble stops no other, and raises the alarm in the end."""
    shop.plan = ["dead"]
    furnish(shop.url)
    pay_out()
    frozen("2026-11-22T11:30:00.000Z")

    def gone(*_: Any, **__: Any) -> None:
        message = "no such provider"
        raise NotFoundError(message)

    with monkeypatch.context() as patched:
        patched.setattr(send, "Line", gone)
        with pytest.raises(UncertainError):
            send.handler({}, money.CONTEXT)  # type: ignore[arg-type]
    assert {"asked": 1} == send.handler({}, money.CONTEXT)  # type: ignore[arg-type]
