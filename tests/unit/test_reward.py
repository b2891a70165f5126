"""What refunds and a customer's leaving take back, and what keeps a reward from release."""

from __future__ import annotations

import msgspec
import pytest

from introducer import reward
from introducer.document.plan import Clawback, Milestone
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


@pytest.mark.parametrize(
    ("clawback", "expected"),
    [
        (Clawback(), [10, 20]),
        (Clawback(policy="full"), [100]),
        (Clawback(policy="none"), []),
        (Clawback(within_days=10), [10]),
        (Clawback(policy="full", within_days=4), []),
    ],
)
def test_reversals_follow_the_plans_clawback(clawback: Clawback, expected: list[int]) -> None:
    """A tenth five days and a fifth twenty days after the sale: the part, all, or nothing."""
    early = msgspec.structs.replace(refund(10, 100), at="2026-01-15T00:00:00.000Z")
    late = msgspec.structs.replace(refund(11, 200), at="2026-01-30T00:00:00.000Z")

    found = reward.reversals(_one(), sale(1_000), won(), [early, late], clawback)

    assert expected == [each.amount_minor for each in found]


def test_reversals_of_churn_do_not_ask_the_clawback() -> None:
    """A customer who leaves before loyalty is due takes it along, whatever refunds take."""
    left = won(status="churned", source_at="2026-03-01T00:00:00.000Z")

    found = reward.reversals(
        _one(PARTS), sale(1_000), left, [refund(9, 500), churned(10)], Clawback(policy="none")
    )

    assert [("churned", 75)] == [(each.reason, each.amount_minor) for each in found]


def test_restated_counts_what_was_taken_back_anew() -> None:
    """Half was refunded of 100; of the 60 that are left half is refunded too."""
    before = msgspec.structs.replace(_one(), reversed_minor=50, reversed_seq=10, status="released")
    lower = msgspec.structs.replace(before, amount_minor=60)
    taken = reward.reversals(lower, sale(1_000), won(), [refund(10, 500), refund(11, 500)])

    after = reward.restated(
        before, msgspec.structs.replace(_one(), offered_minor=60), 60, [], taken
    )

    assert (60, 60, 30, "released", 2) == (
        after.offered_minor,
        after.amount_minor,
        after.reversed_minor,
        after.status,
        after.version,
    )


def test_restated_to_nothing_and_back_waits_again() -> None:
    """What was displaced whole is gone; when it is due again it is released anew."""
    released = msgspec.structs.replace(_one(), status="released")

    gone = reward.restated(released, None, 0, [], [])
    back = reward.restated(gone, _one(), 100, [], [])

    assert ("reversed", 0, 0) == (gone.status, gone.left_minor, gone.offered_minor)
    assert ("pending", 100, 1) == (back.status, back.left_minor, back.revived)


def test_restated_leaves_what_was_forfeited_at_nothing() -> None:
    """Time ran out; more of it is still nothing."""
    forfeited = msgspec.structs.replace(
        _one(), status="reversed", reversed_minor=100, forfeited=True
    )

    after = reward.restated(
        forfeited, msgspec.structs.replace(_one(), offered_minor=150), 150, [], []
    )

    assert ("reversed", 0, 150) == (after.status, after.left_minor, after.amount_minor)


def test_obstacle_of_what_is_earned_is_its_date_alone() -> None:
    """A milestone that waits for no sale is released without one."""
    lead = [Milestone(id="lead", share_basis_points=10_000, when="earned", after_days=30)]
    due = _one(lead)

    assert "not_due" == reward.obstacle(due, won(status="lost"), WON)
    assert "" == reward.obstacle(due, won(status="lost"), "2026-02-09T00:00:00.000Z")
    assert "on_hold" == reward.obstacle(due, won(status="lost", hold="check"), DUE)
