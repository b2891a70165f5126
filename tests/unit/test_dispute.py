"""A dispute's moves, and what its decision makes of the shares."""

from __future__ import annotations

from typing import Any

import pytest

from introducer import dispute
from introducer.dispute import Dispute
from introducer.errors import InvalidInputError, TransitionError
from introducer.referral import Share
from tests.support.life import NOW, new_partner, new_referral

LATER = "2026-12-06T10:00:00.000Z"


def new(**overrides: Any) -> Dispute:
    """Return an open dispute of Quin's about r1."""
    values: dict[str, Any] = {
        "id": "d1",
        "program": "acme",
        "version": 1,
        "status": "open",
        "opened_by": "PARTNER#quin",
        "partner": "quin",
        "referral": "r1",
        "reason": "referred_first",
        "opened_at": NOW,
        "updated_at": NOW,
        "decide_by": LATER,
    }
    return Dispute(**(values | overrides))


def test_each_move_has_one_event_of_its_own() -> None:
    """Numbered by the version it brought the dispute to, with ids and codes."""
    first = new()
    commented, second = dispute.commented(first, now=NOW, actor="PARTNER#quin")
    raised, third = dispute.escalated(commented, now=LATER)
    decided, fourth = dispute.decided(
        raised,
        "split",
        "joint_work",
        referral="r1",
        credit={"quin": 4_000, "pia": 6_000},
        now=LATER,
        actor="user:mia",
    )
    opened = dispute.opened(first)
    assert [
        ("DisputeOpened", 1, "open"),
        ("DisputeCommented", 2, "open"),
        ("DisputeEscalated", 3, "escalated"),
        ("DisputeDecided", 4, "decided"),
    ] == [(each.type, each.seq, each.data["status"]) for each in (opened, second, third, fourth)]
    assert {
        "outcome": "split",
        "reason": "joint_work",
        "referral": "r1",
        "credit": "pia:6000 quin:4000",
        "status": "decided",
    } == fourth.data
    assert (4, {"quin": 4_000, "pia": 6_000}, LATER) == (
        decided.version,
        decided.credit,
        decided.updated_at,
    )


@pytest.mark.parametrize("status", ["decided", "withdrawn"])
def test_what_is_over_stays_so(status: str) -> None:
    """No comment, no decision, no escalation, no withdrawal any more."""
    over = new(status=status)
    for move in (
        lambda: dispute.commented(over, now=NOW, actor="x"),
        lambda: dispute.escalated(over, now=NOW),
        lambda: dispute.withdrawn(over, now=NOW, actor="x"),
        lambda: dispute.decided(
            over, "rejected", "other", referral="", credit={}, now=NOW, actor="x"
        ),
    ):
        with pytest.raises(TransitionError):
            move()


def test_it_goes_up_once() -> None:
    """A second time would be a second mail to the managers."""
    with pytest.raises(TransitionError):
        dispute.escalated(new(status="escalated"), now=NOW)


@pytest.mark.parametrize(
    ("outcome", "claimant", "asked", "expected"),
    [
        ("rejected", "quin", [], {}),
        ("upheld", "quin", [], {"quin": 10_000}),
        ("upheld", "quin", [("ole", 10_000)], {"ole": 10_000}),
        ("split", "", [("pia", 1), ("quin", 9_999)], {"pia": 1, "quin": 9_999}),
    ],
)
def test_parts_of_a_decision(
    outcome: Any, claimant: str, asked: list[tuple[str, int]], expected: dict[str, int]
) -> None:
    """Whoever claims it gets all of it when nobody else is named."""
    assert expected == dispute.parts_of(outcome, claimant, asked)


@pytest.mark.parametrize(
    ("outcome", "claimant", "asked", "code"),
    [
        ("upheld", "", [], "credit_missing"),
        ("split", "quin", [], "credit_missing"),
        ("split", "quin", [("quin", 10_000)], "credit_missing"),
        ("rejected", "quin", [("quin", 10_000)], "credit_not_needed"),
        ("split", "", [("pia", 5_000), ("pia", 5_000)], "partner_twice"),
        ("split", "", [("pia", 5_000), ("quin", 5_001)], "split_not_whole"),
    ],
)
def test_parts_that_make_no_whole_are_refused(
    outcome: Any, claimant: str, asked: list[tuple[str, int]], code: str
) -> None:
    """Nobody is credited by a slip."""
    with pytest.raises(InvalidInputError) as refused:
        dispute.parts_of(outcome, claimant, asked)
    assert code == refused.value.code


def test_shares_keep_what_was_known_and_nobody_disappears() -> None:
    """Who stays keeps the facts of then, who is new brings those of now, who loses has nothing."""
    held = Share(
        partner="pia",
        basis_points=6_000,
        audience="partners",
        involvement="co_sold",
        facts={"partner.segment": "gold"},
    )
    gone = Share(partner="ole", basis_points=4_000, audience="partners")
    former = Share(partner="zoe", basis_points=0, audience="partners")
    quin = new_partner("quin", org="o1", enrolled_at="2026-11-20T00:00:00.000Z")

    after = dispute.shares_after(
        new_referral(), [held, gone, former], {"pia": 5_000, "quin": 5_000}, {"quin": quin}
    )

    assert [
        Share(
            partner="pia",
            basis_points=5_000,
            audience="partners",
            involvement="co_sold",
            facts={"partner.segment": "gold"},
        ),
        Share(partner="ole", basis_points=0, audience="partners"),
        Share(
            partner="quin",
            basis_points=5_000,
            audience="partners",
            org="o1",
            facts={
                "partner.audience": "partners",
                "partner.country": "DE",
                "partner.organization": "o1",
                "partner.days": 2,
            },
        ),
    ] == after


def test_largest_part_leads_and_then_the_id() -> None:
    """The partner named in lists and messages is the same whoever writes the parts down."""
    quin, adam = new_partner("quin"), new_partner("adam", audience="employees")
    for credit in ({"quin": 5_000, "adam": 5_000}, {"adam": 5_000, "quin": 5_000}):
        command = dispute.recredit(new(), "joint_work", [], credit, {"quin": quin, "adam": adam})
        assert ("adam", "employees", credit, "d1", "joint_work") == (
            command.partner,
            command.audience,
            command.parts,
            command.dispute,
            command.reason,
        )
