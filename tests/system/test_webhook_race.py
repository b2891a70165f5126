"""The same thing at the same moment, many times: it happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.api import Answer, Stack
from tests.support.deployed import items, until
from tests.support.journey import SALE_MINOR, Journey, unique


@pytest.fixture(scope="module")
def journey(stack: Stack) -> Journey:
    """One program for the whole module: its tests keep apart by partners and leads."""
    return Journey(stack)


def persist(send: Callable[[], Answer]) -> Answer:
    """Send the same thing until it is answered, as a careful client does: a reply may get lost."""
    return until(send, lambda answer: answer.status < 500)


def test_signed_message_sent_by_many_at_once_is_applied_once(
    stack: Stack, journey: Journey
) -> None:
    """Eight deliveries of one message get one answer, store one sale and earn one reward."""
    partner = journey.partner()
    referral = journey.assigned(journey.link(partner))
    sale, message = journey.sale(referral), unique("msg")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: persist(lambda: journey.send("sale.recorded", sale, message=message)),
                range(8),
            )
        )
    applied = {"outcome": "applied", "referral": referral, "status": "won"}
    assert [(200, applied)] * 8 == [(each.status, each.body) for each in answers]
    assert sum(each.headers.get("idempotent-replayed") == "true" for each in answers) >= 7
    journey.until_earned(partner)
    under = items(stack, "core", f"REFERRAL#{referral}")
    assert Counter(
        ReferralSubmitted=1, ReferralScreened=1, ReferralAssigned=1, ReferralWon=1
    ) == Counter(each["type"] for each in under if each["sk"].startswith("EVENT#"))
    assert [(sale["sale"], SALE_MINOR)] == [
        (each["id"], each["amount_minor"]) for each in under if each["sk"].startswith("SALE#")
    ]
    booked = [each["kind"] for each in journey.statement(partner)["movements"]]
    assert 2 == booked.count("RewardEarned")


def test_same_sale_in_different_messages_is_booked_once(journey: Journey) -> None:
    """Eight messages that tell of one sale: one is applied, the others were known."""
    partner = journey.partner()
    referral = journey.assigned(journey.link(partner))
    sale = journey.sale(referral)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda message: persist(
                    lambda: journey.send("sale.recorded", sale, message=message)
                ),
                [unique("msg") for _ in range(8)],
            )
        )
    assert Counter(applied=1, known=7) == Counter(each.body["outcome"] for each in answers)
    journey.until_earned(partner)


def test_lead_submitted_by_many_at_once_is_one_live_referral(journey: Journey) -> None:
    """Sixteen submissions of one mailbox: all get the same kind of answer, one lives."""
    code = journey.link(journey.partner(iban=""))
    lead = journey.lead(code)
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda key: persist(lambda: journey.submit(code, key=key, email=lead["email"])),
                [unique("key") for _ in range(16)],
            )
        )
    assert [(201, "submitted")] * 16 == [(each.status, each.body["status"]) for each in answers]
    referrals = {each.body["id"] for each in answers}
    assert 16 == len(referrals)

    def states() -> dict[str, dict[str, str]]:
        return {referral: journey.state(referral) for referral in referrals}

    seen = until(
        states, lambda read: {each["status"] for each in read.values()} <= {"assigned", "duplicate"}
    )
    assert Counter(assigned=1, duplicate=15) == Counter(each["status"] for each in seen.values())
    (live,) = (each["id"] for each in seen.values() if each["status"] == "assigned")
    assert {live} == {
        each["duplicate_of"] for each in seen.values() if each["status"] == "duplicate"
    }


def test_submission_sent_by_many_at_once_with_one_key_is_made_once(journey: Journey) -> None:
    """Eight copies of one request: one referral, everybody is told the same id."""
    code, key = journey.link(journey.partner(iban="")), unique("key")
    lead = journey.lead(code)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: persist(lambda: journey.submit(code, key=key, email=lead["email"])),
                range(8),
            )
        )
    assert [201] * 8 == [each.status for each in answers]
    (referral,) = {each.body["id"] for each in answers}
    made = journey.until_status(referral, "assigned")
    alike = items(journey.stack, "core", made["lead_key"])
    assert [referral] == [each["id"] for each in alike if each["sk"] == "STATE"]
