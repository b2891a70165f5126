"""What refunds and a customer's leaving take back, and what keeps a reward from release."""

from __future__ import annotations

import pytest

from introducer import reward
from introducer.document.plan import Milestone
from introducer.referral import Referral
from introducer.reward import Reward
from tests.support.cases import (
    DUE,
    PARTS,
    WHOLE,
    WON,
    case,
    churned,
    earned,
    plan,
    program,
    refund,
    sale,
    won,
)


def _one(milestones: list[Milestone] = WHOLE, amount_minor: int = 1_000) -> Reward:
    return earned(program(plan(milestones=milestones)), case(sale(amount_minor)))[-1]


def test_reversals_follow_partial_refunds_without_drift() -> None:
    """Three refunds of a third each take back all, whatever each rounds to."""
    found = reward.reversals(
        _one(), sale(1_000), won(), [refund(10, 333), refund(11, 333), refund(12, 334)]
    )

    assert [(10, 33, 33), (11, 34, 67), (12, 33, 100)] == [
        (each.seq, each.amount_minor, each.total_minor) for each in found
    ]


def test_reversals_ignore_the_order_they_are_read_in() -> None:
    """Events are taken in their own order; those of other sales do not count."""
    events = [refund(12, 500), refund(10, 250), refund(11, 999, of="s-2")]

    assert [(10, 25), (12, 50)] == [
        (each.seq, each.amount_minor)
        for each in reward.reversals(_one(), sale(1_000), won(), events)
    ]


def test_reversals_never_take_more_than_was_earned() -> None:
    """A refund beyond the sale takes the whole reward and no more."""
    last = refund(11, 900, kind="ReferralRefunded")

    found = reward.reversals(_one(), sale(1_000), won(status="refunded"), [refund(10, 900), last])

    assert [90, 10] == [each.amount_minor for each in found]


def test_reversals_of_churn_take_only_what_was_not_due() -> None:
    """A customer who left early costs the loyalty milestone, not the purchase one."""
    left = won(status="churned", source_at="2026-03-01T00:00:00.000Z")
    stayed = won(status="churned", source_at="2026-08-01T00:00:00.000Z")
    loyalty = _one(PARTS)

    assert [("churned", 75)] == [
        (each.reason, each.amount_minor)
        for each in reward.reversals(loyalty, sale(1_000), left, [churned(10)])
    ]
    assert [] == reward.reversals(loyalty, sale(1_000), stayed, [churned(10)])
    assert [] == reward.reversals(_one(), sale(1_000), left, [churned(10)])


def test_reversals_of_churn_after_a_refund_take_the_rest() -> None:
    """Refund first, then churn: together exactly what was earned."""
    left = won(status="churned", source_at="2026-03-01T00:00:00.000Z")

    found = reward.reversals(_one(PARTS), sale(1_000), left, [refund(10, 500), churned(11)])

    assert [38, 37] == [each.amount_minor for each in found]


@pytest.mark.parametrize(
    ("milestones", "referral", "now", "expected"),
    [
        (WHOLE, won(), WON, ""),
        (PARTS, won(), "2026-07-08T23:59:59.999Z", "not_due"),
        (PARTS, won(), DUE, ""),
        (PARTS, won(status="retained"), DUE, ""),
        (PARTS, won(hold="self_referral"), DUE, "on_hold"),
        (PARTS, won(status="churned", source_at="2026-03-01T00:00:00.000Z"), DUE, "churned"),
        (WHOLE, won(status="churned", source_at="2026-03-01T00:00:00.000Z"), DUE, ""),
        (WHOLE, won(status="refunded"), DUE, ""),
        (WHOLE, won(status="lost"), DUE, "not_sold"),
    ],
)
def test_obstacle_says_why_a_reward_waits(
    milestones: list[Milestone], referral: Referral, now: str, expected: str
) -> None:
    """A reward is released when it is due, not held, and its condition holds."""
    assert expected == reward.obstacle(_one(milestones), referral, now)
