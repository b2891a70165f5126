"""What a milestone asks at release, what ends it, and rewards that no bank pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer import partner
from introducer.command import Retain
from introducer.tables import ledger, partners, programs, referrals
from introducer.tables.store import Table, Transaction
from payout import accrue, members, reconcile
from tests.support import life, money, tallied

LATER = "2026-12-25T00:00:00.000Z"
"""After what is due in thirty days, and before its time is over."""
TOO_LATE = "2027-02-01T00:00:00.000Z"


@pytest.fixture
def pia(engine: str, frozen: Callable[[str], None]) -> Callable[[str], None]:
    """Pia, and what moves the clock."""
    assert engine
    money.enrol("pia")
    return frozen


def publish(milestone: dict[str, Any] | None = None, **plan: Any) -> None:
    """Store a program with one plan of one milestone."""
    whole = {"id": "whole", "share_basis_points": 10_000, **(milestone or {})}
    money.publish(rewards=[tallied.plan(milestones=[whole], **plan)])


def run() -> dict[str, int]:
    """Run the job as the schedule does."""
    return accrue.handler({}, money.CONTEXT)


def waits() -> tuple[str, str, dict[str, int]]:
    """Return status of the one reward, why it waits, and what is missing."""
    (each,) = tallied.stored("r1")
    return each.status, each.waiting, each.missing


STAYED = {
    "after_days": 30,
    "until_days": 20,
    "condition": {"field": "referral.status", "op": "eq", "value": "retained"},
}


def test_condition_is_asked_at_release(pia: Callable[[str], None]) -> None:
    """Due, but the customer is not retained yet: it waits and says so; then it is released."""
    publish(STAYED)
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    pia(LATER)
    run()
    assert ("pending", "condition_not_met", {}) == waits()

    life.move("r1", Retain(), now=LATER)
    run()

    assert ("released", "", {}) == waits()
    assert {"payable": 10_000} == money.accounts()


def test_condition_not_met_in_time_forfeits(pia: Callable[[str], None]) -> None:
    """When its time is over the part is taken back, once, and nothing brings it back."""
    publish(STAYED)
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    pia(TOO_LATE)
    run()

    assert {} == money.accounts()
    assert ("RewardReversed", "forfeited", 10_000) == (
        str((last := money.journals()[-1]).kind),
        last.reason,
        last.amount_minor,
    )
    life.move("r1", Retain(), now=TOO_LATE)
    money.refund("r1", "f1", 50_000)
    tallied.converge("r1")
    run()
    assert {} == money.accounts()
    assert 2 == len(money.journals())


def test_forfeited_gives_back_to_the_budget(pia: Callable[[str], None]) -> None:
    """What was forfeited can be spent again."""
    whole = {"id": "whole", "share_basis_points": 10_000, **STAYED}
    money.publish(rewards=[tallied.plan(milestones=[whole])], budgets=[tallied.budget(10_000)])
    tallied.sell("r1", 100_000, 1)
    tallied.sell("r2", 100_000, 2)
    tallied.converge("r1")
    pia(TOO_LATE)
    run()

    tallied.converge("r2")

    assert {"r1": 0, "r2": 10_000} == tallied.left("r1", "r2")


def test_too_little_engagement_keeps_rewards_back_and_says_what_is_missing(
    pia: Callable[[str], None],
) -> None:
    """Two referrals, one success and a text are asked for; what is missing is told."""
    assert pia
    audience = {
        "name": "Partners",
        "engagement": {"referrals": 2, "successes": 1, "agreements": ["nda"]},
    }
    money.publish(
        rewards=[tallied.plan()],
        audiences={"partners": audience},
        agreements={"nda": {"name": "Secrecy", "version": "1"}},
    )
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    run()
    assert (
        "pending",
        "engagement_missing",
        {"referrals": 1, "successes": 1, "agreements.nda": 1},
    ) == waits()

    tallied.sell("r2", 100, 2)
    run()
    assert {"successes": 1, "agreements.nda": 1} == waits()[2]

    found = partners.find_partner("pia")
    assert found is not None
    writes = Transaction()
    partners.add_success(writes, "pia", "r1", now=money.NOW)
    after, event = partner.accepts(found, "nda", "1", now=money.NOW, actor="PARTNER#pia")
    partners.save(writes, found, after, event)
    writes.commit()
    run()
    assert ("released", "", {}) == waits()


def test_a_refund_after_payout_takes_its_part_by_the_pinned_version(
    pia: Callable[[str], None],
) -> None:
    """The version it was made under said proportional; the newest one's "none" is not asked."""
    assert pia
    publish()
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    money.release()
    money.debit(money.pay_out())
    publish(clawback={"policy": "none"})
    money.refund("r1", "f1", 30_000)

    tallied.converge("r1")

    assert {"paid": 10_000, "receivable": -3_000} == money.accounts()


@pytest.mark.parametrize(
    ("clawback", "left_minor"),
    [({"policy": "full"}, 0), ({"policy": "none"}, 10_000), ({"within_days": 1}, 10_000)],
)
def test_the_plans_clawback_is_booked(
    pia: Callable[[str], None], clawback: dict[str, Any], left_minor: int
) -> None:
    """A third is refunded two days after the sale: everything, nothing, or too late."""
    assert pia
    publish(clawback=clawback)
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    money.refund("r1", "f1", 33_333)

    tallied.converge("r1", "r1")

    assert left_minor == sum(money.accounts().values())


def test_credit_and_points_are_released_and_never_paid_by_the_bank(
    pia: Callable[[str], None],
) -> None:
    """Each has a balance of its own; the batch of euros finds the cash alone."""
    assert pia
    points = {"kind": "points", "points": 50}
    money.publish(
        rewards=[
            tallied.plan(),
            tallied.plan(id="voucher", type="credit"),
            tallied.plan(id="score", type="points", calculation=points),
        ]
    )
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    money.release()

    assert {"EUR": 10_000, "EUR.credit": 10_000, "PTS": 50} == {
        each.currency: each.payable for each in ledger.balances("pia")
    }
    money.debit(money.pay_out())
    assert {"paid": 10_000} == money.accounts()
    assert {"payable": 10_000} == money.accounts(currency="EUR.credit")


def test_reps_customers_and_companies_earn_into_accounts_of_their_own(
    pia: Callable[[str], None],
) -> None:
    """They are booked and released like a partner's, apart from it, and in no bank batch."""
    assert pia
    money.publish(
        rewards=[
            tallied.plan(beneficiary="rep", caps=[tallied.cap(8_000)]),
            tallied.plan(id="welcome", beneficiary="customer"),
        ]
    )
    tallied.sell("r1", 100_000, 1)
    tallied.converge("r1")
    money.release()

    assert {"payable": 8_000} == money.accounts("rep.anna")
    assert {"payable": 10_000} == money.accounts("customer.lead-r1")
    assert {} == money.accounts("pia")
    document = programs.current(life.PROGRAM, money.NOW).document
    assert [] == list(members.eligible(document, document.payouts[0], money.NOW))


def test_reconcile_explains_corrected_rewards(pia: Callable[[str], None]) -> None:
    """Displaced, raised, cut by a budget or in another unit: every balance is explained."""
    assert pia
    money.publish(
        rewards=[
            tallied.plan(escalation=tallied.tiers((2, 2_000)), caps=[tallied.cap(35_000)]),
            tallied.plan(id="voucher", type="credit"),
        ],
        budgets=[tallied.budget(60_000)],
    )
    for name, minute in (("r1", 10), ("r2", 20), ("late", 5)):
        tallied.sell(name, 100_000, minute)
        tallied.converge(name)
    money.release()

    report = reconcile.reconcile(money.NOW, days=1)

    assert [] == report.differences
    assert 2 == report.balances
    assert [] == [each for each in money.everything(Table.LEDGER) if each["sk"] == "HALT"]
    assert "won" == referrals.get("r1").status
