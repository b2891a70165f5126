"""A dispute's decision moves money from one partner to another, by reversing journals."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from introducer.command import Hold, Reject, Release, SendToReview
from introducer.referral import Share
from introducer.tables import ledger, referrals, rewards
from introducer.tables.store import Table, Transaction
from tests.support import fair, life, money, tallied
from tests.support.api import call
from tests.support.tables import everything

LEAD_FEE = {
    "id": "lead_fee",
    "trigger": {"on": "submitted"},
    "calculation": {"kind": "flat", "amount_minor": 2_000, "currency": "EUR"},
    "milestones": [{"id": "whole", "share_basis_points": 10_000, "when": "earned"}],
}


@pytest.fixture
def books(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """The program and two partners; one of them is credited with what is sold."""
    money.publish()
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")


def kinds(partner: str) -> list[tuple[str, int, str]]:
    """Return kind, amount and reason of a partner's journals, in order."""
    return [(str(each.kind), each.amount_minor, each.reason) for each in money.journals(partner)]


def settled(*partners: str) -> bool:
    """Return whether the books of *partners* add up and nothing was halted."""
    return (
        fair.trial_balance(*partners) == 0
        and fair.folded(*partners)
        and not ledger.halted(life.PROGRAM)
    )


@pytest.mark.usefixtures("books")
def test_everything_moves_before_release() -> None:
    """What one has pending goes back, and the other earns the same."""
    money.sell()
    money.deliver("r1")
    fair.recredit("r1", {"quin": 10_000})

    money.deliver("r1", "r1")

    assert ({}, {"pending": 10_000}) == (money.accounts("pia"), money.accounts("quin"))
    assert [
        ("RewardEarned", 2_500, ""),
        ("RewardEarned", 7_500, ""),
        ("RewardReversed", 2_500, "recredited"),
        ("RewardReversed", 7_500, "recredited"),
    ] == sorted(kinds("pia"))
    assert [("RewardEarned", 2_500, ""), ("RewardEarned", 7_500, "")] == sorted(kinds("quin"))
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_everything_moves_after_release() -> None:
    """What is payable is taken back too, and the other's is released when it is looked at."""
    money.sell()
    money.deliver("r1")
    money.release()
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    fair.recredit("r1", {"quin": 10_000})

    money.deliver("r1")
    money.release()

    assert {} == money.accounts("pia")
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("quin")
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_what_waits_in_a_batch_is_taken_out_of_it() -> None:
    """A payout that was not sent yet is cancelled, so nobody is paid what is another's."""
    money.sell()
    money.deliver("r1")
    money.release()
    money.pay_out(until="close")
    fair.recredit("r1", {"quin": 10_000})

    money.deliver("r1")

    assert ({}, {"pending": 10_000}) == (money.accounts("pia"), money.accounts("quin"))
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_what_was_paid_is_owed_and_the_other_is_paid() -> None:
    """After the money has left: a receivable for one, and a payout for the other."""
    money.sell()
    money.deliver("r1")
    money.release()
    money.debit(money.pay_out())
    assert {"paid": 2_500, "pending": 7_500} == money.accounts("pia")
    fair.recredit("r1", {"quin": 10_000})

    money.deliver("r1")
    money.release()
    money.debit(money.pay_out(2), name="camt-2.xml")

    assert {"paid": 2_500, "receivable": -2_500} == money.accounts("pia")
    assert {"paid": 2_500, "pending": 7_500} == money.accounts("quin")
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("amount_minor", [100_000, 100_003, 99_999, 70])
def test_halves_are_exact_to_the_cent(amount_minor: int) -> None:
    """However it divides: the two have together what the one had, and neither a cent more."""
    money.sell(amount_minor=amount_minor)
    money.deliver("r1")
    whole = sum(money.accounts("pia").values())
    fair.recredit("r1", {"pia": 5_000, "quin": 5_000})

    money.deliver("r1")

    parts = [sum(money.accounts(name).values()) for name in ("pia", "quin")]
    assert whole == sum(parts)
    assert max(parts) - min(parts) <= 1
    assert {"recredited"} == {why for _, _, why in kinds("pia") if why}
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_credit_that_comes_back_is_earned_again() -> None:
    """To the other and back, in two disputes: as if there had been none, every step on record."""
    money.sell()
    money.deliver("r1")
    money.release()
    fair.recredit("r1", {"quin": 10_000})
    money.deliver("r1")
    fair.recredit("r1", {"pia": 10_000}, number=2)

    money.deliver("r1")
    money.release()

    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    assert {} == money.accounts("quin")
    assert {"", "recredited"} == {why for _, _, why in kinds("pia")}
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_refund_and_decision_in_either_order_give_the_same() -> None:
    """A refund before the decision or after it: the new partner has what is left."""
    for name, refund_first in (("r1", True), ("r2", False)):
        money.sell(name, lead_key=name)
        money.deliver(name)
        if refund_first:
            money.refund(name, "f1", 40_000)
            money.deliver(name)
        fair.recredit(name, {"quin": 10_000})
        money.deliver(name)
        if not refund_first:
            money.refund(name, "f1", 40_000)
            money.deliver(name)

    left = [
        sorted((each.partner, each.left_minor) for each in rewards.load(stored))
        for stored in (referrals.detail(name).rewards for name in ("r1", "r2"))
    ]
    assert [[("pia", 0), ("pia", 0), ("quin", 1_500), ("quin", 4_500)]] * 2 == left
    assert ({}, {"pending": 12_000}) == (money.accounts("pia"), money.accounts("quin"))
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_what_was_refunded_wholly_gives_the_new_partner_nothing() -> None:
    """A referral that is over can still change hands; there is nothing left in it."""
    money.sell()
    money.deliver("r1")
    money.refund("r1", "f1", 100_000)
    money.deliver("r1")
    fair.recredit("r1", {"quin": 10_000})

    money.deliver("r1")

    assert ({}, {}) == (money.accounts("pia"), money.accounts("quin"))
    assert settled("pia", "quin")


@pytest.fixture
def in_review(engine: str, frozen: Callable[[str], None]) -> None:  # noqa: ARG001
    """Pia's lead waits for a person; a dispute gives most of the credit for it to Quin."""
    money.publish(rewards=[LEAD_FEE])
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")
    life.add_rep("anna")
    life.submit("r1")
    writes = Transaction()
    share = Share(partner="pia", basis_points=10_000, audience="partners")
    referrals.add_share(writes, referrals.get("r1"), share)
    writes.commit()
    life.move("r1", SendToReview(reason="named_account"))
    dispute = fair.opened_by_manager("quin")
    assert 200 == fair.decide(dispute, "split", {"pia": 2_500, "quin": 7_500}).status


@pytest.mark.usefixtures("in_review")
def test_decision_lets_no_lead_through() -> None:
    """Only a person does: a lead that is turned down after the decision has earned nothing."""
    money.deliver("r1")
    assert ("review", "") == ((found := referrals.get("r1")).status, found.partner)
    assert [] == money.everything(Table.LEDGER)
    life.move("r1", Reject(reason="not_a_fit"), actor="user:mia")

    money.deliver("r1")

    assert ([], []) == (money.everything(Table.LEDGER), referrals.detail("r1").rewards)


@pytest.mark.usefixtures("in_review")
def test_lead_let_through_after_the_decision_is_whose_it_says() -> None:
    """The person who gives it to a rep credits those of the decision."""
    path = f"/v1/programs/{life.PROGRAM}/referrals/r1/assign"
    assert 200 == call("POST", path, {"rep": "anna"}, claims=fair.MIA).status

    money.deliver("r1")

    assert ("assigned", "quin", "partners") == (
        (found := referrals.get("r1")).status,
        found.partner,
        found.audience,
    )
    assert ({"pending": 500}, {"pending": 1_500}) == (
        money.accounts("pia"),
        money.accounts("quin"),
    )
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_released_reward_is_not_raised_while_it_is_held() -> None:
    """What a decision adds to it would be payable at once: it has to wait for the hold to go."""
    money.sell(shares={"pia": 3_000, "quin": 7_000})
    money.deliver("r1")
    money.release()
    life.move("r1", Hold(reason="self_referral"))
    dispute = fair.opened_by_manager("pia")
    before = everything()

    assert (409, "on_hold") == fair.decide(dispute).problem()

    assert before == everything()
    life.move("r1", Release(reason="reviewed"))
    assert 200 == fair.decide(dispute).status
    money.deliver("r1")
    assert {"pending": 7_500, "payable": 2_500} == money.accounts("pia")
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_what_is_held_before_release_may_change_hands() -> None:
    """All of it is pending, and stays so until the hold goes; a rejection moves nothing."""
    money.sell()
    money.deliver("r1")
    life.move("r1", Hold(reason="self_referral"))
    assert 200 == fair.decide(fair.opened_by_manager("pia"), "rejected").status
    assert 200 == fair.decide(fair.opened_by_manager("quin")).status

    money.deliver("r1")
    money.release()

    assert ({}, {"pending": 10_000}) == (money.accounts("pia"), money.accounts("quin"))
    assert settled("pia", "quin")


@pytest.mark.usefixtures("engine", "frozen")
def test_budget_that_is_used_up_pays_the_new_partner_too() -> None:
    """What the decision takes from one is in the budget again before the other's is asked of it."""
    money.publish(rewards=[tallied.plan()], budgets=[tallied.budget(10_000)])
    money.enrol("zoe")
    money.enrol("adam", email_key="key-adam")
    money.sell(shares={"zoe": 10_000})
    money.deliver("r1")
    fair.recredit("r1", {"adam": 10_000})

    money.deliver("r1")

    assert ({}, {"pending": 10_000}) == (money.accounts("zoe"), money.accounts("adam"))
    assert settled("zoe", "adam")


@pytest.mark.usefixtures("engine", "frozen")
def test_tiers_and_caps_follow_the_credit() -> None:
    """Who loses a success falls a tier and has room under a cap; who gets it, the other way."""
    money.publish(
        rewards=[tallied.plan(escalation=tallied.tiers((2, 2_000)), caps=[tallied.cap(25_000)])]
    )
    money.enrol("pia")
    money.enrol("quin", email_key="key-quin")
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    tallied.sell("r3", 100_000, 3, shares={"quin": 10_000})
    tallied.converge("r1", "r2", "r3")
    assert {"r1": 10_000, "r2": 15_000, "r3": 10_000} == tallied.left("r1", "r2", "r3")
    fair.recredit("r1", {"quin": 10_000})

    tallied.converge("r1", "r2", "r3")

    assert {"r1": 10_000, "r2": 10_000, "r3": 15_000} == tallied.left("r1", "r2", "r3")
    assert {"pending": 10_000} == money.accounts("pia")
    assert {"pending": 25_000} == money.accounts("quin")
    assert [] == tallied.disagreeing(["r1", "r2", "r3"])
    assert settled("pia", "quin")


@pytest.mark.usefixtures("books")
def test_partner_who_lost_it_still_sees_the_referral() -> None:
    """With no part any more, and the day on which the credit changed."""
    money.sell()
    fair.recredit("r1", {"quin": 10_000})

    detail = referrals.detail("r1")

    assert ["quin"] == [share.partner for share in detail.shares]
    assert [("pia", 0)] == [(share.partner, share.basis_points) for share in detail.former]
    listed, _ = referrals.of_partner("pia", limit=10)
    assert [("r1", 0)] == [(referral.id, share.basis_points) for referral, share in listed]


@pytest.mark.usefixtures("engine", "frozen")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_mixture_of_sales_refunds_decisions_and_payouts_agrees_in_the_end(seed: int) -> None:
    """Whatever happens in whatever order, some messages twice and late: the rules' own answer."""
    money.publish(
        rewards=[tallied.plan(escalation=tallied.tiers((3, 1_500)), caps=[tallied.cap(45_000)])],
        budgets=[tallied.budget(1_000_000)],
    )
    everybody = ("pia", "quin", "zoe")
    for name in everybody:
        money.enrol(name, email_key=f"key-{name}")
    chance = random.Random(seed)
    names = [f"r{number}" for number in range(4)]
    for place, name in enumerate(names):
        shares = chance.choice([{"pia": 10_000}, {"quin": 6_667, "zoe": 3_333}])
        tallied.sell(name, chance.randrange(50_000, 150_000), place, shares=shares)
    paid = 0
    for step in range(12):
        name = chance.choice(names)
        match chance.choice(["decide", "decide", "sell", "refund", "deliver", "pay"]):
            case "decide":
                first, second = chance.sample(everybody, 2)
                part = chance.choice([10_000, 5_000, 1])
                rest = {second: 10_000 - part} if part < 10_000 else {}
                fair.recredit(name, {first: part} | rest, number=step)
            case "sell":
                money.sell_more(name, f"s{step + 2}", 33_333, at=tallied.at(10 + step))
            case "refund":
                money.refund(name, f"f{step}", 1_001)
            case "deliver":
                tallied.converge(name)
            case "pay":
                money.release()
                paid += 1
                money.debit(money.pay_out(paid), name=f"camt-{paid}.xml")

    tallied.converge(*names, *names)

    assert [] == tallied.disagreeing(names)
    assert settled(*everybody)
    earned = [each for name in names for each in tallied.stored(name)]
    for partner in everybody:
        left = sum(each.left_minor for each in earned if each.partner == partner)
        assert left == sum(money.accounts(partner).values())
