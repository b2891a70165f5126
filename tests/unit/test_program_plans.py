"""Reward plans must pay out, whole, and in their time."""

from typing import Any

import pytest

from tests.support.documents import BONUS, Finding, asks, document, flat, found_in, plan


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            document(
                plan(
                    milestones=[
                        {"id": "a", "share_basis_points": 2500},
                        {"id": "b", "share_basis_points": 7000},
                    ]
                )
            ),
            [
                (
                    "$.rewards[0].milestones",
                    "the shares add up to 9500 basis points",
                    "make them add up to 10000",
                )
            ],
            id="shares",
        ),
        pytest.param(
            document(
                plan(
                    milestones=[
                        {
                            "id": "a",
                            "share_basis_points": 10000,
                            "condition": asks("lead.size", "gt", 3),
                        }
                    ]
                )
            ),
            [
                (
                    "$.rewards[0].milestones[0]",
                    "it waits for its condition without end",
                    "say with until_days how long it may wait",
                )
            ],
            id="condition without end",
        ),
        pytest.param(
            document(plan(trigger={"on": "submitted"})),
            [
                (
                    "$.rewards[0].milestones[0]",
                    "it waits for a sale that may never come, without end",
                    'add until_days, or use the when "earned"',
                )
            ],
            id="sale that may never come",
        ),
        pytest.param(
            document(
                plan(milestones=[{"id": "a", "share_basis_points": 10000, "when": "retained"}])
            ),
            [
                (
                    "$.rewards[0].milestones[0].after_days",
                    "a customer of no days is retained at once",
                    'wait some days, or use the when "won"',
                )
            ],
            id="retained at once",
        ),
        pytest.param(
            document(
                plan(
                    hold_days=60,
                    milestones=[
                        {"id": "a", "share_basis_points": 10000, "after_days": 10, "until_days": 20}
                    ],
                )
            ),
            [
                (
                    "$.rewards[0].milestones[0].until_days",
                    "held for 60 days, it is forfeited after 30",
                    "wait longer, or hold shorter",
                )
            ],
            id="held until forfeited",
        ),
        pytest.param(
            document(
                plan(
                    escalation={
                        "measure": "count",
                        "tiers": [
                            {"from": 1, "calculation": flat(6000)},
                            {"from": 5, "calculation": flat(7000)},
                            {"from": 5, "calculation": flat(8000)},
                            {"from": 9, "calculation": flat(8000)},
                        ],
                    }
                )
            ),
            [
                (
                    "$.rewards[0].escalation.tiers[0].from",
                    (
                        "it begins with the first success, so the plan's own calculation is "
                        "never used"
                    ),
                    "let the first tier begin later, or give the plan its calculation",
                ),
                (
                    "$.rewards[0].escalation.tiers[2].from",
                    "5 does not come after 5",
                    "list tiers by rising from",
                ),
                (
                    "$.rewards[0].escalation.tiers[3].calculation",
                    "it pays what the tier before it pays",
                    "pay more, or leave it out",
                ),
            ],
            id="tiers",
        ),
        pytest.param(
            document(plan(clawback={"policy": "none", "within_days": 30})),
            [
                (
                    "$.rewards[0].clawback.within_days",
                    "nothing is taken back at any time",
                    "leave it out",
                )
            ],
            id="nothing to take back",
        ),
        pytest.param(
            document(
                plan(
                    clawback={"within_days": 30},
                    milestones=[
                        {
                            "id": "a",
                            "share_basis_points": 10000,
                            "when": "retained",
                            "after_days": 180,
                        }
                    ],
                )
            ),
            [
                (
                    "$.rewards[0].clawback.within_days",
                    ("a refund after 30 days takes back nothing, and a part is due after 180"),
                    "take back for at least 180 days",
                )
            ],
            id="taken back too shortly",
        ),
        pytest.param(
            document(
                plan(calculation=flat(0)),
                plan(id="b", group="b", calculation={"kind": "percent", "basis_points": 0}),
            ),
            [
                (
                    "$.rewards[0].calculation",
                    "the plan gives nothing",
                    "give something, or leave the plan out",
                ),
                (
                    "$.rewards[1].calculation",
                    "the plan gives nothing",
                    "give something, or leave the plan out",
                ),
            ],
            id="gives nothing",
        ),
        pytest.param(
            document(
                plan(
                    calculation={
                        "kind": "percent",
                        "basis_points": 100,
                        "min_minor": 500,
                        "cap_minor": 400,
                    }
                )
            ),
            [
                (
                    "$.rewards[0].calculation.min_minor",
                    "the least it gives, 500, is above its cap of 400",
                    "raise the cap, or lower the least",
                )
            ],
            id="least above the most",
        ),
        pytest.param(
            document(
                plan(
                    bonuses=[
                        BONUS | {"effect": {"kind": "multiplier", "basis_points": 10000}},
                        BONUS | {"id": "b", "effect": flat(0)},
                    ]
                )
            ),
            [
                (
                    "$.rewards[0].bonuses[0].effect",
                    "once the amount changes nothing",
                    "use another factor",
                ),
                (
                    "$.rewards[0].bonuses[1].effect",
                    "it gives nothing",
                    "give something, or leave it out",
                ),
            ],
            id="bonus of nothing",
        ),
    ],
)
def test_plans_pay_in_time(sent: dict[str, Any], expected: list[Finding]) -> None:
    """Parts that never become due, tiers out of order and amounts of nothing are found."""
    assert expected == found_in(sent)
