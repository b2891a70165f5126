"""What the rep says of a partner's part in a deal decides what the partner earns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from introducer.command import Accept, Advance, Assign, Clear
from introducer.referral import Share
from introducer.tables import referrals
from introducer.tables.store import Transaction
from payout import earn
from tests.support import life, money
from tests.support.api import call, login
from tests.support.commands import LATER

ANNA = login("login-anna", "rep")
CO_SOLD = {"field": "partner.involvement", "op": "eq", "value": "co_sold"}


def plan(trigger: dict[str, str], calculation: dict[str, Any], more: dict[str, Any]) -> Any:
    """Return a plan that pays *calculation*, and *more* to who sold along with us."""
    variant = {"id": "co_sold", "condition": CO_SOLD, "calculation": more}
    return {
        "id": "commission",
        "trigger": trigger,
        "calculation": calculation,
        "variants": [variant],
        "milestones": [{"id": "whole", "share_basis_points": 10_000, "when": "earned"}],
    }


@pytest.fixture
def lead(engine: str, frozen: Callable[[str], None]) -> Callable[[Any], None]:
    """Publish a plan and give Anna a lead of Pia's, accepted."""
    assert engine
    assert frozen

    def give(rewards: Any) -> None:
        money.publish(rewards=[rewards])
        money.enrol("pia")
        life.add_rep("anna")
        life.submit("r1")
        before = life.move("r1", Clear(partner="pia", audience="partners"))
        writes = Transaction()
        share = Share(partner="pia", basis_points=10_000, audience="partners")
        referrals.add_share(writes, before, share)
        writes.commit()
        life.move("r1", Assign(rep="anna"))
        life.move("r1", Accept())

    return give


def assess(involvement: str) -> None:
    """Let the rep say so, and the bus tell the function that earns."""
    body = {"rating": 5, "involvement": {"pia": involvement}}
    call("PUT", "/v1/rep/referrals/r1/assessment", body, claims=ANNA)
    detail = referrals.detail("r1")
    assert "ReferralAssessed" == detail.events[-1].type
    told = {"entity": detail.referral.entity, "type": "ReferralAssessed"}
    assert {"batchItemFailures": []} == earn.handler(life.from_bus(told), money.CONTEXT)


@pytest.mark.parametrize(
    ("involvement", "expected"), [("introduced", 10_000), ("assisted", 10_000), ("co_sold", 20_000)]
)
def test_a_rate_that_depends_on_involvement(
    lead: Callable[[Any], None], involvement: str, expected: int
) -> None:
    """Ten percent for an introduction, twenty for selling along."""
    percent = {"kind": "percent", "basis_points": 1_000}
    lead(plan({"on": "won"}, percent, {**percent, "basis_points": 2_000}))
    assess(involvement)
    assert {} == money.accounts()
    money.sell_more("r1", "s1", 100_000)
    money.deliver("r1")
    assert {"pending": expected} == money.accounts()


def test_what_a_stage_earned_follows_the_assessment(lead: Callable[[Any], None]) -> None:
    """Changed before the sale, the difference is booked, up and down, once each."""
    flat = {"kind": "flat", "amount_minor": 5_000, "currency": "EUR"}
    lead(plan({"on": "stage", "stage": "qualified"}, flat, {**flat, "amount_minor": 8_000}))
    life.move("r1", Advance(stage="qualified", source_at=LATER))
    money.deliver("r1")
    held = [money.accounts()]
    for involvement in ("co_sold", "introduced"):
        assess(involvement)
        money.deliver("r1")
        held.append(money.accounts())
    assert [{"pending": 5_000}, {"pending": 8_000}, {"pending": 5_000}] == held
    assert [5_000, 3_000, 3_000] == [journal.amount_minor for journal in money.journals()]
