"""Rewards are earned and taken back, in any order, together, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import msgspec
import pytest

from introducer.tables import ledger, referrals, rewards
from introducer.tables.store import Table
from payout import earn
from tests.support import life, money
from tests.support.money import NOW


@pytest.fixture
def books(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """The program that pays, and Pia; the clock stands still."""
    money.publish()
    money.enrol("pia")


@pytest.mark.usefixtures("books")
def test_earn_books_a_sale_by_milestones() -> None:
    """10 % of 1,000 EUR: a quarter due with the sale, three quarters after 180 days."""
    money.sell()

    assert {"batchItemFailures": []} == money.deliver("r1")

    assert [
        ("RewardEarned", {"expense": -2_500, "pending": 2_500}),
        ("RewardEarned", {"expense": -7_500, "pending": 7_500}),
    ] == money.booked()
    stored = rewards.load(referrals.detail("r1").rewards)
    assert [
        ("loyalty", 7_500, "pending", money.DUE),
        ("purchase", 2_500, "pending", money.SOLD),
    ] == [(each.milestone, each.amount_minor, each.status, each.due_at) for each in stored]
    assert sorted(stored, key=lambda each: each.key) == sorted(
        rewards.of_partner("pia", "EUR", limit=10)[0], key=lambda each: each.key
    )


@pytest.mark.usefixtures("books")
def test_earn_holds_no_personal_data() -> None:
    """Journals and rewards hold ids, codes and numbers, and stay small."""
    money.sell()
    money.deliver("r1")

    for item in money.everything(Table.LEDGER):
        text = msgspec.json.encode(item)
        assert b"lena" not in text.lower()
        assert b"@" not in text
        assert len(text) < 1_024


@pytest.mark.usefixtures("books")
def test_earn_before_the_win_books_nothing() -> None:
    """A message about a referral that nobody bought from changes nothing."""
    life.submit("r1")

    money.deliver("r1")

    assert [] == money.everything(Table.LEDGER)


def test_earn_of_any_order_of_messages_is_the_same(
    engine: str, frozen: Callable[[str], None]
) -> None:
    """Sale, refund, second sale: every order of their messages, repeated, gives one ledger."""
    assert engine
    assert frozen
    money.publish()
    results = []
    for number, order in enumerate(permutations(range(3))):
        partner, name = f"p{number}", f"r{number}"
        money.enrol(partner, email_key=partner)
        steps: list[Callable[[], object]] = [
            lambda name=name, partner=partner: money.sell(
                name, shares={partner: 10_000}, lead_key=f"lead-{name}"
            ),
            lambda name=name: money.refund(name, "f1", 33_333),
            lambda name=name: money.sell_more(name, "s2", 55_555),
        ]
        for step, turn in zip(steps, order, strict=True):
            step()
            for _ in range(turn):  # none, one or two messages arrive before the next fact
                money.deliver(name)
        money.deliver(name, name)
        results.append(
            {
                "accounts": money.accounts(partner),
                "journals": sorted(
                    (each.kind, each.amount_minor, each.refs["sale"], each.refs["milestone"])
                    for each in money.journals(partner)
                ),
            }
        )

    assert [results[0]] * 6 == results


@pytest.mark.usefixtures("books")
def test_earn_reverses_a_refund_from_what_is_pending() -> None:
    """A refund of a third takes a third of both milestones, with the reason."""
    money.sell(amount_minor=30_000)
    money.deliver("r1")
    money.refund("r1", "f1", 10_000)
    money.deliver("r1")

    assert [
        ("RewardReversed", {"pending": -750, "expense": 750}),
        ("RewardReversed", {"pending": -250, "expense": 250}),
    ] == sorted(money.booked()[2:], key=lambda each: each[1]["pending"])
    assert {"refunded"} == {each.reason for each in money.journals()[2:]}
    assert {"pending": 2_000} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_takes_back_everything_of_a_full_refund() -> None:
    """Refunded in three uneven parts, released in between: nothing is left, nothing owed."""
    money.sell(amount_minor=99_999)
    money.deliver("r1")
    money.refund("r1", "f1", 33_331)
    money.deliver("r1")
    money.release()
    money.refund("r1", "f2", 1)
    money.refund("r1", "f3", 66_667)
    money.deliver("r1")

    assert {} == money.accounts()
    assert {"reversed"} == {each.status for each in rewards.load(referrals.detail("r1").rewards)}


@pytest.mark.usefixtures("books")
def test_earn_claws_back_what_was_paid_as_a_receivable() -> None:
    """After the money has left, the partner owes it, and the next reward fills the debt."""
    money.sell()
    money.deliver("r1")
    money.release()
    money.debit(money.pay_out())
    money.refund("r1", "f1", 100_000)
    money.deliver("r1")

    assert {"paid": 2_500, "receivable": -2_500} == money.accounts()

    money.sell("r2", 160_000, lead_key="other")
    money.deliver("r2")
    money.release()
    assert {"paid": 2_500, "payable": 1_500, "pending": 12_000} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_claws_back_by_cancelling_a_payout_not_submitted() -> None:
    """Money reserved in a batch that waits is taken out of it; the rest of it goes on."""
    money.sell()
    money.deliver("r1")
    money.release()
    batch = money.pay_out(until="close")
    assert {"pending": 7_500, "reserved": 2_500} == money.accounts()

    money.refund("r1", "f1", 40_000)
    money.deliver("r1")

    assert {"pending": 4_500, "payable": 1_500} == money.accounts()
    assert {"PayoutCancelled": "clawback"} == {
        str(each.kind): each.reason for each in money.journals() if each.reason == "clawback"
    }
    money.pay_out(until="finish")
    assert {"pending": 4_500, "payable": 1_500} == money.accounts()
    assert ("settled", "") == (money.the_batch(batch).status, money.the_batch(batch).file)


@pytest.mark.usefixtures("books")
def test_earn_takes_back_loyalty_when_the_customer_leaves() -> None:
    """Leaving before 180 days costs the loyalty milestone only."""
    money.sell()
    money.deliver("r1")
    money.churn("r1", "2026-12-24T00:00:00.000Z")
    money.deliver("r1", "r1")

    assert {"pending": 2_500} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_splits_between_partners_without_loss() -> None:
    """Two partners share a sale; each has books of their own and together it is all there."""
    money.enrol("quin", email_key="key-quin")
    money.sell(amount_minor=100_003, shares={"pia": 3_333, "quin": 6_667})

    money.deliver("r1")

    assert {"pending": 3_333} == money.accounts("pia")
    assert {"pending": 6_667} == money.accounts("quin")


def test_earn_in_other_currencies(engine: str, frozen: Callable[[str], None]) -> None:
    """Yen have no and dinars three digits after the point; each currency has its own balance."""
    assert engine
    assert frozen
    money.publish()
    money.enrol()
    money.sell("r1", 12_345, currency="JPY")
    money.sell("r2", 12_345, currency="KWD", lead_key="other")

    money.deliver("r1", "r2")

    assert {"pending": 1_235} == money.accounts(currency="JPY")
    assert {"pending": 1_235} == money.accounts(currency="KWD")
    assert ["JPY", "KWD"] == [each.currency for each in ledger.balances("pia")]


@pytest.mark.usefixtures("books")
def test_earn_reports_only_the_message_that_failed() -> None:
    """A message about nothing goes back to the queue; its neighbours are done."""
    money.sell()

    answer = money.deliver("unknown", "r1")

    assert {"batchItemFailures": [{"itemIdentifier": "m1"}]} == answer
    assert {"pending": 10_000} == money.accounts()


@pytest.mark.usefixtures("books")
def test_earn_refuses_an_event_of_another_kind() -> None:
    """A message that is not about a referral is poison, not silence."""
    event = life.from_bus({"entity": "PARTNER#pia", "type": "PartnerEnrolled"})

    assert {"batchItemFailures": [{"itemIdentifier": "m1"}]} == earn.handler(event, money.CONTEXT)


@pytest.mark.usefixtures("books")
def test_earn_moves_reward_and_money_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else earns the same rewards between reading and writing: once, and whole."""
    money.sell()
    money.intrude(monkeypatch, lambda: earn.converge("r1", now=NOW))

    earn.converge("r1", now=NOW)

    assert {"pending": 10_000} == money.accounts()
    assert 2 == len(money.journals())
