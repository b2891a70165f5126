"""What is written off of a debt: too small, too old, above the most somebody may owe."""

from __future__ import annotations

import pytest

from introducer import ledger, recovery
from introducer.document.payout import Recovery
from introducer.ledger import Balance
from introducer.recovery import WriteOff

NOW = "2026-11-22T11:17:00.000Z"
SINCE = "2026-10-23T11:17:00.000Z"
POLICY = Recovery(
    most_owed_minor={"EUR": 10_000},
    write_off_below_minor={"EUR": 100},
    write_off_after_days=30,
)


def owing(minor: int, *, since: str = NOW, currency: str = "EUR") -> Balance:
    """Return a balance that owes so much since then."""
    return Balance(
        partner="ann",
        currency=currency,
        program="telecom",
        version=7,
        head="h",
        receivable=-minor,
        posted_at=NOW,
        owed_at=since if minor else "",
    )


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        (owing(0), None),
        (owing(99), (99, "too_small")),
        (owing(100), None),
        (owing(10_000), None),
        (owing(10_001), (1, "above_most_owed")),
        (owing(100, since=SINCE), (100, "too_old")),
        (owing(100, since="2026-10-23T11:17:00.001Z"), None),
        (owing(50_000, since=SINCE), (50_000, "too_old")),
        (owing(1, currency="USD"), None),
        (owing(10**9, currency="USD"), None),
    ],
)
def test_write_off_follows_the_policy(balance: Balance, expected: tuple[int, str] | None) -> None:
    """The whole debt when it is small or old, else what is above the floor, else nothing."""
    found = recovery.write_off(POLICY, balance, NOW)
    wanted = WriteOff(amount_minor=expected[0], reason=expected[1]) if expected else None
    assert wanted == found


def test_without_a_policy_nothing_is_written_off() -> None:
    """Debts then wait to be netted for ever."""
    assert None is recovery.write_off(Recovery(), owing(10**9, since="2001-01-01"), NOW)


def test_most_owed_of_nothing_means_nobody_ever_owes() -> None:
    """A program may bear all of it."""
    policy = Recovery(most_owed_minor={"EUR": 0})
    assert WriteOff(amount_minor=5, reason="above_most_owed") == recovery.write_off(
        policy, owing(5), NOW
    )


def test_posting_of_a_write_off_is_one_per_state_of_the_balance() -> None:
    """The id names what it was decided on; booked, that state is never again."""
    before = owing(99)
    found = recovery.write_off(POLICY, before, NOW)
    assert found is not None
    posting = recovery.posting(before, found, NOW)
    after = ledger.post(before, [posting], NOW).balance

    assert "recovery:EUR:7:ann" == posting.id
    assert (0, "") == (after.receivable, after.owed_at)
    assert None is recovery.write_off(POLICY, after, NOW)
