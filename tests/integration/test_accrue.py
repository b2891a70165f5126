"""Rewards become payable when they are due, once, and not while something stands against it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from introducer import clock
from introducer.command import Hold, Release
from introducer.reward import Reward
from introducer.tables import ledger, referrals, rewards
from payout import accrue, sweep
from tests.support import life, money
from tests.support.money import DUE, NOW


@pytest.fixture
def sold(engine: str, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """Pia has sold for 1,000 EUR and the rewards are pending; returns what moves the clock."""
    assert engine
    money.publish()
    money.enrol("pia")
    money.sell()
    money.deliver("r1")
    return frozen


def stored() -> dict[str, Reward]:
    """Return the rewards of the referral by milestone."""
    return {each.milestone: each for each in rewards.load(referrals.detail("r1").rewards)}


def run() -> dict[str, int]:
    """Run the job as the schedule does."""
    return accrue.handler({}, money.CONTEXT)


@pytest.mark.usefixtures("sold")
def test_accrue_releases_what_is_due_and_nothing_else() -> None:
    """The purchase milestone becomes payable; the loyalty one waits for its day."""
    assert {"retained": 0, "released": 1} == run()

    assert {"pending": 7_500, "payable": 2_500} == money.accounts()
    assert ("released", "pending") == (stored()["purchase"].status, stored()["loyalty"].status)
    assert ["pia"] == list(ledger.due_partners(life.PROGRAM, "EUR"))


@pytest.mark.usefixtures("sold")
def test_accrue_twice_changes_nothing() -> None:
    """The second run finds nothing due."""
    run()
    before = money.everything(ledger.Table.LEDGER)

    assert {"retained": 0, "released": 0} == run()
    assert before == money.everything(ledger.Table.LEDGER)


@pytest.mark.usefixtures("sold")
def test_accrue_two_at_once_releases_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run does everything between what the first one reads and what it writes."""
    money.intrude(monkeypatch, lambda: accrue.release(NOW))

    accrue.release(NOW)

    assert {"pending": 7_500, "payable": 2_500} == money.accounts()
    assert 3 == len(money.journals())
    assert not ledger.halted(life.PROGRAM)


def test_accrue_retains_and_releases_on_the_day(sold: Callable[[str], None]) -> None:
    """180 days after the sale the customer is retained and the rest is payable."""
    run()
    sold("2027-05-19T08:59:59.999Z")
    assert {"retained": 0, "released": 0} == run()
    sold(DUE)
    assert {"retained": 1, "released": 1} == run()

    assert "retained" == referrals.get("r1").status
    assert {"payable": 10_000} == money.accounts()


@pytest.mark.usefixtures("sold")
def test_accrue_leaves_what_is_on_hold_with_its_reason() -> None:
    """A held referral keeps its rewards pending, says why, and is released afterwards."""
    life.move("r1", Hold(reason="self_referral"))
    run()
    run()
    assert {"pending": 10_000} == money.accounts()
    assert ("on_hold", 2) == (stored()["purchase"].waiting, stored()["purchase"].version)

    life.move("r1", Release(reason="reviewed"))
    run()
    assert {"pending": 7_500, "payable": 2_500} == money.accounts()
    assert "" == stored()["purchase"].waiting


def test_accrue_takes_back_what_a_lost_message_did_not(sold: Callable[[str], None]) -> None:
    """The customer left and nobody heard: when loyalty is due it is taken back, not paid."""
    money.churn("r1", "2026-12-24T00:00:00.000Z")
    sold(DUE)

    run()

    assert {"payable": 2_500} == money.accounts()
    assert ("reversed", "churned") == (stored()["loyalty"].status, money.journals()[2].reason)


def test_accrue_pays_what_was_due_before_the_customer_left(sold: Callable[[str], None]) -> None:
    """Leaving after the day costs nothing, even when the job runs late."""
    money.churn("r1", "2027-05-20T00:00:00.000Z")
    sold("2027-06-01T00:00:00.000Z")

    run()

    assert {"payable": 10_000} == money.accounts()


@pytest.mark.usefixtures("sold")
def test_accrue_releases_what_a_refund_left() -> None:
    """A refund whose message is late: released first, taken from payable then."""
    money.refund("r1", "f1", 50_000)
    run()
    assert {"pending": 7_500, "payable": 2_500} == money.accounts()

    money.deliver("r1")
    run()
    assert {"pending": 3_750, "payable": 1_250} == money.accounts()


@pytest.mark.usefixtures("sold")
def test_accrue_groups_the_rewards_of_one_partner() -> None:
    """Many due rewards of one partner go in with one balance update for each 30."""
    for number in range(2, 8):
        money.sell(f"r{number}", lead_key=f"lead-{number}")
    money.deliver(*(f"r{number}" for number in range(2, 8)))
    version = ledger.balance("pia", "EUR").version

    run()

    assert version + 7 == ledger.balance("pia", "EUR").version
    assert {"pending": 7 * 7_500, "payable": 7 * 2_500} == money.accounts()


# ---------------------------------------------------------------- the fraud sweep


@pytest.fixture
def own_lead(engine: str, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """Pia referred somebody whose mailbox is the one she enrols with."""
    assert engine
    money.publish()
    money.enrol("pia", email_key="same-mailbox")
    money.sell(lead_key="same-mailbox")
    money.deliver("r1")
    return frozen


@pytest.mark.usefixtures("own_lead")
def test_sweep_holds_a_self_referral_before_it_is_released() -> None:
    """The referral is held by one event, and its rewards stay pending."""
    found = sweep.handler({}, money.CONTEXT)
    run()

    assert {"seen": 1, "held": 1} == found
    assert "self_referral" == referrals.get("r1").hold
    assert "ReferralHeld" == referrals.detail("r1").events[-1].type
    assert {"pending": 10_000} == money.accounts()


@pytest.mark.usefixtures("own_lead")
def test_sweep_twice_holds_once() -> None:
    """The second sweep finds it held."""
    sweep.handler({}, money.CONTEXT)
    version = referrals.get("r1").version

    assert {"seen": 1, "held": 0} == sweep.handler({}, money.CONTEXT)
    assert version == referrals.get("r1").version


@pytest.mark.usefixtures("own_lead")
def test_sweep_does_not_overrule_a_person() -> None:
    """What a manager has cleared stays cleared."""
    sweep.handler({}, money.CONTEXT)
    life.move("r1", Release(reason="reviewed"))

    assert {"seen": 1, "held": 0} == sweep.handler({}, money.CONTEXT)
    assert "" == referrals.get("r1").hold


def test_sweep_finds_an_old_referral_whose_reward_is_due(
    own_lead: Callable[[str], None],
) -> None:
    """Half a year later the referral is in no recent list, but its reward is due."""
    own_lead(clock.plus(DUE, days=-1))

    assert {"seen": 1, "held": 1} == sweep.handler({"days": 1}, money.CONTEXT)


@pytest.mark.usefixtures("sold")
def test_sweep_leaves_other_peoples_leads_alone() -> None:
    """A lead who is another partner, not credited with it, is no self-referral."""
    money.enrol("quin", email_key="leadkey-r1")

    assert {"seen": 1, "held": 0} == sweep.handler({}, money.CONTEXT)


def test_sweep_only_flags_where_the_program_says_so(
    engine: str, frozen: Callable[[str], None]
) -> None:
    """A program may choose to be told only."""
    assert engine
    assert frozen
    money.publish(fraud={"self_referral": "flag"})
    money.enrol("pia", email_key="same-mailbox")
    money.sell(lead_key="same-mailbox")

    assert {"seen": 1, "held": 0} == sweep.handler({}, money.CONTEXT)
    assert "" == referrals.get("r1").hold
